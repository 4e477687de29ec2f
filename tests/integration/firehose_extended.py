# SPDX-License-Identifier: MIT
"""The firehose with `from`: history, resume over restarts and kills, gaps, slow clients, until."""

import asyncio
import json
import socket
import sys
import unittest
from pathlib import Path

import websockets

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from firehose_client import append_many, connect, events_of, firehose, offsets  # noqa: E402
from vibes_server import VibesServer  # noqa: E402


class Extended(unittest.IsolatedAsyncioTestCase):
    async def test_history_then_live(self):
        with VibesServer("--durability", "os") as server:
            append_many(server, 3_000)
            for batch in ("0", "1"):
                async with firehose(server, from_="beginning", batch=batch) as client:
                    hello = await client.receive()
                    self.assertEqual((hello["type"], hello["first"]), ("hello", 0))
                    position = await client.until("position")
                    self.assertTrue(position["caught_up"], position)
                    end = append_many(server, 7)
                    await client.events(7)
                    events = [e for m in client.messages for e in events_of(m)]
                    self.assertEqual(offsets(events), list(range(end)))

    async def test_until_ends_with_a_normal_close(self):
        with VibesServer("--durability", "os") as server:
            append_many(server, 20)
            async with firehose(server, from_="-5", until="end") as client:
                self.assertEqual(await client.to_the_end(), 1000)
                self.assertEqual(client.messages[-1], {"type": "end"})
                self.assertEqual(offsets(e for m in client.messages for e in events_of(m)), list(range(15, 20)))

    async def test_the_heartbeat_moves_where_the_filter_matches_nothing(self):
        with VibesServer("--durability", "os") as server:
            async with firehose(server, from_="end", types="claude", heartbeat="1") as client:
                await client.until("position")
                end = append_many(server, 500)
                while (await client.until("position"))["offset"] < end:
                    pass

    async def test_a_cursor_resumes_over_a_restart_and_a_kill(self):
        with VibesServer() as server:
            append_many(server, 50)
            async with firehose(server, from_="beginning") as client:
                cursor = (await client.until("position"))["cursor"]
            for kill in (False, True):
                append_many(server, 10)
                server.kill() if kill else server.stop()
                server.start()
                append_many(server, 10)
                async with firehose(server, from_=cursor) as client:
                    before = int(cursor.split(".")[2])
                    cursor = (await client.until("position"))["cursor"]
                    events = [e for m in client.messages for e in events_of(m)]
                    self.assertEqual(offsets(events), list(range(before, before + 20)))

    async def test_killed_under_load_nothing_delivered_is_taken_back(self):
        with VibesServer() as server:
            delivered = {}
            acked = {}

            async def follow():
                async with firehose(server, from_="beginning", batch="1") as client:
                    while True:
                        for event in events_of(await client.receive()):
                            delivered[event["offset"]] = event["event"]["n"]

            async def produce():
                async with connect(server, "/ws/append", {"ids": "1"}) as producer:
                    for n in range(1_000_000):
                        await producer.send(json.dumps({"type": "note", "n": n}))
                        ack = json.loads(await producer.recv())
                        acked[ack["first_offset"]] = n
                        if n == 300:
                            server.kill()

            with self.assertRaises((websockets.ConnectionClosed, ConnectionError)):
                await asyncio.gather(follow(), produce())
            server.start()
            async with firehose(server, from_="beginning", until="end") as client:
                self.assertEqual(await client.to_the_end(), 1000)
                log = {e["offset"]: e["event"]["n"] for m in client.messages for e in events_of(m)}
            self.assertGreaterEqual(len(acked), 300)
            for offset, n in {**acked, **delivered}.items():
                self.assertEqual(log[offset], n)
            self.assertEqual(sorted(log), list(range(len(log))))
            self.assertEqual(sorted(log.values()), list(range(len(log))))

    async def test_another_logs_cursor_is_refused(self):
        with VibesServer("--durability", "os") as one, VibesServer("--durability", "os") as other:
            append_many(one, 5)
            append_many(other, 5)
            async with firehose(one, from_="beginning") as client:
                cursor = (await client.until("position"))["cursor"]
            await self.refused(other, 409, from_=cursor)
            await self.refused(one, 400, from_="yesterday")
            await self.refused(one, 400, from_="6")

    async def refused(self, server, status, **query):
        with self.assertRaises(websockets.InvalidStatusCode) as refusal:
            async with firehose(server, **query):
                pass
        self.assertEqual(refusal.exception.status_code, status)

    async def test_what_retention_took_is_a_gap(self):
        with VibesServer("--log", "memory:", "--retain-size", "1MiB") as server:
            append_many(server, 5)
            async with firehose(server, from_="beginning") as client:
                cursor = (await client.until("position"))["cursor"]
            end = append_many(server, 10_000, pad=300)
            async with firehose(server, from_=cursor) as client:
                gap = await client.until("gap")
                self.assertEqual((gap["from"], gap["reason"]), (5, "retention"))
                await client.until("position")
                events = [e for m in client.messages for e in events_of(m)]
                self.assertEqual(offsets(events), list(range(gap["to"] + 1, end)))

    async def test_a_client_that_stops_reading_gets_all_of_100_000_events_afterwards(self):
        with VibesServer("--durability", "os") as server:
            # websockets would read ahead: this one does not read the socket at all.
            slow = await websockets.connect(
                f"ws://127.0.0.1:{server.port}/ws/firehose?from=end&batch=1",
                extra_headers={"Authorization": f"Bearer {server.token}"},
                max_size=None,
                max_queue=1,
                ping_interval=None,
            )
            slow.transport.pause_reading()
            async with firehose(server, from_="end", batch="1") as fast:
                loop = asyncio.get_running_loop()
                appended = loop.run_in_executor(None, lambda: append_many(server, 100_000, pad=200))
                self.assertEqual(offsets(await fast.events(100_000)), list(range(100_000)))
                await appended
            slow.transport.resume_reading()
            events = []
            while len(events) < 100_000:
                events += events_of(json.loads(await asyncio.wait_for(slow.recv(), 30)))
            self.assertEqual(offsets(events), list(range(100_000)))
            await slow.close()

    async def test_a_stopping_server_says_going_away(self):
        with VibesServer("--durability", "os") as server:
            async with firehose(server, from_="end") as client:
                await client.until("position")
                loop = asyncio.get_running_loop()
                stopped = loop.run_in_executor(None, server.stop)
                self.assertEqual(await client.to_the_end(), 1001)
                self.assertEqual(await stopped, 0)

    def test_every_byte_is_a_whole_unmasked_text_frame(self):
        with VibesServer("--durability", "os") as server:
            for size in (0, 100, 300, 65_000, 66_000, 500_000):
                append_many(server, 3, pad=size, batch=1)
            with socket.create_connection(("127.0.0.1", server.port), timeout=30) as raw:
                raw.sendall(
                    f"GET /ws/firehose?from=0&until=end HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
                    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                    f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {server.token}\r\n\r\n".encode()
                )
                data = b""
                while piece := raw.recv(1 << 16):
                    data += piece
                    if data.endswith(b"until is reached"):
                        break
            _, _, data = data.partition(b"\r\n\r\n")
            types = []
            while data:
                first, length = data[0], data[1]
                size = {126: 4, 127: 10}.get(length, 2)
                if size > 2:
                    length = int.from_bytes(data[2:size], "big")
                    self.assertGreater(length, 125 if size == 4 else 65_535, "a longer header than needed")
                payload, data = data[size : size + length], data[size + length :]
                self.assertEqual(len(payload), length)
                if first == 0x88:
                    self.assertEqual(int.from_bytes(payload[:2], "big"), 1000)
                    break
                self.assertEqual(first, 0x81)
                types.append(json.loads(payload)["type"])
            self.assertEqual(data, b"")
            self.assertEqual(types.count("event"), 18)
            self.assertEqual((types[0], types[-1]), ("hello", "end"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
