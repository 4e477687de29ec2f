// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/uuid.hpp"
#include "eventlog/event_log.hpp"
#include "eventlog/file/codec.hpp"
#include "eventlog/file/log_writer.hpp"
#include "eventlog/file/tail_cache.hpp"
#include "eventlog/id_window.hpp"

namespace vibes::eventlog::file {

/// Appends of one producer that wait to be written.
struct PendingAppend {
  AppendBundle bundle;
  BundleDone done;
  std::size_t bytes = 0;          // of their records
  std::optional<Timestamp> time;  // when another log recorded them
};

/// What is told of `appends` that were all refused with `error`, except those of them that had been
/// refused `before` for a reason of their own.
BundleReceipt refused(std::size_t appends, const Error& error,
                      std::vector<BundleReceipt::Refusal> before = {});

/// The appends of one group commit, made into one batch. Duplicates take no room; an append with a
/// conflict is left out as a whole.
class AppendGroup {
 public:
  /// `window` is told of every new event at once, so that later appends of the group see it; on
  /// failure the caller truncates it to `first`.
  AppendGroup(IdWindow& window, UuidV7Generator& ids, const Seal& seal, Offset first,
              Timestamp time);

  /// To be called once for each before add(), best while another one is added: gives its events
  /// their ids and fetches what the window knows of them.
  void expect(PendingAppend& append);
  void add(PendingAppend append);

  [[nodiscard]] bool has_events() const { return !positions_.empty(); }
  /// Room for the batch header, then the records.
  [[nodiscard]] Buffer& batch() { return batch_; }
  [[nodiscard]] LogWriter::Records records() const { return {positions_, fingerprints_}; }
  [[nodiscard]] Timestamp time() const { return time_; }
  /// Moves the batch out for readers.
  std::shared_ptr<const TailBatch> take_batch();

  /// Calls every `done` in order; those with events get `achieved`.
  void acknowledge(Durability achieved);
  /// Calls every `done` with the error, except those that were refused for a reason of their own.
  void refuse(const Error& error);
  [[nodiscard]] std::size_t queued_bytes() const { return queued_bytes_; }

 private:
  struct Answer {
    BundleDone done;
    BundleReceipt receipt;
  };

  Result<void> place(const event::PackedSlice& events, std::vector<AppendReceipt::Place>& places);
  AppendReceipt::Place append_new(const event::NewEventView& event, std::uint64_t fingerprint);

  IdWindow& window_;
  UuidV7Generator& ids_;
  const Seal& seal_;
  const Offset first_;
  const Timestamp time_;
  Buffer batch_;
  std::vector<std::uint32_t> positions_;
  std::vector<std::uint64_t> fingerprints_;  // of the payloads
  std::vector<Answer> answers_;
  std::size_t queued_bytes_ = 0;
};

}  // namespace vibes::eventlog::file
