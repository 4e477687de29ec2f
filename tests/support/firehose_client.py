# SPDX-License-Identifier: MIT
"""A firehose client on python3-websockets, which takes nothing but what RFC 6455 allows.

    async with firehose(server, **{"from": "beginning"}) as client:
        events = await client.events(10)
"""

import asyncio
import contextlib
import json
import logging
import urllib.parse

import websockets

WITHIN_S = 30

# unittest turns asyncio's debugging on, which reports every callback of a busy machine.
logging.getLogger("asyncio").setLevel(logging.ERROR)


def address(server, path, query):
    query = {key.rstrip("_"): value for key, value in query.items()}
    suffix = f"?{urllib.parse.urlencode(query)}" if query else ""
    return f"ws://127.0.0.1:{server.port}{path}{suffix}"


def connect(server, path, query, **options):
    return websockets.connect(
        address(server, path, query),
        extra_headers={"Authorization": f"Bearer {server.token}"},
        max_size=None,
        open_timeout=WITHIN_S,
        **options,
    )


class Client:
    """What one connection was sent, in order."""

    def __init__(self, socket):
        self.socket = socket
        self.messages = []

    async def send(self, **message):
        await self.socket.send(json.dumps(message))

    async def receive(self):
        message = json.loads(await asyncio.wait_for(self.socket.recv(), WITHIN_S))
        self.messages.append(message)
        return message

    async def until(self, type_):
        """Receives up to and including the first message of this type."""
        while True:
            message = await self.receive()
            if message["type"] == type_:
                return message

    async def events(self, count):
        """Receives until `count` more events came, single or in batches."""
        events = []
        while len(events) < count:
            events += events_of(await self.receive())
        return events

    async def to_the_end(self):
        """Receives until the server closes; returns the close code."""
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await self.receive()
        return self.socket.close_code

    async def silent(self, seconds=0.3):
        """Whether nothing comes for a while."""
        try:
            self.messages.append(json.loads(await asyncio.wait_for(self.socket.recv(), seconds)))
            return False
        except asyncio.TimeoutError:
            return True


def events_of(message):
    if message["type"] == "event":
        return [message]
    return message.get("events", [])


def offsets(events):
    return [event["offset"] for event in events]


@contextlib.asynccontextmanager
async def firehose(server, **query):
    async with connect(server, "/ws/firehose", query) as socket:
        yield Client(socket)


def append_many(server, count, type_="note", session="s", pad=0, batch=2000):
    """Appends `count` events {"type","session_id","n"}; returns the offset after the last."""
    last = -1
    # A known type has fields of its own.
    fields = {"hook": {"event": {"type": "stop"}}}.get(type_, {})
    for start in range(0, count, batch):
        events = [
            {"type": type_, "session_id": session, "n": n, "pad": "x" * pad, **fields}
            for n in range(start, min(count, start + batch))
        ]
        last = server.append(*events)["last_offset"]
    return last + 1
