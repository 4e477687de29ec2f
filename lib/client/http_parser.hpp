// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "client/http_client.hpp"

namespace vibes::client {

inline constexpr std::size_t kAnswerBytesMax = 64U << 20U;
inline constexpr std::size_t kAnswerHeadBytesMax = 64U << 10U;

/// Reads one HTTP/1.x answer from bytes as they come: feed() until it is done, finish() at the end
/// of the stream.
class HttpParser {
 public:
  /// Takes what it can from the front of `bytes` and removes it. Errors: Errc::bad_answer.
  Result<void> feed(std::string& bytes);
  /// The stream has ended. Errors: Errc::connection_lost if the answer is not complete.
  Result<void> finish();

  [[nodiscard]] bool is_done() const { return state_ == State::done; }
  [[nodiscard]] bool keeps_connection() const { return keep_alive_; }
  [[nodiscard]] HttpResponse&& take() { return std::move(response_); }

 private:
  enum class State : unsigned char {
    head,
    length,
    chunk_size,
    chunk,
    chunk_end,
    trailer,
    to_end,
    done
  };
  Result<void> parse_head(std::string_view head);
  void choose_body();
  /// One step of the state; false if more bytes are needed.
  Result<bool> step(std::string& bytes);
  Result<bool> step_line(std::string& bytes);

  State state_ = State::head;
  HttpResponse response_;
  std::size_t left_ = 0;  // of the body, or of this chunk
  bool keep_alive_ = true;
};

}  // namespace vibes::client
