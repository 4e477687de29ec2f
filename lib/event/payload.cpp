// SPDX-License-Identifier: MIT
#include "event/payload.hpp"

#include <string>

#include <nlohmann/json.hpp>

#include "event/ascii.hpp"
#include "event/json_verdict.hpp"

namespace vibes::event {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

template <class T>
std::optional<T> typed(const std::optional<element>& value) {
  T found{};
  return value && value->get(found) == simdjson::SUCCESS ? std::optional<T>(found) : std::nullopt;
}

nlohmann::json copy_of(element value) {
  switch (value.type()) {
    case element_type::OBJECT: {
      auto copy = nlohmann::json::object();
      for (const auto field : static_cast<simdjson::dom::object>(value)) {
        copy[std::string(field.key)] = copy_of(field.value);
      }
      return copy;
    }
    case element_type::ARRAY: {
      auto copy = nlohmann::json::array();
      for (const element one : static_cast<simdjson::dom::array>(value)) {
        copy.push_back(copy_of(one));
      }
      return copy;
    }
    case element_type::STRING:
      return static_cast<std::string_view>(value);
    case element_type::INT64: {
      // The library tells the two kinds apart by their sign.
      const auto number = static_cast<std::int64_t>(value);
      return number < 0 ? nlohmann::json(number)
                        : nlohmann::json(static_cast<std::uint64_t>(number));
    }
    case element_type::UINT64:
      return static_cast<std::uint64_t>(value);
    case element_type::DOUBLE:
      return static_cast<double>(value);
    case element_type::BOOL:
      return static_cast<bool>(value);
    case element_type::NULL_VALUE:
      break;
  }
  return {};
}

/// The log takes whole numbers of any length, simdjson only those of 64 bits. Written anew, such a
/// number is a floating one, and the payload can be read. The verdict also bounds its depth.
std::string rewritten(std::string_view payload) {
  if (!judge_json(payload)) {
    return {};
  }
  using nlohmann::json;
  return json::parse(payload, nullptr, false).dump(-1, ' ', false, json::error_handler_t::replace);
}

/// Takes tokens off the front of a valid JSON text. Gives up on what a glance cannot tell: escapes,
/// and objects and arrays, which have to be known from outside.
class Glance {
 public:
  explicit Glance(std::string_view text) : rest_(text) {}

  [[nodiscard]] std::string_view rest() const { return rest_; }

  bool take(char token) {
    rest_ = trim_front(rest_);
    if (!rest_.starts_with(token)) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::string_view> take_text() {
    if (!take('"')) {
      return std::nullopt;
    }
    // Most texts in front of the inner event are too short for a search to begin.
    std::size_t end = 0;
    while (end < rest_.size() && rest_[end] != '"' && rest_[end] != '\\') {
      ++end;
    }
    if (end == rest_.size() || rest_[end] == '\\') {
      return std::nullopt;
    }
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }

  /// A text, a number, true, false or null, and the comma behind it.
  bool skip_member() {
    rest_ = trim_front(rest_);
    if (rest_.starts_with('{') || rest_.starts_with('[')) {
      return false;
    }
    if (rest_.starts_with('"')) {
      return take_text() && take(',');
    }
    const std::size_t end = rest_.find(',');
    if (end == std::string_view::npos) {
      return false;
    }
    rest_.remove_prefix(end + 1);
    return true;
  }

 private:
  std::string_view rest_;
};

}  // namespace

PayloadValue PayloadValue::member(std::string_view key) const {
  PayloadValue found;
  if (const auto object = typed<simdjson::dom::object>(value_)) {
    for (const auto field : *object) {
      if (field.key == key) {
        found.value_ = field.value;
      }
    }
  }
  return found;
}

bool PayloadValue::is_true() const { return typed<bool>(value_).value_or(false); }

bool PayloadValue::is_nonzero() const {
  return typed<std::int64_t>(value_).value_or(0) != 0 ||
         typed<std::uint64_t>(value_).value_or(0) != 0;
}

std::string_view PayloadValue::text() const {
  return typed<std::string_view>(value_).value_or(std::string_view());
}

std::optional<std::uint64_t> PayloadValue::count() const { return typed<std::uint64_t>(value_); }

std::optional<double> PayloadValue::number() const { return typed<double>(value_); }

std::vector<PayloadValue> PayloadValue::elements() const {
  std::vector<PayloadValue> found;
  if (const auto array = typed<simdjson::dom::array>(value_)) {
    for (const simdjson::dom::element one : *array) {
      found.emplace_back(one);
    }
  }
  return found;
}

nlohmann::json PayloadValue::json() const { return value_ ? copy_of(*value_) : nlohmann::json(); }

PayloadValue PayloadReader::read(std::string_view payload) {
  parser_.shrink();
  element root;
  if (parser_.parse(payload, root)) {
    return PayloadValue(root);
  }
  const std::string again = rewritten(payload);
  return !again.empty() && parser_.parse(again, root) ? PayloadValue(root) : PayloadValue();
}

std::optional<std::string_view> peek_inner_type(std::string_view payload) {
  Glance glance(payload);
  if (!glance.take('{')) {
    return std::nullopt;
  }
  for (auto key = glance.take_text(); key != "event"; key = glance.take_text()) {
    if (!key || !glance.take(':') || !glance.skip_member()) {
      return std::nullopt;
    }
  }
  if (!glance.take(':') || !glance.take('{') || glance.take_text() != "type" || !glance.take(':')) {
    return std::nullopt;
  }
  const auto type = glance.take_text();
  // Another `type` would count instead, or another `event`, and its name may be spelled with
  // escapes.
  const bool is_last = glance.rest().find("\"type\"") == std::string_view::npos &&
                       glance.rest().find("\"event\"") == std::string_view::npos &&
                       glance.rest().find("\\u00") == std::string_view::npos;
  return is_last ? type : std::nullopt;
}

}  // namespace vibes::event
