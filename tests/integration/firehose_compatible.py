# SPDX-License-Identifier: MIT
"""The firehose as the Rust project's web UI uses it: set_filters on open, live events, fetch_older on scrolling."""

import asyncio
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from firehose_client import append_many, events_of, firehose, offsets  # noqa: E402
from vibes_server import VibesServer  # noqa: E402


class WebUi:
    """The state of useFirehose.ts: what a page replaces, what goes in front, what goes behind."""

    def __init__(self, client):
        self.client = client
        self.events = []
        self.oldest_event_id = None
        self.has_more = False
        self.loading_older = False

    async def set_filters(self, **filters):
        self.events, self.oldest_event_id, self.has_more, self.loading_older = [], None, False, False
        await self.client.send(type="set_filters", **filters)

    async def fetch_older(self):
        self.loading_older = True
        await self.client.send(type="fetch_older", before_event_id=self.oldest_event_id)

    async def take(self):
        message = await self.client.receive()
        if message["type"] == "events_batch":
            self.events = message["events"] + (self.events if self.loading_older else [])
            self.oldest_event_id, self.has_more = message["oldest_event_id"], message["has_more"]
            self.loading_older = False
        else:
            assert message["type"] == "event", message
            self.events.append(message)
        return message

    async def take_until(self, offset):
        while not self.events or self.events[-1]["offset"] < offset:
            await self.take()

    async def scroll_to_the_top(self):
        while self.has_more:
            await self.fetch_older()
            while self.loading_older:
                await self.take()


class Compatible(unittest.IsolatedAsyncioTestCase):
    async def test_nothing_historical_until_asked_and_live_at_once(self):
        with VibesServer("--durability", "os") as server:
            append_many(server, 10)
            async with firehose(server) as client:
                self.assertTrue(await client.silent())
                append_many(server, 3)
                self.assertEqual(offsets(await client.events(3)), [10, 11, 12])

    async def test_the_page_scrolls_and_filters_while_events_flow(self):
        with VibesServer("--durability", "os") as server:
            append_many(server, 350)
            async with firehose(server) as client:
                ui = WebUi(client)
                await ui.set_filters()
                appended = asyncio.get_running_loop().run_in_executor(None, self.append_slowly, server)
                await ui.take_until(350)
                await ui.scroll_to_the_top()
                end = await appended
                await ui.take_until(end - 1)
                self.assertEqual(offsets(ui.events), list(range(end)))

                await ui.set_filters(types=["hook"])
                while ui.oldest_event_id is None:
                    await ui.take()
                await ui.scroll_to_the_top()
                self.assertEqual({e["event"]["type"] for e in ui.events}, {"hook"})
                self.assertEqual(len(ui.events), 200)
                append_many(server, 1, "note")
                append_many(server, 1, "hook")
                await ui.take_until(end + 1)
                self.assertEqual(len(ui.events), 201)

    @staticmethod
    def append_slowly(server):
        end = 0
        for _ in range(40):
            append_many(server, 5, "hook")
            end = append_many(server, 5, "note")
        return end

    async def test_what_was_live_under_other_filters_is_in_the_new_page(self):
        with VibesServer("--durability", "os") as server:
            async with firehose(server) as client:
                ui = WebUi(client)
                await ui.set_filters()
                await ui.take()
                append_many(server, 4, "session_state_changed_by_hand")
                append_many(server, 3, "hook")
                await ui.take_until(6)
                await ui.set_filters(types=["hook"])
                await ui.take_until(6)
                self.assertEqual(offsets(ui.events), [4, 5, 6])

    async def test_filters_of_the_query(self):
        with VibesServer("--durability", "os") as server:
            async with firehose(server, types=" HOOK , note", session="b") as client:
                self.assertTrue(await client.silent(0.2))
                for type_ in ("hook", "note", "claude_like"):
                    for session in ("a", "b"):
                        append_many(server, 1, type_, session)
                self.assertEqual(offsets(await client.events(2)), [1, 3])
                self.assertTrue(await client.silent())

    async def test_pages_speak_of_matching_events(self):
        with VibesServer("--durability", "os") as server:
            append_many(server, 150, "hook")
            append_many(server, 5_000, "note")
            async with firehose(server) as client:
                await client.send(type="set_filters", types=["hook"], session=None)
                page = await client.until("events_batch")
                self.assertEqual(offsets(page["events"]), list(range(50, 150)))
                self.assertTrue(page["has_more"])
                await client.send(type="fetch_older", before_event_id=page["oldest_event_id"], limit=1000)
                page = await client.until("events_batch")
                self.assertEqual(offsets(page["events"]), list(range(50)))
                self.assertFalse(page["has_more"])

    async def test_errors_keep_the_connection(self):
        with VibesServer("--durability", "os") as server:
            append_many(server, 2)
            async with firehose(server) as client:
                await client.socket.send("nonsense")
                self.assertEqual((await client.until("error"))["code"], "bad_message")
                await client.send(type="fetch_older", before_event_id="00000000-0000-7000-8000-000000000000")
                self.assertEqual((await client.until("error"))["code"], "unknown_event")
                await client.send(type="fetch_older")
                self.assertEqual(offsets(events_of(await client.until("events_batch"))), [0, 1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
