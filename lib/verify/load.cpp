// SPDX-License-Identifier: MIT
#include "verify/load.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/limits.hpp"

namespace vibes::verify {

Load::Load(client::Target target, Recorder& recorder, LoadOptions options)
    : target_(std::move(target)),
      recorder_(recorder),
      options_(std::move(options)),
      random_(options_.seed + options_.producer) {}

Result<void> Load::connect(client::Deadline deadline) {
  VIBES_TRY_ASSIGN(client, client::AppendClient::connect(target_, {}, deadline));
  client_.emplace(std::move(client));
  ++connection_;
  return {};
}

std::size_t Load::pick_size() {
  static constexpr std::array<std::size_t, 8> kEdges = {0, 1, 511, 512, 513, 4095, 4096, 4097};
  if (options_.sizes == LoadOptions::Sizes::small) {
    return 64;
  }
  const std::uint64_t dice = random_() % 1'000;
  if (dice < 2) {
    return 64 * limits::kKiB;
  }
  return dice < 100 ? kEdges[random_() % kEdges.size()] : random_() % 300;
}

std::string Load::make_event(std::uint64_t n, std::uint64_t batch) {
  static constexpr std::string_view kLetters = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string data(pick_size(), 'x');
  for (std::size_t i = 0; i < std::min<std::size_t>(data.size(), 16); ++i) {
    data[i] = kLetters[random_() % kLetters.size()];
  }
  const Uuid event_id = ids_.next(system_clock().now());
  // Odd spellings on purpose: what a log that parses and prints again would change.
  std::string event = fmt::format(
      R"({{"type":"{}", "session_id":"{}","event_id":"{}","producer":{},"n":{},"x":-0.0e1,"data":"{}"}})",
      options_.type, options_.session, to_string(event_id), options_.producer, n, data);
  const Append append{options_.producer, connection_,      n, batch, event_id, digest_of(event),
                      options_.type,     options_.session, 0};
  recent_.push_back(append);
  recorder_.add(append);
  return event;
}

Result<void> Load::send(std::size_t count, client::Deadline deadline) {
  Message message{.first_n = next_n_, .events = count, .text = ""};
  const std::uint64_t batch = count > 1 ? next_batch_++ : 0;
  for (std::size_t i = 0; i < count; ++i) {
    message.text += (i == 0 ? "" : "\n") + make_event(next_n_++, batch);
  }
  pending_.push_back(message);
  return client_->send(message.text, deadline);
}

Result<void> Load::take(client::Deadline deadline) {
  VIBES_TRY_ASSIGN(answer, client_->receive(deadline));
  std::visit([this](const auto& heard) { note(heard); }, answer);
  return {};
}

Result<void> Load::settle(std::size_t unanswered, client::Deadline deadline) {
  while (pending_.size() > unanswered) {
    VIBES_TRY(take(deadline));
  }
  return {};
}

/// Which event has which offset is only certain where the ack's range has no room for anybody
/// else's.
void Load::note(const client::Ack& ack) {
  const bool is_certain = ack.duplicates == 0 && ack.first_offset && ack.last_offset &&
                          *ack.last_offset == *ack.first_offset + (ack.events - 1);
  const bool is_single = ack.events == 1;
  for (std::uint64_t i = 0; i < ack.events && !recent_.empty(); ++i) {
    Answer answer{options_.producer, recent_.front().n, Outcome::ok, std::nullopt, "", 0,
                  ack.pending};
    if (is_certain || (is_single && ack.first_offset)) {
      answer.offset = *ack.first_offset + i;
      end_ = std::max(end_, *answer.offset + 1);
    }
    recorder_.add(answer);
    recent_.pop_front();
    ++acked_;
    Message& message = pending_.front();
    if (--message.events == 0) {
      pending_.pop_front();
    }
  }
}

void Load::note(const client::Nack& nack) {
  if (pending_.empty()) {
    return;
  }
  const bool is_unclear = nack.code == "indeterminate" || nack.code == "log_not_writable";
  for (std::uint64_t i = 0; i < pending_.front().events; ++i) {
    recorder_.add(Answer{options_.producer, recent_.front().n,
                         is_unclear ? Outcome::info : Outcome::fail, std::nullopt, nack.code, 0});
    recent_.pop_front();
  }
  pending_.pop_front();
}

void Load::lose() {
  for (const Append& append : recent_) {
    recorder_.add(
        Answer{options_.producer, append.n, Outcome::info, std::nullopt, "connection_lost", 0});
  }
  client_.reset();
}

Result<void> Load::recover(client::Target target, client::Deadline deadline) {
  target_ = std::move(target);
  VIBES_TRY(connect(deadline));
  for (Append& append : recent_) {
    append.connection = connection_;
    recorder_.add(append);
  }
  for (Message& message : pending_) {
    message.events =
        static_cast<std::uint64_t>(1 + std::count(message.text.begin(), message.text.end(), '\n'));
    VIBES_TRY(client_->send(message.text, deadline));
  }
  return {};
}

}  // namespace vibes::verify
