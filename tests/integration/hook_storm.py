# SPDX-License-Identifier: MIT
"""A storm of hooks while the daemon dies and comes back: every event in the log exactly once, each session's in order.

Sixteen agents call `vibesctl hook` as fast as they can, one call after the other each; the daemon is killed and started
again every second. What the calls had to spool is delivered by the calls after them or by the server.
"""

import base64
import collections
import json
import os
import subprocess
import threading
import time

from vibes_server import VibesServer, program

AGENTS = 16
CALLS = 25 if os.environ.get("VIBES_SANITIZE") else 125
KILL_EVERY_S = 1.0
DELIVERED_WITHIN_S = 120


def payload(agent, number):
    """Every third has no tool_use_id, every tenth is no JSON."""
    call = {"session_id": f"agent-{agent}", "hook_event_name": "PreToolUse", "tool_name": "Bash"}
    call.update(tool_input={"command": "ls"}, number=number)
    if number % 3:
        call["tool_use_id"] = f"toolu_{agent}_{number}"
    text = json.dumps(call)
    return text[:-1] if number % 10 == 9 else text


class Agent(threading.Thread):
    def __init__(self, number, environment):
        super().__init__()
        self.number = number
        self.environment = environment
        self.complaints = []
        self.seconds = []

    def run(self):
        for number in range(CALLS):
            started = time.perf_counter()
            done = subprocess.run(
                [program("vibesctl"), "hook"], input=payload(self.number, number).encode(), env=self.environment, capture_output=True
            )
            self.seconds.append(time.perf_counter() - started)
            if done.returncode or done.stdout or done.stderr:
                self.complaints.append((number, done))


def recorded(events):
    """What each agent's calls became, in the order of the log."""
    calls = collections.defaultdict(list)
    for event in events:
        if event["type"] == "hook":
            inner = event["event"]
        else:
            assert event["type"] == "hook_unparsed", event
            inner = json.loads(base64.b64decode(event["raw"]).decode() + "}")
        calls[inner["session_id"]].append(inner["number"])
    return calls


def all_events(server):
    events, position = [], "beginning"
    while True:
        page = server.get_json(f"/api/events?from={position}&limit=1000")
        if not page["events"]:
            return events
        events += [envelope["event"] for envelope in page["events"]]
        position = page["next_cursor"]


def deliver_the_rest(server):
    """Calls as long as something is spooled; the server's own drain helps."""
    spool = server.root / "state" / "vibes" / "spool"
    deadline = time.monotonic() + DELIVERED_WITHIN_S
    while any((spool / name).exists() and (spool / name).stat().st_size for name in ("events", "draining")):
        assert time.monotonic() < deadline, "the spool is not drained"
        call = {"session_id": "rest", "hook_event_name": "Stop", "number": 0, "tool_use_id": "the same"}
        subprocess.run([program("vibesctl"), "hook", "--timeout", "10"], input=json.dumps(call).encode(), env=server.environment, check=True)
    return spool


def test_a_storm_of_hooks_while_the_daemon_dies_every_second():
    with VibesServer() as server:
        agents = [Agent(number, server.environment) for number in range(AGENTS)]
        for agent in agents:
            agent.start()
        kills = 0
        while alive := [agent for agent in agents if agent.is_alive()]:
            alive[0].join(KILL_EVERY_S)
            server.kill()
            kills += 1
            server.start()
        for agent in agents:
            agent.join()
        spool = deliver_the_rest(server)

        assert [agent.complaints for agent in agents if agent.complaints] == []
        assert not (spool / "refused").exists(), (spool / "refused").read_text()
        calls = recorded(all_events(server))
        calls.pop("rest", None)
        assert sorted(calls) == sorted(f"agent-{n}" for n in range(AGENTS))
        for agent, numbers in calls.items():
            assert numbers == list(range(CALLS)), f"{agent}: lost, doubled or out of order"
        seconds = sorted(s for agent in agents for s in agent.seconds)
        print(
            f"{len(seconds)} calls, {kills} kills; ms a call: p50 {seconds[len(seconds) // 2] * 1000:.1f}, "
            f"p99 {seconds[len(seconds) * 99 // 100] * 1000:.1f}, longest {seconds[-1] * 1000:.1f}"
        )
