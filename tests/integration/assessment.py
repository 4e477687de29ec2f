# SPDX-License-Identifier: MIT
"""vibes-server --assessment on: results are events, the same after kills and when all is assessed again."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from vibes_server import VibesServer, program

DAY = (Path(__file__).resolve().parents[1] / "data" / "agent-day.ndjson").read_text().splitlines()
WITHIN_S = 30


def append(server, lines):
    headers = {"Content-Type": "application/x-ndjson"}
    assert server.request("POST", "/api/events", body="\n".join(lines).encode(), headers=headers)[0] == 200


def wait_until_assessed(server):
    """Until the group has read everything, its own results too, which make no new ones."""
    deadline = time.monotonic() + WITHIN_S
    while server.get_json("/api/consumers/assessment")["lag"] != 0:
        assert time.monotonic() < deadline, server.get_json("/api/consumers/assessment")
        time.sleep(0.02)  # between two looks


def results(server):
    """event_id to payload of every result in the log; each id is there once."""
    found, at = {}, "0"
    while True:
        page = server.get_json(f"/api/events?from={at}&types=assessment&limit=1000")
        if not page["events"]:
            return found
        for event in page["events"]:
            assert event["event_id"] not in found
            found[event["event_id"]] = event["event"]
        at = page["next_cursor"]


def prompt(text):
    return json.dumps({"type": "user_input", "session_id": "s", "content": text})


def test_a_message_is_assessed_as_documented():
    with VibesServer("--assessment", "on", "--log", "memory:") as server:
        append(server, [prompt("I keep getting an error, it failed again"), prompt("And now?")])
        wait_until_assessed(server)
        told = list(results(server).values())
        assert [t["frustration"] for t in told] == [0.12, 0.096]
        assert {s["pattern"] for s in told[0]["signals"]} == {"error", "failed"}
        assert server.get_json("/api/consumers/assessment")["dead_letters"] == 0


def test_it_is_off_unless_it_is_asked_for():
    with VibesServer("--log", "memory:") as server:
        append(server, [prompt("error")])
        assert [c["group"] for c in server.get_json("/api/consumers")["consumers"]] == ["notifications", "sessions", "websocket"]


def test_patterns_of_ones_own():
    with VibesServer("--assessment", "on", "--log", "memory:", "--assess-negative", "oh dear") as server:
        append(server, [prompt("Oh dear.")])
        wait_until_assessed(server)
        assert [s["pattern"] for s in next(iter(results(server).values()))["signals"]] == ["oh dear"]


def test_a_bad_pattern_is_refused_with_its_place():
    done = subprocess.run(
        [program("vibes-server"), "--check-config", "--assess-negative", "fine", "--assess-negative", "a…b"],
        capture_output=True, text=True, timeout=30, check=False,
    )
    assert done.returncode == 2
    assert "--assess-negative" in done.stderr and "2" in done.stderr, done.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_kills_and_resets_change_no_result(how):
    with VibesServer("--assessment", "on") as server:
        append(server, DAY)
        wait_until_assessed(server)
        whole = results(server)
        assert {t["tier"] for t in whole.values() if t["type"] == "assessment"} >= {"lightweight", "medium"}
        end = server.get_json("/api/health")["log"]["end"]
        # Assessed anew from the beginning, twice with the server going away in the middle.
        for _ in range(3):
            assert server.request("POST", "/api/consumers/assessment/reset")[0] == 200
            server.restart(how)
        wait_until_assessed(server)
        assert results(server) == whole
        assert server.get_json("/api/health")["log"]["end"] == end


def test_a_log_in_parts_is_assessed_as_one():
    def day(restarts):
        with VibesServer("--assessment", "on") as server:
            for i in range(0, len(DAY), 200):
                append(server, DAY[i : i + 200])
                if restarts:
                    server.restart(signal.SIGKILL)
            wait_until_assessed(server)
            keep = ("tier", "session_id", "frustration", "success", "kind", "reason", "outcome")
            return sorted(json.dumps({k: t.get(k) for k in keep}) for t in results(server).values())

    # Not the ids and times, which are those of two logs.
    assert day(True) == day(False)
