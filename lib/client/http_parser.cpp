// SPDX-License-Identifier: MIT
#include "client/http_parser.hpp"

#include <algorithm>
#include <charconv>

#include "client/errc.hpp"

namespace vibes::client {
namespace {

Unexpected bad(const char* why) { return fail(make_error_code(Errc::bad_answer), why); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

Result<std::size_t> parse_number(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  const bool whole = end == text.data() + text.size() || *end == ';' || *end == ' ';
  if (error != std::errc{} || !whole || value > kAnswerBytesMax) {
    return bad("a length that is none, or over 64 MiB");
  }
  return value;
}

}  // namespace

Result<void> HttpParser::feed(std::string& bytes) {
  while (!is_done()) {
    VIBES_TRY_ASSIGN(progress, step(bytes));
    if (!progress) {
      break;
    }
  }
  return {};
}

Result<void> HttpParser::finish() {
  if (state_ == State::to_end) {
    state_ = State::done;
  }
  keep_alive_ = false;
  if (!is_done()) {
    return fail(make_error_code(Errc::connection_lost), "the answer is not complete");
  }
  return {};
}

Result<bool> HttpParser::step(std::string& bytes) {
  if (state_ == State::head) {
    const auto end = bytes.find("\r\n\r\n");
    if (end == std::string::npos) {
      if (bytes.size() > kAnswerHeadBytesMax) {
        return bad("headers over 64 KiB");
      }
      return false;
    }
    VIBES_TRY(parse_head(std::string_view(bytes).substr(0, end + 2)));
    bytes.erase(0, end + 4);
    choose_body();
    return true;
  }
  if (state_ == State::chunk_size || state_ == State::chunk_end || state_ == State::trailer) {
    return step_line(bytes);
  }
  const std::size_t taken = state_ == State::to_end ? bytes.size() : std::min(left_, bytes.size());
  if (response_.body.size() + taken > kAnswerBytesMax) {
    return bad("a body over 64 MiB");
  }
  response_.body.append(bytes, 0, taken);
  bytes.erase(0, taken);
  if (state_ == State::to_end) {
    return false;
  }
  left_ -= taken;
  if (left_ == 0) {
    state_ = state_ == State::chunk ? State::chunk_end : State::done;
    return true;
  }
  return false;
}

Result<bool> HttpParser::step_line(std::string& bytes) {
  const auto end = bytes.find("\r\n");
  if (end == std::string::npos) {
    return false;
  }
  const std::string line = bytes.substr(0, end);
  bytes.erase(0, end + 2);
  if (state_ == State::chunk_size) {
    VIBES_TRY_ASSIGN(size, parse_number(line, 16));
    left_ = size;
    state_ = size == 0 ? State::trailer : State::chunk;
  } else if (state_ == State::chunk_end) {
    state_ = State::chunk_size;
  } else if (line.empty()) {
    state_ = State::done;
  }
  return true;
}

Result<void> HttpParser::parse_head(std::string_view head) {
  response_ = {};
  const auto first_end = head.find("\r\n");
  const auto first = head.substr(0, first_end);
  if (!first.starts_with("HTTP/1.") || first.size() < 12) {
    return bad("this is no HTTP/1 server");
  }
  VIBES_TRY_ASSIGN(status, parse_number(first.substr(9, 3), 10));
  response_.status = static_cast<int>(status);
  keep_alive_ = first[7] != '0';
  for (head.remove_prefix(first_end + 2); !head.empty();) {
    const auto line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(line.size() + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
      return bad("a header without a colon");
    }
    response_.headers.emplace_back(lowered(line.substr(0, colon)),
                                   std::string(trimmed(line.substr(colon + 1))));
  }
  if (const auto length = response_.header("content-length")) {
    VIBES_TRY_ASSIGN(size, parse_number(*length, 10));
    left_ = size;
  }
  return {};
}

void HttpParser::choose_body() {
  const auto connection = response_.header("connection");
  if (connection && lowered(*connection).find("close") != std::string::npos) {
    keep_alive_ = false;
  }
  const auto encoding = response_.header("transfer-encoding");
  if (response_.status >= 100 && response_.status < 200 && response_.status != 101) {
    state_ = State::head;  // an interim answer; the real one follows
  } else if (response_.status == 101 || response_.status == 204 || response_.status == 304) {
    state_ = State::done;
  } else if (encoding && lowered(*encoding).find("chunked") != std::string::npos) {
    state_ = State::chunk_size;
  } else if (response_.header("content-length")) {
    state_ = left_ == 0 ? State::done : State::length;
  } else {
    state_ = State::to_end;
  }
}

}  // namespace vibes::client
