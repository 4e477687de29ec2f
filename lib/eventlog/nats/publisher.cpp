// SPDX-License-Identifier: MIT
#include "eventlog/nats/publisher.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "eventlog/errc.hpp"
#include "eventlog/nats/codec.hpp"
#include "eventlog/nats/failure.hpp"

namespace vibes::eventlog::nats {
namespace {

constexpr const char* kExpectedLastHeader = "Nats-Expected-Last-Sequence";
constexpr const char* kExpectedLastIdHeader = "Nats-Expected-Last-Msg-Id";

Result<NatsPtr<natsMsg>> to_message(const EncodedMessage& encoded, std::uint64_t last_sequence,
                                    const std::string& last_id) {
  NatsPtr<natsMsg> message;
  natsStatus status = natsMsg_Create(Out(message), encoded.subject.c_str(), nullptr,
                                     encoded.body.data(), static_cast<int>(encoded.body.size()));
  const auto set = [&](const char* name, const std::string& value) {
    if (status == NATS_OK) {
      status = natsMsgHeader_Set(message.get(), name, value.c_str());
    }
  };
  for (const auto& [name, value] : encoded.headers) {
    set(name, value);
  }
  // By hand: jsPubOptions takes 0, an empty stream, for "anything".
  set(kExpectedLastHeader, std::to_string(last_sequence));
  if (!last_id.empty()) {
    set(kExpectedLastIdHeader, last_id);
  }
  if (status != NATS_OK) {
    return request_failed("publish", status);
  }
  return message;
}

Result<std::uint64_t> outcome_of(const jsPubAck* ack, const jsPubAckErr* error) {
  if (ack == nullptr) {
    return fail(publish_failed(error->Err, error->ErrCode,
                               error->ErrText == nullptr ? "" : error->ErrText));
  }
  if (ack->Duplicate) {
    return fail(make_error_code(Errc::not_next),
                "the stream has it already, as message " + std::to_string(ack->Sequence));
  }
  return ack->Sequence;
}

}  // namespace

Result<void> Publisher::open(natsConnection* connection) {
  jsOptions options;
  jsOptions_Init(&options);
  options.PublishAsync.AckHandler = answered;
  options.PublishAsync.AckHandlerClosure = this;
  const MutexLock gate(gate_);
  const natsStatus status = natsConnection_JetStream(Out(jetstream_), connection, &options);
  if (status != NATS_OK) {
    return request_failed("JetStream", status);
  }
  return {};
}

Result<void> Publisher::publish(const remote::RemoteBatch& batch, std::uint64_t last_sequence,
                                Published done) {
  const EncodedMessage encoded = encode(batch, subject_prefix_);
  const MutexLock gate(gate_);
  if (jetstream_ == nullptr) {
    return fail(make_error_code(Errc::closed), "publish");
  }
  VIBES_TRY_ASSIGN(owned, to_message(encoded, last_sequence, id_expected_at(last_sequence)));
  jsPubOptions options;
  jsPubOptions_Init(&options);
  options.MaxWait = limits::kEngineRequestWithin.count();
  natsMsg* message = owned.get();
  expect(message, Offered{last_sequence + 1, id_of(batch)}, std::move(done));
  natsMsg* passed = owned.release();
  const natsStatus status = js_PublishMsgAsync(jetstream_.get(), &passed, &options);
  if (status == NATS_OK) {
    return {};
  }
  owned.reset(passed);
  // The answer may have been given meanwhile, by lost(); there is only one.
  if (!forget(message)) {
    return {};
  }
  return fail(publish_failed(status, 0, text_of(status)));
}

// A sequence alone does not make a chain: where another writer's message took the place of the
// first, the second of ours would find the last sequence that it expects.
std::string Publisher::id_expected_at(std::uint64_t sequence) {
  const MutexLock lock(mutex_);
  return last_offered_.sequence == sequence ? last_offered_.id : std::string();
}

void Publisher::expect(natsMsg* message, Offered offered, Published done) {
  const MutexLock lock(mutex_);
  waiting_.insert_or_assign(message, Waiting{number_++, offered.sequence, std::move(done)});
  last_offered_ = std::move(offered);
}

bool Publisher::has_offered() {
  const MutexLock lock(mutex_);
  return number_ > 0;
}

bool Publisher::forget(natsMsg* message) {
  const MutexLock lock(mutex_);
  return waiting_.erase(message) > 0;
}

void Publisher::answered(jsCtx*, natsMsg* message, jsPubAck* ack, jsPubAckErr* error, void* self) {
  const NatsPtr<natsMsg> owned(message);
  static_cast<Publisher*>(self)->answer(message, outcome_of(ack, error));
}

void Publisher::answer(natsMsg* message, Result<std::uint64_t> outcome) {
  Published done;
  {
    const MutexLock lock(mutex_);
    const auto found = waiting_.find(message);
    if (found == waiting_.end()) {
      return;  // too late: it was given up
    }
    done = std::move(found->second.done);
    // Where ours is in its place, the sequence says it all. Otherwise the id stays: more of the
    // chain may be offered before its owner learns of this.
    if (outcome && last_offered_.sequence == found->second.sequence) {
      last_offered_ = {};
    }
    waiting_.erase(found);
  }
  done(std::move(outcome));
}

void Publisher::lost() { fail_all("the connection was lost before the answer came"); }

void Publisher::fail_all(const char* why) {
  std::vector<Waiting> given_up;
  {
    const MutexLock lock(mutex_);
    for (auto& [message, waiting] : waiting_) {
      given_up.push_back(std::move(waiting));
    }
    waiting_.clear();
  }
  std::ranges::sort(given_up, {}, &Waiting::number);
  for (const Waiting& waiting : given_up) {
    waiting.done(fail(make_error_code(Errc::indeterminate), why));
  }
}

void Publisher::close() {
  NatsPtr<jsCtx> jetstream;
  {
    // From here on publish() refuses, also one that is called from within an answer.
    const MutexLock gate(gate_);
    jetstream = std::move(jetstream_);
  }
  if (jetstream == nullptr) {
    return;
  }
  // What is taken off libnats' list gets no answer of it any more; what is then left to complete
  // is the answers that are being given at the moment.
  // libnats 3.4 has no list, and follows its null pointer, before the first publish.
  if (has_offered()) {
    natsMsgList pending{};
    if (js_PublishAsyncGetPendingList(&pending, jetstream.get()) == NATS_OK) {
      natsMsgList_Destroy(&pending);
    }
    (void)js_PublishAsyncComplete(jetstream.get(), nullptr);
  }
  fail_all("the log was closed before the answer came");
}

}  // namespace vibes::eventlog::nats
