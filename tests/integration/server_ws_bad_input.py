# SPDX-License-Identifier: MIT
"""Whatever a WebSocket client does wrong ends with the expected close code, and nobody else notices."""

import json
import os
import struct
import time

import pytest
from raw_http import CLOSED, RawWebSocket
from vibes_server import VibesServer


@pytest.fixture(scope="module")
def server():
    with VibesServer("--log", "memory:") as running:
        yield running


@pytest.fixture(scope="module")
def witness(server):
    """A good client that sees everything, all the time."""
    with RawWebSocket(server, "/ws/firehose?from=end&heartbeat=3600", timeout=20) as firehose:
        assert json.loads(firehose.read_text())["type"] == "hello"
        yield firehose


@pytest.fixture(autouse=True)
def good_clients_are_served(server, witness):
    yield
    assert server.alive(), server.stderr
    mark = os.urandom(8).hex()
    server.append({"type": "good", "mark": mark})
    while mark not in witness.read_text():
        pass


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"Sec_WebSocket_Key": None}, {400, CLOSED}),
        ({"Sec_WebSocket_Key": "short"}, {400}),
        ({"Sec_WebSocket_Key": ["AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAA=="]}, {400}),
        ({"Sec_WebSocket_Version": "12"}, {426}),
        ({"Sec_WebSocket_Version": "0"}, {426}),
        ({"Sec_WebSocket_Version": None}, {426}),
        ({"Sec_WebSocket_Version": "13, 12"}, {426}),
        ({"Connection": "close"}, {400, CLOSED}),
        ({"Sec_WebSocket_Protocol": "chat"}, {400}),
        ({"Sec_WebSocket_Protocol": ", ".join(f"p{i}" for i in range(1000))}, {400, CLOSED}),
        ({"Authorization": None}, {401}),
        ({"Authorization": None, "Sec_WebSocket_Protocol": "vibes.v1, token.wrong"}, {401}),
        ({"Authorization": None, "Sec_WebSocket_Protocol": "vibes.v1"}, {401}),
        ({"Origin": "http://evil.example"}, {403}),
        ({"Origin": "null"}, {403}),
        ({"Host": "evil.example"}, {421}),
        ({"Sec_Fetch_Site": "cross-site"}, {403}),
    ],
)
def test_handshakes_that_are_refused(server, changes, expected):
    with RawWebSocket(server, "/ws/firehose", **changes) as refused:
        assert refused.status in expected


@pytest.mark.parametrize(
    "path, expected",
    [
        ("/ws/nope", 404),
        ("/", 404),
        ("/ws/firehose?from=nonsense", 400),
        ("/ws/firehose?from=v1.00000000-0000-4000-8000-000000000000.5.00000000", 409),
        ("/ws/firehose?from=-1&heartbeat=0", 400),
        ("/ws/firehose?from=beginning&until=nonsense", 400),
        ("/ws/append?ack=lots", 400),
    ],
)
def test_queries_are_checked_before_the_upgrade(server, path, expected):
    with RawWebSocket(server, path) as refused:
        assert refused.status == expected


def test_a_browser_comes_in_with_its_token_as_a_subprotocol(server):
    given = {"Origin": f"http://127.0.0.1:{server.port}", "Authorization": None}
    for offered in ("vibes.v1, token.{}", "token.{}, vibes.v1", "token.{},vibes.v1"):
        given["Sec_WebSocket_Protocol"] = offered.format(server.token)
        with RawWebSocket(server, "/ws/firehose?from=end", **given) as browser:
            assert browser.status == 101
            assert browser.headers["sec-websocket-protocol"] == "vibes.v1"


def test_compression_is_declined(server):
    offer = {"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits"}
    with RawWebSocket(server, **offer) as socket:
        assert socket.status == 101 and "sec-websocket-extensions" not in socket.headers
        socket.send_frame(1, b"\x00" * 10, rsv=4)  # as if it had been accepted
        assert socket.read_close() in {1002, None}


# Frames that break RFC 6455: the server closes with one of these codes; None: it hangs up.
FRAME = RawWebSocket.frame
BROKEN = {
    "RSV1": (FRAME(1, b"{}", rsv=4), {1002}),
    "RSV2": (FRAME(1, b"{}", rsv=2), {1002}),
    "RSV3": (FRAME(1, b"{}", rsv=1), {1002}),
    **{f"opcode {op}": (FRAME(op, b"x"), {1002}) for op in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "not masked": (FRAME(1, b'{"type":"x"}', mask=False), {1002}),
    "empty and not masked": (FRAME(1, b"", mask=False), {1002}),
    "ping not masked": (FRAME(9, b"x", mask=False), {1002}),
    "close not masked": (FRAME(8, struct.pack(">H", 1000), mask=False), {1002}),
    "second fragment not masked": (FRAME(1, b'{"type":', fin=False) + FRAME(0, b'"x"}', mask=False), {1002}),
    "ping of 126": (FRAME(9, b"x" * 126), {1002}),
    "fragmented ping": (FRAME(9, b"x", fin=False), {1002}),
    "continuation first": (FRAME(0, b"x"), {1002}),
    "text inside a message": (FRAME(1, b"{", fin=False) + FRAME(1, b"}"), {1002}),
    "length with its top bit": (FRAME(1, b"", length=(127, b"\xff" * 8)), {1002}),
    "binary": (FRAME(2, b'{"type":"x"}'), {1003}),
    "bad UTF-8": (FRAME(1, b'{"type":"\xff"}'), {1007}),
    "surrogate": (FRAME(1, b'{"type":"\xed\xa0\x80"}'), {1007}),
    "overlong": (FRAME(1, b"\xc0\xaf"), {1007}),
    "cut UTF-8": (FRAME(1, b'{"type":"\xe2\x82'), {1007}),
    "bad UTF-8 over two frames": (FRAME(1, b'"\xe2\x82', fin=False) + FRAME(0, b"x"), {1007}),
    "close with one byte": (FRAME(8, b"\x03"), {1002}),
    **{f"close {code}": (FRAME(8, struct.pack(">H", code)), {1002}) for code in (999, 1005, 1006, 1015, 2999)},
    "close with a bad reason": (FRAME(8, struct.pack(">H", 1000) + b"\xff"), {None}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_frames_end_the_connection(server, name):
    frames, codes = BROKEN[name]
    end = server.get_json("/api/health")["log"]["end"]
    with RawWebSocket(server) as socket:
        socket.send(frames)
        assert socket.read_close() in codes
    assert server.get_json("/api/health")["log"]["end"] == end


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
def test_a_close_is_answered_with_its_code(server, code):
    with RawWebSocket(server) as socket:
        socket.send_frame(8, struct.pack(">H", code) + b"bye")
        assert socket.read_close() == code


def test_data_after_a_close_is_ignored(server):
    with RawWebSocket(server) as socket:
        socket.send(FRAME(8, struct.pack(">H", 1000)) + FRAME(1, b'{"type":"after_close"}'))
        assert socket.read_close() == 1000
    assert b"after_close" not in server.request("GET", "/api/events?from=-5")[2]


def test_a_message_over_the_limit_is_1009(server):
    with RawWebSocket(server, "/ws/append") as socket:
        socket.send_text(b'{"type":"x","s":"' + b"a" * 4 * 1048576 + b'"}')
        assert socket.read_close() == 1009
    with RawWebSocket(server, "/ws/firehose") as socket:
        socket.send_text(b'{"type":"set_filters","s":"' + b"a" * 1048576 + b'"}')
        assert socket.read_close() == 1009


@pytest.mark.parametrize("length", [2**62, 4 * 1048576 + 1])
@pytest.mark.parametrize("payload", [b"", b"{" * 10])
def test_an_announced_length_over_the_limit_is_refused_before_it_comes(server, length, payload):
    with RawWebSocket(server) as socket:
        socket.send(FRAME(1, length=(127, struct.pack(">Q", length))) + payload)
        assert socket.read_close() == 1009
    with RawWebSocket(server) as socket:
        half = b"{" * 2 * 1048576
        socket.send(FRAME(1, half, fin=False) + FRAME(0, length=(127, struct.pack(">Q", length - len(half)))))
        assert socket.read_close() == 1009


def test_what_came_before_a_broken_frame_is_taken_and_what_comes_after_is_not(server):
    good, bad = FRAME(1, b'{"type":"before_breach"}'), FRAME(1, b'{"type":"breach"}', mask=False)
    after = FRAME(1, b'{"type":"after_breach"}')
    for cut in range(len(bad)):
        with RawWebSocket(server) as socket:
            socket.send(good)
            assert json.loads(socket.read_text())["type"] == "ack"
            socket.send(bad[:cut])
            socket.send(bad[cut:] + after)
            assert socket.read_close() == 1002
    page = server.request("GET", "/api/events?from=-100")[2]
    assert page.count(b'"before_breach"') == len(bad) and b'"breach"' not in page and b"after_breach" not in page


def test_a_message_that_comes_byte_by_byte_is_taken(server):
    with RawWebSocket(server) as socket:
        for byte in FRAME(1, b'{"type":"dripped","s":"' + b"a" * 200 + b'"}'):
            socket.send(bytes([byte]))
        assert json.loads(socket.read_text())["type"] == "ack"


def test_a_client_waits_for_the_answer_to_its_handshake(server):
    class Hasty(RawWebSocket):
        def send(self, data):
            super().send(data + (FRAME(1, b'{"type":"hasty"}') if data.startswith(b"GET") else b""))

    with Hasty(server) as socket:
        # What was sent too early is a frame like any other: it waited in the socket.
        assert socket.status == 101
        assert json.loads(socket.read_text())["type"] == "ack"


def test_too_many_fragments_are_1008(server):
    with RawWebSocket(server) as socket:
        socket.send(FRAME(1, b"{", fin=False) + FRAME(0, b" ", fin=False) * 10_000)
        assert socket.read_close() == 1008


def test_a_message_in_many_fragments_arrives(server):
    text = b'{"type":"fragmented","s":"\xe2\x82\xac"}'
    with RawWebSocket(server) as socket:
        frames = [FRAME(1, text[:1], fin=False)]
        for i in range(1, len(text) - 1):
            frames += [FRAME(9, b"between"), FRAME(0, text[i : i + 1], fin=False)]
        socket.send(b"".join(frames) + FRAME(0, text[-1:]))
        assert json.loads(socket.read_text())["type"] == "ack"
    assert text in server.request("GET", "/api/events?from=-1")[2]


def test_lengths_need_not_be_the_shortest(server):
    # RFC 6455 §5.2 wants the shortest; libwebsockets takes the others too, which harms nobody.
    text = b'{"type":"long_form"}'
    with RawWebSocket(server) as socket:
        socket.send_frame(1, text, length=(126, struct.pack(">H", len(text))))
        assert json.loads(socket.read_text())["type"] == "ack"


def test_pings_are_answered(server):
    with RawWebSocket(server) as socket:
        socket.send_frame(9, b"hello")
        fin, opcode, payload = socket.read_frame()
        assert (fin, opcode, payload) == (True, 10, b"hello")
        socket.send_frame(10, b"unasked pongs are fine")
        socket.send_text('{"type":"after_pong"}')
        assert json.loads(socket.read_text())["type"] == "ack"


def test_a_flood_of_pings_harms_nobody(server, witness):
    with RawWebSocket(server, timeout=30) as socket:
        flood = FRAME(9, b"p") * 1000
        for _ in range(100):
            socket.send(flood)
        socket.send_text('{"type":"after_pings"}')
        assert json.loads(socket.read_text())["type"] == "ack"


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 1_000_000])
def test_events_of_every_frame_size_come_back_whole(server, size):
    event = json.dumps({"type": "sized", "s": "a" * size})
    with RawWebSocket(server, "/ws/firehose?from=end&types=sized", timeout=20) as firehose:
        assert json.loads(firehose.read_text())["type"] == "hello"
        with RawWebSocket(server) as producer:
            producer.send_text(event)
            assert json.loads(producer.read_text())["type"] == "ack"
        while True:
            message = json.loads(firehose.read_text())
            if message["type"] == "event":
                assert message["event"]["s"] == "a" * size
                break


@pytest.mark.parametrize(
    "message",
    ["", "{", "null", "[]", '{"type":"x"}', '{"type":"set_filters","types":7}', '{"type":"fetch_older","limit":-1}',
     '{"type":"fetch_older","before_event_id":"x"}', '{"type":"commit","offset":1}', "[" * 100_000],
)  # fmt: skip
def test_bad_firehose_messages_get_an_error_and_the_stream_goes_on(server, message):
    with RawWebSocket(server, "/ws/firehose?from=end") as firehose:
        firehose.read_text()
        firehose.send_text(message)
        while (answer := json.loads(firehose.read_text()))["type"] != "error":
            assert answer["type"] in ("position", "event")
        assert answer["code"] and answer["message"]
        server.append({"type": "goes_on"})
        while '"goes_on"' not in firehose.read_text():
            pass


@pytest.mark.parametrize("message", ["", "{", "null", "[]", '{"type":1}', '{"a":1}', "[" * 100_000, '{"type":"x"}\nnope'])
def test_bad_appends_get_a_nack_and_the_next_one_is_taken(server, message):
    with RawWebSocket(server) as producer:
        producer.send_text(message)
        producer.send_text('{"type":"next"}')
        nack = json.loads(producer.read_text())
        assert nack["type"] == "nack" and nack["code"], nack
        assert json.loads(producer.read_text())["type"] == "ack"


def test_filters_set_ten_thousand_times(server):
    with RawWebSocket(server, "/ws/firehose", timeout=60) as firehose:
        one = FRAME(1, b'{"type":"set_filters","types":["none_such"],"session":null}')
        seen = 0
        for _ in range(10):
            firehose.send(one * 1000)
            for _ in range(1000):
                while json.loads(firehose.read_text())["type"] != "events_batch":
                    pass
                seen += 1
        assert seen == 10_000


def test_many_connections_that_vanish_leave_nothing_behind(server):
    for _ in range(50):
        sockets = [RawWebSocket(server, "/ws/firehose?from=end") for _ in range(10)]
        for socket in sockets:
            assert socket.status == 101
            socket.socket.close()
    deadline = time.monotonic() + 15
    while server.get_json("/api/health")["connections"] > 5:
        assert time.monotonic() < deadline, server.get_json("/api/health")["connections"]
        time.sleep(0.05)
