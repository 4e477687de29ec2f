// SPDX-License-Identifier: MIT
#include "client/frame_reader.hpp"

#include <simdjson.h>

#include "client/errc.hpp"

namespace vibes::client {
namespace {

using simdjson::ondemand::object;
using simdjson::ondemand::value;

std::string text_of(value from) {
  std::string_view text;
  return from.get_string().get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::uint64_t number_of(value from) {
  std::uint64_t number = 0;
  return from.get_uint64().get(number) == simdjson::SUCCESS ? number : 0;
}

/// The members that frames other than events have, whichever of them this one has.
struct Fields {
  std::string_view type;
  std::string log_id;
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t slots = 0;
  std::uint64_t members = 0;
  bool caught_up = false;
  std::string cursor;
  std::string server;
  std::string reason;
  std::string code;
  std::string message;

  void take(std::string_view key, value from_json) {
    if (key == "log_id") {
      log_id = text_of(from_json);
    } else if (key == "first") {
      first = number_of(from_json);
    } else if (key == "end") {
      end = number_of(from_json);
    } else if (key == "from") {
      from = number_of(from_json);
    } else if (key == "to") {
      to = number_of(from_json);
    } else if (key == "slots") {
      slots = number_of(from_json);
    } else if (key == "members") {
      members = number_of(from_json);
    } else if (key == "caught_up") {
      caught_up = from_json.get_bool().get(caught_up) == simdjson::SUCCESS && caught_up;
    } else if (key == "cursor") {
      cursor = text_of(from_json);
    } else if (key == "server") {
      server = text_of(from_json);
    } else if (key == "reason") {
      reason = text_of(from_json);
    } else if (key == "code") {
      code = text_of(from_json);
    } else if (key == "message") {
      message = text_of(from_json);
    }
  }
};

/// What an event's envelope must have, as bits.
enum Seen : unsigned { kOffset = 1, kId = 2, kTime = 4, kEvent = 8, kAll = 15 };

/// Takes a member of an envelope; the bit of what it was, 0 if it is none or broken.
unsigned take_envelope(TailEvent& event, std::string_view key, value from) {
  if (key == "offset") {
    std::uint64_t offset = 0;
    const bool ok = from.get_uint64().get(offset) == simdjson::SUCCESS;
    event.offset = Offset(offset);
    return ok ? kOffset : 0U;
  }
  if (key == "event_id") {
    return from.get_string().get(event.event_id) == simdjson::SUCCESS ? kId : 0U;
  }
  if (key == "time") {
    return from.get_string().get(event.time) == simdjson::SUCCESS ? kTime : 0U;
  }
  if (key == "event") {
    object inner;
    if (from.get_object().get(inner) != simdjson::SUCCESS ||
        inner.raw_json().get(event.event) != simdjson::SUCCESS) {
      return 0U;
    }
    while (!event.event.empty() && event.event.back() != '}') {
      event.event.remove_suffix(1);
    }
    return kEvent;
  }
  return 0U;
}

}  // namespace

class FrameReader::Impl {
 public:
  Result<Frame> read(std::string_view text) {
    buffer_.assign(text);
    buffer_.append(simdjson::SIMDJSON_PADDING, '\0');
    simdjson::ondemand::document document;
    object root;
    const simdjson::padded_string_view padded(buffer_.data(), text.size(), buffer_.size());
    if (parser_.iterate(padded).get(document) != simdjson::SUCCESS ||
        document.get_object().get(root) != simdjson::SUCCESS) {
      return nonsense(text);
    }
    events_.clear();
    Fields fields;
    TailEvent single;
    unsigned seen = 0;
    for (auto member : root) {
      std::string_view key;
      value content;
      if (member.error() != simdjson::SUCCESS ||
          member.unescaped_key().get(key) != simdjson::SUCCESS ||
          member.value().get(content) != simdjson::SUCCESS) {
        return nonsense(text);
      }
      if (key == "type") {
        if (content.get_string().get(fields.type) != simdjson::SUCCESS) {
          return nonsense(text);
        }
      } else if (key == "events") {
        if (!read_events(content)) {
          return nonsense(text);
        }
      } else if (const unsigned bit = take_envelope(single, key, content); bit != 0) {
        seen |= bit;
      } else {
        fields.take(key, content);
      }
    }
    if (fields.type == "event") {
      if (seen != kAll) {
        return nonsense(text);
      }
      events_.push_back(single);
      return Frame(Events{events_});
    }
    fields.offset = single.offset.value();
    return frame_of(std::move(fields));
  }

 private:
  static Unexpected nonsense(std::string_view text) {
    return fail(make_error_code(Errc::bad_answer), std::string(text.substr(0, 200)));
  }

  bool read_events(value list) {
    simdjson::ondemand::array array;
    if (list.get_array().get(array) != simdjson::SUCCESS) {
      return false;
    }
    for (auto element : array) {
      object envelope;
      if (element.get_object().get(envelope) != simdjson::SUCCESS) {
        return false;
      }
      TailEvent event;
      unsigned seen = 0;
      for (auto member : envelope) {
        std::string_view key;
        value content;
        if (member.error() != simdjson::SUCCESS ||
            member.unescaped_key().get(key) != simdjson::SUCCESS ||
            member.value().get(content) != simdjson::SUCCESS) {
          return false;
        }
        seen |= take_envelope(event, key, content);
      }
      if (seen != kAll) {
        return false;
      }
      events_.push_back(event);
    }
    return true;
  }

  Result<Frame> frame_of(Fields&& fields) {
    if (fields.type == "events") {
      return Frame(Events{events_});
    }
    if (fields.type == "position") {
      return Frame(PositionFrame{{Offset(fields.offset), Offset(fields.end), fields.caught_up},
                                 std::move(fields.cursor)});
    }
    if (fields.type == "hello") {
      Hello hello;
      hello.log_id = parse_uuid(fields.log_id).value_or(Uuid{});
      hello.first = Offset(fields.first);
      hello.end = Offset(fields.end);
      hello.server = std::move(fields.server);
      return Frame(HelloFrame{std::move(hello), std::move(fields.cursor)});
    }
    if (fields.type == "gap") {
      return Frame(GapReport{Offset(fields.from), Offset(fields.to), std::move(fields.reason)});
    }
    if (fields.type == "committed") {
      return Frame(Committed{Offset(fields.offset)});
    }
    if (fields.type == "assigned") {
      return Frame(Assigned{fields.slots, fields.members, Offset(fields.from)});
    }
    if (fields.type == "end") {
      return Frame(Ended{});
    }
    if (fields.type == "error") {
      return Frame(ErrorFrame{std::move(fields.code), std::move(fields.message)});
    }
    return Frame(OtherFrame{});
  }

  simdjson::ondemand::parser parser_;
  std::string buffer_;
  std::vector<TailEvent> events_;
};

FrameReader::FrameReader() : impl_(std::make_unique<Impl>()) {}
FrameReader::~FrameReader() = default;

Result<Frame> FrameReader::read(std::string_view text) { return impl_->read(text); }

}  // namespace vibes::client
