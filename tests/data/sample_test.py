# SPDX-License-Identifier: MIT
"""agent-day.ndjson is what make_sample.py writes, and tells whole stories."""
import collections
import json
import pathlib
import subprocess

FOLDER = pathlib.Path(__file__).resolve().parent
SAMPLE = (FOLDER / "agent-day.ndjson").read_text(encoding="utf-8")
EVENTS = [json.loads(line) for line in SAMPLE.splitlines()]


def hooks(name):
    return [e["event"] for e in EVENTS if e["type"] == "hook" and e["event"]["hook_event_name"] == name]


def test_the_script_reproduces_the_file():
    made = subprocess.run(["/usr/bin/python3", "-B", FOLDER / "make_sample.py"], capture_output=True, check=True)
    assert made.stdout.decode() == SAMPLE


def test_every_hook_of_an_agent_occurs():
    for name in ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PermissionRequest", "Notification",
                 "SubagentStop", "Stop", "PreCompact", "SessionEnd"):
        assert hooks(name), name


def test_every_tool_use_begins_before_it_ends():
    begun = set()
    for event in (e["event"] for e in EVENTS if e["type"] == "hook"):
        if event["hook_event_name"] == "PreToolUse":
            begun.add(event["tool_use_id"])
        elif event["hook_event_name"] == "PostToolUse":
            assert event["tool_use_id"] in begun


def test_the_deltas_of_a_tool_input_join_to_the_input_the_hook_reports():
    deltas = collections.defaultdict(str)
    for event in (e["event"] for e in EVENTS if e["type"] == "claude"):
        if event["type"] == "tool_input_delta":
            deltas[event["id"]] += event["delta"]
    reported = {e["tool_use_id"]: e["tool_input"] for e in hooks("PreToolUse")}
    assert deltas
    for tool_use_id, text in deltas.items():
        assert json.loads(text) == reported[tool_use_id]


def test_nothing_happens_to_a_session_after_its_removal_and_nothing_before_its_creation():
    created, removed = set(), set()
    for event in EVENTS:
        session = event.get("session_id")
        if event["type"] == "session_created":
            created.add(session)
        elif session and session.startswith("sess-"):
            assert session in created and session not in removed, event
        if event["type"] == "session_removed":
            removed.add(session)
    assert created == removed
