// SPDX-License-Identifier: MIT
#include "eventlog/file/verifier.hpp"

#include <algorithm>
#include <utility>

#include "eventlog/errc.hpp"
#include "eventlog/file/durable_slots.hpp"
#include "eventlog/file/file_group_offsets.hpp"
#include "eventlog/file/log_directory.hpp"
#include "eventlog/file/segment_index.hpp"
#include "eventlog/file/segment_scanner.hpp"

namespace vibes::eventlog::file {
namespace {

class Verifier {
 public:
  Verifier(io::FileSystem& fs, const Layout& layout) : fs_(fs), layout_(layout) {}

  Result<VerifyReport> run() {
    VIBES_TRY(look_at_durable());
    VIBES_TRY_ASSIGN(names, fs_.list(layout_.segments()));
    std::vector<Offset> firsts;
    for (const std::string& name : names) {
      if (const auto first = Layout::parse_segment_name(name)) {
        firsts.push_back(*first);
      }
    }
    for (std::size_t i = 0; i < firsts.size(); ++i) {
      verify_segment(firsts[i], i + 1 == firsts.size());
    }
    check_mark(firsts);
    check_groups();
    return std::move(report_);
  }

 private:
  struct Segment {
    std::string path;
    SegmentHeader header;
    std::unique_ptr<io::File> file;
    std::uint64_t bytes = 0;
    bool is_last = false;
  };

  Result<void> look_at_durable();
  void verify_segment(Offset first, bool is_last);
  std::optional<Segment> open_segment(Offset first, bool is_last);
  void check_link(const Segment& segment);
  void scan(Segment& segment);
  bool report_damage(const Segment& segment, SegmentScanner& scanner);
  void report_end(const Segment& segment, SegmentScanner& scanner);
  void check_index(const Segment& segment, std::uint32_t footer_crc, std::uint64_t count);
  void check_mark(const std::vector<Offset>& firsts);
  void check_groups();

  void damage(const std::string& path, std::uint64_t position, std::string what, Offset from = {},
              Offset to = {}) {
    report_.findings.push_back(
        {Finding::Severity::damage, path, position, from, to, std::move(what)});
  }
  void note(const std::string& path, std::uint64_t position, std::string what) {
    report_.findings.push_back({Finding::Severity::note, path, position, {}, {}, std::move(what)});
  }

  io::FileSystem& fs_;
  const Layout& layout_;
  VerifyReport report_;
  std::optional<DurableMark> mark_;
  std::optional<std::uint32_t> footer_crc_;  // of the segment before, if it was sealed
  std::optional<std::uint64_t> number_;      // of the segment before
};

Result<void> Verifier::look_at_durable() {
  const std::string path = layout_.durable();
  VIBES_TRY_ASSIGN(file, fs_.open(path, io::OpenMode::read_only));
  for (std::uint64_t slot = 0; slot < 2; ++slot) {
    SlotBlock block{};
    const std::uint64_t at = slot * format::kSlotBytes;
    VIBES_TRY_ASSIGN(got, file->read_at(at, block));
    auto mark = parse_slot(Bytes(block).first(got));
    if (!mark) {
      damage(path, at, mark.error().message());
      continue;
    }
    if (*mark && (!mark_ || (*mark)->generation > mark_->generation)) {
      mark_ = *mark;
    }
    if (!*mark && !all_zero(Bytes(block).first(got))) {
      note(path, at, "this slot is not whole; the other one counts");
    }
  }
  if (!mark_) {
    note(path, 0, "neither slot is whole: what they vouched for cannot be checked");
  }
  return {};
}

std::optional<Verifier::Segment> Verifier::open_segment(Offset first, bool is_last) {
  Segment segment;
  segment.path = layout_.segment(first);
  segment.is_last = is_last;
  auto file = fs_.open(segment.path, io::OpenMode::read_only);
  auto size = file ? (*file)->size() : Result<std::uint64_t>(fail(std::move(file).error()));
  if (!size) {
    damage(segment.path, 0, size.error().message());
    return std::nullopt;
  }
  segment.file = std::move(*file);
  segment.bytes = *size;
  report_.bytes += *size;
  ++report_.segments;
  SegmentHeaderBlock block{};
  const auto got = segment.file->read_at(0, block);
  auto header = got ? parse_segment_header(Bytes(block).first(*got))
                    : Result<SegmentHeader>(fail(got.error()));
  if (!header) {
    damage(segment.path, 0, header.error().message());
    return std::nullopt;
  }
  segment.header = *header;
  return segment;
}

void Verifier::verify_segment(Offset first, bool is_last) {
  if (mark_ && !is_last && first < mark_->first) {
    note(layout_.segment(first), 0, "left behind by retention; the next opening removes it");
  }
  auto segment = open_segment(first, is_last);
  if (!segment) {
    footer_crc_.reset();
    number_.reset();
    return;
  }
  if (segment->header.first != first) {
    damage(segment->path, format::segment::kFirst,
           "its header is of the segment that starts at offset " +
               std::to_string(segment->header.first.value()));
    return;
  }
  check_link(*segment);
  if (segment->bytes > segment->header.capacity) {
    damage(segment->path, segment->header.capacity, "the file is longer than it was made");
  }
  scan(*segment);
  number_ = segment->header.number;
}

void Verifier::check_link(const Segment& segment) {
  const SegmentHeader& header = segment.header;
  if (!report_.log_id) {
    report_.log_id = header.log_id;
    report_.first = header.first;
    report_.end = header.first;
  }
  if (header.log_id != *report_.log_id || (mark_ && mark_->log_id != header.log_id)) {
    damage(segment.path, format::segment::kLogId,
           "it belongs to the log " + to_string(header.log_id));
  }
  if (header.first != report_.end) {
    damage(
        segment.path, format::segment::kFirst,
        header.first > report_.end ? "events are missing before it" : "it overlaps the one before",
        std::min(report_.end, header.first), std::max(report_.end, header.first));
  }
  if ((number_ && *number_ + 1 != header.number) ||
      (footer_crc_ && *footer_crc_ != header.prev_crc)) {
    damage(segment.path, format::segment::kPrevCrc,
           "the segment before it is not the one it was written after");
  }
}

void Verifier::scan(Segment& segment) {
  SegmentScanner scanner(*segment.file, segment.bytes, segment.header);
  ScannedBatch batch;
  footer_crc_.reset();
  while (true) {
    const auto found = scanner.next(batch);
    if (!found) {
      damage(segment.path, scanner.position(), found.error().message(), scanner.expected(),
             scanner.expected() + 1);
      break;
    }
    if (*found == SegmentScanner::Finding::batch) {
      ++report_.batches;
      report_.events += batch.header.count;
      continue;
    }
    if (*found == SegmentScanner::Finding::footer) {
      footer_crc_ = batch.header.crc;
      report_end(segment, scanner);
      check_index(segment, batch.header.crc, scanner.expected() - segment.header.first);
      break;
    }
    if (*found == SegmentScanner::Finding::end) {
      report_end(segment, scanner);
      break;
    }
    if (!report_damage(segment, scanner)) {
      break;
    }
  }
  report_.end = scanner.expected();
}

/// True: there is more to scan behind the damage.
bool Verifier::report_damage(const Segment& segment, SegmentScanner& scanner) {
  const std::uint64_t at = scanner.position();
  const Offset from = scanner.expected();
  const std::string why = scanner.why();
  const auto more = scanner.skip_damage();
  if (more && *more) {
    damage(segment.path, at, why, from, scanner.expected());
    return true;
  }
  const bool vouched = mark_ && mark_->end > from;
  if (!segment.is_last || vouched) {
    damage(segment.path, at, why, from, vouched ? mark_->end : from);
  } else {
    note(segment.path, at, why + ": a torn tail, which the next opening cuts off");
  }
  return false;
}

void Verifier::report_end(const Segment& segment, SegmentScanner& scanner) {
  const auto last = scanner.last_used_byte();
  if (!last || *last > scanner.position()) {
    damage(segment.path, scanner.position(), "there is something behind its end");
  }
  if (!segment.is_last && !footer_crc_) {
    damage(segment.path, scanner.position(), "it ends without a footer although a segment follows");
  }
}

void Verifier::check_index(const Segment& segment, std::uint32_t footer_crc, std::uint64_t count) {
  const std::string path = layout_.index(segment.header.first);
  const auto exists = fs_.exists(path);
  if (!exists || !*exists) {
    return;
  }
  const IndexOwner owner{segment.header.log_id, segment.header.number, segment.header.first, count,
                         footer_crc};
  if (!read_index(fs_, path, owner, IndexParts::all)) {
    note(path, 0, "a damaged index, which will be rebuilt");
  }
}

void Verifier::check_mark(const std::vector<Offset>& firsts) {
  if (!mark_) {
    return;
  }
  if (report_.end < mark_->end) {
    damage(layout_.segments(), 0, "events that were durable are gone from the end", report_.end,
           mark_->end);
  }
  if (!firsts.empty() && firsts.front() > mark_->first) {
    damage(layout_.segments(), 0, "the oldest segments are missing", mark_->first, firsts.front());
  }
}

void Verifier::check_groups() {
  const auto names = fs_.list(layout_.offsets());
  if (!names) {
    damage(layout_.offsets(), 0, names.error().message());
    return;
  }
  for (const std::string& name : *names) {
    if (!name.ends_with(".group")) {
      continue;
    }
    const std::string path = layout_.offsets() + "/" + name;
    const auto commit = read_group_file(fs_, path);
    if (!commit) {
      damage(path, 0, commit.error().message());
    } else if (report_.log_id && commit->log_id != *report_.log_id) {
      damage(path, format::group::kLogId, "it belongs to another log");
    } else if (commit->next > report_.end) {
      damage(path, format::group::kNext, "the group has read past the end of the log", report_.end,
             commit->next);
    }
  }
}

}  // namespace

bool VerifyReport::is_damaged() const {
  return std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.severity == Finding::Severity::damage;
  });
}

Result<VerifyReport> verify_log(io::FileSystem& fs, const std::string& directory) {
  const Layout layout(directory);
  VIBES_TRY_ASSIGN(ours, holds_log(fs, layout));
  if (!ours) {
    return fail(Errc::foreign, directory);
  }
  return Verifier(fs, layout).run();
}

}  // namespace vibes::eventlog::file
