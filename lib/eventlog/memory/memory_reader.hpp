// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "eventlog/commit_signal.hpp"
#include "eventlog/memory/event_store.hpp"
#include "eventlog/reader.hpp"

namespace vibes::eventlog {

/// Reads an EventStore up to the published end.
class MemoryReader final : public Reader {
 public:
  MemoryReader(const EventStore& store, const CommitSignal& signal, Offset position)
      : store_(store), signal_(signal), position_(position) {}

  Result<ReadBatch> read(const ReadRequest& request) override;
  Result<ReadBatch> read_back(const ReadRequest& request) override;
  [[nodiscard]] Offset position() const override { return position_; }
  void seek(Offset offset) override { position_ = offset; }

 private:
  /// What one read may still return and look at.
  struct Budget;

  void clear();
  /// False: the event was not taken because the budget is used up.
  bool take(const StoredEventPtr& event, Offset offset, Budget& budget);
  bool read_slice(Offset end, Budget& budget);
  bool read_slice_back(Offset first, Budget& budget);

  const EventStore& store_;
  const CommitSignal& signal_;
  Offset position_;
  std::vector<event::EventView> views_;
  std::vector<StoredEventPtr> held_;  // keeps what the views look at
};

}  // namespace vibes::eventlog
