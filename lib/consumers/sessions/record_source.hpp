// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "consumers/sessions/cut_text.hpp"

namespace vibes::consumers {

/// Reads members of a saved JSON object, each of the type that was written; notes what is not so.
/// The object outlives it.
class RecordSource {
 public:
  explicit RecordSource(const nlohmann::json& object) : object_(object) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool is_null(const char* key) { return member(key).is_null(); }
  std::string text(const char* key) {
    const nlohmann::json& found = member(key);
    return check(found.is_string()) ? found.get<std::string>() : std::string();
  }
  std::uint64_t number(const char* key) {
    const nlohmann::json& found = member(key);
    return check(found.is_number_unsigned()) ? found.get<std::uint64_t>() : 0;
  }
  double real(const char* key) {
    const nlohmann::json& found = member(key);
    return check(found.is_number()) ? found.get<double>() : 0;
  }
  Timestamp time(const char* key) {
    const nlohmann::json& found = member(key);
    return {check(found.is_number_integer()) ? found.get<std::int64_t>() : 0};
  }
  CutText cut_text(const char* key) {
    RecordSource inner(member(key));
    CutText made{inner.text("text"), inner.number("left_out")};
    check(inner.ok());
    return made;
  }
  template <class Each>
  void each(const char* key, Each take) {
    const nlohmann::json& list = member(key);
    check(list.is_array());
    for (const nlohmann::json& one : list) {
      RecordSource inner(one);
      take(inner);
      check(inner.ok());
    }
  }
  const nlohmann::json& member(const char* key) {
    static const nlohmann::json kNone;
    const auto found = object_.is_object() ? object_.find(key) : object_.end();
    return check(object_.is_object() && found != object_.end()) ? *found : kNone;
  }
  bool check(bool good) {
    ok_ = ok_ && good;
    return good;
  }

 private:
  const nlohmann::json& object_;
  bool ok_ = true;
};

}  // namespace vibes::consumers
