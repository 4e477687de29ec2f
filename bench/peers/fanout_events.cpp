// SPDX-License-Identifier: MIT
#include "peers/fanout_events.hpp"

#include "firehose/producers.hpp"
#include "firehose/raw_client.hpp"

namespace vibes::bench {

std::string fanout_event(std::uint64_t number) {
  if (number % 2 == 0) {
    return sample_event(number);
  }
  std::string event =
      std::string(R"({"type":")") + kFilteredType + R"(","session_id":"sess-1","text":")";
  const std::string tail = R"(","n":)" + std::to_string(number) + "}";
  event.append(kEventBytes - event.size() - tail.size(), 'x');
  return event + tail;
}

std::vector<std::string> append_frames(std::uint64_t events) {
  std::vector<std::string> frames;
  std::string batch;
  for (std::uint64_t i = 0; i < events; ++i) {
    batch += fanout_event(i) + '\n';
    if ((i + 1) % kBatchEvents == 0 || i + 1 == events) {
      frames.push_back(client_frame(batch));
      batch.clear();
    }
  }
  return frames;
}

std::string firehose_frames(std::uint64_t events) {
  std::string frames;
  for (std::uint64_t i = 0; i < events; ++i) {
    const std::string text =
        R"({"type":"event","event_id":"0199e2b1-0000-7000-8000-000000000000","offset":)" +
        std::to_string(i) + R"(,"time":"2026-01-05T09:00:00.000000Z","event":)" + fanout_event(i) +
        "}";
    frames += "\x81\x7e";
    frames += static_cast<char>(text.size() >> 8U);
    frames += static_cast<char>(text.size() & 0xFFU);
    frames += text;
  }
  return frames;
}

std::string nats_publications(std::uint64_t events) {
  const std::string head =
      std::string("PUB ") + kNatsSubject + " " + std::to_string(kEventBytes) + "\r\n";
  std::string all;
  for (std::uint64_t i = 0; i < events; ++i) {
    all += head + fanout_event(i) + "\r\n";
  }
  return all;
}

std::size_t nats_delivery_bytes() {
  return (std::string("MSG ") + kNatsSubject + " 1 " + std::to_string(kEventBytes) + "\r\n")
             .size() +
         kEventBytes + 2;
}

}  // namespace vibes::bench
