# SPDX-License-Identifier: MIT
"""Terminals over GET /ws against the real server: clients, streams, and what the log and the firehose say of them."""

import asyncio
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from terminal_client import PATIENCE_S, TerminalClient, connect  # noqa: E402
from vibes_server import VibesServer  # noqa: E402


def session_events(server, session):
    """The log's events of one session, in order."""
    page = server.get_json(f"/api/events?from=beginning&session={session}&limit=1000")
    return [record["event"] for record in page["events"]]


async def events_at_firehose(socket, session, count):
    """The next `count` events of a session at a live firehose."""
    found = []
    while len(found) < count:
        message = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
        if message["type"] == "event" and message["event"].get("session_id") == session:
            found.append(message["event"])
    return found


class Terminal(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.server = VibesServer()
        self.server.start()
        self.addCleanup(self.server.__exit__)

    async def test_two_clients_see_every_byte_once_and_the_log_sees_the_life(self):
        written = self.server.root / "written"
        script = (
            f"stty raw -echo; seq 1 20000 | tee {written}; head -c 1 >/dev/null; "
            f"seq 20001 60000 | tee -a {written}; head -c 1 >/dev/null; exit 3"
        )
        async with connect(self.server, "/ws/firehose") as firehose:
            async with TerminalClient(self.server) as first, TerminalClient(self.server) as second:
                await first.attach("two", script, cols=100, rows=30)
                await first.wait_output("two", b"\n20000\n")
                ack = await second.attach("two")
                self.assertEqual((ack["cols"], ack["rows"]), (100, 30))
                await first.input("two", b"x")
                await second.send("pty_resize", session_id="two", cols=90, rows=20)
                await first.wait_output("two", b"\n60000\n")
                await second.wait_output("two", b"\n60000\n")
                await second.input("two", b"x")
                for client in (first, second):
                    self.assertEqual((await client.wait("pty_exit", session_id="two"))["exit_code"], 3)
                    await client.wait("session_removed", session_id="two", reason="session_finished")
                truth = written.read_bytes()
                self.assertEqual(first.bytes_of("two", "pty_output"), truth)
                self.assertEqual(first.count("pty_replay"), 0)
                self.assertEqual(second.count("pty_replay"), 1)
                self.assertEqual(second.bytes_of("two", "pty_replay", "pty_output"), truth)
                self.assertTrue(second.bytes_of("two", "pty_replay").endswith(b"\n20000\n"))
            expected = [
                {"type": "session_created", "session_id": "two", "name": None},
                {"type": "session_state_changed", "session_id": "two", "state": "Exited(3)"},
                {"type": "session_removed", "session_id": "two", "reason": "session_finished"},
            ]
            self.assertEqual(await events_at_firehose(firehose, "two", 3), expected)
            self.assertEqual(session_events(self.server, "two"), expected)

    async def test_a_client_that_never_resizes_gets_the_replay_all_the_same(self):
        async with TerminalClient(self.server) as first, TerminalClient(self.server) as second:
            await first.attach("s", "printf before; exec sleep 1000")
            await first.wait_output("s", b"before")
            await second.attach("s")
            await second.wait("pty_replay", session_id="s")
            self.assertEqual(second.bytes_of("s", "pty_replay"), b"before")

    async def test_a_slow_client_gets_a_redraw_and_a_quick_one_everything(self):
        async with TerminalClient(self.server) as quick, TerminalClient(self.server) as slow:
            script = "stty raw -echo; head -c 1 >/dev/null; seq 1 4000000; echo the end; exec sleep 1000"
            await quick.attach("s", script)
            await slow.attach("s")
            slow.socket.transport.pause_reading()
            await quick.input("s", b"x")
            while b"the end" not in quick.bytes_of("s", "pty_output", "pty_replay")[-200:]:
                await quick.receive()
            slow.socket.transport.resume_reading()
            while b"the end" not in slow.bytes_of("s", "pty_output", "pty_replay")[-200:]:
                await slow.receive()
            redraws = [m for m in slow.log if m["type"] == "pty_replay"]
            self.assertTrue(redraws)
            self.assertTrue(slow.bytes_of("s", "pty_replay").startswith(b"\x1bc"))
            self.assertLess(len(slow.bytes_of("s", "pty_output", "pty_replay")), 20_000_000)

    async def test_kill_ends_the_program_and_is_told_once(self):
        async with TerminalClient(self.server) as client, TerminalClient(self.server) as other:
            await client.attach("k", "echo $$; exec sleep 1000", name="victim")
            await other.wait("session_notification", session_id="k", name="victim")
            await client.wait_output("k", b"\n")
            pid = int(client.bytes_of("k", "pty_output"))
            await client.send("kill_session", session_id="k")
            self.assertIsNone((await client.wait("pty_exit", session_id="k"))["exit_code"])
            await client.wait("session_removed", session_id="k", reason="killed")
            await other.wait("session_removed", session_id="k", reason="killed")
            await client.send("kill_session", session_id="k")
            self.assertEqual((await client.wait("error"))["code"], "session_not_found")
            await client.send("list_sessions", request_id="r")
            self.assertEqual((await client.wait("session_list"))["sessions"], [])
            self.assertEqual(client.count("session_removed"), 1)
            while Path(f"/proc/{pid}").exists():
                await asyncio.sleep(0)
        self.assertEqual([e["type"] for e in session_events(self.server, "k")], ["session_created", "session_removed"])

    async def test_a_session_outlives_its_clients(self):
        async with TerminalClient(self.server) as client:
            await client.attach("s", "echo up; read x; echo got $x; read x")
            await client.wait_output("s", b"up")
        async with TerminalClient(self.server) as client:
            await client.send("list_sessions", request_id="r")
            sessions = (await client.wait("session_list"))["sessions"]
            self.assertEqual([(s["id"], s["state"], s["is_owner"]) for s in sessions], [("s", "Running", False)])
            await client.attach("s", cols=80, rows=24)
            await client.input("s", b"hello\n")
            await client.wait_output("s", b"got hello")
            self.assertTrue(client.bytes_of("s", "pty_replay").startswith(b"up"))

    async def test_connections_are_events_however_they_end(self):
        async with TerminalClient(self.server):
            pass
        abrupt = TerminalClient(self.server)
        await abrupt.__aenter__()
        abrupt.socket.transport.abort()
        ids = {}
        while len(ids) < 2 or any(kinds != ["client_connected", "client_disconnected"] for kinds in ids.values()):
            ids = {}
            for record in self.server.get_json("/api/events?from=beginning&types=session&limit=1000")["events"]:
                ids.setdefault(record["event"]["client_id"], []).append(record["event"]["type"])
            await asyncio.sleep(0)
        self.assertEqual(len(ids), 2)

    async def test_bad_messages_are_answered_and_change_nothing(self):
        async with TerminalClient(self.server) as client:
            for text, code in (
                ("nonsense", "bad_message"),
                ('{"type":"attach"}', "bad_message"),
                ('{"type":"pty_input","session_id":"s","data":"!"}', "bad_message"),
                ('{"type":"pty_input","session_id":"s","data":"YQ=="}', "session_not_found"),
                ('{"type":"attach","session_id":"s","cols":70000}', "bad_size"),
                ('{"type":"attach","session_id":"s","cwd":"/nonexistent"}', "bad_cwd"),
                ('{"type":"list_agents","request_id":"r"}', "unsupported"),
            ):
                with self.subTest(text=text):
                    await client.socket.send(text)
                    self.assertEqual((await client.wait("error"))["code"], code)
        self.assertEqual(self.server.get_json("/api/sessions")["sessions"], [])


if __name__ == "__main__":
    unittest.main()
