# SPDX-License-Identifier: MIT
"""Sessions over HTTP, their programs' environment, and their end with the server's."""

import asyncio
import json
import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from terminal_client import TerminalClient  # noqa: E402
from vibes_server import VibesServer  # noqa: E402


def event_types(server, session):
    page = server.get_json(f"/api/events?from=beginning&session={session}&limit=1000")
    return [(r["event"]["type"], r["event"].get("state") or r["event"].get("reason")) for r in page["events"]]


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0]
    except FileNotFoundError:
        return False
    return state != "Z"


class Lifecycle(unittest.IsolatedAsyncioTestCase):
    async def test_create_list_and_delete_over_http(self):
        with VibesServer() as server:
            status, _, body = server.request(
                "POST", "/api/sessions", {"session_id": "h", "name": "n", "command": ["sleep", "1000"], "cols": 90}
            )
            self.assertEqual(status, 201, body)
            made = json.loads(body)
            self.assertEqual((made["id"], made["name"], made["state"], made["cols"]), ("h", "n", "Running", 90))
            self.assertEqual([s["id"] for s in server.get_json("/api/sessions")["sessions"]], ["h"])
            self.assertEqual(server.get_json("/api/claude/sessions")["sessions"][0]["id"], "h")
            self.assertEqual(server.get_json("/api/health")["active_sessions"], 1)
            self.assertEqual(server.request("POST", "/api/sessions", {"session_id": "h"})[0], 409)
            self.assertEqual(server.request("POST", "/api/sessions", {"session_id": 7})[0], 400)
            self.assertEqual(server.request("DELETE", "/api/sessions/h")[0], 204)
            status, _, body = server.request("DELETE", "/api/sessions/h")
            self.assertEqual((status, json.loads(body)["error"]["code"]), (404, "session_not_found"))
            self.assertEqual(event_types(server, "h"), [("session_created", None), ("session_removed", "killed")])

    async def test_the_program_can_reach_the_server_it_runs_in(self):
        with VibesServer() as server:
            async with TerminalClient(server) as client:
                script = 'echo "$VIBES_SESSION_ID"; echo "$VIBES_URL"; cat "$VIBES_TOKEN_FILE"; env | grep -c ^VIBES_'
                await client.attach("e", script)
                await client.wait("pty_exit", session_id="e")
                lines = client.bytes_of("e", "pty_output").decode().split()
                self.assertEqual(lines, ["e", server.url, server.token, "3"])

    async def test_the_program_gets_the_user_s_umask_not_the_daemon_s(self):
        before = os.umask(0o027)
        try:
            server = VibesServer()
            server.start()
        finally:
            os.umask(before)
        self.addCleanup(server.__exit__)
        async with TerminalClient(server) as client:
            await client.attach("u", "umask")
            await client.wait("pty_exit", session_id="u")
            self.assertEqual(client.bytes_of("u", "pty_output"), b"0027\r\n")

    async def test_the_stop_ends_the_programs_and_records_it(self):
        with VibesServer() as server:
            async with TerminalClient(server) as client:
                await client.attach("soft", "echo $$; exec sleep 1000")
                await client.attach("hard", "trap '' HUP; echo $$; while :; do sleep 1; done")
                await client.wait_output("soft", b"\n")
                await client.wait_output("hard", b"\n")
                pids = [int(client.bytes_of(s, "pty_output")) for s in ("soft", "hard")]
                stopping = asyncio.get_running_loop().run_in_executor(None, server.stop)
                await client.socket.wait_closed()
                self.assertEqual(client.socket.close_code, 1001)
                self.assertEqual(await stopping, 0)
            for pid in pids:
                self.assertFalse(alive(pid))
            server.start()
            ends = [("session_state_changed", "Exited(129)"), ("session_removed", "killed")]
            self.assertEqual(event_types(server, "soft"), [("session_created", None)] + ends)
            ends[0] = ("session_state_changed", "Exited(137)")
            self.assertEqual(event_types(server, "hard"), [("session_created", None)] + ends)
            kinds = [
                r["event"]["type"]
                for r in server.get_json("/api/events?from=beginning&types=client_connected,client_disconnected")["events"]
            ]
            self.assertEqual(kinds, ["client_connected", "client_disconnected"])

    async def test_a_killed_server_takes_its_terminals_along(self):
        with VibesServer() as server:
            async with TerminalClient(server) as client:
                await client.attach("s", "echo $$; exec sleep 1000")
                await client.wait_output("s", b"\n")
                pid = int(client.bytes_of("s", "pty_output"))
                server.kill()
            while alive(pid):
                await asyncio.sleep(0)
            server.start()
            self.assertEqual(server.get_json("/api/sessions")["sessions"], [])
            self.assertEqual(event_types(server, "s")[:1], [("session_created", None)])


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    unittest.main()
