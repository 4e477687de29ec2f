# SPDX-License-Identifier: MIT
"""vibes-verify as CI uses it, and its create-session told by clients that share no code with us."""

import asyncio
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import websockets

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from vibes_server import VibesServer, program  # noqa: E402

WITHIN_S = 20
# Each is dear under a sanitizer.
EVENTS = "1000" if os.environ.get("VIBES_SANITIZE") else "5000"
RESTARTING = ("resume", "restart", "notifications", "assessment")


def verify(*arguments, env=None):
    return subprocess.run(
        [program("vibes-verify"), *arguments], capture_output=True, text=True, timeout=150, env=env, check=False
    )


def test_every_scenario_passes_and_tap_is_well_formed():
    done = verify("--format", "tap", "--events", EVENTS)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "TAP version 14"
    assert lines[1] == "1..11"
    points = [m for line in lines if (m := re.fullmatch(r"(not )?ok (\d+) - ([a-z-]+)", line))]
    assert [int(m[2]) for m in points] == list(range(1, 12))
    assert not any(m[1] for m in points)
    plans = [int(m[1]) for line in lines if (m := re.fullmatch(r" {4}1\.\.(\d+)", line))]
    inner = [line for line in lines if re.match(r" {4}(not )?ok \d+ - ", line)]
    assert len(plans) == 11
    assert sum(plans) == len(inner)


def test_junit_goes_to_a_file(tmp_path):
    report = tmp_path / "report.xml"
    done = verify("--format", "junit", "--output", str(report), "--seed", "7", "filters")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite.get("name") == "filters"
    assert suite.get("failures") == "0"
    assert suite.find("properties/property[@name='seed']").get("value") == "7"


def test_a_running_server_is_used_and_not_restarted():
    with VibesServer() as server:
        done = verify(
            "--url", server.url, "--token-file", str(server.token_file), "--format", "json", "--events", "1000"
        )
        assert server.alive()
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    status = {scenario["name"]: scenario["status"] for scenario in report["scenarios"]}
    for name in RESTARTING:
        assert status.pop(name) == "skipped"
    assert set(status.values()) == {"passed"}


def test_a_log_that_is_given_keeps_what_it_holds(tmp_path):
    """Every scenario on one file log, which has events already; none is damaged or taken for this run's."""
    with VibesServer() as server:
        server.append({"type": "note", "n": 1}, {"type": "note", "n": 2})
        server.stop()
        log = server.log_dir
        done = verify("--log", f"file:{log}", "--events", "1000", "--format", "json", env=server.environment)
        report = json.loads(done.stdout)
        checks = {c["name"]: c["status"] for s in report["scenarios"] if s["name"] == "restart" for c in s["checks"]}
        assert done.returncode == 0, done.stdout
        assert checks["the directory is read offline"] == "passed"
        assert checks["a torn tail is refused or recovered, and told"] == "skipped"
        assert {s["status"] for s in report["scenarios"]} == {"passed"}
        server.start()
        first = server.get_json("/api/events?from=beginning&limit=2")["events"]
        assert [record["event"] for record in first] == [{"type": "note", "n": 1}, {"type": "note", "n": 2}]
        assert verify("log", str(log)).returncode == 0


def test_a_log_in_memory_skips_what_needs_a_disk():
    done = verify("--log", "memory:", "--events", "1000", "--format", "json")
    assert done.returncode == 0, done.stdout
    status = {scenario["name"]: scenario["status"] for scenario in json.loads(done.stdout)["scenarios"]}
    assert {status[name] for name in RESTARTING} == {"skipped"}
    assert status["append-order"] == "passed"


def test_mistakes_have_their_exit_codes(tmp_path):
    assert verify("creat-session").returncode == 2
    assert "create-session" in verify("creat-session").stderr
    assert verify("--format", "yaml").returncode == 2
    assert verify("--url", "http://127.0.0.1:1", "filters").returncode == 3
    assert verify("log", str(tmp_path / "nowhere")).returncode == 5
    with VibesServer() as server:
        token = tmp_path / "token"
        token.write_text("x" * 43)
        assert verify("--url", server.url, "--token-file", str(token)).returncode == 4


def test_a_server_that_does_not_start_is_a_failed_check():
    done = verify("filters", env={**os.environ, "VIBES_SERVER": "/bin/false"})
    assert done.returncode == 7
    assert "exit code 1" in done.stdout


def test_log_checks_a_directory_and_finds_damage():
    with VibesServer() as server:
        for n in range(50):
            server.append({"type": "note", "n": n, "text": "x" * 100})
        live = verify("log", str(server.log_dir))
        assert live.returncode == 0, live.stdout
        server.stop()
        assert "50 events" in verify("log", str(server.log_dir)).stdout
        segment = sorted((server.log_dir / "log").glob("*.seg"))[0]
        data = bytearray(segment.read_bytes())
        place = data.index(b"x" * 100, 4096)
        data[place] ^= 1
        segment.write_bytes(data)
        damaged = verify("log", str(server.log_dir))
    assert damaged.returncode == 65
    assert "DAMAGED" in damaged.stdout
    assert segment.name in damaged.stdout


async def create_session(server, origin):
    """The way of session_created, seen by python3-websockets: log, consumer, firehose."""
    headers = {"Authorization": f"Bearer {server.token}"}
    ws = server.url.replace("http", "ws")
    async with websockets.connect(f"{ws}/ws/firehose", extra_headers=headers, origin=origin) as firehose:
        async with websockets.connect(f"{ws}/ws", extra_headers=headers, origin=origin) as terminal:
            await terminal.send(json.dumps({"type": "attach", "session_id": "foreign", "cols": 80, "rows": 24}))
            while json.loads(await terminal.recv())["type"] != "attach_ack":
                pass
            while True:
                message = json.loads(await firehose.recv())
                if message["type"] == "event" and message["event"]["type"] == "session_created":
                    break
    logged = server.get_json("/api/events?from=beginning&session=foreign&types=session_created")["events"]
    consumer = server.get_json("/api/consumers/websocket")
    return message, logged, consumer


@pytest.mark.parametrize("browser", [False, True])
def test_a_foreign_websocket_client_sees_the_session(browser):
    with VibesServer("--session-command", "/bin/cat") as server:
        origin = server.url if browser else None
        seen, logged, consumer = asyncio.run(asyncio.wait_for(create_session(server, origin), WITHIN_S))
    assert len(logged) == 1
    assert (logged[0]["offset"], logged[0]["event_id"]) == (seen["offset"], seen["event_id"])
    assert logged[0]["event"] == seen["event"]
    assert consumer["committed"] > seen["offset"]


def test_curl_sees_the_session_as_server_sent_events():
    with VibesServer("--session-command", "/bin/cat") as server:
        curl = subprocess.Popen(
            ["curl", "-sN", "--max-time", str(WITHIN_S), "-H", "Accept: text/event-stream",
             "-H", f"Authorization: Bearer {server.token}", f"{server.url}/api/events?from=beginning&session=foreign"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            status, _, _ = server.request("POST", "/api/sessions", body={"session_id": "foreign"})
            assert status == 201
            for line in curl.stdout:
                if line.startswith("data:") and "session_created" in line:
                    break
            else:
                pytest.fail("the stream ended without session_created")
        finally:
            curl.kill()
            curl.wait()
    assert json.loads(line[5:])["event"]["session_id"] == "foreign"
