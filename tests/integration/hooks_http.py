# SPDX-License-Identifier: MIT
"""POST /api/hooks: whatever an agent gives its hook is in the log once, and the agent gets an answer it can act on."""

import base64
import json
import os
import uuid

import pytest
from vibes_server import VibesServer

MIB = 1 << 20


@pytest.fixture(scope="module")
def server():
    with VibesServer() as running:
        yield running


def hook(server, payload, query="", status=200, **headers):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    got, _, answer = server.request("POST", "/api/hooks" + query, body=body, headers=given)
    assert got == status, answer
    return json.loads(answer)


@pytest.fixture
def appended(server):
    """The envelopes of what was appended since the test began."""
    begin = server.get_json("/api/health")["log"]["end"]
    return lambda: server.get_json(f"/api/events?from={begin}")["events"]


def tool_call(session, tool_use_id, **more):
    return {"session_id": session, "hook_event_name": "PreToolUse", "tool_name": "Bash",
            "tool_input": {"command": "ls"}, "tool_use_id": tool_use_id, **more}  # fmt: skip


def test_a_payload_becomes_a_hook_event_and_is_answered(server, appended):
    payload = b'{"session_id":"a1", "hook_event_name":"BrandNew",\n "n": 1.50}'
    assert hook(server, payload) == {}
    (envelope,) = appended()
    assert envelope["event"] == {"type": "hook", "session_id": "a1",
                                 "event": {"type": "brand_new", **json.loads(payload)}}  # fmt: skip
    assert b'"n": 1.50' in server.request("GET", "/api/events?from=-1")[2]
    assert b"brand_new" in server.request("GET", "/api/events?from=-1&types=hook&session=a1")[2]


def test_a_hook_fired_twice_is_one_event(server, appended):
    for _ in range(2):
        hook(server, tool_call("a2", "toolu_1"))
    assert len(appended()) == 1
    hook(server, {**tool_call("a2", "toolu_1"), "hook_event_name": "PostToolUse", "tool_response": {}})
    hook(server, tool_call("a2", "toolu_2"))
    assert len(appended()) == 3


def test_two_calls_under_one_tool_use_id_are_both_kept_once(server, appended):
    for _ in range(2):
        hook(server, tool_call("a3", "toolu_1", attempt=1))
        hook(server, tool_call("a3", "toolu_1", attempt=2), "?session=pty-3")
    found = [e["event"] for e in appended()]
    assert [e["event"]["attempt"] for e in found if e["type"] == "hook"] == [1, 2]
    assert [e["linked_session_id"] for e in found if e["type"] == "session_linked"] == ["a3"]


def test_a_call_that_is_told_twice_is_one_event(server, appended):
    key = str(uuid.uuid4())
    for _ in range(2):
        hook(server, {"session_id": "a4", "hook_event_name": "Stop"}, Idempotency_Key=key)
    assert [e["event_id"] for e in appended()] == [key]
    for bad in ("no-uuid", str(uuid.UUID(int=0))):
        answer = hook(server, {"hook_event_name": "Stop"}, status=400, Idempotency_Key=bad)
        assert answer["error"]["code"] == "bad_idempotency_key"
    assert len(appended()) == 1


def test_the_terminals_session_has_the_hook_and_is_linked_with_the_agents_own(server, appended):
    for name in ("SessionStart", "Stop"):
        hook(server, {"session_id": "a5", "hook_event_name": name}, "?session=pty%205")
    found = [e["event"] for e in appended()]
    assert [(e["type"], e["session_id"]) for e in found] == [
        ("session_linked", "pty 5"), ("hook", "pty 5"), ("hook", "pty 5")]  # fmt: skip
    assert found[0]["linked_session_id"] == "a5" and found[0]["relation"] == "agent"
    assert all(e["event"]["session_id"] == "a5" for e in found[1:])


@pytest.mark.parametrize("payload", [b"", b"not json", b"\x00\xff", b"[1]", b'{"a":1,"a":2}', b"[" * 100_000, os.urandom(5000)])
def test_what_is_no_payload_is_kept_as_bytes(server, appended, payload):
    assert hook(server, payload, "?session=pty-6") == {}
    (envelope,) = appended()
    event = envelope["event"]
    assert event["type"] == "hook_unparsed" and event["session_id"] == "pty-6" and event["reason"]
    assert event["bytes"] == len(payload) and base64.b64decode(event["raw"], validate=True) == payload


@pytest.mark.parametrize("size", [100, 200_000, MIB - 5000, MIB, 4 * MIB - 200])
def test_payloads_of_any_size_are_taken(server, appended, size):
    output = "x" * size
    hook(server, {"hook_event_name": "PostToolUse", "tool_name": "Bash", "session_id": "a7", "tool_response": output})
    event = appended()[0]["event"]["event"]
    if size < MIB - 4096:
        assert event["tool_response"] == output
    else:
        assert event["vibes_shortened"] == {"tool_response": size + 2}
        assert event["tool_response"] == ('"' + output)[:16384]


def test_a_payload_over_the_limit_is_refused_by_name(server, appended):
    assert hook(server, b" " * (4 * MIB + 1), status=413)["error"]["code"] == "too_large"
    assert appended() == []


def test_what_a_web_page_could_send_is_refused(server, appended):
    assert hook(server, b"{}", status=415, Content_Type="text/plain")["error"]["code"] == "unsupported_media_type"
    assert hook(server, b"{}", status=401, Authorization="Bearer wrong")["error"]["code"] == "unauthorized"
    assert hook(server, b"{}", status=403, Origin="http://evil.example")["error"]["code"] == "bad_origin"
    assert appended() == []
