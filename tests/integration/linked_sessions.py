# SPDX-License-Identifier: MIT
"""An agent's session and its terminal's are one session to whoever filters, and a tree holds what was started in it."""

import json
import subprocess

import pytest
from raw_http import RawWebSocket
from vibes_server import VibesServer, program


@pytest.fixture(scope="module")
def server():
    with VibesServer() as running:
        # As it happens: a terminal, an agent in it, a session that the agent starts, and one that has nothing to do with them.
        running.append({"type": "session_created", "session_id": "pty", "name": "n"})
        hook(running, "agent", "SessionStart", "pty")
        hook(running, "agent", "Stop")  # outside of the terminal
        running.append({"type": "session_linked", "session_id": "agent", "linked_session_id": "child", "relation": "subagent"})
        hook(running, "child", "Stop")
        hook(running, "stranger", "Stop")
        yield running


EXPECTED = {
    ("pty", 0): ["session_created pty", "session_linked pty", "hook pty", "hook agent", "session_linked agent"],
    ("child", 0): ["hook child"],
    ("child", 1): ["hook child"],
    ("stranger", 1): ["hook stranger"],
}
EXPECTED["agent", 0] = EXPECTED["pty", 0]
EXPECTED["pty", 1] = EXPECTED["agent", 1] = EXPECTED["pty", 0] + ["hook child"]


def hook(server, session, name, terminal=""):
    body = {"session_id": session, "hook_event_name": name}
    assert server.request("POST", f"/api/hooks?session={terminal}", body=body)[0] == 200


def told(envelopes):
    return [f"{e['event']['type']} {e['event']['session_id']}" for e in envelopes]


@pytest.mark.parametrize("session, tree", EXPECTED)
def test_every_way_to_read_knows_the_links(server, session, tree):
    expected = EXPECTED[session, tree]
    query = f"session={session}&tree={tree}"
    assert told(server.get_json(f"/api/events?{query}")["events"]) == expected
    with RawWebSocket(server, f"/ws/firehose?from=beginning&until=end&batch=1&{query}", timeout=30) as firehose:
        seen = []
        while (message := json.loads(firehose.read_text()))["type"] != "end":
            seen += message.get("events", [])
    assert told(seen) == expected
    with RawWebSocket(server, "/ws/firehose", timeout=30) as firehose:
        firehose.send_text(json.dumps({"type": "set_filters", "types": None, "session": session, "tree": bool(tree)}))
        assert told(json.loads(firehose.read_text())["events"]) == expected
    tail = [program("vibesctl"), "--url", f"unix:{server.socket}", "tail", "-e", "-o", "json", "--session", session]
    for more in ([], ["-n", "50"]):
        done = subprocess.run(tail + ["--tree"] * tree + more, env=server.environment, capture_output=True, text=True, check=True)
        assert told(map(json.loads, done.stdout.splitlines())) == expected


def test_a_follower_sees_the_events_of_a_session_from_its_link_on(server):
    def next_event():
        while (message := json.loads(firehose.read_text()))["type"] != "event":
            pass
        return told([message])[0]

    with RawWebSocket(server, "/ws/firehose?from=end&session=late", timeout=30) as firehose:
        for name in ("SessionStart", "Stop"):
            hook(server, "late", name, "late-pty")
        assert [next_event() for _ in range(3)] == ["session_linked late-pty", "hook late-pty", "hook late-pty"]


def test_links_are_known_after_a_restart(server):
    server.restart()
    assert told(server.get_json("/api/events?session=agent")["events"]) == EXPECTED["agent", 0]


@pytest.mark.parametrize("path", ["/api/events?session=x&tree=2", "/ws/firehose?session=x&tree=yes"])
def test_tree_is_0_or_1(server, path):
    if path.startswith("/ws"):
        with RawWebSocket(server, path) as refused:
            assert refused.status == 400
    else:
        assert server.request("GET", path)[0] == 400


def test_a_session_is_linked_with_the_one_it_is_started_in(server):
    body = {"session_id": "inner", "command": ["true"], "parent_session_id": "outer"}
    assert server.request("POST", "/api/sessions", body=body)[0] == 201
    # Created and linked as one: who has the answer finds both.
    assert told(server.get_json("/api/events?session=inner&types=session_created")["events"]) == ["session_created inner"]
    tree = server.get_json("/api/events?session=outer&tree=1&types=session_created,session_linked")["events"]
    assert told(tree) == ["session_created inner", "session_linked outer"]


def test_vibesctl_says_which_session_it_runs_in(server):
    env = {**server.environment, "VIBES_SESSION_ID": "where-i-am"}
    create = [program("vibesctl"), "--url", f"unix:{server.socket}", "sessions", "create", "--id", "made-here", "--", "true"]
    subprocess.run(create, env=env, capture_output=True, check=True)
    assert "session_created made-here" in told(server.get_json("/api/events?session=where-i-am&tree=1")["events"])
