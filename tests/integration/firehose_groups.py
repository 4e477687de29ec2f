# SPDX-License-Identifier: MIT
"""Members of consumer groups: commit, reject, shared work, over restarts and kills."""

import asyncio
import contextlib
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from firehose_client import WITHIN_S, append_many, events_of, firehose, offsets  # noqa: E402
from vibes_server import VibesServer  # noqa: E402


async def committed(client, offset):
    await client.send(type="commit", offset=offset)
    return (await client.until("committed"))["offset"]


def append_sessions(server, count):
    """Events of 30 sessions, in turn."""
    for start in range(0, count, 300):
        server.append(*({"type": "note", "session_id": f"s{n % 30}", "n": n} for n in range(start, start + 300)))


async def handle(member, commits=True):
    """Handles what comes, one by one, as `member.handled`; what it was told last is `member.share`."""
    while True:
        message = await member.receive()
        if message["type"] == "assigned":
            member.share = message
        for event in events_of(message):
            member.handled.append((event["offset"], event["event"]["session_id"]))
            if commits:
                await member.send(type="commit", offset=event["offset"] + 1)


def at_work(member, **how):
    member.handled, member.share = [], None
    return asyncio.ensure_future(handle(member, **how))


async def stop(tasks):
    # Again and again: wait_for() forgets a cancellation that comes together with its result.
    while not all(task.done() for task in tasks):
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=0.05)
    await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition):
    deadline = asyncio.get_running_loop().time() + WITHIN_S
    while not condition():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError("it did not come to that")
        await asyncio.sleep(0.01)


async def shares(members, count):
    """Until each has its share of a group of `count`."""
    def settled():
        told = [m.share or {"members": 0, "slots": 0} for m in members]
        return all(share["members"] == count for share in told) and sum(share["slots"] for share in told) == 64

    await until(settled)


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

    async def test_three_members_share_the_events_and_sessions_keep_their_order(self):
        with VibesServer() as server:
            async with contextlib.AsyncExitStack() as stack:
                members = [await stack.enter_async_context(firehose(server, group="g")) for _ in range(3)]
                work = [at_work(member) for member in members]
                await shares(members, 3)
                append_sessions(server, 3000)
                await until(lambda: sum(len(m.handled) for m in members) >= 3000)
                await stop(work)
                every = [offset for m in members for offset, _ in m.handled]
                self.assertEqual(sorted(every), list(range(3000)))
                for member in members:
                    self.assertTrue(member.handled)
                    by_session = {}
                    for offset, session in member.handled:
                        self.assertGreater(offset, by_session.get(session, -1))
                        by_session[session] = offset
                sessions = [{session for _, session in m.handled} for m in members]
                self.assertEqual(sum(map(len, sessions)), 30)

    async def test_what_a_dead_member_did_not_commit_goes_to_the_others(self):
        with VibesServer() as server:
            async with firehose(server, group="g") as one, firehose(server, group="g") as two:
                async with firehose(server, group="g") as dead:
                    work = [at_work(member) for member in (one, two)]
                    idle = at_work(dead, commits=False)
                    await shares([one, two, dead], 3)
                    append_sessions(server, 600)
                    await until(lambda: sum(len(m.handled) for m in (one, two, dead)) >= 600)
                    lost = {offset for offset, _ in dead.handled}
                    self.assertTrue(lost)
                    await stop([idle])
                    dead.socket.transport.abort()
                await until(lambda: len(one.handled) + len(two.handled) >= 600)
                await stop(work)
                every = [offset for m in (one, two) for offset, _ in m.handled]
                self.assertEqual(sorted(every), list(range(600)))

    async def test_one_that_joins_in_the_middle_gets_nothing_that_another_has(self):
        with VibesServer() as server:
            append_sessions(server, 600)
            async with firehose(server, group="g", from_="beginning") as one:
                work = [at_work(one)]
                await until(lambda: len(one.handled) >= 100)
                async with firehose(server, group="g") as two:
                    work.append(at_work(two))
                    await shares([one, two], 2)
                    append_sessions(server, 600)
                    await until(lambda: len(one.handled) + len(two.handled) >= 1200)
                    await stop(work)
                    self.assertTrue(two.handled)
                    every = [offset for m in (one, two) for offset, _ in m.handled]
                    self.assertEqual(sorted(every), list(range(1200)))

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
