// SPDX-License-Identifier: MIT
#include "cli/term.hpp"

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdlib>
#include <cwchar>
#include <iterator>
#include <sys/ioctl.h>

#include <fmt/format.h>
#include <unistd.h>

namespace vibes::cli {
namespace {

/// One code point at the start of `text`, or its first byte if that is no UTF-8.
struct Glyph {
  char32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

Glyph next_glyph(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) {
    return {lead, 1, true};
  }
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) {
    return {};
  }
  char32_t code = lead & (0x7fU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) {
      return {};
    }
    code = (code << 6U) | (byte(i) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < kSmallest.at(bytes) || code > 0x10ffff || surrogate) {
    return {};
  }
  return {code, bytes, true};
}

bool is_control(char32_t code) { return code < 0x20 || (code >= 0x7f && code <= 0x9f); }

/// Characters that reorder or hide what follows, with which a line can be made to look like
/// another.
bool is_deceptive(char32_t code) {
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
         code == 0x200e || code == 0x200f || code == 0x061c || code == 0x2028 || code == 0x2029 ||
         code == 0xfeff;
}

void append_control(std::string& out, char32_t code) {
  switch (code) {
    case '\n':
      out += "\\n";
      break;
    case '\t':
      out += "\\t";
      break;
    case '\r':
      out += "\\r";
      break;
    default:
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned>(code));
  }
}

/// The widths of characters come from a UTF-8 locale of our own, whatever the user's is.
locale_t utf8_locale() {
  static locale_t const kLocale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return kLocale;
}

std::size_t columns_of(char32_t code) {
  if (code < 0x7f) {
    return 1;
  }
  locale_t const locale = utf8_locale();
  locale_t const before = locale != nullptr ? ::uselocale(locale) : nullptr;
  const int columns = ::wcwidth(static_cast<wchar_t>(code));
  if (before != nullptr) {
    (void)::uselocale(before);
  }
  return columns < 0 ? 1 : static_cast<std::size_t>(columns);
}

}  // namespace

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

std::optional<std::size_t> terminal_columns(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return std::nullopt;
  }
  return size.ws_col;
}

std::optional<TerminalSize> terminal_size(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return std::nullopt;
  }
  return TerminalSize{size.ws_col, size.ws_row};
}

bool wants_color(Color color, int fd) {
  if (color != Color::automatic) {
    return color == Color::always;
  }
  const char* no_color = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe)
  const char* term = std::getenv("TERM");          // NOLINT(concurrency-mt-unsafe)
  const bool refused = no_color != nullptr && *no_color != '\0';
  const bool dumb = term != nullptr && std::string_view(term) == "dumb";
  return is_terminal(fd) && !refused && !dumb;
}

bool wants_utf8() {
  // Not by setlocale(3): a locale that is named but not installed still says what the terminal is.
  for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    if (value != nullptr && *value != '\0') {
      const std::string_view locale = value;
      const std::string_view charset = locale.substr(std::min(locale.find('.'), locale.size()));
      return charset.starts_with(".UTF-8") || charset.starts_with(".utf8") ||
             charset.starts_with(".utf-8") || charset.starts_with(".UTF8");
    }
  }
  return false;
}

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const Glyph glyph = next_glyph(text);
    const auto bytes = text.substr(0, glyph.bytes);
    if (!glyph.valid) {
      append_control(out, static_cast<unsigned char>(text[0]));
    } else if (is_control(glyph.code)) {
      append_control(out, glyph.code);
    } else if (is_deceptive(glyph.code)) {
      fmt::format_to(std::back_inserter(out), "\\u{{{:04x}}}", static_cast<unsigned>(glyph.code));
    } else {
      out += bytes;
    }
    text.remove_prefix(glyph.bytes);
  }
}

std::string escaped(std::string_view text) {
  std::string out;
  append_escaped(out, text);
  return out;
}

std::size_t display_columns(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Glyph glyph = next_glyph(text);
    columns += glyph.valid ? columns_of(glyph.code) : 1;
    text.remove_prefix(glyph.bytes);
  }
  return columns;
}

void fit_columns(std::string& text, std::size_t columns) {
  std::size_t used = 0;
  std::size_t cut_at = 0;  // where "…" would go
  for (std::size_t at = 0; at < text.size();) {
    const Glyph glyph = next_glyph(std::string_view(text).substr(at));
    const std::size_t width = glyph.valid ? columns_of(glyph.code) : 1;
    if (used + width > columns) {
      text.resize(cut_at);
      text += columns > 0 ? "…" : "";
      return;
    }
    used += width;
    at += glyph.bytes;
    if (used < columns) {
      cut_at = at;
    }
  }
}

}  // namespace vibes::cli
