// SPDX-License-Identifier: MIT
#include "net/firehose.hpp"

#include <memory>
#include <utility>

#include "consumers/session_links.hpp"
#include "net/firehose_client.hpp"
#include "net/firehose_query.hpp"

namespace vibes::net {

Result<EndpointMaker> plan_firehose(const Query& query, FirehoseContext& context) {
  VIBES_TRY_ASSIGN(parsed, parse_firehose_query(query, context.log, context.clock));
  context.links.widen(parsed.filter, parsed.reach);
  return EndpointMaker([parsed = std::move(parsed), &context](Connection& connection) mutable {
    return std::make_unique<FirehoseClient>(connection, context, std::move(parsed));
  });
}

}  // namespace vibes::net
