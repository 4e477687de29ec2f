// SPDX-License-Identifier: MIT
#include "verify/history.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/sha.h>

#include "verify/errc.hpp"

namespace vibes::verify {
namespace {

using nlohmann::json;

std::string hex(const Digest& digest) {
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

/// Takes the members of one line out of its JSON; remembers the first that is missing or mistyped.
class Members {
 public:
  explicit Members(const json& object) : object_(object) {}

  template <class T>
  T take(const char* name) {
    T value{};
    const auto found = object_.find(name);
    if (found == object_.end() || !convert(*found, value)) {
      if (problem_.empty()) {
        problem_ = fmt::format("member \"{}\" is missing or has the wrong type", name);
      }
    }
    return value;
  }
  [[nodiscard]] bool has(const char* name) const { return object_.contains(name); }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  static bool convert(const json& from, bool& to) {
    to = from.is_boolean() && from.get<bool>();
    return from.is_boolean();
  }
  template <std::integral T>
  static bool convert(const json& from, T& to) {
    if (!from.is_number_integer()) {
      return false;
    }
    to = from.get<T>();
    return true;
  }
  static bool convert(const json& from, std::string& to) {
    if (!from.is_string()) {
      return false;
    }
    to = from.get<std::string>();
    return true;
  }
  static bool convert(const json& from, Offset& to) {
    if (!from.is_number_unsigned()) {
      return false;
    }
    to = Offset(from.get<std::uint64_t>());
    return true;
  }
  static bool convert(const json& from, Uuid& to) {
    const auto uuid =
        from.is_string() ? parse_uuid(from.get_ref<const std::string&>()) : std::optional<Uuid>{};
    to = uuid.value_or(Uuid{});
    return uuid.has_value();
  }
  static bool convert(const json& from, std::vector<std::string>& to) {
    if (!from.is_array()) {
      return false;
    }
    for (const json& element : from) {
      if (!convert(element, to.emplace_back())) {
        return false;
      }
    }
    return true;
  }
  static bool convert(const json& from, Digest& to) {
    if (!from.is_string() || from.get_ref<const std::string&>().size() != 2 * to.size()) {
      return false;
    }
    const auto& text = from.get_ref<const std::string&>();
    for (std::size_t i = 0; i < to.size(); ++i) {
      char* end = nullptr;
      const std::string pair = text.substr(2 * i, 2);
      to[i] = static_cast<std::uint8_t>(std::strtoul(pair.c_str(), &end, 16));
      if (end != pair.c_str() + 2) {
        return false;
      }
    }
    return true;
  }
  /// An enumeration is stored by name.
  template <class E>
    requires std::is_enum_v<E>
  static bool convert(const json& from, E& to) {
    const auto names = names_of(E{});
    const auto found = from.is_string()
                           ? std::find(names.begin(), names.end(), from.get<std::string>())
                           : names.end();
    to = static_cast<E>(found - names.begin());
    return found != names.end();
  }

 public:
  static std::vector<std::string> names_of(Outcome) { return {"ok", "fail", "info"}; }
  static std::vector<std::string> names_of(CommitPhase) { return {"invoke", "ok"}; }
  static std::vector<std::string> names_of(FaultPhase) { return {"start", "down", "stop"}; }
  static std::vector<std::string> names_of(Image) { return {"replay", "offline", "after_restart"}; }

 private:
  const json& object_;
  std::string problem_;
};

template <class E>
std::string name_of(E value) {
  return Members::names_of(value)[static_cast<std::size_t>(value)];
}

json to_json(const Append& r) {
  return {{"kind", "append"},           {"producer", r.producer},
          {"connection", r.connection}, {"n", r.n},
          {"batch", r.batch},           {"event_id", to_string(r.event_id)},
          {"digest", hex(r.digest)},    {"type", r.type},
          {"session", r.session},       {"at", r.at}};
}
json to_json(const Answer& r) {
  json line = {{"kind", "answer"}, {"producer", r.producer},
               {"n", r.n},         {"outcome", name_of(r.outcome)},
               {"code", r.code},   {"at", r.at}};
  if (r.offset) {
    line["offset"] = r.offset->value();
  }
  if (r.pending) {
    line["pending"] = true;
  }
  return line;
}
json to_json(const Connect& r) {
  json line = {{"kind", "connect"}, {"client", r.client},   {"connection", r.connection},
               {"types", r.types},  {"session", r.session}, {"at", r.at}};
  if (r.from) {
    line["from"] = r.from->value();
  }
  return line;
}
json to_json(const Delivery& r) {
  return {{"kind", "delivery"},
          {"client", r.client},
          {"connection", r.connection},
          {"offset", r.offset.value()},
          {"event_id", to_string(r.event_id)},
          {"digest", hex(r.digest)},
          {"at", r.at}};
}
json to_json(const Progress& r) {
  return {{"kind", "progress"},
          {"client", r.client},
          {"connection", r.connection},
          {"next", r.next.value()},
          {"at", r.at}};
}
json to_json(const GapNotice& r) {
  return {{"kind", "gap"},          {"client", r.client}, {"connection", r.connection},
          {"from", r.from.value()}, {"to", r.to.value()}, {"at", r.at}};
}
json to_json(const Disconnect& r) {
  return {{"kind", "disconnect"},
          {"client", r.client},
          {"connection", r.connection},
          {"reason", r.reason},
          {"at", r.at}};
}
json to_json(const Finish& r) { return {{"kind", "finish"}, {"client", r.client}, {"at", r.at}}; }
json to_json(const Join& r) {
  return {{"kind", "join"}, {"group", r.group}, {"from", r.from.value()}, {"at", r.at}};
}
json to_json(const Process& r) {
  return {{"kind", "process"},
          {"group", r.group},
          {"offset", r.offset.value()},
          {"event_id", to_string(r.event_id)},
          {"at", r.at}};
}
json to_json(const Commit& r) {
  return {{"kind", "commit"},
          {"group", r.group},
          {"next", r.next.value()},
          {"phase", name_of(r.phase)},
          {"at", r.at}};
}
json to_json(const Fault& r) {
  return {{"kind", "fault"}, {"name", r.name}, {"phase", name_of(r.phase)}, {"at", r.at}};
}
json to_json(const Recovery& r) {
  return {{"kind", "recovery"},       {"end", r.end.value()},
          {"bytes_cut", r.bytes_cut}, {"bytes_quarantined", r.bytes_quarantined},
          {"took_ms", r.took_ms},     {"at", r.at}};
}
json to_json(const Logged& r) {
  return {{"kind", "logged"},           {"image", name_of(r.image)},
          {"offset", r.offset.value()}, {"event_id", to_string(r.event_id)},
          {"digest", hex(r.digest)},    {"type", r.type},
          {"session", r.session}};
}

/// A line and when it belongs.
struct Line {
  std::int64_t at;
  std::string text;
};

template <class Record>
void add_lines(std::vector<Line>& lines, const std::vector<Record>& records) {
  for (const Record& record : records) {
    lines.push_back({record.at, to_json(record).dump()});
  }
}

/// An offset that may be missing.
std::optional<Offset> take_offset(Members& m, const char* name) {
  return m.has(name) ? std::optional(m.take<Offset>(name)) : std::nullopt;
}

void read_stream_line(History& into, const std::string& kind, Members& m) {
  const auto client = m.take<std::uint32_t>("client");
  const auto connection = kind == "finish" ? 0 : m.take<std::uint32_t>("connection");
  const auto at = m.take<std::int64_t>("at");
  if (kind == "connect") {
    into.connects.push_back({client, connection, take_offset(m, "from"),
                             m.take<std::vector<std::string>>("types"),
                             m.take<std::string>("session"), at});
  } else if (kind == "delivery") {
    into.deliveries.push_back({client, connection, m.take<Offset>("offset"),
                               m.take<Uuid>("event_id"), m.take<Digest>("digest"), at});
  } else if (kind == "progress") {
    into.progress.push_back({client, connection, m.take<Offset>("next"), at});
  } else if (kind == "gap") {
    into.gaps.push_back({client, connection, m.take<Offset>("from"), m.take<Offset>("to"), at});
  } else if (kind == "disconnect") {
    into.disconnects.push_back({client, connection, m.take<std::string>("reason"), at});
  } else {
    into.finishes.push_back({client, at});
  }
}

void read_group_line(History& into, const std::string& kind, Members& m) {
  const auto group = m.take<std::string>("group");
  const auto at = m.take<std::int64_t>("at");
  if (kind == "join") {
    into.joins.push_back({group, m.take<Offset>("from"), at});
  } else if (kind == "process") {
    into.processed.push_back({group, m.take<Offset>("offset"), m.take<Uuid>("event_id"), at});
  } else {
    into.commits.push_back({group, m.take<Offset>("next"), m.take<CommitPhase>("phase"), at});
  }
}

void read_producer_line(History& into, const std::string& kind, Members& m) {
  const auto producer = m.take<std::uint32_t>("producer");
  const auto n = m.take<std::uint64_t>("n");
  const auto at = m.take<std::int64_t>("at");
  if (kind == "append") {
    into.appends.push_back({producer, m.take<std::uint32_t>("connection"), n,
                            m.take<std::uint64_t>("batch"), m.take<Uuid>("event_id"),
                            m.take<Digest>("digest"), m.take<std::string>("type"),
                            m.take<std::string>("session"), at});
  } else {
    into.answers.push_back({producer, n, m.take<Outcome>("outcome"), take_offset(m, "offset"),
                            m.take<std::string>("code"), at,
                            m.has("pending") && m.take<bool>("pending")});
  }
}

/// False for a kind that is not known.
bool read_line(History& into, const std::string& kind, Members& m) {
  const auto is_one_of = [&](std::initializer_list<const char*> kinds) {
    return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
  };
  if (kind == "run") {
    into.seed = m.take<std::uint64_t>("seed");
    into.kept_from = m.take<Offset>("kept_from");
    into.is_shared = m.take<bool>("is_shared");
    into.server_types = m.take<std::vector<std::string>>("server_types");
  } else if (is_one_of({"append", "answer"})) {
    read_producer_line(into, kind, m);
  } else if (is_one_of({"connect", "delivery", "progress", "gap", "disconnect", "finish"})) {
    read_stream_line(into, kind, m);
  } else if (is_one_of({"join", "process", "commit"})) {
    read_group_line(into, kind, m);
  } else if (kind == "fault") {
    into.faults.push_back(
        {m.take<std::string>("name"), m.take<FaultPhase>("phase"), m.take<std::int64_t>("at")});
  } else if (kind == "recovery") {
    into.recoveries.push_back({m.take<Offset>("end"), m.take<std::uint64_t>("bytes_cut"),
                               m.take<std::uint64_t>("bytes_quarantined"),
                               m.take<std::uint64_t>("took_ms"), m.take<std::int64_t>("at")});
  } else if (kind == "logged") {
    into.log.push_back({m.take<Image>("image"), m.take<Offset>("offset"), m.take<Uuid>("event_id"),
                        m.take<Digest>("digest"), m.take<std::string>("type"),
                        m.take<std::string>("session")});
  } else {
    return false;
  }
  return true;
}

Result<void> read_line(History& into, std::string_view text) {
  const json line = json::parse(text, nullptr, false);
  if (!line.is_object()) {
    return fail(Errc::bad_history, "no JSON object");
  }
  Members members(line);
  const auto kind = members.take<std::string>("kind");
  if (members.problem().empty() && !read_line(into, kind, members)) {
    return fail(Errc::bad_history, fmt::format("unknown kind \"{}\"", kind));
  }
  if (!members.problem().empty()) {
    return fail(Errc::bad_history, members.problem());
  }
  return {};
}

}  // namespace

Digest digest_of(std::string_view payload) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> whole{};
  SHA256(reinterpret_cast<const unsigned char*>(payload.data()), payload.size(), whole.data());
  Digest digest;
  std::copy_n(whole.begin(), digest.size(), digest.begin());
  return digest;
}

std::string to_jsonl(const History& history) {
  std::vector<Line> lines;
  add_lines(lines, history.appends);
  add_lines(lines, history.answers);
  add_lines(lines, history.connects);
  add_lines(lines, history.deliveries);
  add_lines(lines, history.progress);
  add_lines(lines, history.gaps);
  add_lines(lines, history.disconnects);
  add_lines(lines, history.finishes);
  add_lines(lines, history.joins);
  add_lines(lines, history.processed);
  add_lines(lines, history.commits);
  add_lines(lines, history.faults);
  add_lines(lines, history.recoveries);
  std::stable_sort(lines.begin(), lines.end(),
                   [](const Line& a, const Line& b) { return a.at < b.at; });
  std::string text = json{{"kind", "run"},
                          {"seed", history.seed},
                          {"kept_from", history.kept_from.value()},
                          {"is_shared", history.is_shared},
                          {"server_types", history.server_types}}
                         .dump() +
                     "\n";
  for (const Line& line : lines) {
    text += line.text + "\n";
  }
  for (const Logged& logged : history.log) {
    text += to_json(logged).dump() + "\n";
  }
  return text;
}

Result<History> parse_jsonl(std::string_view text) {
  History history;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (auto read = read_line(history, text.substr(0, end)); !read) {
      return fail(read.error().code, fmt::format("line {}: {}", number, read.error().context));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return history;
}

}  // namespace vibes::verify
