# SPDX-License-Identifier: MIT
"""Bytes on a socket, for what no well-behaved library would send. Standard library only."""

import base64
import os
import socket
import struct

CLOSED = "closed"  # the server hung up without an answer


class RawSocket:
    """A TCP connection that sends and reads bytes as they are."""

    def __init__(self, server, timeout=8):
        self.server = server
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server may refuse before we are done; what it answered is still to be read

    def read_until_close(self):
        """Everything until the server hangs up."""
        data = b""
        while True:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                return data
            if not piece:
                return data
            data += piece

    def read_answer(self):
        """One HTTP answer: (status, headers, body); (CLOSED, {}, b"") if the server hung up instead."""
        data = b""
        while b"\r\n\r\n" not in data:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                return CLOSED, {}, data
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        status = int(lines[0].split()[1])
        if status != 101:
            length = int(headers.get("content-length", 0))
            while len(body) < length:
                piece = self.socket.recv(65536)
                if not piece:
                    break
                body += piece
        return status, headers, body


def ask(server, request, timeout=8):
    """Sends one request as it is and returns (status or CLOSED, headers, body)."""
    with RawSocket(server, timeout) as raw:
        raw.send(request if isinstance(request, bytes) else request.encode("latin-1"))
        return raw.read_answer()


def headers(server, **changes):
    """The usual header lines of a request, with changes: None removes one, a list repeats it."""
    given = {"Host": f"127.0.0.1:{server.port}", "Authorization": f"Bearer {server.token}"}
    given.update({name.replace("_", "-"): value for name, value in changes.items()})
    lines = ""
    for name, value in given.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                lines += f"{name}: {one}\r\n"
    return lines


class RawWebSocket(RawSocket):
    """A WebSocket whose frames are made by hand."""

    def __init__(self, server, path="/ws/append", timeout=8, **changes):
        super().__init__(server, timeout)
        self.buffer = b""
        self.status, self.headers, rest = self.handshake(path, **changes)
        self.buffer = rest if self.status == 101 else b""

    def handshake(self, path, **changes):
        given = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
        }
        given.update({name.replace("_", "-"): value for name, value in changes.items()})
        self.send(f"GET {path} HTTP/1.1\r\n{headers(self.server, **given)}\r\n".encode("latin-1"))
        return self.read_answer()

    @staticmethod
    def frame(opcode, payload=b"", fin=True, rsv=0, mask=True, length=None):
        """One frame; `length` overrides the announced one with (marker, bytes)."""
        first = (0x80 if fin else 0) | rsv << 4 | opcode
        bit = 0x80 if mask else 0
        if length is not None:
            marker, extended = length
            head = bytes([first, bit | marker]) + extended
        elif len(payload) < 126:
            head = bytes([first, bit | len(payload)])
        elif len(payload) < 65536:
            head = bytes([first, bit | 126]) + struct.pack(">H", len(payload))
        else:
            head = bytes([first, bit | 127]) + struct.pack(">Q", len(payload))
        if not mask:
            return head + payload
        key = b"\x11\x22\x33\x44"
        repeated = (key * (len(payload) // 4 + 1))[: len(payload)]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")
        return head + key + masked

    def send_frame(self, *args, **options):
        self.send(self.frame(*args, **options))

    def send_text(self, text):
        self.send_frame(1, text.encode() if isinstance(text, str) else text)

    def _take(self, count):
        while len(self.buffer) < count:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError
            self.buffer += piece
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def read_frame(self):
        """(fin, opcode, payload) of the server's next frame. A masked one is an error of the server's."""
        first, second = self._take(2)
        assert not second & 0x80, "a server must not mask"
        assert not first & 0x70, "no extension was agreed on"
        length = second & 0x7F
        if length == 126:
            length = struct.unpack(">H", self._take(2))[0]
            assert length >= 126, "a length that is not the shortest"
        elif length == 127:
            length = struct.unpack(">Q", self._take(8))[0]
            assert length >= 65536, "a length that is not the shortest"
        return bool(first & 0x80), first & 0x0F, self._take(length)

    def read_text(self):
        """The next text message, skipping pings."""
        while True:
            fin, opcode, payload = self.read_frame()
            if opcode == 1:
                assert fin
                return payload.decode()
            assert opcode in (9, 10), f"unexpected opcode {opcode}: {payload!r}"

    def read_close(self):
        """The close code: None if the server hung up without one, 1005 for a close frame without a code."""
        try:
            while True:
                _, opcode, payload = self.read_frame()
                if opcode == 8:
                    return struct.unpack(">H", payload[:2])[0] if payload else 1005
        except (EOFError, ConnectionResetError):
            return None
