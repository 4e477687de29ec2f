// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>
#include <simdjson.h>

#include "event/padded_parser.hpp"

namespace vibes::event {

/// A value inside an event's payload, or none. Anybody may append anything under a name that we
/// know, so every question may be asked of every value: what is absent or of another kind is none,
/// an empty text, not true. Where an object has a name twice, the last one counts, as for most
/// readers of JSON.
///
/// A view: it lives until its reader's next read().
class PayloadValue {
 public:
  PayloadValue() = default;
  explicit PayloadValue(simdjson::dom::element value) : value_(value) {}

  [[nodiscard]] PayloadValue member(std::string_view key) const;

  /// Absent, or null.
  [[nodiscard]] bool is_null() const { return !value_ || value_->is_null(); }
  [[nodiscard]] bool is_text() const { return value_ && value_->is_string(); }
  [[nodiscard]] bool is_true() const;
  /// A whole number, and not 0.
  [[nodiscard]] bool is_nonzero() const;
  [[nodiscard]] std::string_view text() const;
  [[nodiscard]] std::string_view text(std::string_view key) const { return member(key).text(); }
  /// Nothing for what is no whole number from 0 on.
  [[nodiscard]] std::optional<std::uint64_t> count() const;
  [[nodiscard]] std::optional<double> number() const;
  /// None for what is no array.
  [[nodiscard]] std::vector<PayloadValue> elements() const;
  /// A copy to be kept or written; of none null. Whole numbers beyond 64 bits are floating ones.
  [[nodiscard]] nlohmann::json json() const;
  [[nodiscard]] const std::optional<simdjson::dom::element>& element() const { return value_; }

 private:
  std::optional<simdjson::dom::element> value_;
};

/// Looks into payloads, one at a time. To be kept by whoever reads many. One thread at a time.
class PayloadReader {
 public:
  /// None for what is no JSON. Whatever check() takes can be read.
  PayloadValue read(std::string_view payload);

 private:
  PaddedParser parser_{simdjson::DEFAULT_MAX_DEPTH};
};

/// The text of `type` in the object that is the payload's member `event`, which is what hooks and
/// agents say, without a parse; nothing where that takes one to know. A view into `payload`, which
/// check() has taken.
std::optional<std::string_view> peek_inner_type(std::string_view payload);

}  // namespace vibes::event
