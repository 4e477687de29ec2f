// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "net/http.hpp"

namespace vibes::net {

/// The secret that a client shows: 32 random bytes as base64url, in a file that only its owner can
/// read.
class Token {
 public:
  /// Reads the file, or makes it where there is none. Errors: the file is a link, belongs to
  /// someone else, can be read by others, or does not hold a token; or the I/O error.
  static Result<Token> load_or_create(const std::filesystem::path& path);

  /// In constant time.
  [[nodiscard]] bool matches(std::string_view candidate) const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  explicit Token(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// The token a request shows: `Authorization: Bearer <t>`, or for browsers, which cannot set that
/// header on a WebSocket, the subprotocol `token.<t>`. Empty: none.
std::string_view shown_token(const RequestHead& head);

}  // namespace vibes::net
