// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vibes::cli {

bool is_terminal(int fd);
/// Columns of the terminal at `fd`, nothing if it is none or will not say.
std::optional<std::size_t> terminal_columns(int fd);

struct TerminalSize {
  unsigned cols = 0;
  unsigned rows = 0;
};
/// Both, likewise.
std::optional<TerminalSize> terminal_size(int fd);

/// When to colour. `automatic` is yes on a terminal unless NO_COLOR is set (https://no-color.org)
/// or TERM is dumb.
enum class Color : std::uint8_t { automatic, always, never };
bool wants_color(Color color, int fd);

/// Whether characters are UTF-8 for the user: by LC_ALL, LC_CTYPE or LANG, the first that is set.
bool wants_utf8();

/// Appends `text` with everything that could drive a terminal made visible: C0 and C1 controls and
/// DEL as \xNN (\n, \t and \r as such), the characters that turn the direction of writing as
/// \u{NNNN}, and bytes that are no UTF-8 as \xNN.
void append_escaped(std::string& out, std::string_view text);
std::string escaped(std::string_view text);

/// How many columns `text` takes, which must be free of control characters (see append_escaped()).
std::size_t display_columns(std::string_view text);
/// Cuts `text` to at most `columns`, the last of them being "…" where something was cut.
void fit_columns(std::string& text, std::size_t columns);

}  // namespace vibes::cli
