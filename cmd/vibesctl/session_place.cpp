// SPDX-License-Identifier: MIT
#include "session_place.hpp"

#include <cstdlib>
#include <filesystem>

namespace vibes::ctl {

Result<std::string> session_cwd(const std::string& given, const client::Target& target) {
  if (given.empty() && target.endpoint.transport == client::Endpoint::Transport::tls) {
    return std::string();
  }
  std::error_code error;
  const auto path = std::filesystem::absolute(given.empty() ? "." : given, error);
  if (error) {
    return fail(error, given.empty() ? "the current directory" : given);
  }
  // "." behind the rest of the path is nothing to anybody else.
  const std::string text = path.lexically_normal().string();
  return text.size() > 1 && text.ends_with('/') ? text.substr(0, text.size() - 1) : text;
}

std::string own_session() {
  const char* own = std::getenv("VIBES_SESSION_ID");  // NOLINT(concurrency-mt-unsafe): one thread
  return own == nullptr ? std::string() : own;
}

}  // namespace vibes::ctl
