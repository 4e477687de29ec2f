// SPDX-License-Identifier: MIT
#include "consumers/interventions/waiting_interventions.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "event/payload.hpp"

namespace vibes::consumers {
namespace {

using nlohmann::json;

constexpr std::int64_t kMaxAgeUs = std::chrono::microseconds(limits::kInterventionMaxAge).count();
constexpr std::int64_t kHeldForUs = std::chrono::microseconds(limits::kInterventionHeldFor).count();
constexpr std::int64_t kHeldForNs = std::chrono::nanoseconds(limits::kInterventionHeldFor).count();

Unexpected bad(std::string_view what) {
  return fail(std::make_error_code(std::errc::bad_message), std::string(what));
}

/// The member if it is a string, else nothing.
std::optional<std::string> text_of(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string()
             ? std::optional(found->get<std::string>())
             : std::nullopt;
}

std::optional<Uuid> id_of(const json& object, const char* key) {
  const auto text = text_of(object, key);
  return text ? parse_uuid(*text) : std::nullopt;
}

std::optional<Timestamp> time_of(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_number_integer()
             ? std::optional(Timestamp{found->get<std::int64_t>()})
             : std::nullopt;
}

json parse(std::string_view text) { return json::parse(text, nullptr, /*allow_exceptions=*/false); }

/// At most `bytes_max` bytes of whole characters.
std::string front(std::string_view text, std::size_t bytes_max) {
  std::size_t end = std::min(text.size(), bytes_max);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;
  }
  return std::string(text.substr(0, end));
}

/// Hooks are many, and only one in a session ends it: mostly a glance tells.
bool is_session_end(const event::EventView& event) {
  constexpr std::string_view kType = "session_end";
  if (event.type == "session_removed") {
    return true;
  }
  if (event.type != "hook") {
    return false;
  }
  if (const auto type = event::peek_inner_type(event.payload)) {
    return *type == kType;
  }
  event::PayloadReader reader;
  return reader.read(event.payload).member("event").text("type") == kType;
}

}  // namespace

Result<void> WaitingInterventions::fold(const event::EventView& event) {
  const bool is_new = event.offset >= next_;
  next_ = std::max(next_, event.offset + 1);
  if (event.type == "intervention") {
    event::PayloadReader reader;
    const event::PayloadValue message = reader.read(event.payload).member("message");
    if (!message.is_text()) {
      return bad("an intervention without a message");
    }
    if (is_new && !event.session.empty()) {
      add(event.session,
          {event.event_id, event.time, front(message.text(), limits::kInterventionBytesMax), {}});
    }
  } else if (event.type == "intervention_delivered") {
    event::PayloadReader reader;
    const event::PayloadValue told = reader.read(event.payload);
    const auto intervention = parse_uuid(told.text("intervention_id"));
    const auto hook = parse_uuid(told.text("hook_event_id"));
    if (!intervention || !hook) {
      return bad("a delivery without the ids of its intervention and hook");
    }
    if (is_new) {
      deliver(event.session, *intervention, {*hook, event.time});
    }
  } else if (is_new && sessions_.contains(event.session) && is_session_end(event)) {
    end(event.session);
  }
  return {};
}

void WaitingInterventions::skip_to(Offset next) { next_ = std::max(next_, next); }

void WaitingInterventions::clear() {
  sessions_.clear();
  next_ = Offset();
  ++changes_;
}

void WaitingInterventions::add(std::string_view session, Item item) {
  ++changes_;
  auto at = sessions_.find(session);
  if (at == sessions_.end()) {
    make_room();
    at = sessions_.emplace(session, std::vector<Item>{}).first;
  }
  if (at->second.size() >= limits::kInterventionsWaiting) {
    at->second.erase(at->second.begin());
  }
  at->second.push_back(std::move(item));
}

/// The session whose newest intervention is the oldest goes: its agent asks least.
void WaitingInterventions::make_room() {
  if (sessions_.size() >= sessions_max_) {
    sessions_.erase(std::ranges::min_element(
        sessions_, {}, [](const auto& session) { return session.second.back().time; }));
  }
}

void WaitingInterventions::deliver(std::string_view session, const Uuid& intervention,
                                   const Delivery& delivery) {
  const auto at = sessions_.find(session);
  if (at == sessions_.end()) {
    return;
  }
  const auto item = std::ranges::find(at->second, intervention, &Item::id);
  if (item != at->second.end() && !item->delivery) {
    item->delivery = delivery;
    holds_.erase(intervention);
    ++changes_;
  }
}

void WaitingInterventions::end(std::string_view session) {
  sessions_.erase(sessions_.find(session));
  ++changes_;
}

bool WaitingInterventions::is_over(const Item& item, Timestamp now) const {
  return item.delivery ? now.unix_us - item.delivery->time.unix_us > kHeldForUs
                       : now.unix_us - item.time.unix_us > kMaxAgeUs;
}

void WaitingInterventions::drop_old(Sessions::iterator session, Timestamp now) {
  const std::size_t dropped =
      std::erase_if(session->second, [&](const Item& item) { return is_over(item, now); });
  changes_ += dropped;
  if (session->second.empty()) {
    sessions_.erase(session);
  }
}

/// The hook that has it or may be about to say it; nullptr: it is free.
const Uuid* WaitingInterventions::holder_of(const Item& item) const {
  if (item.delivery) {
    return &item.delivery->hook;
  }
  const auto held = holds_.find(item.id);
  const bool holds = held != holds_.end() && held->second.until_ns > clock_.steady_ns();
  return holds ? &held->second.hook : nullptr;
}

void WaitingInterventions::hold(const Item& item, const Uuid& hook) {
  if (!item.delivery) {
    holds_[item.id] = {hook, clock_.steady_ns() + kHeldForNs};
  }
}

std::optional<Handout> WaitingInterventions::hand_out(std::string_view session, const Uuid& hook) {
  auto at = sessions_.find(session);
  if (at == sessions_.end()) {
    return std::nullopt;
  }
  drop_old(at, clock_.now());
  at = sessions_.find(session);
  if (at == sessions_.end()) {
    return std::nullopt;
  }
  std::erase_if(
      holds_, [now = clock_.steady_ns()](const auto& held) { return held.second.until_ns <= now; });
  // A hook that asks again gets what it got, and nothing that has come since.
  const auto is_its_own = [&](const Item& item) {
    const Uuid* const holder = holder_of(item);
    return holder != nullptr && *holder == hook;
  };
  const bool again = std::ranges::any_of(at->second, is_its_own);
  Handout handout;
  for (const Item& item : at->second) {
    if (again ? is_its_own(item) : holder_of(item) == nullptr) {
      hold(item, hook);
      handout.interventions.push_back(item.id);
      handout.context += (handout.context.empty() ? "" : "\n\n") + item.message;
    }
  }
  return handout.interventions.empty() ? std::nullopt : std::optional(std::move(handout));
}

std::string WaitingInterventions::save() {
  for (auto session = sessions_.begin(); session != sessions_.end();) {
    drop_old(session++, clock_.now());
  }
  json saved = json::object();
  for (const auto& [session, items] : sessions_) {
    json& list = saved[session] = json::array();
    for (const Item& item : items) {
      json one = {{"id", to_string(item.id)}, {"at", item.time.unix_us}, {"message", item.message}};
      if (item.delivery) {
        one["hook"] = to_string(item.delivery->hook);
        one["delivered"] = item.delivery->time.unix_us;
      }
      list.push_back(std::move(one));
    }
  }
  changes_saved_ = changes_;
  return json{{"next", next_.value()}, {"sessions", std::move(saved)}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
}

Result<void> WaitingInterventions::load(std::string_view text) {
  const json saved = parse(text);
  const bool whole = saved.is_object() && saved.contains("next") &&
                     saved["next"].is_number_unsigned() && saved.contains("sessions") &&
                     saved["sessions"].is_object();
  if (!whole) {
    return bad("not the state of interventions");
  }
  Sessions sessions;
  for (const auto& [session, list] : saved["sessions"].items()) {
    std::vector<Item>& items = sessions[session];
    for (const json& one : list) {
      const auto id = id_of(one, "id");
      const auto time = time_of(one, "at");
      auto message = text_of(one, "message");
      if (!id || !time || !message) {
        return bad("an intervention that is none, of session " + session);
      }
      Item& item = items.emplace_back(Item{*id, *time, *std::move(message), {}});
      const auto hook = id_of(one, "hook");
      const auto delivered = time_of(one, "delivered");
      if (hook && delivered) {
        item.delivery = Delivery{*hook, *delivered};
      }
    }
    if (items.empty()) {
      return bad("a session without interventions: " + session);
    }
  }
  sessions_ = std::move(sessions);
  next_ = Offset(saved["next"].get<std::uint64_t>());
  changes_saved_ = changes_;
  return {};
}

}  // namespace vibes::consumers
