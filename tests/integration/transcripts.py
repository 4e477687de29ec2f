# SPDX-License-Identifier: MIT
"""The record and the transcript of every session that the log knows: over HTTP, with vibesctl, the same after a restart."""

import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from vibes_server import VibesServer, program

DAY = (Path(__file__).resolve().parents[1] / "data" / "agent-day.ndjson").read_text().splitlines()
MARA = "sess-mara-190e76"
WITHIN_S = 30


def append(server, lines):
    headers = {"Content-Type": "application/x-ndjson"}
    assert server.request("POST", "/api/events", body="\n".join(lines).encode(), headers=headers)[0] == 200


def wait_until_folded(server):
    deadline = time.monotonic() + WITHIN_S
    while server.get_json("/api/consumers/sessions")["lag"] != 0:
        assert time.monotonic() < deadline, server.get_json("/api/consumers/sessions")
        time.sleep(0.02)  # between two looks


def sessions_of_the_day():
    ids = {json.loads(line).get("session_id") for line in DAY}
    return sorted(i for i in ids if i)


def transcripts(server):
    found = {}
    for session in sessions_of_the_day():
        for form in ("record", "json", "jsonl", "markdown"):
            status, _, body = server.request("GET", f"/api/sessions/{session}/transcript?format={form}")
            assert status == 200, body
            found[session, form] = body
    return found


def files(server):
    root = server.root / "state" / "vibes" / "transcripts"
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def ctl(server, *arguments, code=0):
    command = [program("vibesctl"), "--url", f"unix:{server.socket}", *arguments]
    done = subprocess.run(command, env=server.environment, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def server():
    with VibesServer() as running:
        for i in range(0, len(DAY), 100):
            append(running, DAY[i : i + 100])
        wait_until_folded(running)
        yield running


def test_the_record_counts_what_the_log_holds(server):
    mine = [json.loads(line) for line in DAY if json.loads(line).get("session_id") == MARA]
    answer = server.get_json(f"/api/sessions/{MARA}/transcript")
    record = answer["session"]
    assert record["events"] == len(mine) == sum(record["counts"].values())
    assert record["counts"]["hook.pre_tool_use"] == sum(e.get("event", {}).get("type") == "pre_tool_use" for e in mine)
    usages = [e["event"]["usage"] for e in mine if e.get("event", {}).get("type") == "turn_complete"]
    assert record["input_tokens"] == sum(u["input_tokens"] for u in usages) > 0
    assert (record["name"], record["cwd"], record["state"]) == ("one cent off", "/home/mara/shop", "Exited(0)")
    kinds = [e["kind"] for e in answer["entries"]]
    assert kinds.count("prompt") == record["prompts"] == sum(e["type"] == "user_input" for e in mine)
    said = "".join(e["event"]["text"] for e in mine if e.get("event", {}).get("type") == "text_delta")
    assert "".join(e["text"] for e in answer["entries"] if e["kind"] == "text") == said
    assert answer["next"] == len(DAY) and answer["omitted_bytes"] == 0


def test_the_format_is_asked_for_by_query_or_by_accept(server):
    def get(query="", accept=None):
        headers = {"Accept": accept} if accept else {}
        status, got, body = server.request("GET", f"/api/sessions/{MARA}/transcript{query}", headers=headers)
        return status, (got["Content-Type"] or "").split(";")[0], body

    assert get()[:2] == (200, "application/json")
    assert get(accept="text/markdown") == get("?format=markdown")
    assert get(accept="application/x-ndjson") == get("?format=jsonl")
    assert [json.loads(line) for line in get("?format=jsonl")[2].splitlines()] == json.loads(get()[2])["entries"]
    assert get("?format=markdown")[2].startswith(b"# one cent off")
    assert get("?format=html")[0] == 400
    status, _, body = server.request("GET", "/api/sessions/nobody/transcript")
    assert (status, json.loads(body)["error"]["code"]) == (404, "not_found")


def test_vibesctl_shows_and_exports_a_session_that_is_over(server):
    text = ctl(server, "sessions", "show", MARA)
    shown = json.loads(ctl(server, "sessions", "show", MARA, "--json"))
    record = shown["record"]
    assert "one cent off" in text and f"prompts   {record['prompts']}" in text
    assert "state" not in shown and record["by_tool"]["Bash"]["calls"] > 0
    by_http = transcripts(server)
    assert ctl(server, "sessions", "export", MARA).encode() == by_http[MARA, "markdown"]
    assert ctl(server, "sessions", "export", MARA, "--format", "jsonl").encode() == by_http[MARA, "jsonl"]
    ctl(server, "sessions", "show", "nobody", code=5)
    ctl(server, "sessions", "export", "nobody", code=5)


def test_vibesctl_shows_a_session_that_is_live(server):
    server.request("POST", "/api/sessions", body={"session_id": "living", "command": ["cat"]})
    wait_until_folded(server)
    text = ctl(server, "sessions", "show", "living")
    assert "Running" in text and "session   living" in text
    shown = json.loads(ctl(server, "sessions", "show", "living", "--json"))
    assert shown["state"] == "Running" and shown["record"]["id"] == "living"
    assert server.request("DELETE", "/api/sessions/living")[0] == 204


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_changes_no_byte(how):
    with VibesServer() as server:
        append(server, DAY[:600])
        if how == signal.SIGTERM:
            wait_until_folded(server)
        server.restart(how)
        append(server, DAY[600:])
        wait_until_folded(server)
        before, told = files(server), transcripts(server)
        assert before
        server.restart()
        assert transcripts(server) == told and files(server) == before


def test_what_was_removed_is_made_anew(server):
    wait_until_folded(server)
    told, before = transcripts(server), files(server)
    server.stop()
    shutil.rmtree(server.root / "state" / "vibes" / "transcripts")
    server.start()
    wait_until_folded(server)
    assert transcripts(server) == told and files(server) == before


def test_damage_is_told_and_is_no_one_elses_trouble():
    with VibesServer() as server:
        append(server, DAY[:600])
        wait_until_folded(server)
        record = json.loads(server.request("GET", f"/api/sessions/{MARA}/transcript?format=record")[2])
        server.stop()
        root = server.root / "state" / "vibes" / "transcripts"
        [damaged] = [p for p in root.rglob("*.json") if json.loads(p.read_bytes())["id"] == MARA]
        damaged.write_bytes(damaged.read_bytes()[:100])
        server.start()
        status, _, body = server.request("GET", f"/api/sessions/{MARA}/transcript")
        assert (status, json.loads(body)["error"]["code"]) == (500, "transcript_unreadable")
        append(server, [json.dumps({"type": "user_input", "session_id": s, "content": "more"}) for s in (MARA, "other")])
        wait_until_folded(server)
        assert server.get_json("/api/consumers/sessions")["dead_letters"] == 1
        assert server.get_json("/api/sessions/other/transcript")["session"]["prompts"] == 1
        server.stop()
        shutil.rmtree(root)
        server.start()
        wait_until_folded(server)
        again = server.get_json(f"/api/sessions/{MARA}/transcript?format=record")
        assert again["session"]["events"] == record["session"]["events"] + 1


def test_a_memory_log_has_transcripts_too():
    with VibesServer("--log", "memory:") as server:
        append(server, DAY[:300])
        wait_until_folded(server)
        assert server.request("GET", f"/api/sessions/{MARA}/transcript")[0] == 200
        assert not (server.root / "state" / "vibes" / "transcripts").exists()
