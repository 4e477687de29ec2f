# SPDX-License-Identifier: MIT
"""Clients of the server's WebSocket routes for tests, over python3-websockets."""

import asyncio
import base64
import json

import websockets

PATIENCE_S = 30  # used up by failing tests only


def connect(server, path):
    """A connection to a WebSocket route of a VibesServer."""
    return websockets.connect(
        f"ws://127.0.0.1:{server.port}{path}",
        extra_headers={"Authorization": f"Bearer {server.token}"},
        max_size=None,
        ping_interval=None,
    )


class TerminalClient:
    """One client of GET /ws: async with TerminalClient(server) as client: ..."""

    def __init__(self, server):
        self._connecting = connect(server, "/ws")
        self.log = []  # every message received

    async def __aenter__(self):
        self.socket = await self._connecting.__aenter__()
        await self.wait("auth_context")
        return self

    async def __aexit__(self, *reason):
        await self._connecting.__aexit__(*reason)

    async def send(self, kind, **members):
        await self.socket.send(json.dumps({"type": kind, **members}))

    async def attach(self, session, script=None, **members):
        if script is not None:
            members["command"] = ["/bin/sh", "-c", script]
        await self.send("attach", session_id=session, **members)
        return await self.wait("attach_ack", session_id=session)

    async def input(self, session, data):
        await self.send("pty_input", session_id=session, data=base64.b64encode(data).decode())

    async def receive(self):
        message = json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE_S))
        self.log.append(message)
        return message

    async def wait(self, kind, **members):
        """The next message of this kind with these members."""
        wanted = {"type": kind, **members}
        while True:
            message = await self.receive()
            if wanted.items() <= message.items():
                return message

    async def wait_output(self, session, text):
        """Until the output received so far holds `text`."""
        while text not in self.bytes_of(session, "pty_output"):
            await self.receive()

    def bytes_of(self, session, *kinds):
        """What was received of the session's stream."""
        return b"".join(
            base64.b64decode(m["data"]) for m in self.log if m["type"] in kinds and m["session_id"] == session
        )

    def count(self, kind, **members):
        wanted = {"type": kind, **members}
        return sum(wanted.items() <= m.items() for m in self.log)
