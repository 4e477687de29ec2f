# SPDX-License-Identifier: MIT
"""GET /api/assessment/sessions[/ID]: what the assessment found, of many sessions and of one, the same after restarts."""

import json
import shutil
import signal
import subprocess
import time

import pytest
from vibes_server import VibesServer, program

WITHIN_S = 30
HELP = "No, that's wrong. It failed again with an error, it is broken and confusing"


def append(server, *events):
    lines = "\n".join(json.dumps(e) for e in events)
    headers = {"Content-Type": "application/x-ndjson"}
    assert server.request("POST", "/api/events", body=lines.encode(), headers=headers)[0] == 200


def prompt(session, text):
    return {"type": "user_input", "session_id": session, "content": text}


def wrong(session, messages=12):
    """A session that goes wrong, and ends."""
    yield {"type": "session_created", "session_id": session, "name": f"about {session}"}
    for i in range(messages):
        yield prompt(session, f"{HELP} ({i})")
    yield prompt(session, "Perfect, thanks, it works")
    yield {"type": "session_removed", "session_id": session, "reason": "session_finished"}


def wait_until_folded(server, groups=("assessment", "sessions")):
    """Until nobody has anything left to read: an assessment's results are news for the sessions."""
    deadline = time.monotonic() + WITHIN_S
    while any(server.get_json(f"/api/consumers/{group}")["lag"] for group in groups):
        assert time.monotonic() < deadline
        time.sleep(0.02)  # between two looks


def told(server, session):
    return server.get_json(f"/api/assessment/sessions/{session}")


def every_answer(server, sessions):
    listed = server.get_json("/api/assessment/sessions")
    return [listed["sessions"]] + [{k: v for k, v in told(server, s).items() if k != "next"} for s in sessions]


def show(server, session, *options, locale="C.UTF-8"):
    command = [program("vibesctl"), "--url", f"unix:{server.socket}", "sessions", "show", session, *options]
    done = subprocess.run(command, env={**server.environment, "LC_ALL": locale}, capture_output=True, timeout=30, check=True)
    return done.stdout.decode()


@pytest.fixture(scope="module")
def server():
    with VibesServer("--assessment", "on") as running:
        for session in ("one", "two", "three"):
            append(running, *wrong(session))
            wait_until_folded(running)
        append(running, {"type": "note", "session_id": "never", "text": "hello"})
        wait_until_folded(running)
        yield running


def test_a_session_is_told_as_its_results_are_in_the_log(server):
    page = server.get_json("/api/events?types=assessment&session=one&limit=1000")
    results = [e["event"] for e in page["events"]]
    times = [e["time"] for e in page["events"]]
    answer = told(server, "one")
    light = [r for r in results if r.get("tier") == "lightweight"]
    assert [(p["message"], p["frustration"], p["success"]) for p in answer["curve"]] == \
        [(r["message"], r["frustration"], r["success"]) for r in light]
    assert [p["time"] for p in answer["curve"]] == [t for t, r in zip(times, results) if r.get("tier") == "lightweight"]
    medium = [r for r in results if r.get("tier") == "medium"]
    assert medium and [(c["message_range"], c["trigger"], c["segment_score"], c["summary"]) for c in answer["checkpoints"]] == \
        [(r["message_range"], r["trigger"], r["segment_score"], r["summary"]) for r in medium]
    interventions = [r for r in results if r["type"] == "intervention"]
    assert interventions and [(i["kind"], i["message"], i["delivered"]) for i in answer["interventions"]] == \
        [(r["kind"], r["message"], False) for r in interventions]
    [heavy] = [r for r in results if r.get("tier") == "heavy"]
    assert {k: answer["verdict"][k] for k in ("outcome", "trajectory", "summary", "ended_by", "messages")} == \
        {k: heavy[k] for k in ("outcome", "trajectory", "summary", "ended_by", "messages")}
    head = answer["session"]
    assert (head["id"], head["name"], head["messages"]) == ("one", "about one", 13)
    assert head["frustration_peak"] == heavy["frustration_peak"] >= 0.7
    assert (head["breaker"], head["openings"]) == (heavy["breaker"]["state"], heavy["breaker"]["openings"])
    assert head["last"] == times[-1] and head["outcome"] == heavy["outcome"]


def test_the_list_has_the_newest_first_and_pages(server):
    whole = server.get_json("/api/assessment/sessions")
    assert [s["id"] for s in whole["sessions"]] == ["three", "two", "one"]
    assert whole["before"] is None and whole["next"] == server.get_json("/api/health")["log"]["end"]
    assert whole["sessions"] == [told(server, s)["session"] for s in ("three", "two", "one")]
    pages, query = [], ""
    while query is not None:
        page = server.get_json(f"/api/assessment/sessions?limit=1{query}")
        pages += page["sessions"]
        query = None if page["before"] is None else f"&before={page['before']}"
    assert pages == whole["sessions"]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "before=x", "before=-1"])
def test_a_query_that_makes_no_sense_is_refused(server, query):
    status, _, body = server.request("GET", f"/api/assessment/sessions?{query}")
    assert (status, json.loads(body)["error"]["code"]) == (400, "bad_query")


def test_who_was_never_assessed_is_not_found(server):
    for session, why in (("never", "never assessed"), ("nobody", "no event")):
        status, _, body = server.request("GET", f"/api/assessment/sessions/{session}")
        error = json.loads(body)["error"]
        assert (status, error["code"]) == (404, "not_found") and why in error["message"]


def test_vibesctl_draws_the_curve_and_lists_the_checkpoints(server):
    text = show(server, "one")
    answer = told(server, "one")
    head = answer["session"]
    assert f"assessed  13 messages, frustration {head['frustration']:.2f} (at its worst {head['frustration_peak']:.2f})" in text
    lines = text.splitlines()
    [top] = [i for i, line in enumerate(lines) if line.startswith("1.0 ┤")]
    picture = lines[top : top + 15]
    assert picture[2].startswith("0.7 ┤┄") and "█" in picture[2]
    assert picture[10].startswith("0.0 └┬─") and len(picture[10]) == 79
    assert picture[11].count("▴") == len(answer["checkpoints"]) and picture[12].strip() == "!"
    for checkpoint in answer["checkpoints"]:
        first, last = checkpoint["message_range"]
        [line] = [one for one in lines if f"  {first}-{last}  " in one]
        assert checkpoint["trigger"] in line and checkpoint["summary"] in line
    judged = f"{answer['verdict']['outcome']}, {answer['verdict']['trajectory']}"
    assert f"verdict   {judged}, after 13 messages (session_removed)" in text
    assert answer["verdict"]["summary"].removeprefix(f"{judged}: ") in text
    markdown = server.request("GET", "/api/sessions/one/transcript?format=markdown")[2].decode()
    assert "\n## Assessment\n" in markdown and f"**{judged}**: " in markdown
    assert text.index("tokens ") < text.index("assessed ") < text.index("EVENTS ")


def test_vibesctl_draws_in_ascii_where_the_locale_knows_no_more(server):
    text = show(server, "one", locale="C")
    assert text.isascii() and "\n0.7 +--" in text


def test_vibesctl_draws_in_colour_only_where_that_is_asked_for(server):
    assert "\x1b" not in show(server, "one")
    coloured = show(server, "one", "--color", "always")
    assert "\x1b[31m" in coloured and "\x1b" not in show(server, "one", "--color", "never")


def test_vibesctl_has_it_in_its_json(server):
    answer, shown = told(server, "one"), json.loads(show(server, "one", "--json"))
    assert shown["assessment"] == answer
    assert json.loads(show(server, "never", "--json"))["assessment"] is None
    assert "assessed " not in show(server, "never")


def test_what_a_summary_holds_cannot_drive_the_terminal():
    with VibesServer("--log", "memory:") as server:
        result = {"type": "assessment", "session_id": "s", "tier": "medium", "message_range": [1, 5], "trigger": "\x1b[2J"}
        append(server, {**result, "summary": "a\nb\x1b[31m"})
        wait_until_folded(server, ("sessions",))
        text = show(server, "s")
        assert "\x1b" not in text and "a b\\x1b[31m" in text


def test_a_server_that_assesses_nothing_tells_what_the_log_holds():
    with VibesServer() as server:
        assert server.get_json("/api/assessment/sessions")["sessions"] == []
        append(server, {"type": "assessment", "tier": "lightweight", "session_id": "s", "message": 3, "frustration": 0.5})
        wait_until_folded(server, ("sessions",))
        assert told(server, "s")["session"]["frustration"] == 0.5
        assert [s["id"] for s in server.get_json("/api/assessment/sessions")["sessions"]] == ["s"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_and_folding_anew_change_nothing(how):
    sessions = ("a", "b")
    with VibesServer("--assessment", "on") as server:
        for session in sessions:
            append(server, *wrong(session))
        wait_until_folded(server)
        before = every_answer(server, sessions)
        assert {s["id"] for s in before[0]} == set(sessions)
        server.restart(how)
        wait_until_folded(server)
        assert every_answer(server, sessions) == before
        server.stop()
        shutil.rmtree(server.root / "state" / "vibes" / "transcripts")
        server.start()
        wait_until_folded(server)
        assert every_answer(server, sessions) == before


def test_a_record_that_is_damaged_is_left_out_of_the_list():
    with VibesServer("--assessment", "on") as server:
        append(server, *wrong("a"), *wrong("b"))
        wait_until_folded(server)
        server.stop()
        root = server.root / "state" / "vibes" / "transcripts"
        [damaged] = [p for p in root.rglob("*.json") if b'"id":"a"' in p.read_bytes()]
        damaged.write_bytes(b"{")
        server.start()
        assert [s["id"] for s in server.get_json("/api/assessment/sessions")["sessions"]] == ["b"]
        status, _, body = server.request("GET", "/api/assessment/sessions/a")
        assert (status, json.loads(body)["error"]["code"]) == (500, "transcript_unreadable")


def test_a_memory_log_has_them_too():
    with VibesServer("--assessment", "on", "--log", "memory:") as server:
        append(server, *wrong("a"))
        wait_until_folded(server)
        assert server.get_json("/api/assessment/sessions")["sessions"] == [told(server, "a")["session"]]
