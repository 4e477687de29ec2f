# SPDX-License-Identifier: MIT
"""Whatever an HTTP client does wrong gets the expected answer, the server lives on and serves the next one."""

import json
import socket
import time

import pytest
from raw_http import CLOSED, RawSocket, ask, headers
from vibes_server import VibesServer


@pytest.fixture(scope="module")
def server():
    with VibesServer("--log", "memory:") as running:
        yield running


@pytest.fixture(autouse=True)
def good_client_is_served(server):
    """After each case: the daemon is alive and a good client notices nothing."""
    yield
    assert server.alive(), server.stderr
    before = server.get_json("/api/health")["log"]["end"]
    assert server.append({"type": "good"})["first_offset"] == before


def request(server, line="GET /api/health HTTP/1.1", body=b"", **changes):
    return (f"{line}\r\n{headers(server, **changes)}\r\n").encode("latin-1") + body


@pytest.mark.parametrize(
    "host, expected",
    [
        (None, 421),
        (["127.0.0.1:{port}", "127.0.0.1:{port}"], 421),
        (["127.0.0.1:{port}", "evil.example"], 421),
        ("evil.example", 421),
        ("evil.example:{port}", 421),
        ("127.0.0.1.evil.example:{port}", 421),
        ("127.0.0.1:1", 421),
        ("127.0.0.1", 421),
        ("127.0.0.1.:{port}", 421),
        ("localhost.:{port}", 421),
        ("LOCALHOST:{port}", 421),
        ("user@127.0.0.1:{port}", 421),
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("[::1]:{port}", 200),
    ],
)
def test_only_our_own_names_are_served(server, host, expected):
    fill = lambda text: text and text.format(port=server.port)  # noqa: E731
    given = [fill(one) for one in host] if isinstance(host, list) else fill(host)
    assert ask(server, request(server, Host=given))[0] == expected


@pytest.mark.parametrize(
    "origin, expected",
    [
        ("http://evil.example", 403),
        ("null", 403),
        ("file://", 403),
        ("chrome-extension://abcdef", 403),
        ("http://localhost:{port}.evil.example", 403),
        ("https://127.0.0.1:{port}", 403),
        ("http://127.0.0.1:1", 403),
        (["http://127.0.0.1:{port}", "http://127.0.0.1:{port}"], 403),
        ("http://127.0.0.1:{port}", 200),
        ("http://localhost:{port}", 200),
    ],
)
def test_foreign_origins_are_refused(server, origin, expected):
    given = [one.format(port=server.port) for one in origin] if isinstance(origin, list) else origin.format(port=server.port)
    body = b'{"type":"x"}'
    post = request(
        server, "POST /api/events HTTP/1.1", body, Origin=given, Content_Type="application/json", Content_Length=len(body)
    )
    assert ask(server, post)[0] == expected


def test_other_sites_are_refused(server):
    assert ask(server, request(server, Sec_Fetch_Site="cross-site"))[0] == 403
    assert ask(server, request(server, Sec_Fetch_Site="same-origin"))[0] == 200


@pytest.mark.parametrize(
    "authorization, expected",
    [
        (None, 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("Bearer wrong", 401),
        ("Bearer {token}x", 401),
        ("bearer-ish {token}", 401),
        ("Basic {token}", 401),
        ("Bearer " + "A" * 43, 401),
        ("Bearer " + "A" * 7000, 401),
        ("Bearer {token}", 200),
    ],
)
def test_without_the_token_nothing_is_served(server, authorization, expected):
    given = authorization and authorization.format(token=server.token)
    status, answer, _ = ask(server, request(server, Authorization=given))
    assert status == expected
    if expected == 401:
        assert answer["www-authenticate"] == "Bearer"


def test_the_token_in_a_url_is_no_token(server):
    assert ask(server, request(server, f"GET /api/health?token={server.token} HTTP/1.1", Authorization=None))[0] == 401


def test_an_unknown_path_tells_a_stranger_nothing(server):
    assert ask(server, request(server, "GET /nope HTTP/1.1", Authorization=None))[0] == 401
    assert ask(server, request(server, "GET /nope HTTP/1.1"))[0] == 404


def test_answers_carry_the_security_headers_and_no_cors(server):
    _, answer, _ = ask(server, request(server, Origin=f"http://127.0.0.1:{server.port}"))
    assert answer["x-content-type-options"] == "nosniff"
    assert answer["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer["content-security-policy"]
    assert not [name for name in answer if name.startswith("access-control")]


def test_a_preflight_is_not_allowed(server):
    status, answer, _ = ask(
        server, request(server, "OPTIONS /api/events HTTP/1.1", Origin="http://evil.example", Authorization=None)
    )
    assert status == 403 and "access-control-allow-origin" not in answer
    assert ask(server, request(server, "OPTIONS /api/events HTTP/1.1"))[0] == 405


@pytest.mark.parametrize(
    "line, expected",
    [
        ("GET http://127.0.0.1/api/health HTTP/1.1", {403, 404, CLOSED}),
        ("GET api/health HTTP/1.1", {403, 404, CLOSED}),
        ("BREW /api/health HTTP/1.1", {400, 405, CLOSED, 403}),
        ("CONNECT 127.0.0.1:80 HTTP/1.1", {400, 403, 404, 405, CLOSED}),
        ("PUT /api/health HTTP/1.1", {405}),
        ("GET /%00 HTTP/1.1", {400, 403, 404, CLOSED}),
        ("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1", {400, 403, 404, CLOSED}),
        ("GET /%252e%252e/ HTTP/1.1", {404}),
        ("GET /%c0%ae%c0%ae/ HTTP/1.1", {400, 403, 404, CLOSED}),
        ("GET /%zz HTTP/1.1", {400, 403, 404, CLOSED}),
        ("GET /" + "a" * 16384 + " HTTP/1.1", {400, 403, 404, 414, 431, CLOSED}),
        ("GET /api/health HTTP/9.9", {200, 400, 505, CLOSED}),
        ("GET /api/events?limit=abc HTTP/1.1", {400}),
        ("GET /api/events?limit=0 HTTP/1.1", {400}),
        ("GET /api/events?limit=1001 HTTP/1.1", {400}),
        ("GET /api/events?from=-x HTTP/1.1", {400}),
        ("GET /api/events?from=18446744073709551616 HTTP/1.1", {400}),
        ("GET /api/events?from=1.5 HTTP/1.1", {400}),
        ("GET /api/events?from=v1.garbage HTTP/1.1", {400, 409}),
        ("GET /api/events?from=v1.00000000-0000-4000-8000-000000000000.5.00000000 HTTP/1.1", {409}),
        ("GET /api/consumers/../health HTTP/1.1", {200, 404}),
        ("GET /api/consumers/%2e%2e%2fx HTTP/1.1", {400, 404}),
        ("GET /api/consumers/unknown HTTP/1.1", {404}),
        ("GET /ws/firehose HTTP/1.1", {426}),
    ],
)
def test_request_lines(server, line, expected):
    assert ask(server, request(server, line, Connection="close"))[0] in expected


def test_http_0_9_gets_nothing_useful(server):
    assert ask(server, b"GET /api/health\r\n\r\n")[0] in {400, 401, 403, 421, CLOSED}


POST = "POST /api/events HTTP/1.1"
JSON = "application/json"


@pytest.mark.parametrize(
    "length, expected",
    [
        ("-1", {400}),
        ("+12", {400}),
        ("0x10", {400}),
        ("12, 12", {400}),
        ("", {400, 411}),
        ("18446744073709551616", {413}),
        ("9223372036854775808", {413}),
        ("4194305", {413}),
        (["12", "13"], {400}),
        (["12", "12"], {400}),
        (None, {411}),
    ],
)
def test_content_lengths(server, length, expected):
    status, answer, _ = ask(server, request(server, POST, b'{"type":"x"}', Content_Type=JSON, Content_Length=length))
    assert status in expected
    assert answer["connection"] == "close"


@pytest.mark.parametrize("body", [b"c\r\n{\"type\":\"x\"}\r\n0\r\n\r\n", b"zz\r\n", b"-1\r\n", b"ffffffffffffffff\r\n"])
def test_chunked_bodies_are_asked_for_their_length(server, body):
    assert ask(server, request(server, POST, body, Content_Type=JSON, Transfer_Encoding="chunked"))[0] == 411
    both = request(server, POST, body, Content_Type=JSON, Transfer_Encoding="chunked", Content_Length=12)
    assert ask(server, both)[0] == 411


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_form_could_send_is_no_event(server, media_type):
    body = b'{"type":"x"}'
    assert ask(server, request(server, POST, body, Content_Type=media_type, Content_Length=len(body)))[0] == 415


def post(server, body, media_type=JSON, line=POST, **changes):
    return ask(server, request(server, line, body, Content_Type=media_type, Content_Length=len(body), **changes))


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"", None),
        (b"{", "not_json"),
        (b"null", "not_an_object"),
        (b"42", "not_an_object"),
        (b'"x"', "not_an_object"),
        (b"{}", "bad_type"),
        (b'{"type":1}', "bad_type"),
        (b'{"type":""}', "bad_type"),
        (b'{"type":"x","type":"y"}', "duplicate_key"),
        (b'{"type":"x"} trailing', "not_json"),
        (b'\xef\xbb\xbf{"type":"x"}', "not_json"),
        (b'{"type":"x","n":NaN}', "not_json"),
        (b'{"type":"x","n":1e400}', None),
        (b'{"type":"x","s":"\xff"}', "bad_utf8"),
        (b'{"type":"x","s":"\xed\xa0\x80"}', "bad_utf8"),
        (b'{"type":"x","s":"\\ud800"}', "not_json"),
        (b'{"type":"x","d":' + b"[" * 65 + b"]" * 65 + b"}", "too_deep"),
        (b'{"type":"x","d":' + b"[" * 100000 + b"]" * 100000 + b"}", "too_deep"),
        (b'{"type":"x","d":' + b"[" * 1000000, "too_deep"),
        (b'{"type":"session_created"}', "bad_field"),
        (b'{"type":"x","event_id":"no-uuid"}', "bad_event_id"),
    ],
)
def test_what_is_no_event_is_refused_with_its_reason(server, body, reason):
    import json

    status, _, answer = post(server, body)
    assert status in (400, 413), answer
    error = json.loads(answer)["error"]
    if reason:
        accepted = {reason, "not_json"} if reason in ("too_deep", "bad_utf8") else {reason}
        assert error["code"] == "invalid_event" and error["reason"] in accepted, error


def test_an_event_that_is_too_large_is_413(server):
    assert post(server, b'{"type":"x","s":"' + b"a" * 1048576 + b'"}')[0] == 413


def test_a_bad_line_names_itself_and_nothing_of_its_batch_is_appended(server):
    import json

    end = server.get_json("/api/health")["log"]["end"]
    status, _, answer = post(server, b'{"type":"a"}\n{"type":"b"}\nnope\n', "application/x-ndjson")
    assert status == 400 and json.loads(answer)["error"]["line"] == 3
    assert server.get_json("/api/health")["log"]["end"] == end


@pytest.mark.parametrize("text", [b"-0", b"18446744073709551616", b"9007199254740993.0", b'"\\u0000"'])
def test_spellings_survive(server, text):
    body = b'{"type":"x", "n" : ' + text + b"}"
    assert post(server, body)[0] == 200
    _, _, page = server.request("GET", "/api/events?from=-1")
    assert body in page


def test_the_same_id_with_another_payload_is_409(server):
    event_id = "01940000-0000-7000-8000-000000000001"
    first = {"type": "x", "event_id": event_id}
    assert server.append(first)["duplicates"] == 0
    assert server.append(first)["duplicates"] == 1
    status, _, body = server.request("POST", "/api/events", body={"type": "y", "event_id": event_id})
    assert status == 409 and b"event_id_conflict" in body


def test_idempotency_keys(server):
    key = "01940000-0000-7000-8000-000000000002"
    one = b'{"type":"keyed"}'
    assert b'"duplicates":0' in post(server, one, Idempotency_Key=key)[2]
    assert b'"duplicates":1' in post(server, one, Idempotency_Key=key)[2]
    assert post(server, one, Idempotency_Key="not-a-uuid")[0] == 400
    assert post(server, one, Idempotency_Key="00000000-0000-0000-0000-000000000000")[0] == 400


def test_an_idempotency_key_counts_up_over_a_batch(server):
    stem = "01940000-0000-7000-8000-00000000"
    own = "01940000-0000-7000-9000-000000000001"
    events = [{"type": "counted", "n": n} for n in range(4)]
    events[2]["event_id"] = own
    lines = "\n".join(json.dumps(event) for event in events).encode()
    for media_type, body in (("application/x-ndjson", lines), ("application/json", json.dumps(events).encode())):
        status, _, answer = post(server, body, media_type, Idempotency_Key=stem + "fffe")
        answer = json.loads(answer)
        assert status == 200 and answer["duplicates"] == (0 if media_type.endswith("ndjson") else 4)
        assert answer["event_ids"] == [stem + "fffe", stem + "ffff", own, stem[:-1] + "10001"]
        status, _, again = post(
            server, body, media_type, "POST /api/events?ids=0 HTTP/1.1", Idempotency_Key=stem + "fffe"
        )
        assert status == 200 and json.loads(again)["duplicates"] == 4 and b"event_ids" not in again
    status, _, body = post(server, b'[{"type":"a"},{"type":"b"}]', Idempotency_Key=stem + "fffe")
    assert status == 409 and b"event_id_conflict" in body
    assert post(server, b'{"type":"a"}', JSON, "POST /api/events?ids=maybe HTTP/1.1")[0] == 400


@pytest.mark.parametrize("upgrade", ["h2c", "bogus", "websocket-ish", "TLS/1.0", "websocket, h2c"])
def test_other_upgrades_are_not_taken(server, upgrade):
    asked = request(server, Connection="Upgrade, HTTP2-Settings", Upgrade=upgrade, HTTP2_Settings="AAMAAABkAAQAAP__")
    assert ask(server, asked)[0] in {400, 403, CLOSED}
    # What broke libwebsockets 4.1.6 (CVE-2025-11677) was the second request on a connection.
    with RawSocket(server) as raw:
        raw.send(request(server, "GET /healthz HTTP/1.1") + asked)
        assert raw.read_until_close().count(b"HTTP/1.1 ") == 1


def test_the_http_2_preface_is_not_taken(server):
    assert ask(server, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")[0] in {400, 403, 404, 405, 421, CLOSED}


def test_tls_on_the_plain_port_is_not_taken(server):
    hello = bytes.fromhex("16030100f8010000f40303") + b"\0" * 240
    assert ask(server, hello)[0] in {400, 403, CLOSED}


@pytest.mark.parametrize(
    "lines",
    [
        "X-Long: " + "a" * 9000 + "\r\n",
        "".join(f"X-{i}: y\r\n" for i in range(10000)),
        "X-Nul: a\0b\r\n",
        "No-Colon\r\n",
        "X-Cr: a\rb\r\n",
        " folded: x\r\n",
    ],
    ids=["8 KiB", "10,000", "NUL", "no colon", "CR", "folded"],
)
def test_odd_headers(server, lines):
    text = f"GET /api/health HTTP/1.1\r\n{headers(server, Connection='close')}{lines}\r\n"
    assert ask(server, text)[0] in {200, 400, 401, 403, 431, CLOSED}


def test_of_pipelined_requests_one_is_answered_and_says_so(server):
    body = b'{"type":"pipelined"}'
    append = request(server, POST, body, Content_Type=JSON, Content_Length=len(body))
    for one in (request(server, "GET /healthz HTTP/1.1"), append):
        for many in (one * 1000, one * 2, request(server, "GET /healthz HTTP/1.1") + append):
            with RawSocket(server) as raw:
                raw.send(many)
                answers = raw.read_until_close()
            assert answers.count(b"HTTP/1.1 200 OK") == 1
            assert answers.count(b"Connection: close") == 1


def test_a_refusal_arrives_although_the_body_is_never_read(server):
    body = b"x" * 3_000_000
    for changes in ({"Authorization": None}, {"Content_Length": 5_000_000}):
        given = {"Content_Type": JSON, "Content_Length": len(body), **changes}
        assert ask(server, request(server, POST, body, **given))[0] in (401, 413)


def test_a_reset_in_the_middle_of_a_body_harms_nobody(server):
    with RawSocket(server) as raw:
        raw.send(request(server, POST, b'{"type"', Content_Type=JSON, Content_Length=500))
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_a_half_closed_client_still_gets_its_answer(server):
    with RawSocket(server) as raw:
        raw.send(request(server, Connection="close"))
        raw.socket.shutdown(socket.SHUT_WR)
        assert raw.read_answer()[0] in {200, CLOSED}


def test_a_stream_whose_client_half_closes_does_not_spin(server):
    def cpu_seconds():
        with open(f"/proc/{server.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    with RawSocket(server) as raw:
        raw.send(request(server, "GET /api/events HTTP/1.1", Accept="text/event-stream"))
        assert b"200 OK" in raw.socket.recv(4096)
        raw.socket.shutdown(socket.SHUT_WR)
        before = cpu_seconds()
        time.sleep(1.5)  # what is measured is that nothing happens in this time
        assert cpu_seconds() - before < 0.5


def test_silent_strangers_are_hung_up_on_and_do_not_block_the_unix_socket(server):
    silent = [RawSocket(server) for _ in range(200)]
    try:
        status, _, _ = server.request("GET", "/api/health", unix=True)
        assert status == 200
        # Those that were accepted are cut off; then the rest, and we, get our turn.
        status, _, _ = server.request("GET", "/healthz", timeout=30)
        assert status == 200
    finally:
        for raw in silent:
            raw.socket.close()
