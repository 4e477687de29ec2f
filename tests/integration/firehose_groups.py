# SPDX-License-Identifier: MIT
"""Members of consumer groups: commit, reject, one at a time, over restarts and kills."""

import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from firehose_client import append_many, events_of, firehose, offsets  # noqa: E402
from vibes_server import VibesServer  # noqa: E402


async def committed(client, offset):
    await client.send(type="commit", offset=offset)
    return (await client.until("committed"))["offset"]


class Groups(unittest.IsolatedAsyncioTestCase):
    async def test_a_group_resumes_from_its_commit_over_a_kill(self):
        with VibesServer() as server:
            append_many(server, 20)
            async with firehose(server, group="g", from_="beginning") as member:
                await member.until("position")
                self.assertEqual(offsets(e for m in member.messages for e in events_of(m)), list(range(20)))
                self.assertEqual(await committed(member, 12), 12)
            server.restart(9)
            async with firehose(server, group="g", from_="beginning") as member:
                await member.until("position")
                self.assertEqual(offsets(e for m in member.messages for e in events_of(m)), list(range(12, 20)))

    async def test_one_member_at_a_time(self):
        with VibesServer() as server:
            async with firehose(server, group="g") as member:
                await member.until("position")
                async with firehose(server, group="g") as second:
                    self.assertEqual(await second.to_the_end(), 4409)
                    self.assertEqual(second.messages[0]["code"], "group_busy")
                append_many(server, 1)
                self.assertEqual(offsets(await member.events(1)), [0])
            async with firehose(server, group="g") as third:
                self.assertEqual((await third.receive())["type"], "hello")

    async def test_a_reject_is_a_dead_letter_and_moves_on(self):
        with VibesServer() as server:
            append_many(server, 10)
            async with firehose(server, group="g", from_="beginning") as member:
                await member.until("position")
                await member.send(type="reject", offset=4, reason="cannot", attempts=8)
                self.assertEqual((await member.until("committed"))["offset"], 5)
                await member.send(type="commit", offset=11)
                self.assertEqual((await member.until("error"))["code"], "bad_commit")
            status, _, body = server.request("GET", "/api/consumers/g/dead-letters")
            self.assertEqual(status, 200)
            letter = json.loads(body)
            self.assertEqual((letter["offset"], letter["reason"], letter["attempts"]), (4, "cannot", 8))

    async def test_commit_is_for_members(self):
        with VibesServer() as server:
            async with firehose(server, from_="end") as client:
                await client.send(type="commit", offset=0)
                self.assertEqual((await client.until("error"))["code"], "not_a_group")


if __name__ == "__main__":
    unittest.main(verbosity=2)
