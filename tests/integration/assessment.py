# SPDX-License-Identifier: MIT
"""vibes-server --assessment on: results are events, the same after kills and when all is assessed again."""

import contextlib
import json
import os
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


def is_assessed(server):
    status, _, body = server.request("GET", "/api/consumers/assessment")
    assert status in (200, 404), body  # 404: the group has not begun yet
    return status == 200 and json.loads(body)["lag"] == 0


def wait_until_assessed(server):
    """Until the group has read everything, its own results too, which make no new ones."""
    deadline = time.monotonic() + WITHIN_S
    while not is_assessed(server):
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


# With a model.


def script(tmp_path, text):
    """A model: a program of its own, as users have them."""
    path = tmp_path / "model"
    path.write_text("#!/bin/sh\n" + text + "\n")
    path.chmod(0o755)
    return str(path)


def wait_for(server, what):
    deadline = time.monotonic() + WITHIN_S
    while not what(list(results(server).values())):
        assert time.monotonic() < deadline, results(server)
        time.sleep(0.02)  # between two looks


def summaries(told):
    return [t for t in told if t.get("tier") in ("medium", "heavy")]


def a_session():
    """Ten prompts, which make a checkpoint, and an end, which makes a verdict."""
    return [prompt(f"question {i}") for i in range(10)] + [
        json.dumps({"type": "session_removed", "session_id": "s", "reason": "killed"})
    ]


def test_summaries_are_those_of_the_model(tmp_path):
    model = script(
        tmp_path,
        f"""cat >>{tmp_path}/prompts
echo "$VIBES_HOOKS" >>{tmp_path}/hooks
echo 'Here you are:'; echo '```json'
echo '{{"summary":"The model'"'"'s words.","outcome":"success"}}'
echo '```'""",
    )
    with VibesServer("--assessment", "on", "--assess-backend", model) as server:
        append(server, a_session())
        wait_for(server, lambda told: len(summaries(told)) == 2)
        wait_until_assessed(server)
        medium, heavy = summaries(results(server).values())
        assert (medium["tier"], heavy["tier"]) == ("medium", "heavy")
        for result in (medium, heavy):
            assert result["summary"] == "The model's words." and result["summary_by"] == "model"
            assert "backend_error" not in result
        assert (heavy["outcome"], heavy["rule_outcome"]) == ("success", "partial")
        prompts = (tmp_path / "prompts").read_text()
        assert "PERSON: question 7" in prompts and "CHECKPOINT: The model's words." in prompts
        assert (tmp_path / "hooks").read_text() == "off\noff\n"
        # Assessed anew, nobody is asked and nothing is told twice.
        whole = results(server)
        assert server.request("POST", "/api/consumers/assessment/reset")[0] == 200
        server.restart(signal.SIGKILL)
        wait_until_assessed(server)
        assert results(server) == whole
        assert (tmp_path / "prompts").read_text() == prompts


def test_a_broken_model_leaves_the_rules_summaries_and_the_reason():
    with VibesServer("--assessment", "on", "--assess-backend", "echo out of credit >&2; exit 3") as server:
        append(server, a_session())
        wait_for(server, lambda told: len(summaries(told)) == 2)
        for result in summaries(results(server).values()):
            assert result["summary_by"] == "extractive"
            assert result["backend_error"] == "exit status 3: out of credit"
            assert "question 0" in result["summary"]
    with VibesServer("--assessment", "on") as server:  # without a model nothing is said about one
        append(server, a_session())
        wait_for(server, lambda told: len(summaries(told)) == 2)
        assert all("summary_by" not in t and "backend_error" not in t for t in results(server).values())


def is_running(pid):
    """Not where it only waits for someone to ask how it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_model_that_hangs_holds_back_nothing_and_what_it_was_asked_is_asked_again(tmp_path, how):
    asked = tmp_path / "asked"
    model = script(tmp_path, f"[ -e {asked} ] && echo '{{\"summary\":\"at last\"}}' && exit; echo $$ >{asked}.new; mv {asked}.new {asked}; exec sleep 1000")
    with VibesServer("--assessment", "on", "--assess-backend", model) as server:
        append(server, [prompt("it failed again"), *a_session()])
        wait_until_assessed(server)  # committed: the hanging model holds nothing back
        told = list(results(server).values())
        assert told and not summaries(told)
        while not asked.exists():
            time.sleep(0.02)  # between two looks
        server.restart(how)
        while how == signal.SIGTERM and is_running(asked.read_text().strip()):
            time.sleep(0.02)  # it is killed; when it is gone is the kernel's business
        wait_for(server, lambda told: len(summaries(told)) == 2)
        assert {t["summary"] for t in summaries(results(server).values())} == {"at last"}
    if how == signal.SIGKILL:  # nobody was left to end it
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(asked.read_text()), signal.SIGKILL)


def config(*options, **env):
    done = subprocess.run(
        [program("vibes-server"), "--print-config", *options],
        capture_output=True, text=True, timeout=30, check=False, env={**os.environ, **env},
    )
    return done.returncode, done.stdout + done.stderr


def test_the_model_is_chosen_by_options():
    assert 'assess-backend = "auto"\nassess-backend-timeout = "60s"\n' in config()[1]
    assert 'assess-backend = "off"' in config(VIBES_ASSESS_BACKEND="off")[1]
    for bad in (["--assess-backend", " "], ["--assess-backend-timeout", "0"], ["--assess-backend-timeout", "2h"]):
        code, text = config(*bad)
        assert code == 2 and bad[0] in text, text


def test_the_model_is_the_agent_where_it_can_be_found(tmp_path):
    """As `auto` says. The agent here is a script; without it no model is asked."""
    agent = tmp_path / "claude"
    agent.write_text("#!/bin/sh\n[ \"$*\" = --print ] && cat >/dev/null && echo '{\"summary\":\"from the agent\"}'\n")
    agent.chmod(0o755)
    for path, found in ((f"{tmp_path}:/usr/bin:/bin", True), ("/usr/bin:/bin", False)):
        with VibesServer("--assessment", "on", env={"VIBES_ASSESS_BACKEND": "auto", "PATH": path}) as server:
            append(server, a_session())
            wait_for(server, lambda told: len(summaries(told)) == 2)
            assert {t.get("summary_by") for t in summaries(results(server).values())} == {"model" if found else None}
            assert ("claude --print" in server.stderr) == found
