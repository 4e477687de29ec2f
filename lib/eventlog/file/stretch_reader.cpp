// SPDX-License-Identifier: MIT
#include <utility>

#include "eventlog/errc.hpp"
#include "eventlog/file/file_reader.hpp"

namespace vibes::eventlog::file {
namespace {

class DiskPiece final : public Piece {
 public:
  DiskPiece(Buffer bytes, Offset first, std::vector<std::uint32_t> positions)
      : bytes_(std::move(bytes)), first_(first), positions_(std::move(positions)) {}

  [[nodiscard]] Offset first() const override { return first_; }
  [[nodiscard]] Offset end() const override { return first_ + positions_.size(); }
  [[nodiscard]] event::EventView event(Offset offset) const override {
    return view_record(bytes_.data() + positions_[offset - first_], offset).event;
  }
  [[nodiscard]] std::size_t bytes() const override { return bytes_.size(); }

 private:
  Buffer bytes_;
  Offset first_;
  std::vector<std::uint32_t> positions_;
};

/// Walks the records and batch headers of a stretch.
class StretchParser {
 public:
  StretchParser(const ReadPlace& place, const Seal& seal, Bytes bytes)
      : place_(place),
        seal_(seal),
        bytes_(bytes),
        next_(place.stretch.from.offset),
        batch_end_(place.stretch.from.batch_end) {}

  /// False: the bytes are not what was written; at() is where.
  bool parse(std::vector<std::uint32_t>& positions) {
    while (done_ < bytes_.size() && next_ < place_.segment.end) {
      if (at() >= batch_end_) {
        if (!enter_batch()) {
          return false;
        }
        continue;
      }
      const auto record = parse_record(bytes_.subspan(done_), next_, seal_);
      if (!record) {
        return false;
      }
      positions.push_back(static_cast<std::uint32_t>(done_));
      done_ += record->bytes;
      ++next_;
    }
    return true;
  }

  [[nodiscard]] std::uint64_t at() const { return place_.stretch.from.position + done_; }

 private:
  bool enter_batch() {
    const auto header =
        parse_batch_header(bytes_.subspan(done_), seal_.batch(place_.segment.header.number, at()));
    if (!header || header->first != next_ || header->type != format::BatchType::events) {
      return false;
    }
    batch_end_ = at() + header->bytes();
    done_ += format::kBatchHeaderBytes;
    return true;
  }

  const ReadPlace& place_;
  const Seal& seal_;
  Bytes bytes_;
  std::size_t done_ = 0;
  Offset next_;
  std::uint64_t batch_end_;
};

}  // namespace

Result<std::unique_ptr<Piece>> read_stretch(const ReadPlace& place, const Seal& seal,
                                            const std::string& path) {
  const std::uint64_t start = place.stretch.from.position;
  const std::uint64_t end =
      place.stretch.end.value_or(static_cast<std::uint32_t>(place.segment.bytes));
  const auto damaged = [&](std::uint64_t at) {
    return fail(Errc::corrupt, path + " at byte " + std::to_string(at) + ": events from offset " +
                                   std::to_string(place.stretch.from.offset.value()) +
                                   " cannot be read");
  };
  if (end < start || end > place.segment.bytes) {
    return damaged(start);
  }
  Buffer bytes(static_cast<std::size_t>(end - start));
  VIBES_TRY_ASSIGN(got, place.file->read_at(start, bytes));
  if (got != bytes.size()) {
    return damaged(start + got);
  }
  std::vector<std::uint32_t> positions;
  StretchParser parser(place, seal, bytes);
  if (!parser.parse(positions) || positions.empty()) {
    return damaged(parser.at());
  }
  return std::unique_ptr<Piece>(std::make_unique<DiskPiece>(
      std::move(bytes), place.stretch.from.offset, std::move(positions)));
}

}  // namespace vibes::eventlog::file
