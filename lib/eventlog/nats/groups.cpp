// SPDX-License-Identifier: MIT
#include "eventlog/nats/groups.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

#include "base/limits.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/nats/failure.hpp"

namespace vibes::eventlog::nats {
namespace {

constexpr int kHoldTries = 3;

// A key may not begin or end with a dot, a group's name may.
std::string replaced(std::string_view text, char from, char to) {
  std::string out(text);
  std::ranges::replace(out, from, to);
  return out;
}
std::string key_of(std::string_view group) { return replaced(group, '.', '/'); }
std::string group_of(std::string_view key) { return replaced(key, '/', '.'); }

std::string value_of(kvEntry* entry) {
  return {static_cast<const char*>(kvEntry_Value(entry)),
          static_cast<std::size_t>(kvEntry_ValueLen(entry))};
}

std::optional<Offset> offset_in(kvEntry* entry) {
  const std::string text = value_of(entry);
  std::uint64_t offset = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return Offset(offset);
}

/// Returns when it has all that was there at first.
natsStatus read_all(kvWatcher* watcher, remote::RemoteGroups::Offsets& offsets) {
  for (;;) {
    NatsPtr<kvEntry> entry;
    const natsStatus status =
        kvWatcher_Next(Out(entry), watcher, limits::kEngineRequestWithin.count());
    if (status != NATS_OK || entry == nullptr) {
      return status;
    }
    // What is no offset is not ours.
    if (const auto offset = offset_in(entry.get())) {
      offsets.insert_or_assign(group_of(kvEntry_Key(entry.get())), *offset);
    }
  }
}

}  // namespace

Result<kvStore*> Groups::bucket(NatsPtr<kvStore>& store, const std::string& name,
                                std::chrono::nanoseconds ttl) {
  if (connection_.is_closing() || !connection_.is_connected()) {
    return fail(make_error_code(Errc::unreachable), options_.addresses());
  }
  if (store != nullptr) {
    return store.get();
  }
  natsStatus status = js_KeyValue(Out(store), connection_.jetstream(), name.c_str());
  if (status == NATS_NOT_FOUND) {
    kvConfig config;
    kvConfig_Init(&config);
    config.Bucket = name.c_str();
    config.History = 1;
    config.TTL = ttl.count();
    config.StorageType = js_FileStorage;
    config.Replicas = options_.replicas;
    status = js_CreateKeyValue(Out(store), connection_.jetstream(), &config);
  }
  if (status != NATS_OK) {
    return request_failed("bucket " + name, status);
  }
  return store.get();
}

Result<kvStore*> Groups::offsets() {
  return bucket(offsets_, offsets_name(), std::chrono::nanoseconds(0));
}

Result<kvStore*> Groups::holds() { return bucket(holds_, holds_name(), kHeldFor); }

Result<Groups::Offsets> Groups::load() {
  const MutexLock lock(mutex_);
  VIBES_TRY_ASSIGN(store, offsets());
  kvWatchOptions options;
  kvWatchOptions_Init(&options);
  options.IgnoreDeletes = true;
  NatsPtr<kvWatcher> watcher;
  natsStatus status = kvStore_WatchAll(Out(watcher), store, &options);
  Offsets offsets;
  if (status == NATS_OK) {
    status = read_all(watcher.get(), offsets);
  }
  if (status != NATS_OK) {
    return request_failed("bucket " + offsets_name(), status);
  }
  return offsets;
}

Result<void> Groups::store(std::string_view group, Offset next) {
  const MutexLock lock(mutex_);
  VIBES_TRY_ASSIGN(store, offsets());
  const natsStatus status = kvStore_PutString(nullptr, store, key_of(group).c_str(),
                                              std::to_string(next.value()).c_str());
  if (status != NATS_OK) {
    return request_failed("group " + std::string(group), status);
  }
  return {};
}

Result<void> Groups::remove(std::string_view group) {
  const MutexLock lock(mutex_);
  VIBES_TRY_ASSIGN(store, offsets());
  const natsStatus status = kvStore_Purge(store, key_of(group).c_str(), nullptr);
  if (status != NATS_OK) {
    return request_failed("group " + std::string(group), status);
  }
  return {};
}

Result<std::optional<std::string>> Groups::hold(std::string_view group, std::string_view owner) {
  const MutexLock lock(mutex_);
  VIBES_TRY_ASSIGN(store, holds());
  const std::string key = key_of(group);
  const std::string value(owner);
  natsStatus status = NATS_OK;
  // Between two of the requests it may end, or become another's.
  for (int tries = 0; tries < kHoldTries; ++tries) {
    status = kvStore_CreateString(nullptr, store, key.c_str(), value.c_str());
    if (status == NATS_OK) {
      return std::optional<std::string>();
    }
    NatsPtr<kvEntry> entry;
    status = kvStore_Get(Out(entry), store, key.c_str());
    if (status == NATS_NOT_FOUND) {
      continue;
    }
    if (status != NATS_OK) {
      break;
    }
    const std::string holder = value_of(entry.get());
    if (holder != owner) {
      return std::optional(holder);
    }
    status = kvStore_UpdateString(nullptr, store, key.c_str(), value.c_str(),
                                  kvEntry_Revision(entry.get()));
    if (status == NATS_OK) {
      return std::optional<std::string>();
    }
  }
  return request_failed("group " + std::string(group), status);
}

Result<void> Groups::let_go(std::string_view group, std::string_view owner) {
  const MutexLock lock(mutex_);
  VIBES_TRY_ASSIGN(store, holds());
  const std::string key = key_of(group);
  NatsPtr<kvEntry> entry;
  natsStatus status = kvStore_Get(Out(entry), store, key.c_str());
  if (status == NATS_NOT_FOUND || (status == NATS_OK && value_of(entry.get()) != owner)) {
    return {};
  }
  if (status == NATS_OK) {
    status = kvStore_Delete(store, key.c_str());
  }
  if (status != NATS_OK) {
    return request_failed("group " + std::string(group), status);
  }
  return {};
}

void Groups::close() {
  const MutexLock lock(mutex_);
  offsets_.reset();
  holds_.reset();
}

}  // namespace vibes::eventlog::nats
