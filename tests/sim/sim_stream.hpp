// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.hpp"
#include "base/uuid.hpp"
#include "eventlog/remote/remote_stream.hpp"

namespace vibes::test {

/// What goes wrong, in thousandths.
struct SimFaults {
  unsigned lose_answer = 0;         // the message is in the stream, its writer does not hear of it
  unsigned lose_message = 0;        // the message is not in the stream, its writer does not know
  unsigned late_message = 0;        // the same, and it comes into the stream later
  unsigned foreign = 0;             // a message of somebody else comes before
  unsigned refuse = 0;              // the stream is full for this one
  std::size_t events_max = 65'536;  // of a message that is not refused
  bool checks_sequence = true;      // refuses what was offered behind another end, as NATS does
};

/// An engine in this process that several streams share. Every publish is carried out by one
/// thread, in the order offered, with faults drawn from a seed. Thread-safe.
class SimEngine {
 public:
  SimEngine(std::uint64_t seed, SimFaults faults);
  SimEngine(const SimEngine&) = delete;
  SimEngine& operator=(const SimEngine&) = delete;
  ~SimEngine();

  /// One process's view of the stream. The engine must outlive it.
  std::unique_ptr<eventlog::remote::RemoteStream> connect();

  /// From now on everything goes well.
  void calm();
  /// Cuts everyone off, or lets them in again.
  void set_reachable(bool reachable);
  /// The time of everything that is held is over.
  void end_holds();
  /// Messages before `sequence` are gone.
  void trim(std::uint64_t sequence);
  [[nodiscard]] std::uint64_t last_sequence() const;

 private:
  friend class SimStream;
  using Published = eventlog::remote::RemoteStream::Published;
  using RemoteMessage = eventlog::remote::RemoteMessage;
  struct Offer {
    const void* by = nullptr;  // the stream
    eventlog::remote::RemoteBatch batch;
    std::uint64_t last_sequence = 0;
    Published done;
  };

  void run(const std::stop_token& stop);
  void carry_out(Offer offer, MutexLock& lock) VIBES_REQUIRES(mutex_);
  Result<std::uint64_t> store(const Offer& offer) VIBES_REQUIRES(mutex_);
  bool happens(unsigned thousandths) VIBES_REQUIRES(mutex_);
  void add_foreign() VIBES_REQUIRES(mutex_);

  mutable Mutex mutex_;
  CondVar changed_;
  std::mt19937_64 random_ VIBES_GUARDED_BY(mutex_);
  SimFaults faults_ VIBES_GUARDED_BY(mutex_);
  std::deque<Offer> offers_ VIBES_GUARDED_BY(mutex_);
  const void* answering_ VIBES_GUARDED_BY(mutex_) = nullptr;  // this stream, just now
  std::deque<Offer> late_ VIBES_GUARDED_BY(mutex_);
  std::vector<RemoteMessage> messages_ VIBES_GUARDED_BY(mutex_);            // message n at n-1
  std::map<std::uint64_t, const void*> asked_by_ VIBES_GUARDED_BY(mutex_);  // by sequence
  std::uint64_t first_ VIBES_GUARDED_BY(mutex_) = 1;
  std::map<std::string, Offset, std::less<>> groups_ VIBES_GUARDED_BY(mutex_);
  std::map<std::string, std::string, std::less<>> held_ VIBES_GUARDED_BY(mutex_);
  std::map<const void*, std::function<void()>> listeners_ VIBES_GUARDED_BY(mutex_);
  bool reachable_ VIBES_GUARDED_BY(mutex_) = true;
  const Uuid log_id_ = random_uuid();
  std::jthread thread_;
};

}  // namespace vibes::test
