# SPDX-License-Identifier: MIT
"""While the engine of a log is away everything above the log says `pending`, makes no offsets up, and waits for none."""

import asyncio
import contextlib
import json
import subprocess
import time
import uuid

import pytest
from api_descriptions import check_answer
from firehose_client import connect
from nats_server import NatsServer
from terminal_client import TerminalClient
from vibes_server import VibesServer, program

PATIENCE_S = 30  # used up by failing tests only


class FarServer(VibesServer):
    """vibes-server over a nats-server that the test kills and starts again."""

    def __init__(self, *options):
        super().__init__(*options)
        self.nats = NatsServer()
        self._ending = contextlib.ExitStack()

    def __enter__(self):
        self._ending.enter_context(self.nats)
        self.options += ["--log", self.nats.url()]
        try:
            return super().__enter__()
        except BaseException:
            self._ending.close()
            raise

    def __exit__(self, *reason):
        with self._ending:
            super().__exit__(*reason)

    @property
    def log(self):
        return self.get_json("/api/health")["log"]

    def away(self):
        self.nats.kill()
        self.wait(lambda: self.log["state"] == "away")

    def back(self):
        self.nats.start_again()
        self.wait(lambda: self.log["state"] == "writable")

    @staticmethod
    def wait(condition):
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)  # between two looks

    def post(self, path, body, status, **headers):
        got, answered, text = self.request("POST", path, body=body, headers=headers)
        assert got == status, (got, text)
        check_answer(path, "post", got, answered, text)
        return answered, json.loads(text)

    def ids(self):
        """Of the notes in the log, in its order."""
        events = self.get_json("/api/events?from=beginning&limit=1000")["events"]
        return [e["event_id"] for e in events if e["event"]["type"] == "note"]


@pytest.fixture
def server():
    with FarServer() as running:
        yield running


def note(**more):
    return {"type": "note", "event_id": str(uuid.uuid4()), **more}


async def talk(server, messages, query):
    async with connect(server, "/ws/append", query) as socket:
        for message in messages:
            await socket.send(json.dumps(message))
        answers = []
        while sum(a.get("count", 1) for a in answers) < len(messages):
            answers.append(json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S)))
        return answers


def test_http_answers_accepted_with_ids_and_without_offsets(server):
    server.post("/api/events", note(), 200)
    server.away()
    event = note()
    _, answer = server.post("/api/events", event, 202)
    assert answer == {"pending": True, "count": 1, "durability": "fsync", "event_ids": [event["event_id"]], "duplicates": 0}
    _, again = server.post("/api/events", event, 202)
    assert (again["pending"], again["duplicates"], again["event_ids"]) == (True, 1, [event["event_id"]])
    server.back()
    server.wait(lambda: server.log["pending_events"] == 0)
    assert server.ids()[1:] == [event["event_id"]]
    _, later = server.post("/api/events", event, 200)
    assert (later["first_offset"], later["duplicates"]) == (1, 1)


@pytest.mark.parametrize("query", [{}, {"ids": "1"}])
def test_a_websocket_ack_names_the_events_and_waits_for_nothing(server, query):
    events = [note(n=n) for n in range(100)]
    server.away()
    answers = asyncio.run(talk(server, events, query))
    assert all(a["type"] == "ack" and a["pending"] and a["durability"] == "fsync" for a in answers)
    assert not any("first_offset" in a or "last_offset" in a for a in answers)
    ids = [e["event_id"] for e in events]
    assert [i for a in answers for i in a["event_ids"]] == ids
    server.back()
    server.wait(lambda: server.log["pending_events"] == 0)
    assert server.ids() == ids


def test_a_hook_is_answered(server):
    server.away()
    _, answer = server.post("/api/hooks", {"hook_event_name": "Stop", "session_id": "s"}, 202)
    assert answer == {}


def test_health_says_away_and_how_many_wait(server):
    server.away()
    for _ in range(3):
        server.post("/api/events", note(), 202)
    status, headers, body = server.request("GET", "/api/health")
    check_answer("/api/health", "get", status, headers, body)
    health = json.loads(body)
    assert health["status"] == "degraded"
    assert (health["log"]["state"], health["log"]["pending_events"], health["log"]["refused_events"]) == ("away", 3, 0)
    assert server.request("GET", "/readyz")[0] == 200  # events are taken
    metrics = server.request("GET", "/metrics")[2].decode().splitlines()
    assert {"vibes_log_writable 1", "vibes_log_away 1", "vibes_log_pending_events 3",
            "vibes_log_refused_events_total 0"} <= set(metrics)  # fmt: skip
    server.back()
    server.wait(lambda: server.get_json("/api/health")["status"] == "ok")


def test_what_the_engine_never_took_is_counted(server):
    event = note(n=1)
    server.post("/api/events", event, 200)
    server.away()
    server.post("/api/events", {**event, "n": 2}, 202)
    server.back()
    server.wait(lambda: server.log["refused_events"] == 1)
    assert server.log["pending_events"] == 0


def test_sessions_start_and_end(server):
    server.away()

    async def session():
        async with TerminalClient(server) as client:
            await client.attach("s1", "echo here; exit 3")
            await client.wait("pty_exit", session_id="s1", exit_code=3)
            assert server.log["end"] == 0
            server.back()
            await client.wait("session_removed", session_id="s1", reason="session_finished")

    asyncio.run(session())
    server.wait(lambda: server.log["pending_events"] == 0)
    events = [e["event"] for e in server.get_json("/api/events?from=beginning")["events"]]
    own = [e["type"] for e in events if e.get("session_id") == "s1"]
    assert (own[0], own[-1], own.count("session_removed")) == ("session_created", "session_removed", 1)


def test_the_spool_is_brought_in(server):
    lines = "".join(json.dumps(note(n=n)) + "\n" for n in range(20))
    server.away()
    subprocess.run([program("vibesctl"), "--url", "http://127.0.0.1:1", "append", "-l"], input=lines, text=True,
                   env=server.environment, capture_output=True, check=True)  # fmt: skip
    server.wait(lambda: server.log["pending_events"] == 20)
    server.wait(lambda: not (server.root / "state" / "vibes" / "spool" / "events").exists())
    server.back()
    server.wait(lambda: len(server.ids()) == 20)
    assert server.ids() == [json.loads(line)["event_id"] for line in lines.splitlines()]


def test_without_an_outbox_appends_are_refused_for_now():
    with FarServer("--no-outbox") as server:
        server.away()
        event = note()
        headers, answer = server.post("/api/events", event, 503)
        assert headers["Retry-After"] == "1"
        assert answer["error"]["code"] == "engine_unreachable"
        (nack,) = asyncio.run(talk(server, [event], {}))
        assert (nack["type"], nack["code"]) == ("nack", "engine_unreachable")
        status, _, body = server.request("GET", "/readyz")
        assert (status, body) == (503, b"not ready: the engine cannot be reached\n")
        assert b"\nvibes_log_writable 0\n" in server.request("GET", "/metrics")[2]
        server.back()
        server.wait(lambda: server.request("POST", "/api/events", body=event)[0] == 200)
        assert server.ids() == [event["event_id"]]
