// SPDX-License-Identifier: MIT
#include "eventlog/file/file_reader.hpp"

#include <algorithm>
#include <utility>

#include "eventlog/errc.hpp"

namespace vibes::eventlog::file {
namespace {

class TailPiece final : public Piece {
 public:
  explicit TailPiece(std::shared_ptr<const TailBatch> batch) : batch_(std::move(batch)) {}

  [[nodiscard]] Offset first() const override { return batch_->first; }
  [[nodiscard]] Offset end() const override { return batch_->end(); }
  [[nodiscard]] event::EventView event(Offset offset) const override {
    return batch_->event(offset);
  }
  [[nodiscard]] std::size_t bytes() const override { return batch_->bytes.size(); }

 private:
  std::shared_ptr<const TailBatch> batch_;
};

}  // namespace

/// What is left of a request's limits.
struct FileReader::Budget {
  std::size_t events;
  std::size_t bytes;
  std::size_t scan;
  const event::Filter* filter;
  bool found = false;
  bool looked = false;

  explicit Budget(const ReadRequest& request)
      : events(std::max<std::size_t>(request.events_max, 1)),
        bytes(request.bytes_max),
        scan(request.scan_bytes_max),
        filter(request.filter != nullptr && !request.filter->matches_everything() ? request.filter
                                                                                  : nullptr) {}

  enum class Verdict { show, pass, stop };

  /// At least one event is looked at and one shown, whatever the limits.
  Verdict take(const event::EventView& event) {
    const std::size_t cost = event.payload.size();
    if (std::exchange(looked, true) && scan < cost) {
      return Verdict::stop;
    }
    if (filter != nullptr && !filter->matches(event)) {
      scan -= std::min(scan, cost + format::kRecordHeaderBytes);
      return Verdict::pass;
    }
    if (events == 0 || (found && bytes < cost)) {
      return Verdict::stop;
    }
    scan -= std::min(scan, cost + format::kRecordHeaderBytes);
    bytes -= std::min(bytes, cost);
    --events;
    found = true;
    return Verdict::show;
  }
};

FileReader::FileReader(const ReadSource& source, Offset position)
    : source_(source), position_(position) {}

void FileReader::seek(Offset offset) { position_ = offset; }

void FileReader::start(const ReadRequest& /*request*/) {
  events_.clear();
  if (pieces_.size() > 1) {
    // The last one is likely where the next read goes on.
    pieces_.erase(pieces_.begin(), pieces_.end() - 1);
  }
}

Result<const Piece*> FileReader::piece_of(Offset offset) {
  if (!pieces_.empty() && pieces_.back()->first() <= offset && offset < pieces_.back()->end()) {
    return pieces_.back().get();
  }
  if (auto batch = source_.tail.find(offset)) {
    pieces_.push_back(std::make_shared<TailPiece>(std::move(batch)));
    return pieces_.back().get();
  }
  VIBES_TRY_ASSIGN(place, source_.segments.place_of(offset));
  if (!place) {
    return nullptr;
  }
  const std::string path = source_.layout.segment(place->segment.header.first);
  VIBES_TRY_ASSIGN(piece, read_stretch(*place, source_.seal, path));
  if (offset < piece->first() || offset >= piece->end()) {
    return fail(Errc::corrupt,
                path + ": offset " + std::to_string(offset.value()) + " is not where it should be");
  }
  pieces_.push_back(std::move(piece));
  return pieces_.back().get();
}

std::optional<SegmentInfo> FileReader::skippable(Offset offset, const ReadRequest& request) {
  if (request.filter == nullptr || request.filter->matches_everything() ||
      source_.tail.find(offset)) {
    return std::nullopt;
  }
  auto segment = source_.segments.segment_of(offset);
  if (!segment || segment->state != SegmentInfo::State::sealed ||
      source_.segments.may_match(*segment, *request.filter)) {
    return std::nullopt;
  }
  return segment;
}

Result<ReadBatch> FileReader::read(const ReadRequest& request) {
  start(request);
  const Offset end = source_.signal.end();
  const Offset first = source_.segments.first();
  if (position_ < first) {
    const Gap gap{std::exchange(position_, first), first};
    return ReadBatch{{}, gap};
  }
  if (position_ >= end) {
    pieces_.clear();  // who waits at the end holds no memory
  }
  Budget budget(request);
  Offset at = position_;
  bool full = false;
  std::optional<SegmentInfo> asked;  // the segment whose kinds were looked at
  while (at < end && !full) {
    if (!asked || at >= asked->end) {
      if (const auto skip = skippable(at, request)) {
        at = std::min(skip->end, end);
        continue;
      }
      asked = source_.segments.segment_of(at);
    }
    auto piece = piece_of(at);
    if (!piece) {
      if (budget.looked) {
        break;  // what was found so far is good; the next read reports the error
      }
      return fail(std::move(piece).error());
    }
    if (*piece == nullptr) {
      break;  // retention took it just now: the next read reports the gap
    }
    const Offset stop = std::min((*piece)->end(), end);
    for (; at < stop && !full; ++at) {
      const event::EventView event = (*piece)->event(at);
      const auto verdict = budget.take(event);
      full = verdict == Budget::Verdict::stop;
      if (full) {
        break;
      }
      if (verdict == Budget::Verdict::show) {
        events_.push_back(event);
      }
    }
  }
  position_ = at;
  return ReadBatch{events_, std::nullopt};
}

Result<ReadBatch> FileReader::read_back(const ReadRequest& request) {
  start(request);
  const Offset first = source_.segments.first();
  Budget budget(request);
  Offset at = std::min(position_, source_.signal.end());  // events below `at` are next
  bool full = false;
  std::optional<SegmentInfo> asked;
  while (at > first && !full) {
    if (!asked || at <= asked->header.first) {
      if (const auto skip = skippable(at - 1, request)) {
        at = std::max(skip->header.first, first);
        continue;
      }
      asked = source_.segments.segment_of(at - 1);
    }
    auto piece = piece_of(at - 1);
    if (!piece) {
      if (budget.looked) {
        break;
      }
      return fail(std::move(piece).error());
    }
    if (*piece == nullptr) {
      break;
    }
    const Offset stop = std::max((*piece)->first(), first);
    while (at > stop) {
      const event::EventView event = (*piece)->event(at - 1);
      const auto verdict = budget.take(event);
      full = verdict == Budget::Verdict::stop;
      if (full) {
        break;
      }
      if (verdict == Budget::Verdict::show) {
        events_.push_back(event);
      }
      at = at - 1;
    }
  }
  position_ = at;
  return ReadBatch{events_, std::nullopt};
}

}  // namespace vibes::eventlog::file
