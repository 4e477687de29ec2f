// SPDX-License-Identifier: MIT
#include "cli/event_template.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "cli/event_line.hpp"
#include "cli/local_time.hpp"

namespace vibes::cli {
namespace {

Unexpected invalid(std::string why) {
  return fail(std::make_error_code(std::errc::invalid_argument), std::move(why));
}

/// What `\x` stands for.
char escape_of(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '0':
      return '\0';
    default:
      return c;
  }
}

const nlohmann::json* step(const nlohmann::json* json, const std::string& key) {
  if (json->is_object()) {
    const auto found = json->find(key);
    return found == json->end() ? nullptr : &*found;
  }
  const bool number =
      !key.empty() && key.size() < 7 && key.find_first_not_of("0123456789") == std::string::npos;
  if (json->is_array() && number && std::stoul(key) < json->size()) {
    return &(*json)[std::stoul(key)];
  }
  return nullptr;
}

std::string member_text(const nlohmann::json& json, std::string_view path) {
  const nlohmann::json* at = &json;
  while (at != nullptr && !path.empty()) {
    const auto key = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(path.size(), key.size() + 1));
    at = step(at, std::string(key));
  }
  if (at == nullptr || at->is_null()) {
    return {};
  }
  return at->is_string() ? at->get<std::string>()
                         : at->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Result<EventTemplate::Part> EventTemplate::parse_field(std::string_view name) {
  struct Named {
    std::string_view name;
    Field field;
  };
  constexpr std::array<Named, 9> kNamed{{{"offset", Field::offset},
                                         {"event_id", Field::event_id},
                                         {"time", Field::time},
                                         {"local_time", Field::local_time},
                                         {"type", Field::type},
                                         {"category", Field::category},
                                         {"session", Field::session},
                                         {"summary", Field::summary},
                                         {"event", Field::event}}};
  constexpr std::string_view kMember = "event.";
  if (name.starts_with(kMember) && name.size() > kMember.size()) {
    return Part{Field::member, std::string(name.substr(kMember.size()))};
  }
  const auto* found =
      std::find_if(kNamed.begin(), kNamed.end(), [&](const Named& n) { return n.name == name; });
  if (found == kNamed.end()) {
    return invalid("template: no field {" + std::string(name) +
                   "}; there are offset, event_id, time, local_time, type, category, session, "
                   "summary, event and event.PATH");
  }
  return Part{found->field, {}};
}

Result<EventTemplate> EventTemplate::parse(std::string_view text) {
  EventTemplate result;
  std::string literal;
  const auto end_literal = [&] {
    if (!literal.empty()) {
      result.parts_.push_back({Field::literal, std::exchange(literal, {})});
    }
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool doubled = i + 1 < text.size() && text[i + 1] == c;
    if (c == '\\' && i + 1 < text.size()) {
      literal += escape_of(text[++i]);
    } else if ((c == '{' || c == '}') && doubled) {
      literal += c;
      ++i;
    } else if (c == '{') {
      const auto close = text.find('}', i);
      if (close == std::string_view::npos) {
        return invalid("template: a '{' without its '}'; write {{ for the character");
      }
      end_literal();
      VIBES_TRY_ASSIGN(part, parse_field(text.substr(i + 1, close - i - 1)));
      result.parts_.push_back(std::move(part));
      i = close;
    } else if (c == '}') {
      return invalid("template: a '}' without its '{'; write }} for the character");
    } else {
      literal += c;
    }
  }
  end_literal();
  return result;
}

void EventTemplate::append(std::string& out, const event::EventView& event) const {
  nlohmann::json json;  // parsed when the first member asks for it
  for (const Part& part : parts_) {
    switch (part.field) {
      case Field::literal:
        out += part.text;
        break;
      case Field::offset:
        out += std::to_string(event.offset.value());
        break;
      case Field::event_id:
        out += to_string(event.event_id);
        break;
      case Field::time:
        out += format_rfc3339(event.time);
        break;
      case Field::local_time:
        out += local_time_long(event.time);
        break;
      case Field::type:
        out += event.type;
        break;
      case Field::category:
        out += to_string(event::category_of(event.type));
        break;
      case Field::session:
        out += event.session;
        break;
      case Field::summary:
        out += summarise(event).text;
        break;
      case Field::event:
        out += event.payload;
        break;
      case Field::member:
        if (json.is_null()) {
          json = nlohmann::json::parse(event.payload, nullptr, false);
        }
        out += member_text(json, part.text);
        break;
    }
  }
}

}  // namespace vibes::cli
