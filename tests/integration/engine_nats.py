# SPDX-License-Identifier: MIT
"""vibes-server over a real nats-server: starts that fail, kills under load, and two servers over one stream."""

import asyncio
import contextlib
import json
import subprocess
import threading
import uuid

import pytest
from firehose_client import connect, firehose
from nats_credentials import Accounts
from nats_server import NatsServer, RawNats, wait
from vibes_server import VibesServer, program

EXIT_UNREACHABLE, EXIT_UNAUTHORIZED, EXIT_OTHER_SETTINGS, EXIT_CONFLICT = 3, 4, 9, 9
PATIENCE_S = 60  # used up by failing tests only


@pytest.fixture
def nats():
    with NatsServer() as running:
        yield running


def vibes(nats, *options, rest="/vibes", **more):
    return VibesServer("--log", nats.url(rest), *options, **more)


def refused(*options):
    """How a start ends that must fail: exit code and what was said."""
    server = VibesServer(*options, expect_start=False)
    with server:
        assert server.url is None
        return server.process.wait(PATIENCE_S), server.stderr


def events(server, query="from=beginning"):
    found, at = [], None
    while True:
        page = server.get_json(f"/api/events?{query if at is None else 'from=' + at}&limit=1000")
        if not page["events"]:
            return found
        found += page["events"]
        at = page["next_cursor"]


def note(**more):
    return {"type": "note", "event_id": str(uuid.uuid4()), **more}


def vibesctl(server, *arguments, **more):
    return subprocess.Popen([program("vibesctl"), *arguments], env=server.environment, text=True, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)  # fmt: skip


# --- Starts that fail


def test_an_engine_that_nobody_runs_is_named_with_the_reason():
    code, said = refused("--log", "nats://127.0.0.1:1/vibes", "--engine-wait", "300ms")
    assert code == EXIT_UNREACHABLE
    assert "127.0.0.1:1" in said and "No server" in said, said


def test_a_wrong_password_is_told_and_not_repeated():
    with NatsServer(user="me", password="right") as nats:
        code, said = refused("--log", nats.url(login="me:wr0ng@"))
        assert code == EXIT_UNAUTHORIZED
        assert f"127.0.0.1:{nats.port}" in said and "uthoriz" in said and "wr0ng" not in said, said
        with VibesServer("--log", nats.url(login="me:right@")) as server:
            server.append(note())
            assert "right" not in json.dumps(server.get_json("/api/health"))


def test_a_creds_file_lets_in_and_one_of_another_account_does_not(tmp_path):
    accounts, others = Accounts(tmp_path), Accounts(tmp_path)
    good, bad = accounts.user("good"), others.user("bad")
    with NatsServer(more=accounts.config) as nats:
        with VibesServer("--log", nats.url(f"/vibes?creds={good}")) as server:
            server.append(note(n=1))
            assert [event["event"]["n"] for event in events(server, "types=note&from=beginning")] == [1]
        code, said = refused("--log", nats.url(f"/vibes?creds={bad}"))
        assert code == EXIT_UNAUTHORIZED, said


@pytest.mark.parametrize(
    "settings, rest, difference",
    [
        ({"subjects": ["other.>"], "storage": "file"}, "/vibes", ["subjects other.>", "vibes.events.>"]),
        ({"subjects": ["vibes.events.>"], "storage": "memory"}, "/vibes", ["storage memory"]),
        ({"subjects": ["vibes.events.>"], "storage": "file"}, "/vibes?replicas=3", ["replicas 1", "3"]),
        ({"subjects": ["vibes.events.>"], "storage": "file", "max_age": 10**12}, "/vibes?max_age=30d", ["max_age 1000 s"]),
        ({"subjects": ["vibes.events.>"], "storage": "file", "retention": "workqueue"}, "/vibes", ["workqueue"]),
    ],
)
def test_a_stream_with_other_settings_is_refused_with_the_difference(nats, settings, rest, difference):
    with contextlib.closing(RawNats(nats.port)) as raw:
        raw.make_stream("vibes", **{"retention": "limits", "num_replicas": 1, **settings})
    code, said = refused("--log", nats.url(rest))
    assert code == EXIT_OTHER_SETTINGS
    assert all(word in said for word in difference), said


# --- What is in the stream


def test_foreign_messages_are_passed_and_counted(nats):
    with vibes(nats) as server, contextlib.closing(RawNats(nats.port)) as raw:
        for n in range(3):
            server.append(note(n=n))
            raw.publish("vibes.events.s", b"hello")
            raw.publish("vibes.events.s", b'{"type":"note"}')
        server.append(note(n=3))
        assert [e["event"]["n"] for e in events(server)] == [0, 1, 2, 3]
        assert [e["offset"] for e in events(server)] == [0, 1, 2, 3]
        assert server.get_json("/api/health")["log"]["foreign_messages"] == 6
        assert b"\nvibes_log_foreign_messages_total 6\n" in server.request("GET", "/metrics")[2]


def test_the_durability_asked_for_is_held_against_that_of_the_stream(nats):
    with vibes(nats) as server:
        assert server.get_json("/api/health")["log"]["durability"] == "os"
        assert server.request("POST", "/api/events?ack=os", body=note())[0] == 200
        for level in ("fsync", "replicated"):
            status, _, body = server.request("POST", f"/api/events?ack={level}", body=note())
            assert (status, json.loads(body)["error"]["code"]) == (412, "durability_unavailable")
    with vibes(nats, rest="/vibes?sync=always") as server:
        assert server.append(note())["durability"] == "fsync"
        assert server.request("POST", "/api/events?ack=fsync", body=note())[0] == 200


# --- Restarts and kills


def test_a_restart_goes_on_where_it_was(nats):
    with vibes(nats) as server:
        server.append(*(note(n=n) for n in range(50)))
        before = events(server)
        log_id = server.get_json("/api/health")["log"]["id"]
        server.restart()
        assert events(server) == before
        assert server.get_json("/api/health")["log"]["id"] == log_id
        assert server.append(note(n=50))["first_offset"] == 50


def test_kill_9_under_load_loses_and_doubles_nothing(nats):
    count = 20_000
    notes = [note(n=n) for n in range(count)]
    with vibes(nats) as server:
        appending = vibesctl(server, "append", "-l", "--receipts")
        receipts = []
        reading = threading.Thread(target=lambda: receipts.extend(map(json.loads, appending.stdout)))
        reading.start()

        def write():
            with contextlib.suppress(BrokenPipeError), appending.stdin:
                appending.stdin.writelines(json.dumps(n) + "\n" for n in notes)

        writing = threading.Thread(target=write)
        writing.start()
        for kills in range(1, 4):
            wait(lambda kills=kills: len(receipts) > kills * count / 10, PATIENCE_S)
            server.kill()
            server.listen = f"127.0.0.1:{server.port}"
            server.start()
        writing.join()
        reading.join()
        assert appending.wait(PATIENCE_S) == 0, appending.stderr.read()
        appending.stderr.close()
        acked = {r["event_id"] for r in receipts}
        wait(lambda: server.get_json("/api/health")["log"]["pending_events"] == 0, PATIENCE_S)
        wait(lambda: server.get_json("/api/health")["log"]["end"] >= count, PATIENCE_S)
        there = [e["event_id"] for e in events(server)]
        assert len(acked) == count
        assert len(there) == len(set(there))
        assert acked <= set(there)
        assert [e["event"]["n"] for e in events(server)] == list(range(count))


# --- Two servers over one stream


@pytest.fixture
def two(nats):
    with vibes(nats) as one, vibes(nats) as other:
        yield one, other


def test_two_hundred_clients_of_two_servers_see_one_order(two):
    clients, each = 100, 300

    async def append(server, name):
        """One by one, several under way: so that the two race for each place."""
        async with connect(server, "/ws/append", {}) as socket:
            for n in range(each):
                await socket.send(json.dumps(note(session_id=name, n=n)))
            answers = []
            while sum(a.get("count", 1) for a in answers) < each:
                answers.append(json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S)))
            assert all(a["type"] == "ack" and not a.get("pending") for a in answers)

    async def watch(stack, server):
        client = await stack.enter_async_context(firehose(server, from_="beginning"))
        return asyncio.ensure_future(client.events(2 * each))

    async def play():
        async with contextlib.AsyncExitStack() as stack:
            watching = [await watch(stack, server) for server in two for _ in range(clients)]
            await asyncio.gather(append(two[0], "a"), append(two[1], "b"))
            return await asyncio.gather(*watching)

    seen = asyncio.run(play())
    orders = {tuple((e["offset"], e["event_id"]) for e in events) for events in seen}
    assert (len(seen), len(orders)) == (2 * clients, 1)
    assert [offset for offset, _ in orders.pop()] == list(range(2 * each))
    for name in "ab":
        assert [e["event"]["n"] for e in seen[0] if e["event"]["session_id"] == name] == list(range(each))


def test_a_cursor_of_one_server_resumes_on_the_other(two):
    one, other = two
    one.append(*(note(n=n) for n in range(20)))
    wait(lambda: other.get_json("/api/health")["log"]["end"] == 20)
    cursor = one.get_json("/api/events?from=beginning&limit=7")["next_cursor"]
    assert [e["event"]["n"] for e in events(other, f"from={cursor}")] == list(range(7, 20))


def test_a_group_is_with_one_server_at_a_time(two):
    one, other = two
    one.append(*(note(n=n) for n in range(5)))
    wait(lambda: other.get_json("/api/health")["log"]["end"] == 5)

    async def play():
        async with firehose(one, group="g", from_="beginning") as member:
            got = await member.events(5)
            await member.send(type="commit", offset=3)
            assert (await member.until("committed"))["offset"] == 3
            async with firehose(other, group="g", from_="beginning") as refused:
                assert await refused.to_the_end() == 4409
                (error,) = [m for m in refused.messages if m["type"] == "error"]
                assert error["code"] == "group_busy"
                assert str(one.root) in error["message"], error  # the holder, by its directory
        return [e["offset"] for e in got]

    assert asyncio.run(play()) == [0, 1, 2, 3, 4]
    assert one.request("DELETE", "/api/consumers/g")[0] in (200, 204)


def test_tail_group_is_refused_beside_another_server_and_goes_on_after_it(two):
    one, other = two
    tail = ("tail", "--group", "g", "--from", "beginning", "-F", "{event.n}")
    one.append(*(note(n=n) for n in range(3)))
    wait(lambda: other.get_json("/api/health")["log"]["end"] == 3)
    first = second = vibesctl(one, *tail)
    try:
        assert [first.stdout.readline() for _ in range(3)] == ["0\n", "1\n", "2\n"]
        wait(lambda: one.get_json("/api/consumers/g")["committed"] == 3)
        _, said = (refused := vibesctl(other, *tail)).communicate(timeout=PATIENCE_S)
        assert refused.returncode == EXIT_CONFLICT
        assert "g is with" in said and str(one.root) in said, said
        assert one.stop() == 0
        other.append(note(n=3))
        second = vibesctl(other, *tail)
        assert second.stdout.readline() == "3\n"
    finally:
        for process in (first, second):
            process.kill()
            process.communicate()


def test_a_killed_server_has_its_groups_back_at_once(two):
    one, _ = two
    one.append(*(note(n=n) for n in range(5)))

    async def read(start):
        async with firehose(one, group="g", from_="beginning") as member:
            got = await member.events(5 - start)
            await member.send(type="commit", offset=2)
            await member.until("committed")
            return [e["offset"] for e in got]

    assert asyncio.run(read(0)) == [0, 1, 2, 3, 4]
    one.restart(9)
    assert asyncio.run(read(2)) == [2, 3, 4]


def test_both_servers_assess_and_each_result_is_there_once(nats):
    texts = ["I keep getting an error, it failed again", "And now?", "perfect, thanks", "that is wrong"] * 5
    with vibes(nats, "--assessment", "on") as one, vibes(nats, "--assessment", "on") as other:
        for n, text in enumerate(texts):
            line = {"type": "user_input", "event_id": str(uuid.uuid4()), "session_id": "s", "content": text}
            (one, other)[n % 2].append(line)

        def results():
            return [e["event"] for e in events(one) if e["event"]["type"] == "assessment"]

        def light():
            return [r["triggering_event_id"] for r in results() if r["tier"] == "lightweight"]

        wait(lambda: len(light()) >= len(texts), PATIENCE_S)
        # The one that has the group is stopped; the other goes on, from where that was.
        holder = next(s for s in (one, other) if s.get_json("/api/consumers/assessment")["state"] == "running")
        left = other if holder is one else one
        holder.stop()
        left.append({"type": "user_input", "event_id": str(uuid.uuid4()), "session_id": "s", "content": "it failed"})
        one = left
        wait(lambda: len(light()) > len(texts), PATIENCE_S)
        inputs = [e["event_id"] for e in events(left) if e["event"]["type"] == "user_input"]
        assert light() == inputs
        ids = [e["event_id"] for e in events(left)]
        assert len(ids) == len(set(ids))
