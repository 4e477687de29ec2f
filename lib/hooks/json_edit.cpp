// SPDX-License-Identifier: MIT
#include "hooks/json_edit.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "event/ascii.hpp"
#include "event/elements.hpp"
#include "hooks/errc.hpp"

namespace vibes::hooks {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kBlanks = " \t";

/// Keeps nothing of a text but what is wrong with it.
class Complaint : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return enter(); }
  bool key(string_t&) override { return true; }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& e) override {
    // "[json.exception.parse_error.101] parse error at line 3, column 5: syntax error while …"
    const std::string_view what = e.what();
    const auto line = what.find("line ");
    text_ = line == std::string_view::npos ? what : what.substr(line);
    return false;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  bool enter() {
    if (++depth_ > limits::kEventDepthMax) {
      text_ = "more than 64 levels";
      return false;
    }
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }

  std::size_t depth_ = 0;
  std::string text_;
};

/// How the text is written.
struct Style {
  std::string newline = "\n";
  std::string unit = "  ";  // of indentation
  bool on_one_line = false;
};

/// The white space that `at` has before it on its line; nothing if it has more than that.
std::optional<std::string_view> indent_of(std::string_view text, std::size_t at) {
  const auto newline = text.rfind('\n', at);
  const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  const std::string_view before = text.substr(begin, at - begin);
  if (before.find_first_not_of(kBlanks) != std::string_view::npos) {
    return std::nullopt;
  }
  return before;
}

/// The white space that the line of `at` begins with.
std::string_view line_indent(std::string_view text, std::size_t at) {
  const auto newline = text.substr(0, at).rfind('\n');
  const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  const std::size_t end = std::min(text.find_first_not_of(kBlanks, begin), at);
  return text.substr(begin, end - begin);
}

Style style_of(std::string_view text) {
  Style style;
  if (text.find("\r\n") != std::string_view::npos) {
    style.newline = "\r\n";
  }
  const Span root = root_of(text);
  const auto parts = parts_of(text, root);
  if (parts.empty()) {
    return style;
  }
  style.on_one_line = root.of(text).find('\n') == std::string_view::npos;
  const auto unit = indent_of(text, parts.front().whole.begin);
  if (unit && !unit->empty() && !style.on_one_line) {
    style.unit = *unit;
  }
  return style;
}

/// `value` over several lines, the first without indentation.
std::string written(const Json& value, const Style& style, std::string_view indent) {
  if (style.on_one_line) {
    return value.dump();
  }
  const std::string plain =
      value.dump(static_cast<int>(style.unit.size()), style.unit.front() == '\t' ? '\t' : ' ');
  std::string out;
  for (const char c : plain) {
    if (c == '\n') {
      out += style.newline;
      out += indent;
    } else {
      out += c;
    }
  }
  return out;
}

std::string part_text(std::string_view key, const Json& value, const Style& style,
                      std::string_view indent) {
  std::string text = written(value, style, indent);
  if (key.empty()) {
    return text;
  }
  return Json(key).dump() + (style.on_one_line ? ":" : ": ") + text;
}

std::string add_first(std::string_view text, Span container, std::string_view key,
                      const Json& value) {
  const Style style = style_of(text);
  const Span inside{container.begin + 1, container.end - 1};
  if (style.on_one_line) {
    return replace(text, {inside.begin, inside.begin}, part_text(key, value, style, {}));
  }
  const std::string outer(line_indent(text, container.begin));
  const std::string indent = outer + style.unit;
  return replace(
      text, inside,
      style.newline + indent + part_text(key, value, style, indent) + style.newline + outer);
}

}  // namespace

Result<void> check_json(std::string_view text) {
  // The library takes a NUL for the end of the text.
  if (text.find('\0') != std::string_view::npos) {
    return fail(make_error_code(Errc::bad_settings), place_of(text, text.find('\0')) + ": a NUL");
  }
  Complaint complaint;
  if (!Json::sax_parse(text, &complaint)) {
    return fail(make_error_code(Errc::bad_settings), complaint.text());
  }
  return {};
}

std::string place_of(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto newline = before.rfind('\n');
  const std::size_t column = newline == std::string_view::npos ? at + 1 : at - newline;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

Span root_of(std::string_view text) {
  const std::size_t mark = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  const std::string_view value = event::trim(text.substr(mark));
  const auto begin = static_cast<std::size_t>(value.data() - text.data());
  return {begin, begin + value.size()};
}

std::vector<Part> parts_of(std::string_view text, Span container) {
  std::vector<Part> parts;
  event::Elements elements(container.of(text));
  while (const auto element = elements.next()) {
    const auto begin = static_cast<std::size_t>(element->data() - text.data());
    const Span whole{begin, begin + element->size()};
    Part part{whole, {}, whole};
    if (text[container.begin] == '{') {
      std::size_t quote = 1;
      while ((*element)[quote] != '"') {
        quote += (*element)[quote] == '\\' ? 2U : 1U;
      }
      part.key = Json::parse(element->substr(0, quote + 1), nullptr, false).get<std::string>();
      const std::size_t value =
          element->find_first_not_of(" \t\r\n", element->find(':', quote) + 1);
      part.value.begin = begin + value;
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

std::string add_part(std::string_view text, Span container, std::string_view key,
                     const Json& value) {
  const auto parts = parts_of(text, container);
  if (parts.empty()) {
    return add_first(text, container, key, value);
  }
  Style style = style_of(text);
  const std::size_t end = parts.back().whole.end;
  const auto indent = indent_of(text, parts.back().whole.begin);
  if (!indent || style.on_one_line) {
    // Beside the others.
    style.on_one_line = true;
    const bool spaced = parts.size() > 1 && text[parts.back().whole.begin - 1] == ' ';
    return replace(text, {end, end}, (spaced ? ", " : ",") + part_text(key, value, style, {}));
  }
  return replace(
      text, {end, end},
      "," + style.newline + std::string(*indent) + part_text(key, value, style, *indent));
}

std::string remove_part(std::string_view text, Span container, std::size_t index) {
  const auto parts = parts_of(text, container);
  if (parts.size() == 1) {
    return replace(text, {container.begin + 1, container.end - 1}, {});
  }
  if (index == 0) {
    return replace(text, {parts[0].whole.begin, parts[1].whole.begin}, {});
  }
  return replace(text, {parts[index - 1].whole.end, parts[index].whole.end}, {});
}

std::string replace(std::string_view text, Span span, std::string_view with) {
  std::string out(text.substr(0, span.begin));
  out += with;
  out += text.substr(span.end);
  return out;
}

}  // namespace vibes::hooks
