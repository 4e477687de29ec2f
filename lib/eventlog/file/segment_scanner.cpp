// SPDX-License-Identifier: MIT
#include "eventlog/file/segment_scanner.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "eventlog/errc.hpp"

namespace vibes::eventlog::file {
namespace {

constexpr std::size_t kWindowBytes = 1 * limits::kMiB;

}  // namespace

SegmentScanner::SegmentScanner(const io::File& file, std::uint64_t file_bytes,
                               const SegmentHeader& header)
    : file_(file),
      file_bytes_(file_bytes),
      segment_(header),
      seal_(header.log_id),
      expected_(header.first),
      chain_(header.crc),
      epoch_(header.epoch) {}

Result<SegmentScanner::Finding> SegmentScanner::next(ScannedBatch& batch) {
  VIBES_TRY_ASSIGN(head, window(position_, format::kBatchHeaderBytes));
  if (head.size() < format::kBatchHeaderBytes || all_zero(head)) {
    return judge_blank();
  }
  const std::uint32_t seed = seal_.batch(segment_.number, position_);
  const auto header = parse_batch_header(head, seed);
  if (!header) {
    return invalid("no whole batch header");
  }
  if (auto wrong = check_place(*header); !wrong.empty()) {
    return invalid(std::move(wrong));
  }
  VIBES_TRY_ASSIGN(body, window(position_ + format::kBatchHeaderBytes, header->body_bytes));
  if (!body_is_whole(*header, body, seed)) {
    return invalid("the body of the batch is not whole");
  }
  const bool is_footer = header->type == format::BatchType::footer;
  if (auto wrong = is_footer ? std::string{} : check_records(*header, body); !wrong.empty()) {
    return invalid(std::move(wrong));
  }
  batch = ScannedBatch{*header, position_, body};
  position_ += header->bytes();
  expected_ += header->count;
  chain_ = header->crc;
  epoch_ = header->epoch;
  ++batches_;
  return is_footer ? Finding::footer : Finding::batch;
}

Result<SegmentScanner::Finding> SegmentScanner::judge_blank() {
  VIBES_TRY_ASSIGN(last, last_used_byte());
  if (last < position_ || last == 0) {
    return Finding::end;
  }
  return invalid("a blank where a batch should be, with bytes behind it");
}

SegmentScanner::Finding SegmentScanner::invalid(std::string why) {
  why_ = std::move(why);
  return Finding::invalid;
}

std::string SegmentScanner::check_place(const BatchHeader& header) const {
  if (header.first != expected_) {
    return "a batch starts at offset " + std::to_string(header.first.value()) + " where " +
           std::to_string(expected_.value()) + " is next";
  }
  if (header.prev_crc != chain_) {
    return "a batch that does not follow the one before it";
  }
  if (header.epoch < epoch_) {
    return "a batch of an earlier epoch";
  }
  return {};
}

std::string SegmentScanner::check_records(const BatchHeader& header, Bytes body) const {
  Offset offset = header.first;
  while (!body.empty()) {
    const auto record = parse_record(body, offset, seal_);
    if (!record) {
      return "the record of offset " + std::to_string(offset.value()) + " is not whole";
    }
    body = body.subspan(record->bytes);
    ++offset;
  }
  if (offset != header.end() || header.count == 0) {
    return "a batch with another number of records than it says";
  }
  return {};
}

Result<Bytes> SegmentScanner::window(std::uint64_t position, std::size_t size) {
  if (position >= file_bytes_) {
    return Bytes{};
  }
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, file_bytes_ - position));
  if (position < window_at_ || position + size > window_at_ + window_.size()) {
    window_.resize(static_cast<std::size_t>(
        std::min<std::uint64_t>(std::max(size, kWindowBytes), file_bytes_ - position)));
    window_at_ = position;
    auto got = file_.read_at(position, window_);
    window_.resize(got ? *got : 0);
    if (!got) {
      return fail(std::move(got).error());
    }
    size = std::min(size, window_.size());
  }
  return Bytes(window_).subspan(static_cast<std::size_t>(position - window_at_), size);
}

Result<std::optional<BatchHeader>> SegmentScanner::find_batch_behind() {
  for (std::uint64_t at = position_ + format::kAlignment;
       at + format::kBatchHeaderBytes <= file_bytes_; at += format::kAlignment) {
    VIBES_TRY_ASSIGN(bytes, window(at, format::kBatchHeaderBytes));
    const auto header = parse_batch_header(bytes, seal_.batch(segment_.number, at));
    if (header && header->first > expected_) {
      return std::optional(*header);
    }
  }
  return std::optional<BatchHeader>{};
}

Result<bool> SegmentScanner::skip_damage() {
  for (std::uint64_t at = position_ + format::kAlignment;
       at + format::kBatchHeaderBytes <= file_bytes_; at += format::kAlignment) {
    VIBES_TRY_ASSIGN(bytes, window(at, format::kBatchHeaderBytes));
    const auto header = parse_batch_header(bytes, seal_.batch(segment_.number, at));
    if (header && header->first >= expected_) {
      position_ = at;
      expected_ = header->first;
      chain_ = header->prev_crc;
      return true;
    }
  }
  return false;
}

Result<std::uint64_t> SegmentScanner::last_used_byte() {
  std::uint64_t last = 0;
  for (std::uint64_t at = position_; at < file_bytes_;) {
    VIBES_TRY_ASSIGN(bytes, window(at, kWindowBytes));
    if (bytes.empty()) {
      break;
    }
    if (!all_zero(bytes)) {
      const auto used =
          std::find_if(bytes.rbegin(), bytes.rend(), [](std::byte b) { return b != std::byte{0}; });
      last = at + static_cast<std::uint64_t>(bytes.rend() - used) - 1;
    }
    at += bytes.size();
  }
  return last;
}

void for_each_record(const ScannedBatch& batch,
                     const std::function<void(const event::EventView&, std::uint64_t)>& use) {
  std::uint64_t position = batch.position + format::kBatchHeaderBytes;
  Offset offset = batch.header.first;
  for (std::size_t done = 0; done < batch.body.size(); ++offset) {
    const Record record = view_record(batch.body.data() + done, offset);
    use(record.event, position + done);
    done += record.bytes;
  }
}

}  // namespace vibes::eventlog::file
