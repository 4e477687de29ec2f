// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vibes::bench {

/// The events of a fan-out, made before the time is taken. Half of them, every other one, are of
/// the type kFilteredType, so that who filters by it gets half.
inline constexpr const char* kFilteredType = "note";

/// The n-th, of kEventBytes.
std::string fanout_event(std::uint64_t number);

/// As messages for /ws/append, in frames: kBatchEvents events each, so many in all.
inline constexpr std::uint64_t kBatchEvents = 500;
std::vector<std::string> append_frames(std::uint64_t events);
/// As vibes-server would send them to one client of /ws/firehose.
std::string firehose_frames(std::uint64_t events);
/// As NATS's publisher would send them; each as long as any other. What a subscriber gets of each
/// is nats_delivery_bytes().
std::string nats_publications(std::uint64_t events);
std::size_t nats_delivery_bytes();

inline constexpr const char* kNatsSubject = "e";

}  // namespace vibes::bench
