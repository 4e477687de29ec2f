// SPDX-License-Identifier: MIT
#include "net/http.hpp"

#include <iterator>

#include <fmt/format.h>

#include "event/ascii.hpp"
#include "event/codec.hpp"

namespace vibes::net {

namespace {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 507:
      return "Insufficient Storage";
    default:
      return "Status";
  }
}

}  // namespace

std::string_view to_string(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::remove:
      return "DELETE";
    case Method::patch:
      return "PATCH";
    case Method::options:
      return "OPTIONS";
  }
  return "";
}

Response error_response(const ErrorFacts& facts) {
  Response response;
  response.status = facts.status;
  response.body = R"({"error":{"code":)";
  event::append_json_string(response.body, facts.code);
  response.body += R"(,"message":)";
  event::append_json_string(response.body, facts.message);
  if (!facts.reason.empty()) {
    response.body += R"(,"reason":)";
    event::append_json_string(response.body, facts.reason);
  }
  if (facts.line > 0) {
    fmt::format_to(std::back_inserter(response.body), R"(,"line":{})", facts.line);
  }
  response.body += "}}";
  return response;
}

std::string media_type(std::string_view header) {
  return event::to_lower(event::trim(header.substr(0, header.find(';'))));
}

std::string response_head(int status, std::string_view content_type,
                          std::optional<std::size_t> content_length,
                          const std::vector<std::pair<std::string, std::string>>& headers) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, reason_phrase(status));
  const auto out = std::back_inserter(head);
  if (status != 204) {
    fmt::format_to(out, "Content-Type: {}\r\n", content_type);
  }
  if (content_length && status != 204) {
    fmt::format_to(out, "Content-Length: {}\r\n", *content_length);
  }
  for (const auto& [name, value] : headers) {
    fmt::format_to(out, "{}: {}\r\n", name, value);
  }
  fmt::format_to(out,
                 "Cache-Control: no-store\r\n"
                 "X-Content-Type-Options: nosniff\r\n"
                 "Referrer-Policy: no-referrer\r\n"
                 "Content-Security-Policy: default-src 'self'; frame-ancestors 'none'\r\n"
                 "Connection: close\r\n\r\n");
  return head;
}

}  // namespace vibes::net
