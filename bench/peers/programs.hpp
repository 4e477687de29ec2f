// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "peers/process.hpp"

namespace vibes::bench {

// Each starts a server with everything in `directory`, which it makes.

/// Ours; `program` is its path, `durability` as its option has it.
std::unique_ptr<PeerProcess> start_vibes(const std::filesystem::path& directory,
                                         const std::string& program, const std::string& durability);
/// redis-server with an append-only file; `appendfsync` is always, everysec or no. It keeps no
/// snapshots and does not write its file anew, which would cost it time.
std::unique_ptr<PeerProcess> start_redis(const std::filesystem::path& directory,
                                         const std::string& appendfsync);
/// nats-server ($VIBES_NATS_SERVER, else the one on $PATH) with JetStream, and no stream yet.
std::unique_ptr<PeerProcess> start_nats(const std::filesystem::path& directory);
/// Whether there is one.
bool has_nats();
/// nats-server with a stream in files that keeps the subject `e`.
std::unique_ptr<PeerProcess> start_jetstream(const std::filesystem::path& directory);
std::unique_ptr<PeerProcess> start_mosquitto(const std::filesystem::path& directory);
/// The raw reference, beside this program.
std::unique_ptr<PeerProcess> start_raw_reference(const std::filesystem::path& directory);

}  // namespace vibes::bench
