# SPDX-License-Identifier: MIT
"""Kills the server (SIGKILL) again and again under append load and proves that nothing acknowledged is lost, doubled or reordered.

Producers pipeline events with ids of their own over /ws/append; some send again what the kill left in doubt, some do not. An
observer follows the firehose over all restarts. At the end the log is read four times, offline right after the last kill, by a
client before and after a clean restart, and offline after a clean stop, and compared with what everybody was told. As a test
20 cycles, 8 under a sanitizer; by hand: kill9_cycles.py --cycles 200 [--seed N]
"""

import argparse
import asyncio
import collections
import hashlib
import json
import os
import random
import subprocess
import sys
import time
import uuid
from pathlib import Path

import websockets

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from terminal_client import connect  # noqa: E402
from vibes_server import VibesServer, program  # noqa: E402

WINDOW = 64  # messages in flight per producer
SIZES = (0, 1, 300, 511, 512, 513, 4095, 4096, 4097)


def digest(payload):
    return hashlib.sha256(payload.encode()).digest()


class Event:
    """One event as its producer knows it."""

    __slots__ = ("id", "n", "payload", "sha", "batch", "invoked", "acked", "places", "failed")

    def __init__(self, producer, n, data, batch):
        self.id = str(uuid.UUID(int=producer.random.getrandbits(128), version=4))
        self.n = n
        self.batch = batch  # the number of its message: the events of one are appended together
        self.payload = json.dumps(
            {"type": "load", "event_id": self.id, "session_id": producer.name, "n": n, "data": data}, separators=(",", ":")
        )
        self.sha = digest(self.payload)
        self.invoked = None
        self.acked = None
        self.places = []  # what acks said: (lowest, highest) possible offset
        self.failed = False


class Producer:
    """Appends over one connection at a time. `retries`: sends again, first of all, what has had no answer."""

    def __init__(self, name, retries, seed):
        self.name = name
        self.retries = retries
        self.random = random.Random(f"{seed}.{name}")
        self.events = []
        self.messages = 0
        self.unanswered = collections.deque()

    def next_message(self):
        count = self.random.choice((1, 1, 1, 3))
        batch = []
        self.messages += 1
        for _ in range(count):
            size = 65536 if self.random.random() < 0.002 else self.random.choice(SIZES)
            data = self.random.randbytes(size // 2).hex()
            batch.append(Event(self, len(self.events) + len(batch), data, self.messages))
        self.events += batch
        return batch

    async def run(self, server):
        again = list(self.unanswered) if self.retries else []
        self.unanswered.clear()
        try:
            async with connect(server, "/ws/append?ids=1") as socket:
                room = asyncio.Semaphore(WINDOW)
                tasks = [asyncio.create_task(work) for work in (self.send(socket, room, again), self.receive(socket, room))]
                try:
                    await asyncio.gather(*tasks)
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
        except (websockets.WebSocketException, OSError, asyncio.TimeoutError):  # also killed during the handshake
            # What was to be sent again and was not is still in doubt, behind what was.
            asked = {id(message) for message in self.unanswered}
            self.unanswered.extend(m for m in again if id(m) not in asked and m[0].acked is None)

    async def send(self, socket, room, again):
        for message in again:
            await self.send_one(socket, room, message)
        while True:
            await self.send_one(socket, room, self.next_message())

    async def send_one(self, socket, room, message):
        await room.acquire()
        now = time.monotonic_ns()
        for event in message:
            event.invoked = event.invoked or now
        self.unanswered.append(message)
        await socket.send("\n".join(event.payload for event in message))

    async def receive(self, socket, room):
        while True:
            answer = json.loads(await socket.recv())
            now = time.monotonic_ns()
            if answer["type"] != "ack":
                for event in self.unanswered.popleft():
                    event.failed = True
                room.release()
                continue
            self.take_ack(answer, now, room)

    def take_ack(self, answer, now, room):
        first, last, count = answer["first_offset"], answer["last_offset"], answer["count"]
        exact = answer["duplicates"] == 0 and last - first + 1 == count
        ids = iter(answer["event_ids"])
        done = 0
        while done < count:
            for event in self.unanswered.popleft():
                if next(ids) != event.id:
                    raise AssertionError(f"{self.name}: an ack for another event than {event.id}")
                event.acked = event.acked or now
                event.places.append((first + done, first + done) if exact else (first, last))
                done += 1
            room.release()


class Observer:
    """Follows the firehose over all restarts, always from the next offset it has not seen."""

    def __init__(self):
        self.seen = []  # (event_id, sha); the index is the offset
        self.problems = []

    async def run(self, server):
        try:
            async with connect(server, f"/ws/firehose?from={len(self.seen)}") as socket:
                while True:
                    text = await socket.recv()
                    message = json.loads(text)
                    if message["type"] == "event":
                        if message["offset"] != len(self.seen):
                            self.problems.append(f"expected offset {len(self.seen)}, got {message['offset']}")
                            return
                        self.seen.append((message["event_id"], digest(raw_event(text))))
                    elif message["type"] in ("gap", "error"):
                        self.problems.append(text)
                        return
        except (websockets.WebSocketException, OSError, asyncio.TimeoutError):  # also killed during the handshake
            pass


def raw_event(envelope):
    """The event's own bytes in an envelope, which holds it last."""
    return envelope[envelope.index('"event":') + 8 : -1]


def read_log(server):
    """The whole log: (event_id, sha) by offset."""
    log = []
    while True:
        path = f"/api/events?from={len(log)}&limit=1000"
        status, _, body = server.request("GET", path, headers={"Accept": "application/x-ndjson"}, timeout=60)
        if status != 200:
            raise AssertionError(f"GET {path}: {status} {body!r}")
        lines = body.decode().splitlines()
        if not lines:
            return log
        take_envelopes(lines, log)


def take_envelopes(lines, log):
    for line in lines:
        record = json.loads(line)
        if record["offset"] != len(log):
            raise AssertionError(f"offset {record['offset']} where {len(log)} was due")
        log.append((record["event_id"], digest(raw_event(line))))


def read_offline(server):
    """The same from the directory, with no server running."""
    done = subprocess.run(
        [program("vibesctl"), "log", "export", str(server.log_dir)],
        env=server.environment, capture_output=True, text=True, timeout=120, check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"log export: {done.returncode} {done.stderr}")
    log = []
    take_envelopes(done.stdout.splitlines(), log)
    return log


class Checker:
    """What the producers and the observer were told against what the log holds."""

    def __init__(self, producers, observer, log):
        self.producers = producers
        self.observer = observer
        self.log = log
        self.at = {}
        self.found = collections.Counter()
        self.examples = []

    def violation(self, kind, text):
        self.found[kind] += 1
        if len(self.examples) < 20:
            self.examples.append(f"{kind}: {text}")

    def run(self):
        known = {event.id: event for producer in self.producers for event in producer.events}
        for offset, (event_id, sha) in enumerate(self.log):
            if event_id not in known:
                self.violation("phantom", f"{event_id} at {offset}")
            elif event_id in self.at:
                self.violation("duplicate", f"{event_id} at {self.at[event_id]} and {offset}")
            elif known[event_id].sha != sha:
                self.violation("altered", f"{event_id} at {offset}")
            self.at.setdefault(event_id, offset)
        for producer in self.producers:
            self.check_events(producer)
            self.check_order(producer)
            self.check_batches(producer)
        self.check_real_time(known.values())
        self.check_observer()
        return self

    def check_events(self, producer):
        for event in producer.events:
            offset = self.at.get(event.id)
            if event.acked and offset is None:
                self.violation("lost", f"{producer.name}#{event.n}, acknowledged at {event.places}")
            if event.failed and offset is not None:
                self.violation("aborted", f"{producer.name}#{event.n} was refused and is at {offset}")
            for low, high in event.places:
                if offset is not None and not low <= offset <= high:
                    self.violation("moved", f"{producer.name}#{event.n} is at {offset}, the ack said {low} to {high}")

    def check_order(self, producer):
        last = -1
        for event in producer.events:
            offset = self.at.get(event.id, None)
            if offset is None:
                continue
            if offset < last:
                self.violation("reordered", f"{producer.name}#{event.n} at {offset} after {last}")
            last = offset

    def check_batches(self, producer):
        batches = collections.defaultdict(list)
        for event in producer.events:
            batches[event.batch].append(self.at.get(event.id))
        for number, places in batches.items():
            if None in places and any(place is not None for place in places):
                self.violation("split", f"{producer.name} message {number}: {places}")
            elif None not in places and places != list(range(places[0], places[0] + len(places))):
                self.violation("split", f"{producer.name} message {number}: {places}")

    def check_real_time(self, events):
        steps = []
        for event in events:
            if event.id in self.at:
                steps.append((event.invoked, 1, event))
                if event.acked:
                    steps.append((event.acked, 0, event))
        highest = -1
        for _, kind, event in sorted(steps, key=lambda step: step[:2]):
            if kind == 0:
                highest = max(highest, self.at[event.id])
            elif self.at[event.id] < highest:
                self.violation("overtaken", f"{event.id} at {self.at[event.id]} after an ack of {highest}")

    def check_observer(self):
        for problem in self.observer.problems:
            self.violation("stream", problem)
        for offset, seen in enumerate(self.observer.seen):
            if offset >= len(self.log) or self.log[offset] != seen:
                self.violation("unhappened", f"offset {offset} was delivered as {seen[0]}")


async def cycle(server, producers, observer, seconds):
    tasks = [asyncio.create_task(who.run(server)) for who in (*producers, observer)]
    await asyncio.sleep(seconds)
    server.kill()
    await asyncio.gather(*tasks)


async def torture(options):
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    chance = random.Random(seed)
    producers = [Producer(f"p{i}", i % 2 == 0, seed) for i in range(options.producers)]
    observer = Observer()
    restarts_ms = []
    began = time.monotonic()
    server = VibesServer(*options.server)
    try:
        for _ in range(options.cycles):
            start = time.monotonic()
            server.start()
            restarts_ms.append((time.monotonic() - start) * 1000)
            await cycle(server, producers, observer, chance.uniform(0.03, 0.5))
        killed = read_offline(server)
        server.start()
        log = read_log(server)
        server.restart()
        images = {"after one more clean restart": read_log(server)}
        server.stop()
        images["offline, after the last kill"] = killed
        images["offline, after a clean stop"] = read_offline(server)
    except BaseException:
        print(f"kept: {server.root}  seed {seed}\n{server.stderr[-4000:]}", file=sys.stderr)
        raise
    checker = Checker(producers, observer, log).run()
    for name, image in images.items():
        if image != log:
            same = next((i for i, pair in enumerate(zip(log, image)) if pair[0] != pair[1]), min(len(log), len(image)))
            checker.violation("unstable", f"{len(log)} events, {name} {len(image)}, alike up to offset {same}")
    events = [event for producer in producers for event in producer.events if event.invoked]
    acked = sum(event.acked is not None for event in events)
    report = {
        "valid": not checker.found,
        "seed": seed,
        "cycles": options.cycles,
        "seconds": round(time.monotonic() - began, 1),
        "attempted": len(events),
        "acked": acked,
        "refused": sum(event.failed for event in events),
        "in doubt": len(events) - acked,
        "of these in the log": sum(event.acked is None and event.id in checker.at for event in events),
        "in the log": len(log),
        "seen live": len(observer.seen),
        "lost": checker.found["lost"],
        "duplicate": checker.found["duplicate"],
        "reordered": checker.found["reordered"] + checker.found["overtaken"],
        "other violations": sum(checker.found.values())
        - sum(checker.found[kind] for kind in ("lost", "duplicate", "reordered", "overtaken")),
        "max restart ms": round(max(restarts_ms)),
    }
    for name, value in report.items():
        print(f"{name:20} {value}")
    for example in checker.examples:
        print(example)
    if checker.found:
        print(f"kept: {server.root}")
    else:
        server.__exit__()
    return report


def options_from(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=8 if os.environ.get("VIBES_SANITIZE") else 20)
    parser.add_argument("--producers", type=int, default=4)
    parser.add_argument("--seed", type=int)
    parser.add_argument("server", nargs="*", help="options for vibes-server, after --")
    return parser.parse_args(arguments)


def test_nothing_acknowledged_is_lost_doubled_or_reordered():
    report = asyncio.run(torture(options_from([])))
    assert report["valid"], report
    assert report["acked"] > 0


def test_the_checker_notices():
    """Each hand-made history breaks one rule."""

    def history():
        producer = Producer("p", True, 1)
        events = [event for _ in range(6) for event in producer.next_message()]
        for number, event in enumerate(events):
            event.invoked = 10 * number + 1
            event.acked = 10 * number + 5
            event.places = [(number, number)]
        observer = Observer()
        log = [(event.id, event.sha) for event in events]
        observer.seen = log[:]
        return producer, observer, log

    def found(change):
        producer, observer, log = history()
        change(producer.events, observer, log)
        return set(Checker([producer], observer, log).run().found)

    def swap(events, observer, log):
        log[0], log[1] = log[1], log[0]

    assert found(lambda *_: None) == set()
    assert "lost" in found(lambda events, observer, log: log.pop())
    assert "unhappened" in found(lambda events, observer, log: log.pop())
    assert "duplicate" in found(lambda events, observer, log: log.append(log[0]))
    assert "phantom" in found(lambda events, observer, log: log.append(("x", b"")))
    assert "altered" in found(lambda events, observer, log: log.__setitem__(2, (log[2][0], b"")))
    assert {"reordered", "overtaken", "moved"} <= found(swap)
    assert "aborted" in found(lambda events, observer, log: setattr(events[0], "failed", True))
    assert "stream" in found(lambda events, observer, log: observer.problems.append("gap"))

    def tear(events, observer, log):
        first = next(i for i, event in enumerate(events) if i + 1 < len(events) and events[i + 1].batch == event.batch)
        del log[first]
        events[first].acked = None

    assert "split" in found(tear)


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(torture(options_from(sys.argv[1:])))["valid"] else 1)
