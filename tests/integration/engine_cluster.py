# SPDX-License-Identifier: MIT
"""Two vibes-servers over a JetStream cluster of three, whose nodes are killed one after the other under load."""

import asyncio
import contextlib
import dataclasses
import json
import uuid

import pytest
from firehose_client import connect, events_of, firehose
from nats_server import NatsCluster, wait
from vibes_server import VibesServer

PATIENCE_S = 60  # used up by failing tests only
WHOLE_TEST_S = 200  # likewise
PRODUCERS = "a1", "a2", "b1", "b2"  # of the first server and of the other
PER_ROUND, BEFORE_THE_KILL, WHILE_ONE_STARTS = 300, 100, 100  # events of one producer
TOTAL = len(PRODUCERS) * (PER_ROUND + WHILE_ONE_STARTS) * NatsCluster.NODES
UNDER_WAY = 8  # messages of one producer
BEFORE_A_RECONNECT = 500  # events


@pytest.fixture
def cluster():
    with NatsCluster() as running:
        yield running


@pytest.fixture
def two(cluster):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(VibesServer("--log", cluster.url(), "--engine-wait", "60s")) for _ in range(2)]


class Producer:
    """Appends numbered events in order, over one connection, and keeps what it was told."""

    def __init__(self, name, socket):
        self.name, self.socket = name, socket
        self.sent = []  # event_id
        self.acks = []
        self.acked = []  # event_id

    async def append(self, count):
        goal = len(self.sent) + count
        while len(self.acked) < goal:
            while len(self.sent) < min(goal, len(self.acked) + UNDER_WAY):
                event_id = str(uuid.uuid4())
                event = {"type": "note", "event_id": event_id, "session_id": self.name, "n": len(self.sent)}
                await self.socket.send(json.dumps(event))
                self.sent.append(event_id)
            ack = json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE_S))
            assert ack["type"] == "ack", ack
            self.acks.append(ack)
            self.acked += ack["event_ids"]


@dataclasses.dataclass
class Watcher:
    """Reads the whole log, where it connects again at one server after the other, with its cursor."""

    homes: list
    log: list = dataclasses.field(default_factory=list)  # event_id by offset
    cursor: str = "beginning"
    resume_at: int = 0  # the offset of the cursor
    connections: int = 0

    async def watch(self):
        while len(self.log) < TOTAL:
            home = self.homes[self.connections % len(self.homes)]
            # Until it has come as far a server answers 503.
            await until(lambda home=home: log_of(home)["end"] >= self.resume_at)
            async with firehose(home, from_=self.cursor, batch=1) as client:
                self.connections += 1
                await self._read(client)

    async def _read(self, client):
        """Until the log is complete; where there is a next home a while, to the first event after a new cursor."""
        start = next_ = place(await client.until("hello"))
        while len(self.log) < TOTAL and not self._is_to_go_on(start, next_):
            message = await client.receive()
            assert message["type"] in ("events", "position"), message
            for event in events_of(message):
                assert event["offset"] == next_, "neither gaps nor repetitions"
                self._take(event)
                next_ += 1
            if message["type"] == "position":
                assert message["offset"] == next_
                self.cursor, self.resume_at = message["cursor"], next_

    def _is_to_go_on(self, start, next_):
        return len(self.homes) > 1 and start + BEFORE_A_RECONNECT <= self.resume_at < next_

    def _take(self, event):
        """After a cursor some come again: the same."""
        if event["offset"] == len(self.log):
            self.log.append(event["event_id"])
        assert self.log[event["offset"] : event["offset"] + 1] == [event["event_id"]]


def place(hello):
    """The offset in its cursor."""
    return int(hello["cursor"].split(".")[2])


def watchers(two):
    """Ten that begin at each: some stay, some come back to it, some change to the other and back."""
    for one, other in (two, two[::-1]):
        for homes in [[one]] * 5 + [[one, one]] * 3 + [[one, other]] * 2:
            yield Watcher(homes)


def log_of(server):
    return server.get_json("/api/health")["log"]


async def until(condition):
    """Beside what else is under way."""
    await asyncio.to_thread(wait, condition, PATIENCE_S)


async def append_all(producers, count):
    await asyncio.gather(*(producer.append(count) for producer in producers))


async def kill_and_bring_back(cluster, node, two, producers):
    """A node is lost amid appends, and comes back amid others. Returns once the cluster is whole."""
    await append_all(producers, BEFORE_THE_KILL)
    appending = asyncio.ensure_future(append_all(producers, PER_ROUND - BEFORE_THE_KILL))
    cluster.nodes[node].kill()
    await appending
    # Without it everything comes: two of three are a majority.
    count = sum(len(producer.acked) for producer in producers)
    await until(lambda: all(log_of(server)["end"] >= count for server in two))
    appending = asyncio.ensure_future(append_all(producers, WHILE_ONE_STARTS))
    cluster.nodes[node].start_again()
    await appending
    await asyncio.to_thread(cluster.wait_until_whole)


async def play(cluster, two):
    seeing = list(watchers(two))
    watching = asyncio.gather(*(watcher.watch() for watcher in seeing))
    async with contextlib.AsyncExitStack() as stack:
        producers = []
        for name in PRODUCERS:
            server = two[PRODUCERS.index(name) // 2]
            producers.append(Producer(name, await stack.enter_async_context(connect(server, "/ws/append", {"ids": "1"}))))
        for node in range(cluster.NODES):
            await kill_and_bring_back(cluster, node, two, producers)
        await watching
    await until(lambda: all(log_of(server)["pending_events"] == 0 for server in two))
    return producers, seeing


def events(server):
    found, at = [], "beginning"
    while True:
        page = server.get_json(f"/api/events?from={at}&limit=1000")
        if not page["events"]:
            return found
        found += page["events"]
        at = page["next_cursor"]


def check_acks(producer, log):
    """What it was told is so: the order, how safe it is, and where it is."""
    assert producer.acked == producer.sent
    for ack in producer.acks:
        ids = ack["event_ids"]
        assert (ack["count"], ack["duplicates"]) == (len(ids), 0)
        if ack.get("pending"):
            assert "first_offset" not in ack
        else:
            assert ack["durability"] == "replicated", ack
            assert (log[ack["first_offset"]], log[ack["last_offset"]]) == (ids[0], ids[-1])


def test_a_cluster_that_loses_one_node_after_the_other_loses_nothing(cluster, two):
    async def bounded():
        return await asyncio.wait_for(play(cluster, two), WHOLE_TEST_S)

    producers, seeing = asyncio.run(bounded())
    first, second = map(events, two)
    assert first == second
    log = [event["event_id"] for event in first]
    acked = [event_id for producer in producers for event_id in producer.acked]
    assert (len(acked), len(set(acked))) == (TOTAL, TOTAL)
    assert sorted(log) == sorted(acked)  # each once, and nothing else
    assert [event["offset"] for event in first] == list(range(TOTAL))
    for producer in producers:
        assert [e["event_id"] for e in first if e["event"]["session_id"] == producer.name] == producer.sent
        check_acks(producer, log)
    assert any(not ack.get("pending") for producer in producers for ack in producer.acks)
    assert len(seeing) == 20
    for watcher in seeing:
        assert watcher.log == log
        assert watcher.connections == 1 or len(watcher.homes) > 1
    # Who always has more to read is given no place to come back to; some catch up.
    assert any(watcher.connections > 1 for watcher in seeing)
    assert all(log_of(server)["refused_events"] == 0 for server in two)
