// SPDX-License-Identifier: MIT
#include "eventlog/nats/failure.hpp"

#include <fmt/format.h>

#include "eventlog/errc.hpp"

namespace vibes::eventlog::nats {
namespace {

// From the server's list of errors; those that libnats 3.4 has no name for among them.
constexpr int kWrongLastId = 10'070;
constexpr int kWrongLastSequence = 10'071;
constexpr int kWrongLastSequenceUnsaid = 10'164;  // without saying which it is, from 2.11 on
constexpr int kStoreFailed = 10'077;
constexpr int kStreamSealed = 10'109;

Errc meaning_of(int js_error) {
  switch (js_error) {
    case kWrongLastId:
    case kWrongLastSequence:
    case kWrongLastSequenceUnsaid:
      return Errc::not_next;
    case JSAccountResourcesExceededErr:
    case JSInsufficientResourcesErr:
    case JSMemoryResourcesExceededErr:
    case JSStorageResourcesExceededErr:
    case JSStreamLimitsErr:
    case kStoreFailed:  // "maximum bytes exceeded" and what a disk says
      return Errc::storage_full;
    case JSStreamMessageExceedsMaximumErr:
      return Errc::batch_too_large;
    case kStreamSealed:
    case JSStreamNotMatchErr:
      return Errc::other_settings;
    // Said before the message went to the store.
    case JSClusterNotAvailErr:
    case JSClusterNotLeaderErr:
    case JSNotEnabledForAccountErr:
    case JSNoAccountErr:
      return Errc::unreachable;
    default:
      return Errc::indeterminate;
  }
}

}  // namespace

std::string text_of(natsStatus status) {
  natsStatus last = NATS_OK;
  const char* said = nats_GetLastError(&last);
  std::string_view text = said == nullptr || last != status ? "" : said;
  // "(conn.c:1905): Authorization Violation"
  if (const auto end = text.find("): "); text.starts_with('(') && end != std::string_view::npos) {
    text.remove_prefix(end + 3);
  }
  return text.empty() ? natsStatus_GetText(status) : std::string(text);
}

Unexpected request_failed(std::string_view what, natsStatus status, int js_error) {
  const bool refused = status == NATS_NOT_PERMITTED || status == NATS_CONNECTION_AUTH_FAILED;
  const auto code = refused ? Errc::unauthorized : Errc::unreachable;
  return fail(make_error_code(code),
              js_error == 0 ? fmt::format("{}: {}", what, text_of(status))
                            : fmt::format("{}: {} ({})", what, text_of(status), js_error));
}

Error publish_failed(natsStatus status, int js_error, std::string_view text) {
  switch (status) {
    case NATS_MAX_PAYLOAD:
      return Error{make_error_code(Errc::batch_too_large), std::string(text)};
    // While there is no connection nothing is kept to be sent later.
    case NATS_INSUFFICIENT_BUFFER:
    case NATS_CONNECTION_CLOSED:
    case NATS_CONNECTION_DISCONNECTED:
      return Error{make_error_code(Errc::unreachable), std::string(text)};
    default:
      break;
  }
  // A subject that nobody serves at the moment: a server or leader that starts. Nothing took it.
  if (status == NATS_NO_RESPONDERS) {
    return Error{make_error_code(Errc::unreachable), "JetStream does not answer"};
  }
  if (js_error == 0) {
    return Error{make_error_code(Errc::indeterminate), std::string(text)};
  }
  return Error{make_error_code(meaning_of(js_error)), fmt::format("{} ({})", text, js_error)};
}

}  // namespace vibes::eventlog::nats
