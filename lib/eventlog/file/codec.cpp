// SPDX-License-Identifier: MIT
#include "eventlog/file/codec.hpp"

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "eventlog/errc.hpp"

namespace vibes::eventlog::file {
namespace {

template <class T>
std::uint32_t crc_of_pair(T a, T b, std::uint32_t seed) {
  std::array<std::byte, 2 * sizeof(T)> bytes{};
  store_le(bytes.data(), a);
  store_le(bytes.data() + sizeof(T), b);
  return crc32c(bytes, seed);
}

Uuid load_uuid(const std::byte* from) {
  Uuid uuid;
  std::memcpy(uuid.bytes.data(), from, uuid.bytes.size());
  return uuid;
}

void store_uuid(std::byte* to, const Uuid& uuid) {
  std::memcpy(to, uuid.bytes.data(), uuid.bytes.size());
}

std::string_view text(const std::byte* from, std::size_t size) {
  return {reinterpret_cast<const char*>(from), size};
}

std::byte* put_text(std::byte* to, std::string_view what) {
  std::memcpy(to, what.data(), what.size());
  return to + what.size();
}

}  // namespace

Seal::Seal(const Uuid& log_id) : log_seed_(crc32c(std::as_bytes(std::span(log_id.bytes)))) {}

std::uint32_t Seal::batch(std::uint64_t segment, std::uint64_t position) const {
  return crc_of_pair(segment, position, log_seed_);
}

std::uint32_t Seal::record(Offset offset) const {
  std::array<std::byte, sizeof(std::uint64_t)> bytes{};
  store_le(bytes.data(), offset.value());
  return crc32c(bytes, log_seed_);
}

SegmentHeaderBlock encode(SegmentHeader& header) {
  namespace at = format::segment;
  SegmentHeaderBlock block{};
  std::byte* b = block.data();
  store_le(b + at::kMagic, format::kSegmentMagic);
  store_le(b + at::kVersionAt, format::kVersion);
  store_uuid(b + at::kLogId, header.log_id);
  store_le(b + at::kNumber, header.number);
  store_le(b + at::kFirst, header.first.value());
  store_le(b + at::kEpoch, header.epoch);
  store_le(b + at::kCapacity, header.capacity);
  store_le(b + at::kCreatedUs, header.created.unix_us);
  store_le(b + at::kPrevCrc, header.prev_crc);
  header.crc = crc32c(std::span(block).first(at::kCrc));
  store_le(b + at::kCrc, header.crc);
  return block;
}

Result<SegmentHeader> parse_segment_header(Bytes block) {
  namespace at = format::segment;
  if (block.size() < format::kSegmentHeaderBytes) {
    return fail(Errc::corrupt, "the segment header is cut short");
  }
  const std::byte* b = block.data();
  SegmentHeader header;
  header.crc = load_le<std::uint32_t>(b + at::kCrc);
  const bool whole = crc32c(block.first(at::kCrc)) == header.crc;
  if (!whole || load_le<std::uint64_t>(b + at::kMagic) != format::kSegmentMagic) {
    return fail(Errc::corrupt, "the segment header is not whole");
  }
  if (load_le<std::uint32_t>(b + at::kVersionAt) != format::kVersion) {
    return fail(Errc::unsupported_format,
                "segment format " + std::to_string(load_le<std::uint32_t>(b + at::kVersionAt)));
  }
  const auto flags = load_le<std::uint32_t>(b + at::kFlags) & format::kIncompatibleMask;
  if ((flags & ~format::kIncompatibleKnown) != 0) {
    return fail(Errc::unsupported_format, "segment flags " + std::to_string(flags));
  }
  header.log_id = load_uuid(b + at::kLogId);
  header.number = load_le<std::uint64_t>(b + at::kNumber);
  header.first = Offset(load_le<std::uint64_t>(b + at::kFirst));
  header.epoch = load_le<std::uint64_t>(b + at::kEpoch);
  header.capacity = load_le<std::uint64_t>(b + at::kCapacity);
  header.created = Timestamp{load_le<std::int64_t>(b + at::kCreatedUs)};
  header.prev_crc = load_le<std::uint32_t>(b + at::kPrevCrc);
  return header;
}

void seal_batch(BatchHeader& header, std::span<std::byte> batch, std::uint32_t seed) {
  namespace at = format::batch;
  VIBES_ASSERT(batch.size() >= format::kBatchHeaderBytes);
  const Bytes body = batch.subspan(format::kBatchHeaderBytes);
  VIBES_ASSERT(body.size() <= format::kBodyBytesMax && body.size() % format::kAlignment == 0);
  header.body_bytes = static_cast<std::uint32_t>(body.size());
  header.body_crc = crc32c(body, seed);
  std::byte* b = batch.data();
  store_le(b + at::kMagic, format::kBatchMagic);
  store_le(b + at::kBodyCrc, header.body_crc);
  store_le(b + at::kBodyBytes, header.body_bytes);
  store_le(b + at::kEpoch, header.epoch);
  store_le(b + at::kFirst, header.first.value());
  store_le(b + at::kCount, header.count);
  store_le(b + at::kFlags, std::uint16_t{0});
  store_le(b + at::kType, static_cast<std::uint16_t>(header.type));
  store_le(b + at::kPrevCrc, header.prev_crc);
  store_le(b + at::kReserved, std::uint32_t{0});
  store_le(b + at::kDurableBefore, header.durable_before.value());
  store_le(b + at::kTimeUs, header.time.unix_us);
  header.crc =
      crc32c(Bytes(batch).subspan(at::kBodyCrc, format::kBatchHeaderBytes - at::kBodyCrc), seed);
  store_le(b + at::kHeaderCrc, header.crc);
}

std::optional<BatchHeader> parse_batch_header(Bytes bytes, std::uint32_t seed) {
  namespace at = format::batch;
  if (bytes.size() < format::kBatchHeaderBytes ||
      load_le<std::uint32_t>(bytes.data() + at::kMagic) != format::kBatchMagic) {
    return std::nullopt;
  }
  const std::byte* b = bytes.data();
  BatchHeader header;
  header.crc = load_le<std::uint32_t>(b + at::kHeaderCrc);
  if (crc32c(bytes.subspan(at::kBodyCrc, format::kBatchHeaderBytes - at::kBodyCrc), seed) !=
      header.crc) {
    return std::nullopt;
  }
  const auto type = load_le<std::uint16_t>(b + at::kType);
  header.body_crc = load_le<std::uint32_t>(b + at::kBodyCrc);
  header.body_bytes = load_le<std::uint32_t>(b + at::kBodyBytes);
  header.epoch = load_le<std::uint64_t>(b + at::kEpoch);
  header.first = Offset(load_le<std::uint64_t>(b + at::kFirst));
  header.count = load_le<std::uint32_t>(b + at::kCount);
  header.type = static_cast<format::BatchType>(type);
  header.prev_crc = load_le<std::uint32_t>(b + at::kPrevCrc);
  header.durable_before = Offset(load_le<std::uint64_t>(b + at::kDurableBefore));
  header.time = Timestamp{load_le<std::int64_t>(b + at::kTimeUs)};
  const bool known =
      (header.type == format::BatchType::events || header.type == format::BatchType::footer) &&
      load_le<std::uint16_t>(b + at::kFlags) == 0;
  if (!known || header.body_bytes > format::kBodyBytesMax ||
      header.body_bytes % format::kAlignment != 0) {
    return std::nullopt;
  }
  return header;
}

bool body_is_whole(const BatchHeader& header, Bytes body, std::uint32_t seed) {
  return body.size() == header.body_bytes && crc32c(body, seed) == header.body_crc;
}

std::size_t record_bytes(const event::NewEventView& event) {
  return align_up(format::kRecordHeaderBytes + event.type.size() + event.session.size() +
                  event.payload.size());
}

void append_record(Buffer& batch, const event::NewEventView& event, const RecordPlace& place,
                   const Seal& seal) {
  namespace at = format::record;
  const std::size_t bytes = record_bytes(event);
  const std::size_t start = batch.size();
  batch.resize(start + bytes);
  std::byte* b = batch.data() + start;
  store_le(b + at::kBytes, static_cast<std::uint32_t>(bytes));
  store_uuid(b + at::kEventId, place.event_id);
  store_le(b + at::kTimeUs, place.time.unix_us);
  store_le(b + at::kTypeBytes, static_cast<std::uint16_t>(event.type.size()));
  store_le(b + at::kSessionBytes, static_cast<std::uint16_t>(event.session.size()));
  store_le(b + at::kPayloadBytes, static_cast<std::uint32_t>(event.payload.size()));
  std::byte* end = put_text(b + format::kRecordHeaderBytes, event.type);
  end = put_text(end, event.session);
  end = put_text(end, event.payload);
  store_le(b + at::kCrc, crc32c(Bytes(b + at::kEventId, end), seal.record(place.offset)));
}

std::size_t claimed_record_bytes(Bytes bytes) {
  if (bytes.size() < format::kRecordHeaderBytes) {
    return 0;
  }
  const auto claimed = load_le<std::uint32_t>(bytes.data() + format::record::kBytes);
  if (claimed < format::kRecordHeaderBytes || claimed % format::kAlignment != 0 ||
      claimed > format::kBodyBytesMax) {
    return 0;
  }
  return claimed;
}

std::optional<Record> parse_record(Bytes bytes, Offset offset, const Seal& seal) {
  namespace at = format::record;
  const std::size_t claimed = claimed_record_bytes(bytes);
  if (claimed == 0 || claimed > bytes.size()) {
    return std::nullopt;
  }
  const std::byte* b = bytes.data();
  const std::size_t used =
      format::kRecordHeaderBytes + std::size_t{load_le<std::uint16_t>(b + at::kTypeBytes)} +
      load_le<std::uint16_t>(b + at::kSessionBytes) + load_le<std::uint32_t>(b + at::kPayloadBytes);
  if (align_up(used) != claimed ||
      crc32c(bytes.first(used).subspan(at::kEventId), seal.record(offset)) !=
          load_le<std::uint32_t>(b + at::kCrc)) {
    return std::nullopt;
  }
  return view_record(b, offset);
}

Record view_record(const std::byte* bytes, Offset offset) {
  namespace at = format::record;
  const auto type_bytes = load_le<std::uint16_t>(bytes + at::kTypeBytes);
  const auto session_bytes = load_le<std::uint16_t>(bytes + at::kSessionBytes);
  const std::byte* type = bytes + format::kRecordHeaderBytes;
  const std::byte* session = type + type_bytes;
  Record record;
  record.event.offset = offset;
  record.event.event_id = load_uuid(bytes + at::kEventId);
  record.event.time = Timestamp{load_le<std::int64_t>(bytes + at::kTimeUs)};
  record.event.type = text(type, type_bytes);
  record.event.session = text(session, session_bytes);
  record.event.payload =
      text(session + session_bytes, load_le<std::uint32_t>(bytes + at::kPayloadBytes));
  record.bytes = load_le<std::uint32_t>(bytes + at::kBytes);
  return record;
}

void put_footer_body(const Footer& footer, std::span<std::byte> body) {
  namespace at = format::footer;
  VIBES_ASSERT(body.size() == format::kFooterBodyBytes);
  std::fill(body.begin(), body.end(), std::byte{0});
  store_le(body.data() + at::kFirst, footer.first.value());
  store_le(body.data() + at::kEnd, footer.end.value());
  store_le(body.data() + at::kFirstTimeUs, footer.first_time.unix_us);
  store_le(body.data() + at::kLastTimeUs, footer.last_time.unix_us);
  store_le(body.data() + at::kBatches, footer.batches);
  store_le(body.data() + at::kSegment, footer.segment);
}

Footer parse_footer_body(Bytes body) {
  namespace at = format::footer;
  VIBES_ASSERT(body.size() >= format::kFooterBodyBytes);
  Footer footer;
  footer.first = Offset(load_le<std::uint64_t>(body.data() + at::kFirst));
  footer.end = Offset(load_le<std::uint64_t>(body.data() + at::kEnd));
  footer.first_time = Timestamp{load_le<std::int64_t>(body.data() + at::kFirstTimeUs)};
  footer.last_time = Timestamp{load_le<std::int64_t>(body.data() + at::kLastTimeUs)};
  footer.batches = load_le<std::uint64_t>(body.data() + at::kBatches);
  footer.segment = load_le<std::uint64_t>(body.data() + at::kSegment);
  return footer;
}

bool all_zero(Bytes bytes) {
  if (bytes.empty()) {
    return true;
  }
  // The first byte is zero and every byte equals the one before it.
  return bytes[0] == std::byte{0} &&
         std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

}  // namespace vibes::eventlog::file
