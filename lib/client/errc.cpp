// SPDX-License-Identifier: MIT
#include "client/errc.hpp"

#include <string_view>

#include "base/error_category.hpp"

namespace vibes::client {
namespace {

std::string_view text_of(Errc code) {
  switch (code) {
    case Errc::bad_url:
      return "not a URL of a vibes server";
    case Errc::bad_token:
      return "no usable token";
    case Errc::cannot_connect:
      return "cannot connect";
    case Errc::connection_lost:
      return "the connection was lost";
    case Errc::timed_out:
      return "timed out";
    case Errc::woken:
      return "interrupted";
    case Errc::closed:
      return "the server closed the connection";
    case Errc::unauthorized:
      return "the server refuses our credentials";
    case Errc::not_found:
      return "not found";
    case Errc::conflict:
      return "conflict";
    case Errc::rejected:
      return "the server rejects it";
    case Errc::cursor_unusable:
      return "the cursor does not belong to this log";
    case Errc::queue_full:
      return "the server's queue is full";
    case Errc::unavailable:
      return "the server cannot take it now";
    case Errc::disk_full:
      return "the server's disk is full";
    case Errc::bad_answer:
      return "the server's answer makes no sense";
    case Errc::spool_full:
      return "the spool is full";
  }
  return "unknown client error";
}

Errc errc_of_status(int status) {
  switch (status) {
    case 401:
    case 403:
    case 421:
      return Errc::unauthorized;
    case 404:
      return Errc::not_found;
    case 409:
      return Errc::conflict;
    case 429:
      return Errc::queue_full;
    case 503:
      return Errc::unavailable;
    case 507:
      return Errc::disk_full;
    default:
      return status >= 400 && status < 500 ? Errc::rejected : Errc::bad_answer;
  }
}

}  // namespace

const std::error_category& error_category() {
  static const ErrorCategory<Errc> kCategory("vibes.client", text_of);
  return kCategory;
}

std::error_code make_error_code(Errc code) { return {static_cast<int>(code), error_category()}; }

Errc errc_of(std::string_view wire_code, int http_status) {
  if (wire_code == "cursor_mismatch") {
    return Errc::cursor_unusable;
  }
  if (wire_code == "durability_unavailable") {
    return Errc::unavailable;  // it is about the log, not about the event
  }
  return errc_of_status(http_status);
}

}  // namespace vibes::client
