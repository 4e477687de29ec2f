// SPDX-License-Identifier: MIT
#include "session/attachment.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "session/session_stream.hpp"

namespace vibes::session {

namespace {

// RIS: the terminal forgets a state that we no longer know.
constexpr std::string_view kTerminalReset =
    "\x1b"
    "c";
constexpr std::size_t kRedrawBytesMax = 64 * 1024;

}  // namespace

Attachment::Attachment(std::shared_ptr<SessionStream> stream, Wake wake)
    : stream_(std::move(stream)) {
  const SessionStream::Subscription subscription = stream_->subscribe(std::move(wake));
  id_ = subscription.id;
  replay_from_ = subscription.replay_from;
  attached_at_ = subscription.attached_at;
  position_ = replay_from_;
  cols_ = subscription.size.cols;
  rows_ = subscription.size.rows;
}

Attachment::~Attachment() { stream_->unsubscribe(id_); }

bool Attachment::has_ended() const { return stream_->has_ended(); }

Attachment::Piece Attachment::redraw() {
  SessionStream::Tail tail = stream_->tail_for_redraw(kRedrawBytesMax);
  position_ = tail.next;
  return {.kind = Piece::Kind::redraw,
          .bytes = std::string(kTerminalReset) + std::move(tail.bytes),
          .end = {}};
}

std::optional<Attachment::Piece> Attachment::next(std::size_t bytes_max) {
  if (ended_) {
    return std::nullopt;
  }
  const bool replaying = is_replaying();
  if (replaying && !released_ && !stream_->has_ended()) {
    return std::nullopt;
  }
  const std::uint64_t until = replaying ? attached_at_ : std::numeric_limits<std::uint64_t>::max();
  SessionStream::Look look = stream_->look(position_, until, std::max<std::size_t>(bytes_max, 64));
  if (look.overwritten) {
    return redraw();
  }
  if (!look.bytes.empty()) {
    position_ += look.bytes.size();
    return Piece{.kind = replaying ? Piece::Kind::replay : Piece::Kind::output,
                 .bytes = std::move(look.bytes),
                 .end = {}};
  }
  if (look.end) {
    ended_ = true;
    return Piece{.kind = Piece::Kind::end, .bytes = {}, .end = *look.end};
  }
  return std::nullopt;
}

}  // namespace vibes::session
