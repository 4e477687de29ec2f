# SPDX-License-Identifier: MIT
"""Producers on /ws/append: answers in order, batches, idempotency, minimum durability, the server's stop."""

import asyncio
import json
import sys
import unittest
from pathlib import Path

import websockets

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from firehose_client import connect, events_of, firehose  # noqa: E402
from vibes_server import VibesServer  # noqa: E402


def producer(server, **query):
    return connect(server, "/ws/append", query)


async def answer(socket):
    return json.loads(await asyncio.wait_for(socket.recv(), 30))


class Append(unittest.IsolatedAsyncioTestCase):
    async def test_the_ack_says_what_was_achieved(self):
        for options, durability in ((["--durability", "os"], "os"), ([], "fsync"), (["--log", "memory:"], "memory")):
            with VibesServer(*options) as server:
                async with producer(server, ids="1") as socket:
                    await socket.send('{"type":"note"}')
                    ack = await answer(socket)
                    self.assertEqual((ack["type"], ack["count"], ack["durability"]), ("ack", 1, durability))
                    self.assertEqual(len(ack["event_ids"]), 1)

    async def test_answers_come_in_order_and_sum_up(self):
        with VibesServer("--durability", "os") as server:
            async with producer(server) as socket:
                for n in range(1_000):
                    await socket.send(json.dumps({"type": "note", "n": n}) if n % 100 else "not json")
                acked, nacks = 0, []
                while acked + len(nacks) < 1_000:
                    message = await answer(socket)
                    if message["type"] == "ack":
                        acked += message["count"]
                    else:
                        self.assertEqual((message["code"], message["reason"]), ("invalid_event", "not_json"))
                        nacks.append(acked + len(nacks))
                self.assertEqual(nacks, list(range(0, 1_000, 100)))

    async def test_a_message_of_lines_is_all_or_nothing(self):
        with VibesServer("--durability", "os") as server:
            async with producer(server) as socket:
                await socket.send('{"type":"a"}\n{"type":"b"}\n')
                self.assertEqual((await answer(socket))["count"], 2)
                await socket.send('{"type":"a"}\n{"no":"type"}\n{"type":"c"}')
                nack = await answer(socket)
                self.assertEqual((nack["type"], nack["line"]), ("nack", 2))
                await socket.send('{"type":"d"}')
                self.assertEqual((await answer(socket))["first_offset"], 2)

    async def test_the_same_event_again_is_a_duplicate_also_after_a_kill(self):
        event = '{"type":"note","event_id":"0190a1b2-0000-7000-8000-00000000000a","n":%d}'
        with VibesServer() as server:
            for duplicates in (0, 1):
                async with producer(server) as socket:
                    await socket.send(event % 1)
                    ack = await answer(socket)
                    self.assertEqual((ack["first_offset"], ack["duplicates"]), (0, duplicates))
                server.restart(9)
            async with producer(server) as socket:
                await socket.send(event % 2)
                self.assertEqual((await answer(socket))["code"], "event_id_conflict")

    async def test_a_minimum_that_cannot_be_met(self):
        with VibesServer("--durability", "os") as server:
            async with producer(server, ack="fsync") as socket:
                await socket.send('{"type":"note"}')
                self.assertEqual((await answer(socket))["code"], "durability_unavailable")
            self.assertEqual(server.get_json("/api/health")["log"]["end"], 0)
            with self.assertRaises(websockets.InvalidStatusCode):
                await producer(server, ack="certainly")

    async def test_what_is_taken_is_acknowledged_before_the_server_goes_away(self):
        with VibesServer() as server:
            async with producer(server) as socket:
                for n in range(5_000):
                    await socket.send(json.dumps({"type": "note", "n": n}))
                stopped = asyncio.get_running_loop().run_in_executor(None, server.stop)
                acked = 0
                with self.assertRaises(websockets.ConnectionClosed):
                    while True:
                        acked += (await answer(socket))["count"]
                self.assertEqual(socket.close_code, 1001)
                self.assertEqual(await stopped, 0)
            server.start()
            async with firehose(server, from_="0", until="end") as client:
                await client.to_the_end()
                events = [e["event"]["n"] for m in client.messages for e in events_of(m)]
                self.assertEqual(events, list(range(acked)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
