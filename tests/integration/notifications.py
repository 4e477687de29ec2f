# SPDX-License-Identifier: MIT
"""Notifications reach a webhook (signed), ntfy and a command; one endpoint that hangs delays no other; a restart skips nothing."""

import hashlib
import hmac
import json
import os
import socket
import subprocess
import time

import pytest
from http_endpoint import HttpEndpoint
from vibes_server import VibesServer, program

SECRET = "open sesame"
WITHIN_S = 10


@pytest.fixture
def endpoint():
    running = HttpEndpoint()
    yield running
    running.close()


@pytest.fixture
def hung():
    """Takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    return str(path)


def permission(session, tool="Bash"):
    return {"type": "claude", "session_id": session,
            "event": {"type": "permission_request", "id": "1", "tool": tool, "description": "d"}}  # fmt: skip


def group(server):
    return server.get_json("/api/consumers/notifications")


def await_settled(server):
    """An endpoint has a request before the server has its answer; who is stopped in between rightly sends it again."""
    deadline = time.monotonic() + WITHIN_S
    while group(server)["lag"] > 0:
        assert time.monotonic() < deadline, group(server)
        time.sleep(0.02)  # between two looks


def test_a_webhook_gets_a_signed_request_and_what_is_no_trigger_is_not_sent(endpoint, secret_file):
    with VibesServer("--notify-webhook", endpoint.url + "/hook", "--notify-webhook-secret-file", secret_file) as server:
        server.append({"type": "note", "text": "nothing to tell"})
        server.append({"type": "hook", "session_id": "s1", "event": {"type": "stop"}})  # off by default
        server.append(permission("s1"))
        server.append(permission("s1"))  # the same tag at once
        server.append({"type": "session_state_changed", "session_id": "s1", "state": "Completed"})
        path, headers, first, body = endpoint.next()
        assert path == "/hook" and headers["Content-Type"] == "application/json"
        assert headers["X-Vibes-Signature"] == "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert first["title"] == "Claude needs approval" and first["body"] == "Permission requested for Bash"
        assert first["tag"] == "permission-s1" and first["event_type"] == "permission_needed"
        stored = server.get_json(f"/api/events?from={first['offset']}&limit=1")["events"][0]
        assert stored["event_id"] == first["event_id"] and stored["event"] == permission("s1")
        assert endpoint.next()[2]["event_type"] == "session_completed"
        assert b'vibes_notifications_total{result="repeated"} 1' in server.request("GET", "/metrics")[2]
    assert endpoint.received.empty()


def test_an_endpoint_that_hangs_delays_no_other_and_nothing_is_skipped_by_a_restart(endpoint, hung):
    with VibesServer("--notify-webhook", endpoint.url, "--notify-ntfy", hung + "/topic") as server:
        server.append({"type": "note"})
        sessions = [f"s{n}" for n in range(20)]
        for session in sessions[:10]:
            server.append(permission(session))
        assert [endpoint.next()[2]["session_id"] for _ in range(10)] == sessions[:10]
        assert group(server)["lag"] >= 10  # ntfy has taken none of them
        server.stop()
        server.options = ["--notify-ntfy", endpoint.url + "/a/topic"]
        server.start()
        for session in sessions[10:]:
            server.append(permission(session))
        got = [endpoint.next() for _ in range(20)]
        assert {path for path, *_ in got} == {"/a/"}
        assert [message["topic"] for _, _, message, _ in got] == ["topic"] * 20
        assert got[0][2]["title"] == "Claude needs approval" and got[0][2]["priority"] == 4


def test_what_was_delivered_is_not_sent_again_after_a_restart(endpoint):
    with VibesServer("--notify-webhook", endpoint.url) as server:
        server.append(permission("before"))
        assert endpoint.next()[2]["session_id"] == "before"
        await_settled(server)
        server.restart()
        server.append(permission("after"))
        assert endpoint.next()[2]["session_id"] == "after"


def test_a_command_gets_the_event_and_nothing_of_it_is_run(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    trap = tmp_path / "trap"
    command = f'{{ printf "%s|%s|%s|" "$VIBES_TRIGGER" "$VIBES_SESSION_ID" "$VIBES_BODY"; cat; }} >{tmp_path}/pipe'
    with VibesServer("--notify-command", command) as server:
        event = permission(f"$(touch {trap})", tool=f"`touch {trap}`; touch {trap}")
        server.append(event)
        with open(tmp_path / "pipe") as pipe:
            trigger, session, body, payload = pipe.read().split("|", 3)
        assert trigger == "permission_request" and session == event["session_id"]
        assert body == "Permission requested for " + event["event"]["tool"]
        assert json.loads(payload) == event
    assert not trap.exists()


def test_a_stalled_session_becomes_an_event_once_and_a_notification(endpoint):
    with VibesServer("--notify-webhook", endpoint.url, "--stall-after", "200ms") as server:
        server.append({"type": "user_input", "session_id": "s1", "content": "go"})
        message = endpoint.next()[2]
        assert message["event_type"] == "session_stalled" and message["session_id"] == "s1"
        await_settled(server)
        server.restart()  # the prompt is read no second time
        server.append({"type": "user_input", "session_id": "s2", "content": "go"})
        assert endpoint.next()[2]["session_id"] == "s2"
        events = server.get_json("/api/events?from=beginning&types=session.stalled")["events"]
        assert [e["event"]["session_id"] for e in events] == ["s1", "s2"]
        assert events[0]["event"]["waiting_for"] == "answer"


def test_notify_off_says_what_is_left_out(endpoint):
    with VibesServer("--notify-webhook", endpoint.url, "--notify-off", "permission_request,completed") as server:
        server.append(permission("s1"))
        server.append({"type": "session_state_changed", "session_id": "s1", "state": "Completed"})
        server.append({"type": "hook", "session_id": "s1", "event": {"type": "stop"}})  # the default is replaced
        assert endpoint.next()[2]["trigger"] == "hook_stop"


def test_vibesctl_notify_test_tells_how_each_channel_did(endpoint):
    def notify_test(server):
        return subprocess.run([program("vibesctl"), "--url", server.url, "--token-file", str(server.token_file), "notify", "test"],
                              env=server.environment, text=True, capture_output=True, check=False)  # fmt: skip

    with VibesServer("--notify-webhook", endpoint.url, "--notify-command", "exit 0") as server:
        done = notify_test(server)
        assert done.returncode == 0, done.stderr
        lines = sorted(line.split()[:2] for line in done.stdout.splitlines())
        assert lines == [["command", "sent"], ["webhook", "sent"]]
        assert endpoint.next()[2]["event_type"] == "test"
        server.stop()
        server.options = []
        server.start()
        done = notify_test(server)
        assert done.returncode != 0 and "no channel" in done.stderr


@pytest.mark.parametrize("options", [
    ["--notify-webhook", "http://example.com/"],
    ["--notify-ntfy", "https://ntfy.sh/"],
    ["--notify-off", "everything"],
    ["--stall-after", "soon"],
    ["--stall-after", "0s"],
    ["--notify-webhook-secret-file", "/etc/hostname"],
    ["--notify-webhook", "https://e.example/", "--notify-webhook-secret-file", "/nowhere"],
], ids=" ".join)  # fmt: skip
def test_bad_options_are_refused_by_name(tmp_path, options):
    env = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    done = subprocess.run([program("vibes-server"), "--check-config", *options], cwd=tmp_path, env=env, text=True,
                          capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 2 and options[-2] in done.stderr, done.stderr
