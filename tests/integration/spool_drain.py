# SPDX-License-Identifier: MIT
"""What clients left in the spool while there was no server is in the log once, in order, without anyone asking for it."""

import json
import subprocess
import uuid

import pytest
from raw_http import RawWebSocket
from vibes_server import VibesServer, program

NOWHERE = "http://127.0.0.1:1"  # where no server is


@pytest.fixture
def server():
    running = VibesServer()
    for name in ("home", "config", "data", "state", "run"):
        (running.root / name).mkdir(mode=0o700)
    with_cleanup = running.__exit__
    yield running
    with_cleanup()


def spool(server):
    return server.root / "state" / "vibes" / "spool"


def append(server, *events):
    """By vibesctl, to a server that is not there."""
    lines = "".join(json.dumps(e) + "\n" for e in events)
    done = subprocess.run([program("vibesctl"), "--url", NOWHERE, "append", "-l"], input=lines, env=server.environment,
                          text=True, capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr


def leave(server, lines):
    """As a client would, byte by byte."""
    spool(server).mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(spool(server) / "events", "a") as file:
        file.writelines(lines)


def line(event, event_id=None):
    return f"{event_id or uuid.uuid4()} {json.dumps(event)}\n"


def events(server):
    return [e["event"] for e in server.get_json("/api/events?from=beginning&limit=1000")["events"]]


def numbers(server):
    return [e["n"] for e in events(server) if e["type"] == "spooled"]


def test_what_waits_is_in_the_log_before_the_server_is_ready(server):
    append(server, *({"type": "spooled", "n": n} for n in range(50)))
    append(server, *({"type": "spooled", "n": n} for n in range(50, 60)))
    assert (spool(server) / "events").stat().st_size > 0
    server.start()
    assert numbers(server) == list(range(60))
    assert not (spool(server) / "events").exists() and not (spool(server) / "draining").exists()
    server.restart()
    assert numbers(server) == list(range(60))


def test_what_comes_while_the_server_runs_is_brought_in_without_being_asked(server):
    server.start()
    with RawWebSocket(server, "/ws/firehose?from=beginning&types=spooled", timeout=30) as firehose:
        for n in range(5):
            append(server, {"type": "spooled", "n": n})
            while (message := json.loads(firehose.read_text()))["type"] != "event":
                pass
            assert message["event"]["n"] == n


def test_an_event_that_is_in_the_log_already_is_no_second_one(server):
    server.start()
    event, event_id = {"type": "spooled", "n": 1}, str(uuid.uuid4())
    body = json.dumps(event)
    assert server.request("POST", "/api/events", body=body, headers={"Idempotency-Key": event_id})[0] == 200
    server.stop()
    leave(server, [line(event, event_id), line({"type": "spooled", "n": 2}), line(event, event_id)])
    server.start()
    assert numbers(server) == [1, 2]


def test_what_the_log_refuses_is_set_aside_and_holds_nothing_up(server):
    taken = str(uuid.uuid4())
    leave(server, [
        line({"type": "spooled", "n": 1}, taken), line({"type": "spooled", "n": 2}),
        line({"type": "spooled", "n": 3}, taken), "this is no line of a spool\n", line({"type": "spooled", "n": 4}),
    ])  # fmt: skip
    server.start()
    assert numbers(server) == [1, 2, 4]
    refused = [json.loads(text) for text in (spool(server) / "refused").read_text().splitlines()]
    assert [r["event_id"] for r in refused] == [taken, None] and all(r["reason"] for r in refused)


def test_hooks_under_one_tool_use_id_are_both_kept(server):
    event_id = str(uuid.uuid4())
    leave(server, [line({"type": "hook", "event": {"type": "x", "n": n}}, event_id) for n in (1, 2, 1)])
    server.start()
    assert [e["event"]["n"] for e in events(server) if e["type"] == "hook"] == [1, 2]


def test_a_server_that_is_killed_while_it_drains_loses_and_repeats_nothing(server):
    count = 3_000
    leave(server, (line({"type": "spooled", "n": n, "pad": "x" * 2_000}) for n in range(count)))
    server.expect_start = False
    for wait_s in (0.0, 0.02, 0.05):
        process = subprocess.Popen([program("vibes-server"), "--listen", "none"], env=server.environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        try:
            process.wait(wait_s)
        except subprocess.TimeoutExpired:
            pass
        process.kill()
        process.wait()
    server.expect_start = True
    server.start()
    seen, at = [], "beginning"
    while page := server.get_json(f"/api/events?from={at}&limit=1000&types=spooled"):
        if not page["events"]:
            break
        seen += [e["event"]["n"] for e in page["events"]]
        at = page["next_cursor"]
    assert seen == list(range(count))


@pytest.mark.parametrize("options", [["--log", "memory:"], ["--unix", "none"]])
def test_a_server_elsewhere_takes_nothing_that_was_not_meant_for_it(server, options):
    append(server, {"type": "spooled", "n": 1})
    server.options = options
    server.start()
    assert numbers(server) == []
    server.stop()
    server.options = []
    server.start()
    assert numbers(server) == [1]
