// SPDX-License-Identifier: MIT
#include "consumers/sessions/cut_text.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"

namespace vibes::consumers {

void CutText::append(std::string_view more) {
  std::size_t fits = more.size();
  const std::size_t room = limits::kTranscriptTextBytesMax - text.size();
  if (left_out > 0) {
    fits = 0;  // nothing follows a hole
  } else if (fits > room) {
    fits = room;
    while (fits > 0 && (static_cast<unsigned char>(more[fits]) & 0xc0U) == 0x80U) {
      --fits;  // not inside a character
    }
  }
  text += more.substr(0, fits);
  left_out += more.size() - fits;
}

std::string CutText::shown() const {
  return left_out == 0 ? text : text + fmt::format("\n[cut: {} bytes more]", left_out);
}

CutText cut(std::string_view text) {
  CutText made;
  made.append(text);
  return made;
}

}  // namespace vibes::consumers
