// SPDX-License-Identifier: MIT
#include "assessment_view.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/term.hpp"
#include "json_text.hpp"
#include "text_table.hpp"

namespace vibes::ctl {
namespace {

using nlohmann::json;

const json& list_in(const json& object, const char* key) {
  static const json kNone = json::array();
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_array() ? *found : kNone;
}

std::uint64_t count_in(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_number_unsigned()
             ? found->get<std::uint64_t>()
             : 0;
}

double real_in(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_number() ? found->get<double>()
                                                                           : 0;
}

std::string share(const json& object, const char* key) {
  return fmt::format("{:.2f}", real_in(object, key));
}

std::string counted(std::uint64_t number, std::string_view one) {
  return fmt::format("{} {}{}", number, one, number == 1 ? "" : "s");
}

/// A text of people or models on one line.
std::string one_line(const json& object, const char* key) {
  json flat = json::object();
  if (const auto found = object.find(key); found != object.end() && found->is_string()) {
    auto text = found->get<std::string>();
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
    flat[key] = text;
  }
  return shown(flat, key);
}

/// "2026-01-31T23:59:59.000001Z" → "2026-01-31 23:59:59".
std::string moment(const json& object) {
  constexpr std::size_t kSeconds = 19;
  std::string time = shown(object, "time");
  time.resize(std::min(time.size(), kSeconds));
  std::replace(time.begin(), time.end(), 'T', ' ');
  return time;
}

std::string range_of(const json& checkpoint) {
  const json& range = list_in(checkpoint, "message_range");
  return range.size() == 2 ? fmt::format("{}-{}", range[0].dump(), range[1].dump()) : "-";
}

std::uint64_t end_of(const json& checkpoint) {
  const json& range = list_in(checkpoint, "message_range");
  return range.size() == 2 && range[1].is_number_unsigned() ? range[1].get<std::uint64_t>() : 0;
}

cli::CurvePicture picture_of(const json& assessment) {
  cli::CurvePicture picture;
  picture.messages = count_in(assessment["session"], "messages");
  for (const json& point : list_in(assessment, "curve")) {
    picture.readings.push_back({count_in(point, "message"), real_in(point, "frustration")});
  }
  for (const json& one : list_in(assessment, "checkpoints")) {
    picture.checkpoints.push_back(end_of(one));
  }
  for (const json& one : list_in(assessment, "interventions")) {
    picture.interventions.push_back(count_in(one, "after_message"));
  }
  return picture;
}

std::string cut_lines(const std::string& table, std::size_t columns) {
  std::string out;
  for (std::size_t at = 0; at < table.size();) {
    const std::size_t end = table.find('\n', at);
    std::string line = table.substr(at, end - at);
    if (columns > 0) {
      cli::fit_columns(line, columns);
    }
    out += line + '\n';
    at = end + 1;
  }
  return out;
}

std::string checkpoints_of(const json& assessment, std::size_t columns) {
  TextTable table({"CHECKPOINT (UTC)", "MESSAGES", "TRIGGER", "SCORE", "SUMMARY"});
  for (const json& one : list_in(assessment, "checkpoints")) {
    table.add({moment(one), range_of(one), shown(one, "trigger"), share(one, "segment_score"),
               one_line(one, "summary")});
  }
  return list_in(assessment, "checkpoints").empty() ? "" : '\n' + cut_lines(table.text(), columns);
}

std::string interventions_of(const json& assessment, std::size_t columns) {
  TextTable table({"INTERVENTION (UTC)", "MESSAGE", "KIND", "DELIVERED", "REASON"});
  for (const json& one : list_in(assessment, "interventions")) {
    table.add({moment(one), shown(one, "after_message"), shown(one, "kind"),
               one.value("delivered", false) ? "yes" : "no", one_line(one, "reason")});
  }
  return list_in(assessment, "interventions").empty() ? ""
                                                      : '\n' + cut_lines(table.text(), columns);
}

std::string verdict_of(const json& assessment) {
  const auto found = assessment.find("verdict");
  if (found == assessment.end() || !found->is_object()) {
    return {};
  }
  const std::string judged = shown(*found, "outcome") + ", " + shown(*found, "trajectory");
  std::string why = one_line(*found, "summary");
  if (why.starts_with(judged + ": ")) {
    why.erase(0, judged.size() + 2);
  }
  return fmt::format("\nverdict   {}, after {} ({})\n          {}\n", judged,
                     counted(count_in(*found, "messages"), "message"), shown(*found, "ended_by"),
                     why);
}

}  // namespace

std::string assessment_text(const json& assessment, const cli::CurveStyle& style,
                            std::size_t table_columns) {
  if (!assessment.is_object() || !assessment.contains("session")) {
    return {};
  }
  const json& session = assessment["session"];
  std::string out =
      fmt::format("assessed  {}, frustration {} (at its worst {}), success {}\n",
                  counted(count_in(session, "messages"), "message"), share(session, "frustration"),
                  share(session, "frustration_peak"), share(session, "success"));
  out += fmt::format("breaker   {}, opened {}, {}\n", shown(session, "breaker"),
                     counted(count_in(session, "openings"), "time"),
                     counted(count_in(session, "interventions"), "intervention"));
  const std::string curve = cli::draw_curve(picture_of(assessment), style);
  return out + (curve.empty() ? "" : '\n' + curve) + checkpoints_of(assessment, table_columns) +
         interventions_of(assessment, table_columns) + verdict_of(assessment);
}

}  // namespace vibes::ctl
