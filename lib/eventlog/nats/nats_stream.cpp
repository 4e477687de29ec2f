// SPDX-License-Identifier: MIT
#include "eventlog/nats/nats_stream.hpp"

#include <algorithm>
#include <utility>

#include "base/limits.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/nats/codec.hpp"
#include "eventlog/nats/stream_setup.hpp"

namespace vibes::eventlog::nats {
namespace {

constexpr int kReplicasOfAMajority = 3;

Durability durability_of(const NatsOptions& options, const jsStreamConfig& config) {
  if (config.Replicas >= kReplicasOfAMajority) {
    return Durability::replicated;
  }
  // By default a server syncs every two minutes.
  return options.sync == NatsOptions::Sync::always ? Durability::fsync : Durability::os;
}

std::size_t message_bytes_max(natsConnection* connection, const jsStreamConfig& config) {
  auto bytes = natsConnection_GetMaxPayload(connection);
  if (config.MaxMsgSize > 0) {
    bytes = std::min<std::int64_t>(bytes, config.MaxMsgSize);
  }
  constexpr auto kHeaders = static_cast<std::int64_t>(kHeaderBytesMax);
  return static_cast<std::size_t>(std::max<std::int64_t>(bytes - kHeaders, 0));
}

}  // namespace

NatsStream::NatsStream(NatsOptions options)
    : options_(std::move(options)),
      connection_(options_),
      publisher_(options_.subject),
      follower_(connection_, options_, writer_),
      groups_(connection_, options_) {
  connection_.on_lost([this] { publisher_.lost(); });
}

Result<void> NatsStream::open(std::chrono::milliseconds within) {
  const Deadline until = std::chrono::steady_clock::now() + within;
  VIBES_TRY(connection_.open(until));
  VIBES_TRY(ensure_stream(connection_, options_, until));
  return publisher_.open(connection_.get());
}

Result<remote::StreamFacts> NatsStream::facts() {
  if (!connection_.is_connected()) {
    return fail(make_error_code(Errc::unreachable), options_.addresses());
  }
  VIBES_TRY_ASSIGN(info, find_stream(connection_.jetstream(), options_));
  if (info == nullptr) {
    return fail(make_error_code(Errc::unreachable), "stream " + options_.stream + " was removed");
  }
  remote::StreamFacts facts;
  facts.log_id = log_id_of(options_, *info);
  facts.last_sequence = info->State.LastSeq;
  facts.first_sequence = info->State.Msgs == 0 ? info->State.LastSeq + 1 : info->State.FirstSeq;
  facts.durability = durability_of(options_, *info->Config);
  facts.message_bytes_max = message_bytes_max(connection_.get(), *info->Config);
  facts.event_overhead_bytes = kEventFrameBytesMax;
  facts.bytes = info->State.Bytes;
  return facts;
}

Result<void> NatsStream::publish(const remote::RemoteBatch& batch, std::uint64_t last_sequence,
                                 Published done) {
  return publisher_.publish(batch, last_sequence, std::move(done));
}

Result<std::vector<remote::RemoteMessage>> NatsStream::follow(std::uint64_t sequence,
                                                              std::chrono::milliseconds wait,
                                                              std::stop_token stop) {
  return follower_.follow(sequence, wait, stop);
}

void NatsStream::ask_for_turn() {
  NatsPtr<natsMsg> message;
  const std::string subject = options_.subject + "._";
  if (connection_.is_connected() &&
      natsMsg_Create(Out(message), subject.c_str(), nullptr, "", 0) == NATS_OK &&
      natsMsgHeader_Set(message.get(), kTurnHeader, writer_.c_str()) == NATS_OK) {
    (void)natsConnection_PublishMsg(connection_.get(), message.get());
  }
}

void NatsStream::on_connection_changed(std::function<void()> listener) {
  connection_.on_changed(std::move(listener));
}

void NatsStream::stop() {
  // First what others wait for, the connection last: with it goes what they hold of it.
  connection_.begin_close();
  publisher_.close();
  follower_.close();
  groups_.close();
  connection_.close();
}

void close_library() {
  // libnats would wait for its threads, and those for locks, where a program gave up half way.
  if (Connection::count_open() > 0) {
    return;
  }
  constexpr std::int64_t kWithinMs = 10'000;
  (void)nats_CloseAndWait(kWithinMs);
}

}  // namespace vibes::eventlog::nats
