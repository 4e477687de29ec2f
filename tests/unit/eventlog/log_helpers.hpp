// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <vector>

#include <unistd.h>

#include "eventlog/event_log.hpp"
#include "support/catch.hpp"

namespace vibes::test {

/// A private directory (0700) that goes away with the test.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vibes-log-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

inline event::NewEvent new_event(const std::string& payload, const std::string& type = "note",
                                 const std::string& session = {}) {
  event::NewEvent event;
  event.payload = payload;
  event.type = type;
  event.session = session;
  return event;
}

inline std::string content_of(const std::filesystem::path& path) {
  std::string content(std::filesystem::file_size(path), '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  return content;
}

/// Appends and waits for the ack.
inline Result<eventlog::AppendReceipt> append_now(eventlog::EventLog& log,
                                                  std::vector<event::NewEvent> batch) {
  std::promise<Result<eventlog::AppendReceipt>> promise;
  auto answer = promise.get_future();
  auto taken = log.append(std::move(batch), [&](Result<eventlog::AppendReceipt> result) {
    promise.set_value(std::move(result));
  });
  if (!taken) {
    return fail(std::move(taken).error());
  }
  return answer.get();
}

inline std::vector<std::string> payloads_from(eventlog::EventLog& log, Offset from) {
  std::vector<std::string> payloads;
  auto reader = log.reader(from);
  REQUIRE(reader);
  while ((*reader)->position() < log.end()) {
    auto batch = (*reader)->read({});
    if (!batch) {
      FAIL(batch.error().message());
    }
    REQUIRE_FALSE(batch->gap);
    for (const auto& event : batch->events) {
      REQUIRE(event.offset == from + payloads.size());
      payloads.emplace_back(event.payload);
    }
  }
  return payloads;
}

}  // namespace vibes::test
