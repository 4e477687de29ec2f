// SPDX-License-Identifier: MIT
#include "net/append_answer.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "event/codec.hpp"
#include "net/append_error.hpp"
#include "wire/frame_header.hpp"

namespace vibes::net {
namespace {

constexpr std::size_t kAnswerBytes =
    192;                              // of an ack without ids, and of what a deque needs for it
constexpr std::size_t kIdBytes = 39;  // quoted, with its comma

std::string quoted(std::string_view text) {
  std::string out;
  event::append_json_string(out, text);
  return out;
}

}  // namespace

std::size_t AppendAnswers::cost(const Answer& answer) const {
  return kAnswerBytes + answer.nack.size() + answer.ids.size() * kIdBytes;
}

// The ack that this receipt joins: the last one, unless a nack is behind it, only one of them is
// pending, or its ids would fill more than one chunk.
AppendAnswers::Answer& AppendAnswers::open_ack(const Acked& acked) {
  if (!waiting_.empty() && waiting_.back().nack.empty() &&
      waiting_.back().pending == acked.pending &&
      cost(waiting_.back()) + acked.places.size() * kIdBytes <= limits::kWriteChunkBytes) {
    return waiting_.back();
  }
  Answer& fresh = waiting_.emplace_back();
  fresh.pending = acked.pending;
  fresh.first = acked.places.front().offset;
  fresh.durability = acked.durability;
  bytes_ += cost(fresh);
  return fresh;
}

void AppendAnswers::ack(const Acked& acked) {
  Answer& answer = open_ack(acked);
  answer.last = acked.places.back().offset;
  answer.count += acked.places.size();
  answer.duplicates += static_cast<std::uint64_t>(
      std::ranges::count_if(acked.places, [](const auto& place) { return place.duplicate; }));
  answer.durability = std::min(answer.durability, acked.durability);
  if (has_ids(acked.pending)) {
    for (const auto& place : acked.places) {
      answer.ids.push_back(place.event_id);
    }
    bytes_ += acked.places.size() * kIdBytes;
  }
}

void AppendAnswers::nack(const Error& error, std::size_t line) {
  const AppendErrorName name = name_append_error(error.code);
  std::string text = fmt::format(R"({{"type":"nack","code":"{}")", name.code);
  if (!name.reason.empty()) {
    text += fmt::format(R"(,"reason":"{}")", name.reason);
  }
  if (line != 0) {
    text += fmt::format(R"(,"line":{})", line);
  }
  text += fmt::format(R"(,"message":{}}})", quoted(error.message()));
  add_nack(std::move(text));
}

void AppendAnswers::nack(std::string_view code, std::string_view message) {
  add_nack(fmt::format(R"({{"type":"nack","code":"{}","message":{}}})", code, quoted(message)));
}

void AppendAnswers::add_nack(std::string text) {
  Answer& answer = waiting_.emplace_back();
  answer.nack = std::move(text);
  bytes_ += cost(answer);
}

std::string AppendAnswers::text(const Answer& answer) const {
  if (!answer.nack.empty()) {
    return answer.nack;
  }
  const std::string where = answer.pending ? R"("pending":true)"
                                           : fmt::format(R"("first_offset":{},"last_offset":{})",
                                                         answer.first.value(), answer.last.value());
  std::string text =
      fmt::format(R"({{"type":"ack",{},"count":{},"durability":"{}","duplicates":{})", where,
                  answer.count, to_string(answer.durability), answer.duplicates);
  if (has_ids(answer.pending)) {
    text += R"(,"event_ids":[)";
    for (const Uuid& id : answer.ids) {
      text += '"' + to_string(id) + "\",";
    }
    text.back() = ']';  // instead of the last comma
  }
  return text + '}';
}

std::string AppendAnswers::take_frames() {
  std::string frames;
  while (!waiting_.empty()) {
    const std::size_t answer_cost = cost(waiting_.front());
    if (!frames.empty() && frames.size() + answer_cost > limits::kWriteChunkBytes) {
      break;
    }
    const std::string answer = text(waiting_.front());
    wire::append_text_frame_header(frames, answer.size());
    frames += answer;
    bytes_ -= answer_cost;
    waiting_.pop_front();
  }
  return frames;
}

}  // namespace vibes::net
