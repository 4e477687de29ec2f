// SPDX-License-Identifier: MIT
#include "event/known_types.hpp"

#include <algorithm>
#include <array>

namespace vibes::event {
namespace {

using enum FieldRule::Presence;

// docs/protocol.md §1 as tables. A rule says what must hold; everything it does not name passes.
constexpr std::string_view kSources[] = {"cli", "web_ui", "unknown"};
constexpr std::string_view kReasons[] = {"killed", "session_finished", "owner_disconnected"};

constexpr FieldRule kClaude[] = {{"session_id"}, {"event", Kind::claude_event}};
constexpr FieldRule kUserInput[] = {
    {"session_id"}, {"content"}, {"source", Kind::string, optional, kSources}};
constexpr FieldRule kPermissionResponse[] = {
    {"session_id"}, {"request_id"}, {"approved", Kind::boolean}};
constexpr FieldRule kSessionCreated[] = {{"session_id"}, {"name", Kind::string, nullable}};
constexpr FieldRule kSessionStateChanged[] = {{"session_id"}, {"state"}};
constexpr FieldRule kSessionRemoved[] = {{"session_id"},
                                         {"reason", Kind::string, required, kReasons}};
constexpr FieldRule kSessionLinked[] = {{"session_id"}, {"linked_session_id"}};
constexpr FieldRule kOwnershipTransferred[] = {{"session_id"}, {"new_owner_id"}};
constexpr FieldRule kClient[] = {{"client_id"}};
constexpr FieldRule kTunnel[] = {{"state"}, {"url", Kind::string, nullable}};
constexpr FieldRule kHook[] = {{"session_id", Kind::string, nullable}, {"event", Kind::hook_event}};
constexpr FieldRule kHookUnparsed[] = {{"session_id", Kind::string, nullable}, {"reason"}, {"raw"}};
constexpr FieldRule kAssessment[] = {{"session_id", Kind::string, nullable}, {"tier"}};
constexpr FieldRule kIntervention[] = {{"session_id"}, {"kind"}, {"reason"}, {"message"}};
constexpr FieldRule kInterventionDelivered[] = {
    {"session_id"}, {"intervention_id"}, {"hook_event_id"}};
constexpr FieldRule kNotification[] = {{"session_id", Kind::string, nullable}};

constexpr KnownType kTypes[] = {
    {{"claude", kClaude}, Category::claude},
    {{"user_input", kUserInput}, Category::claude},
    {{"permission_response", kPermissionResponse}, Category::claude},
    {{"session_created", kSessionCreated}, Category::session},
    {{"session_state_changed", kSessionStateChanged}, Category::session},
    {{"session_removed", kSessionRemoved}, Category::session},
    {{"session_linked", kSessionLinked}, Category::session},
    {{"ownership_transferred", kOwnershipTransferred}, Category::session},
    {{"client_connected", kClient}, Category::session},
    {{"client_disconnected", kClient}, Category::session},
    {{"tunnel_state_changed", kTunnel}, Category::session},
    {{"hook", kHook}, Category::hook},
    {{"hook_unparsed", kHookUnparsed}, Category::hook},
    {{"assessment", kAssessment}, Category::assessment},
    {{"intervention", kIntervention}, Category::assessment},
    {{"intervention_delivered", kInterventionDelivered}, Category::assessment},
    {{"notification", kNotification}, Category::assessment},
};

constexpr FieldRule kText[] = {{"text"}};
constexpr FieldRule kToolUseStart[] = {{"id"}, {"name"}};
constexpr FieldRule kToolInputDelta[] = {{"id"}, {"delta"}};
constexpr FieldRule kToolResult[] = {{"id"}, {"output"}, {"is_error", Kind::boolean}};
constexpr FieldRule kTurnComplete[] = {{"usage", Kind::object}};
constexpr FieldRule kError[] = {{"message"}, {"recoverable", Kind::boolean}};
constexpr FieldRule kPermissionRequest[] = {{"id"}, {"tool"}, {"description"}};
constexpr FieldRule kUsage[] = {{"input_tokens", Kind::count}, {"output_tokens", Kind::count}};

constexpr Shape kClaudeShapes[] = {
    {"text_delta", kText},
    {"thinking_delta", kText},
    {"tool_use_start", kToolUseStart},
    {"tool_input_delta", kToolInputDelta},
    {"tool_result", kToolResult},
    {"turn_start", {}},
    {"turn_complete", kTurnComplete},
    {"error", kError},
    {"permission_request", kPermissionRequest},
};

constexpr FieldRule kPreToolUse[] = {{"tool_name"}, {"tool_input", Kind::any}};
constexpr FieldRule kPostToolUse[] = {{"tool_name"}, {"tool_response", Kind::any}};
constexpr FieldRule kHookNotification[] = {{"message"}};
// Agents older than the member send none, and their events are not to be lost for it.
constexpr FieldRule kSubagentStop[] = {{"agent_id", Kind::string, nullable}};

constexpr Shape kHookShapes[] = {
    {"pre_tool_use", kPreToolUse},
    {"post_tool_use", kPostToolUse},
    {"notification", kHookNotification},
    {"subagent_stop", kSubagentStop},
};

const Shape* find_shape(std::span<const Shape> shapes, std::string_view type) {
  const auto found = std::ranges::find(shapes, type, &Shape::type);
  return found == shapes.end() ? nullptr : &*found;
}

}  // namespace

const KnownType* find_known_type(std::string_view type) {
  const auto* found =
      std::ranges::find(kTypes, type, [](const KnownType& known) { return known.shape.type; });
  return found == std::end(kTypes) ? nullptr : found;
}

const Shape* find_claude_shape(std::string_view type) { return find_shape(kClaudeShapes, type); }

const Shape* find_hook_shape(std::string_view type) { return find_shape(kHookShapes, type); }

std::span<const FieldRule> usage_fields() { return kUsage; }

}  // namespace vibes::event
