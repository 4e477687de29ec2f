# SPDX-License-Identifier: MIT
"""docs/openapi.yaml and docs/asyncapi.yaml describe the server that runs, and nothing but it."""

import asyncio
import json
import re
import time
from pathlib import Path

import pytest
import websockets
import yaml
from vibes_server import VibesServer

ROOT = Path(__file__).resolve().parents[2]
OPENAPI = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
ASYNCAPI = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text())
ROUTES = (ROOT / "lib" / "net" / "routes.cpp").read_text()
KINDS = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}


@pytest.fixture(scope="module")
def server():
    with VibesServer() as running:
        running.append({"type": "note", "text": "hello"}, {"type": "user_input", "session_id": "described", "content": "hello"})
        result = {"type": "assessment", "session_id": "assessed"}
        running.append(
            {**result, "tier": "lightweight", "message": 1, "frustration": 0.5, "success": 0, "breaker": {"state": "open"}},
            {**result, "tier": "medium", "message_range": [1, 5], "trigger": "pause", "summary": "", "segment_score": 0.5},
            {"type": "intervention", "session_id": "assessed", "kind": "approach_pivot", "reason": "", "message": ""},
            {**result, "tier": "heavy", "outcome": "success", "trajectory": "steady", "ended_by": "idle", "summary": "", "messages": 5},
        )
        while running.get_json("/api/consumers/sessions")["lag"]:
            time.sleep(0.02)  # between two looks
        yield running


def follow(description, node):
    while "$ref" in node:
        reference = node["$ref"].removeprefix("#/").split("/")
        node = description
        for name in reference:
            node = node[name]
    return node


def complaints(description, schema, value, at="$"):
    """Where `value` is not what the schema says: the small part of JSON Schema that the descriptions use."""
    schema = follow(description, schema)
    if "const" in schema and value != schema["const"]:
        yield f"{at}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is none of {schema['enum']}"
    if value is None and schema.get("nullable"):
        return
    if "type" in schema and not isinstance(value, KINDS[schema["type"]]):
        yield f"{at}: {value!r} is no {schema['type']}"
        return
    for name in schema.get("required", []):
        if name not in value:
            yield f"{at}: {name} is missing"
    for name, inner in schema.get("properties", {}).items():
        if name in value:
            yield from complaints(description, inner, value[name], f"{at}.{name}")
    for i, element in enumerate(value if isinstance(value, list) and "items" in schema else []):
        yield from complaints(description, schema["items"], element, f"{at}[{i}]")


def check_answer(path, method, status, headers, body):
    responses = OPENAPI["paths"][path][method]["responses"]
    assert str(status) in responses, f"{method} {path}: {status} is not described"
    content = follow(OPENAPI, responses[str(status)]).get("content", {})
    kind = headers.get("Content-Type", "").split(";")[0]
    if content:
        assert kind in content, f"{method} {path}: {kind} is not described"
    if kind == "application/json":
        assert list(complaints(OPENAPI, content[kind]["schema"], json.loads(body))) == []


def test_the_described_routes_are_the_servers_routes():
    verbs = {"get": "get", "post": "post", "put": "put", "remove": "delete"}
    served = {(re.sub(r"\*", "{}", path), verbs[method])
              for method, path in re.findall(r'router\.add\(\s*Method::(\w+), "([^"]+)"', ROUTES)}
    described = {(re.sub(r"\{\w+\}", "{}", path), method)
                 for path, methods in OPENAPI["paths"].items() for method in methods if method != "parameters"}
    assert described == served
    assert set(ASYNCAPI["channels"]) == set(re.findall(r'router\.add\(\{\.path = "([^"]+)"', ROUTES))


@pytest.mark.parametrize("path", [p for p, methods in OPENAPI["paths"].items() if "get" in methods])
def test_every_get_answers_as_described(server, path):
    concrete = path.replace("{group}", "websocket")
    status, headers, body = server.request("GET", concrete)
    check_answer(path, "get", status, headers, body)
    status, _, _ = server.request("GET", concrete, token=False)
    assert (status == 401) == (OPENAPI["paths"][path]["get"].get("security") != [])


@pytest.mark.parametrize("path, method, concrete, body", [
    ("/api/events", "post", "/api/events", {"type": "note"}),
    ("/api/events", "post", "/api/events", {"no": "type"}),
    ("/api/events", "get", "/api/events?from=nowhere", None),
    ("/api/consumers/{group}", "put", "/api/consumers/described", {"position": "beginning"}),
    ("/api/consumers/{group}", "put", "/api/consumers/described", {"position": "nowhere"}),
    ("/api/consumers/{group}", "put", "/api/consumers/websocket", {"position": "end"}),
    ("/api/consumers/{group}", "get", "/api/consumers/described", None),
    ("/api/consumers/{group}/dead-letters", "get", "/api/consumers/described/dead-letters", None),
    ("/api/consumers/{group}", "delete", "/api/consumers/described", None),
    ("/api/consumers/{group}", "get", "/api/consumers/described", None),
    ("/api/hooks/answer", "post", "/api/hooks/answer", None),
    ("/api/hooks/answer", "post", "/api/hooks/answer?session=described&event=0199e2b0-0000-7000-8000-000000000001", None),
    ("/api/push/subscribe", "post", "/api/push/subscribe", None),
    ("/api/push/subscribe/{id}", "delete", "/api/push/subscribe/none", None),
    ("/api/notify/test", "post", "/api/notify/test", None),
    ("/api/sessions/{id}", "delete", "/api/sessions/nobody", None),
    ("/api/assessment/sessions", "get", "/api/assessment/sessions?limit=0", None),
    ("/api/assessment/sessions/{id}", "get", "/api/assessment/sessions/assessed", None),
    ("/api/assessment/sessions/{id}", "get", "/api/assessment/sessions/described", None),
    ("/api/sessions/{id}/transcript", "get", "/api/sessions/described/transcript", None),
    ("/api/sessions/{id}/transcript", "get", "/api/sessions/described/transcript?format=jsonl", None),
    ("/api/sessions/{id}/transcript", "get", "/api/sessions/described/transcript?format=markdown", None),
    ("/api/sessions/{id}/transcript", "get", "/api/sessions/described/transcript?format=html", None),
])
def test_other_requests_answer_as_described(server, path, method, concrete, body):
    status, headers, answer = server.request(method.upper(), concrete, body=body)
    check_answer(path, method, status, headers, answer)


async def talk(server, path, *messages, until):
    """Sends the messages; returns what comes up to the first message of the type `until`."""
    headers = {"Authorization": f"Bearer {server.token}"}
    got = []
    async with websockets.connect(f"ws://127.0.0.1:{server.port}{path}", extra_headers=headers) as socket:
        for message in messages:
            await socket.send(message)
        while not got or got[-1]["type"] != until:
            got.append(json.loads(await asyncio.wait_for(socket.recv(), 10)))
    return got


@pytest.mark.parametrize("path, messages, until", [
    ("/ws/firehose?from=0&until=end", [], "end"),
    ("/ws/firehose?from=0&until=end&batch=1", [], "end"),
    ("/ws/firehose", ['{"type":"set_filters"}'], "events_batch"),
    ("/ws/firehose", ['{"type":"fetch_older","limit":1}'], "events_batch"),
    ("/ws/firehose", ['{"type":"nonsense"}'], "error"),
    ("/ws/firehose?group=asyncapi", ['{"type":"commit","offset":0}'], "committed"),
    ("/ws/append", ['{"type":"note"}'], "ack"),
    ("/ws/append", ["nonsense"], "nack"),
    ("/ws", ['{"type":"list_sessions","request_id":"r1"}'], "session_list"),
    ("/ws", ['{"type":"nonsense"}'], "error"),
])
def test_every_message_is_as_described(server, path, messages, until):
    channel = ASYNCAPI["channels"][path.split("?")[0]]
    described = {}
    for message in channel["subscribe"]["message"]["oneOf"]:
        payload = follow(ASYNCAPI, message)["payload"]
        described[payload["properties"]["type"]["const"]] = payload
    for message in asyncio.run(talk(server, path, *messages, until=until)):
        assert message["type"] in described, message
        assert list(complaints(ASYNCAPI, described[message["type"]], message)) == []


def test_the_comparison_can_fail():
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
    assert list(complaints({}, schema, {})) and list(complaints({}, schema, {"a": "1"})) and list(complaints({}, schema, []))
