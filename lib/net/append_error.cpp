// SPDX-License-Identifier: MIT
#include "net/append_error.hpp"

#include "event/errc.hpp"

namespace vibes::net {
namespace {

AppendErrorName name(event::Errc code) {
  if (code == event::Errc::batch_too_large) {
    return {"batch_too_large", {}};
  }
  return {"invalid_event", event::to_wire_code(code)};
}

AppendErrorName name(eventlog::Errc code) {
  switch (code) {
    case eventlog::Errc::event_id_conflict:
      return {"event_id_conflict", {}};
    case eventlog::Errc::batch_too_large:
      return {"batch_too_large", {}};
    case eventlog::Errc::queue_full:
      return {"queue_full", {}};
    case eventlog::Errc::storage_full:
      return {"storage_full", {}};
    case eventlog::Errc::indeterminate:
      return {"indeterminate", {}};
    case eventlog::Errc::unreachable:
      return {"engine_unreachable", {}};
    default:
      return {"log_not_writable", {}};
  }
}

}  // namespace

AppendErrorName name_append_error(const std::error_code& code) {
  if (code.category() == event::error_category()) {
    return name(static_cast<event::Errc>(code.value()));
  }
  if (code.category() == eventlog::error_category()) {
    return name(static_cast<eventlog::Errc>(code.value()));
  }
  return {"log_not_writable", {}};
}

}  // namespace vibes::net
