// SPDX-License-Identifier: MIT
#include "net/append_response.hpp"

#include <iterator>

#include <fmt/format.h>

#include "event/errc.hpp"
#include "net/append_error.hpp"

namespace vibes::net {
namespace {

int status_of(const std::error_code& code) {
  if (code == eventlog::Errc::event_id_conflict) {
    return 409;
  }
  if (code == eventlog::Errc::batch_too_large || code == event::Errc::batch_too_large ||
      code == event::Errc::too_large) {
    return 413;
  }
  if (code == eventlog::Errc::queue_full) {
    return 429;
  }
  if (code == eventlog::Errc::storage_full) {
    return 507;
  }
  return code.category() == event::error_category() ? 400 : 503;
}

}  // namespace

Response append_error(const Error& error, std::size_t line) {
  const AppendErrorName name = name_append_error(error.code);
  Response response = error_response({.status = status_of(error.code),
                                      .code = name.code,
                                      .message = error.message(),
                                      .reason = name.reason,
                                      .line = line});
  if (response.status == 429 || response.status == 503) {
    response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

int receipt_status(const eventlog::AppendReceipt& receipt) { return receipt.pending ? 202 : 200; }

Response receipt_response(const eventlog::AppendReceipt& receipt, AckIds ids) {
  Response response;
  response.status = receipt_status(receipt);
  const auto out = std::back_inserter(response.body);
  if (receipt.pending) {
    response.body = R"({"pending":true)";
  } else {
    fmt::format_to(out, R"({{"first_offset":{},"last_offset":{})",
                   receipt.places.front().offset.value(), receipt.places.back().offset.value());
  }
  fmt::format_to(out, R"(,"count":{},"durability":"{}")", receipt.places.size(),
                 eventlog::to_string(receipt.durability));
  if (receipt.pending || ids == AckIds::with) {
    response.body += R"(,"event_ids":[)";
    for (std::size_t i = 0; i < receipt.places.size(); ++i) {
      fmt::format_to(out, R"({}"{}")", i == 0 ? "" : ",", to_string(receipt.places[i].event_id));
    }
    response.body += ']';
  }
  fmt::format_to(out, R"(,"duplicates":{}}})", receipt.duplicates());
  return response;
}

}  // namespace vibes::net
