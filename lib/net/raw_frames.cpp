// SPDX-License-Identifier: MIT
#include "net/raw_frames.hpp"

#include <cstring>
#include <sys/sendfile.h>
#include <vector>

#include <libwebsockets.h>

#include "base/assert.hpp"
#include "wire/frame_header.hpp"

namespace vibes::net {

namespace {

bool as_they_are() {
  static const bool kKnown = sends_frames_as_they_are(lws_get_library_version());
  return kKnown;
}

bool write_as_they_are(lws* wsi, std::string_view frames) {
  // The library only reads: for this kind of write it neither masks nor prepends.
  auto* bytes = reinterpret_cast<unsigned char*>(const_cast<char*>(frames.data()));
  return lws_write(wsi, bytes, frames.size(), LWS_WRITE_HTTP) >= 0;
}

bool write_one_by_one(lws* wsi, std::string_view frames) {
  std::vector<unsigned char> buffer;
  while (!frames.empty()) {
    const std::string_view text = next_frame_payload(frames);
    buffer.resize(LWS_PRE + text.size());
    std::memcpy(buffer.data() + LWS_PRE, text.data(), text.size());
    if (lws_write(wsi, buffer.data() + LWS_PRE, text.size(), LWS_WRITE_TEXT) < 0) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool write_raw_pages(lws* wsi, std::string_view frames, FilePlace place) {
  // Below it handing over pages costs more than copying.
  constexpr std::size_t kBytesMin = 16'384;
  // What the library holds back comes first.
  if (as_they_are() && frames.size() >= kBytesMin && lws_partial_buffered(wsi) == 0) {
    const ssize_t sent = ::sendfile(lws_get_socket_fd(wsi), place.fd, &place.offset, frames.size());
    frames.remove_prefix(sent < 0 ? 0 : static_cast<std::size_t>(sent));
  }
  // A socket that is full or broken says so again.
  return frames.empty() || write_raw_frames(wsi, frames);
}

bool sends_frames_as_they_are(std::string_view library_version) {
  return library_version.starts_with("4.1.");
}

bool write_raw_frames(lws* wsi, std::string_view frames) {
  return as_they_are() ? write_as_they_are(wsi, frames) : write_one_by_one(wsi, frames);
}

std::string_view next_frame_payload(std::string_view& frames) {
  wire::FrameHeader header;
  frames.remove_prefix(header.take(frames));
  VIBES_ASSERT(header.is_whole() && !header.is_masked());
  VIBES_ASSERT(frames.size() >= header.payload_bytes());
  const std::string_view payload = frames.substr(0, header.payload_bytes());
  frames.remove_prefix(payload.size());
  return payload;
}

}  // namespace vibes::net
