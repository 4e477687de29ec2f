// SPDX-License-Identifier: MIT
#include "diag.hpp"

#include <iterator>
#include <string>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace vibes::server {

namespace {

std::string escaped(std::string_view text) {
  constexpr unsigned char kFirstPrintable = 0x20;
  constexpr unsigned char kDelete = 0x7f;
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < kFirstPrintable || byte == kDelete) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

void start_diag() {
  auto logger = spdlog::stderr_logger_mt("vibes-server");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
}

void diag_info(std::string_view text) { spdlog::info("{}", escaped(text)); }
void diag_warning(std::string_view text) { spdlog::warn("{}", escaped(text)); }
void diag_error(std::string_view text) { spdlog::error("{}", escaped(text)); }

}  // namespace vibes::server
