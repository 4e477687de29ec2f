// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include <nats/nats.h>

namespace vibes::eventlog::nats {

/// Destroys what libnats made.
struct NatsDelete {
  void operator()(natsOptions* options) const { natsOptions_Destroy(options); }
  void operator()(natsConnection* connection) const { natsConnection_Destroy(connection); }
  void operator()(natsMsg* message) const { natsMsg_Destroy(message); }
  void operator()(natsSubscription* subscription) const { natsSubscription_Destroy(subscription); }
  void operator()(jsCtx* context) const { jsCtx_Destroy(context); }
  void operator()(jsStreamInfo* info) const { jsStreamInfo_Destroy(info); }
  void operator()(jsConsumerInfo* info) const { jsConsumerInfo_Destroy(info); }
  void operator()(jsMsgMetaData* data) const { jsMsgMetaData_Destroy(data); }
  void operator()(kvStore* store) const { kvStore_Destroy(store); }
  void operator()(kvEntry* entry) const { kvEntry_Destroy(entry); }
  void operator()(kvWatcher* watcher) const { kvWatcher_Destroy(watcher); }
};

template <class T>
using NatsPtr = std::unique_ptr<T, NatsDelete>;

/// For a function of libnats that returns through a pointer:
/// `js_GetStreamInfo(Out(info), …)`. The pointer is taken over at the end of the statement.
template <class T>
class Out {
 public:
  explicit Out(NatsPtr<T>& to) : to_(to) {}
  Out(const Out&) = delete;
  Out& operator=(const Out&) = delete;
  ~Out() { to_.reset(made_); }
  operator T**() { return &made_; }  // NOLINT(google-explicit-constructor): that is its purpose

 private:
  NatsPtr<T>& to_;
  T* made_ = nullptr;
};

}  // namespace vibes::eventlog::nats
