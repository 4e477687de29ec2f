// SPDX-License-Identifier: MIT
#include "client/producer.hpp"

#include <algorithm>
#include <charconv>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "client/errc.hpp"
#include "event/codec.hpp"

namespace vibes::client {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kDrainBatchBytes = 512 * limits::kKiB;
// A caller with a short deadline gets ahead in short steps.
constexpr std::size_t kShortDrainBatchBytes = 128 * limits::kKiB;

bool is(const Error& error, Errc code) { return error.code == make_error_code(code); }

bool is_unreachable(const Error& error) {
  return is(error, Errc::cannot_connect) || is(error, Errc::connection_lost) ||
         is(error, Errc::timed_out);
}

/// The server refuses an event for what it is, not us or the moment.
bool is_refusal(const Error& error) {
  return is(error, Errc::rejected) || is(error, Errc::conflict);
}

constexpr std::size_t kIdBytes = 36;
constexpr std::size_t kWrappingBytes = 192;  // around an event, but for its type

void append_cloudevent(std::string& out, const event::NewEvent& event) {
  out += R"({"specversion":"1.0","id":")";
  const std::size_t id_at = out.size();
  out.resize(id_at + kIdBytes);
  format_uuid(*event.event_id, out.data() + id_at);
  out += R"(","source":"urn:vibes:producer","type":)";
  event::append_json_string(out, "dev.vibes." + event.type);
  out += R"(,"datacontenttype":"application/json","data":)";
  out += event.payload;
  out += '}';
}

std::size_t body_bytes(std::span<const event::NewEvent> events) {
  std::size_t bytes = 2;
  for (const event::NewEvent& event : events) {
    bytes += event.payload.size() + event.type.size() + kWrappingBytes;
  }
  return bytes;
}

/// Whether the ids are those that the server gives to the lines of NDJSON after the first one's.
bool can_be_lines(std::span<const event::NewEvent> events) {
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (*events[i].event_id != uuid_after(*events[0].event_id, i) ||
        events[i].payload.find('\n') != std::string::npos) {
      return false;
    }
  }
  return true;
}

void put_lines(HttpRequest& request, std::span<const event::NewEvent> events) {
  request.headers = {{"Content-Type", "application/x-ndjson"},
                     {"Idempotency-Key", to_string(*events[0].event_id)}};
  request.body.reserve(body_bytes(events));
  for (const event::NewEvent& event : events) {
    request.body += event.payload;
    request.body += '\n';
  }
}

void put_cloudevents(HttpRequest& request, std::span<const event::NewEvent> events) {
  request.headers = {{"Content-Type", "application/cloudevents-batch+json"}};
  request.body.reserve(body_bytes(events));
  for (const event::NewEvent& event : events) {
    request.body += request.body.empty() ? '[' : ',';
    append_cloudevent(request.body, event);
  }
  request.body += ']';
}

HttpRequest request_for(std::span<const event::NewEvent> events, const std::string& minimum_ack) {
  HttpRequest request;
  request.method = "POST";
  request.path = "/api/events?ids=0" + (minimum_ack.empty() ? "" : "&ack=" + minimum_ack);
  if (events.size() == 1) {
    request.headers = {{"Content-Type", "application/json"},
                       {"Idempotency-Key", to_string(*events[0].event_id)}};
    request.body = events[0].payload;
  } else if (can_be_lines(events)) {
    put_lines(request, events);
  } else {
    put_cloudevents(request, events);
  }
  return request;
}

std::uint64_t number_in(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

Receipt::Fate fate_in(const nlohmann::json& json, std::size_t events) {
  if (json.contains("pending") && json["pending"] == true) {
    return Receipt::Fate::pending;
  }
  return number_in(json, "duplicates") == events ? Receipt::Fate::duplicate : Receipt::Fate::stored;
}

struct Answer {
  std::vector<Receipt> receipts;
  std::uint64_t duplicates = 0;
};

Result<Answer> answer_of(const std::string& body, std::span<const event::NewEvent> events) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || number_in(json, "count") != events.size()) {
    return fail(make_error_code(Errc::bad_answer), body.substr(0, 200));
  }
  const std::uint64_t first = number_in(json, "first_offset");
  const std::uint64_t last = number_in(json, "last_offset");
  const std::uint64_t duplicates = number_in(json, "duplicates");
  // Duplicates keep their old places; then only their own range being dense tells where each of
  // them is.
  const bool dense =
      json.contains("first_offset") && last >= first && last - first + 1 == events.size();
  const Receipt::Fate fate = fate_in(json, events.size());
  const auto durability = json.find("durability");
  std::vector<Receipt> receipts(events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    Receipt& receipt = receipts[i];
    receipt.fate = fate;
    receipt.event_id = *events[i].event_id;
    if (dense) {
      receipt.offset = Offset(first + i);
    }
    if (durability != json.end() && durability->is_string()) {
      receipt.durability = durability->get<std::string>();
    }
  }
  return Answer{std::move(receipts), duplicates};
}

milliseconds retry_after(const HttpResponse& response) {
  unsigned seconds = 0;
  if (const auto header = response.header("retry-after")) {
    (void)std::from_chars(header->data(), header->data() + header->size(), seconds);
  }
  return seconds == 0 ? limits::kReconnectFirst : milliseconds{1'000} * std::min(seconds, 60U);
}

Receipt refused(const event::NewEvent& event, Error why) {
  Receipt receipt;
  receipt.fate = Receipt::Fate::refused;
  receipt.event_id = *event.event_id;
  receipt.refusal = std::move(why);
  return receipt;
}

}  // namespace

Producer::Producer(Target target, std::optional<Spool> spool, ProducerOptions options)
    : http_(std::move(target)), spool_(std::move(spool)), options_(std::move(options)) {}

Result<std::vector<Receipt>> Producer::deliver(std::span<const event::NewEvent> events) {
  begin(events);
  return finish();
}

void Producer::begin(std::span<const event::NewEvent> events) {
  unreachable_.reset();
  Begun begun{.events = events, .drained = {}, .request = {}, .deadline = {}, .asked = {}};
  if (auto drained = drain(); !drained) {
    begun.drained = fail(std::move(drained).error());
  } else {
    begun.request = request_for(events, options_.minimum_ack);
    begun.deadline = within(options_.timeout);
    if (http_.target().endpoint.transport != Endpoint::Transport::tls) {
      begun.asked = http_.begin(begun.request, begun.deadline);
    }
  }
  begun_ = std::move(begun);
}

Result<std::vector<Receipt>> Producer::finish() {
  VIBES_ASSERT(begun_.has_value());
  auto begun = *std::exchange(begun_, std::nullopt);
  const auto events = begun.events;
  auto receipts = finish(std::move(begun));
  if (!receipts && is_unreachable(receipts.error())) {
    return to_spool(events, std::move(receipts).error());
  }
  return receipts;
}

Result<std::vector<Receipt>> Producer::finish(Begun begun) {
  VIBES_TRY(begun.drained);
  duplicates_ = 0;  // not those of the spool
  auto response = exchange(begun.request, begun.deadline, std::move(begun.asked));
  return settle(begun.events, std::move(response), begun.deadline);
}

Result<std::vector<Receipt>> Producer::deliver_by(std::span<const event::NewEvent> events,
                                                  Deadline deadline) {
  VIBES_TRY(http_.open(deadline));
  if (spool_ && !spool_->is_empty()) {
    VIBES_TRY(spool_->drain(
        kShortDrainBatchBytes, std::chrono::steady_clock::now(),
        [&](auto batch) { return deliver_spooled(batch, deadline); }, deadline));
  }
  duplicates_ = 0;
  return post(events, deadline);
}

Result<std::vector<Receipt>> Producer::to_spool(std::span<const event::NewEvent> events,
                                                Error why) {
  if (!spool_) {
    return fail(std::move(why));
  }
  std::vector<event::NewEvent> lines(events.begin(), events.end());
  for (event::NewEvent& event : lines) {
    event.payload = to_one_line(event.payload);
  }
  VIBES_TRY(spool_->append(lines));
  unreachable_ = std::move(why);
  std::vector<Receipt> receipts;
  for (const event::NewEvent& event : events) {
    Receipt receipt;
    receipt.fate = Receipt::Fate::spooled;
    receipt.event_id = *event.event_id;
    receipts.push_back(std::move(receipt));
  }
  return receipts;
}

/// `asked`: how it went to send the request for the first time, where that was done already.
Result<HttpResponse> Producer::exchange(const HttpRequest& request, Deadline deadline,
                                        std::optional<Result<void>> asked) {
  bool lost_before = false;
  for (;; asked.reset()) {
    auto response = !asked   ? http_.send(request, deadline)
                    : *asked ? http_.finish(deadline)
                             : fail(asked->error());
    if (!response) {
      // A kept connection may have died since; every event has its id, so sending again is safe.
      if (!is(response.error(), Errc::connection_lost) || std::exchange(lost_before, true)) {
        return response;
      }
      continue;
    }
    if (response->is_success()) {
      return response;
    }
    const milliseconds pause = retry_after(*response);
    if (response->status != 429 || within(pause) > deadline) {
      return fail(http_error(*response));
    }
    std::this_thread::sleep_for(pause);
  }
}

Result<std::vector<Receipt>> Producer::post(std::span<const event::NewEvent> events,
                                            Deadline deadline) {
  return settle(events, exchange(request_for(events, options_.minimum_ack), deadline), deadline);
}

Result<std::vector<Receipt>> Producer::settle(std::span<const event::NewEvent> events,
                                              Result<HttpResponse> response, Deadline deadline) {
  if (response) {
    VIBES_TRY_ASSIGN(answer, answer_of(response->body, events));
    duplicates_ += answer.duplicates;
    return std::move(answer.receipts);
  }
  if (!is_refusal(response.error())) {
    return fail(std::move(response).error());
  }
  if (events.size() == 1) {
    return std::vector<Receipt>{refused(events[0], std::move(response).error())};
  }
  return post_each(events, deadline);
}

Result<std::vector<Receipt>> Producer::post_each(std::span<const event::NewEvent> events,
                                                 Deadline deadline) {
  std::vector<Receipt> receipts;
  for (const event::NewEvent& event : events) {
    VIBES_TRY_ASSIGN(one, post({&event, 1}, deadline));
    receipts.push_back(std::move(one.front()));
  }
  return receipts;
}

Result<std::uint64_t> Producer::drain() {
  drained_ = set_aside_ = 0;
  if (!spool_ || spool_->is_empty()) {
    return std::uint64_t{0};
  }
  VIBES_TRY(spool_->drain(kDrainBatchBytes, within(options_.timeout), [this](auto batch) {
    return deliver_spooled(batch, within(options_.timeout));
  }));
  return drained_;
}

Result<void> Producer::deliver_spooled(std::span<const event::NewEvent> batch, Deadline deadline) {
  VIBES_TRY_ASSIGN(receipts, post(batch, deadline));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (receipts[i].refusal) {
      VIBES_TRY(spool_->set_aside(batch[i], receipts[i].refusal->message()));
      ++set_aside_;
    } else {
      ++drained_;
    }
  }
  return {};
}

}  // namespace vibes::client
