# SPDX-License-Identifier: MIT
"""The server's interfaces as foreign clients use them: python3-websockets, curl, the standard library."""

import asyncio
import json
import resource
import subprocess
import time

import pytest
import websockets
from prometheus_client.parser import text_string_to_metric_families
from raw_http import RawSocket, RawWebSocket, headers
from vibes_server import VibesServer


@pytest.fixture(scope="module")
def server():
    with VibesServer() as running:
        yield running


def end_of(server):
    return server.get_json("/api/health")["log"]["end"]


def connect(server, path, **options):
    return websockets.connect(
        f"ws://127.0.0.1:{server.port}{path}", extra_headers={"Authorization": f"Bearer {server.token}"}, **options
    )


def test_an_append_is_acknowledged_as_durable_and_read_back(server):
    end = end_of(server)
    receipt = server.append({"type": "a"}, {"type": "b", "session_id": "s"})
    assert receipt["first_offset"] == end and receipt["last_offset"] == end + 1
    assert receipt["count"] == 2 and receipt["durability"] == "fsync" and receipt["duplicates"] == 0
    page = server.get_json(f"/api/events?from={end}")
    assert [e["event"]["type"] for e in page["events"]] == ["a", "b"]
    assert [e["event_id"] for e in page["events"]] == receipt["event_ids"]


def test_pages_follow_each_other_and_filters_count_before_the_limit(server):
    end = end_of(server)
    server.append(*[{"type": "rare" if i % 10 == 0 else "common", "n": i} for i in range(100)])
    numbers, at = [], str(end)
    while True:
        page = server.get_json(f"/api/events?from={at}&types=rare&limit=3")
        if not page["events"]:
            break
        assert len(page["events"]) <= 3
        numbers += [e["event"]["n"] for e in page["events"]]
        at = page["next_cursor"]
    assert numbers == list(range(0, 100, 10))
    assert page["end"] == end + 100


def test_ndjson_pages_are_one_event_per_line(server):
    end = end_of(server)
    status, _, _ = server.request("POST", "/api/events", body='{"type":"spread",\n"over":\r\n"lines"}')
    assert status == 200
    _, headers, body = server.request("GET", f"/api/events?from={end}", headers={"Accept": "application/x-ndjson"})
    assert headers["Content-Type"] == "application/x-ndjson" and headers["Vibes-Next-Cursor"].startswith("v1.")
    assert [json.loads(line)["event"]["over"] for line in body.splitlines()] == ["lines"]


def test_until_excludes_its_offset(server):
    end = end_of(server)
    server.append(*[{"type": "u", "n": i} for i in range(5)])
    page = server.get_json(f"/api/events?from={end}&until={end + 3}")
    assert [e["offset"] for e in page["events"]] == [end, end + 1, end + 2]


def test_cloudevents_come_in(server):
    event = {"specversion": "1.0", "id": "1", "source": "urn:test", "type": "dev.vibes.from_cloud", "data": {"type": "from_cloud", "n": 1}}
    for media_type, body in (("application/cloudevents+json", event), ("application/cloudevents-batch+json", [event])):
        status, _, answer = server.request("POST", "/api/events", body=body, headers={"Content-Type": media_type})
        assert status == 200, answer
    assert json.loads(answer)["duplicates"] == 1


def test_more_durability_than_there_is_is_412(server):
    end = end_of(server)
    assert server.request("POST", "/api/events?ack=replicated", body={"type": "x"})[0] == 412
    assert server.request("POST", "/api/events?ack=fsync", body={"type": "x"})[0] == 200
    assert end_of(server) == end + 1


def test_the_unix_socket_needs_no_token(server):
    status, _, _ = server.request("GET", "/api/health", unix=True)
    assert status == 200


def test_health_and_readiness(server):
    health = server.get_json("/api/health")
    assert health["status"] == "ok" and health["log"]["state"] == "writable" and health["libwebsockets"]
    assert {c["group"] for c in health["consumers"]} >= {"websocket"}
    assert server.request("GET", "/healthz", token=False)[2] == b"ok\n"
    assert server.request("GET", "/readyz", token=False)[2] == b"ready\n"
    assert json.loads(server.request("GET", "/api/auth/status", token=False)[2])["auth_required"] is True


def test_head_has_the_headers_of_get_and_no_body(server):
    status, headers, body = server.request("HEAD", "/api/health")
    assert status == 200 and body == b"" and int(headers["Content-Length"]) > 100


def test_consumer_groups_over_http(server):
    put = lambda name, position: server.request("PUT", f"/api/consumers/{name}", body={"position": position})  # noqa: E731
    status, _, body = put("mine", "beginning")
    assert status == 200 and json.loads(body)["committed"] == 0
    assert server.get_json("/api/consumers/mine")["lag"] == end_of(server)
    assert json.loads(put("mine", "end")[2])["lag"] == 0
    assert "mine" in [c["group"] for c in server.get_json("/api/consumers")["consumers"]]
    assert put("Bad Name".replace(" ", "%20"), "end")[0] == 400
    assert put("mine", "nonsense")[0] == 400
    assert put("websocket", "end")[0] == 409
    assert server.request("PUT", "/api/consumers/mine", body="{")[0] == 400
    assert server.request("GET", "/api/consumers/mine/dead-letters")[0] == 200
    assert server.request("DELETE", "/api/consumers/mine")[0] == 204
    assert server.request("GET", "/api/consumers/mine")[0] == 404
    assert server.request("DELETE", "/api/consumers/mine")[0] == 404


def test_python_websockets_sees_live_events_in_order(server):
    async def run():
        async with connect(server, "/ws/firehose?from=end&types=live") as firehose:
            assert json.loads(await firehose.recv())["type"] == "hello"
            async with connect(server, "/ws/append") as producer:
                for i in range(500):
                    await producer.send(json.dumps({"type": "live", "n": i}))
                acked = 0
                while acked < 500:
                    ack = json.loads(await producer.recv())
                    assert ack["type"] == "ack" and ack["durability"] == "fsync"
                    acked += ack["count"]
            numbers = []
            while len(numbers) < 500:
                message = json.loads(await asyncio.wait_for(firehose.recv(), 10))
                if message["type"] == "event":
                    numbers.append(message["event"]["n"])
            assert numbers == list(range(500))

    asyncio.run(run())


def test_a_browser_like_client(server):
    async def run():
        address = f"127.0.0.1:{server.port}"
        async with websockets.connect(
            f"ws://{address}/ws/firehose",
            origin=f"http://{address}",
            subprotocols=["vibes.v1", f"token.{server.token}"],
            compression="deflate",
        ) as browser:
            assert browser.subprotocol == "vibes.v1" and not browser.extensions
            await browser.send(json.dumps({"type": "set_filters", "types": ["browser"], "session": None}))
            assert json.loads(await browser.recv())["type"] == "events_batch"
            server.append({"type": "browser"}, {"type": "other"})
            event = json.loads(await asyncio.wait_for(browser.recv(), 10))
            assert event["type"] == "event" and event["event"]["type"] == "browser"

    asyncio.run(run())


def test_curl_is_a_firehose_client(server):
    end = end_of(server)
    server.append({"type": "sse", "n": 0})
    command = ["curl", "-sN", "--max-time", "20", "-H", f"Authorization: Bearer {server.token}"]
    command += ["-H", "Accept: text/event-stream", f"{server.url}/api/events?from={end}&types=sse"]
    curl = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        ids = []
        for n in range(3):
            while not (line := curl.stdout.readline()).startswith("id: "):
                assert line, "the stream ended"
            ids.append(line[4:].strip())
            assert json.loads(curl.stdout.readline()[6:])["event"]["n"] == n
            server.append({"type": "sse", "n": n + 1})
    finally:
        curl.terminate()
        curl.wait()
    # Where it was, by the id of the event that it saw last.
    resume = command[:-1] + ["-H", f"Last-Event-ID: {ids[1]}", f"{server.url}/api/events?until=end&types=sse"]
    done = subprocess.run(resume, capture_output=True, text=True, timeout=30)
    assert [json.loads(line[6:])["event"]["n"] for line in done.stdout.splitlines() if '"sse"' in line] == [2, 3]
    assert "event: end" in done.stdout


def test_a_stream_with_nothing_to_say_stays_open(server):
    with RawSocket(server, timeout=30) as stream:
        accept = headers(server, Accept="text/event-stream")
        stream.send(f"GET /api/events?types=late HTTP/1.1\r\n{accept}\r\n".encode())
        assert b"200 OK" in stream.socket.recv(4096)
        time.sleep(6)  # longer than libwebsockets would wait
        server.append({"type": "late"})
        received = b""
        while b'"late"' not in received:
            piece = stream.socket.recv(4096)
            assert piece, "the stream ended"
            received += piece


def test_an_event_over_several_lines_is_one_server_sent_event(server):
    end = end_of(server)
    server.request("POST", "/api/events", body='{"type":"spread",\n"n":1}')
    status, _, body = server.request(
        "GET", f"/api/events?from={end}&until=end", headers={"Accept": "text/event-stream"}
    )
    data = "\n".join(line[6:] for line in body.decode().split("\n\n")[1].split("\n") if line.startswith("data: "))
    assert status == 200 and json.loads(data)["event"] == {"type": "spread", "n": 1}


def test_a_slow_reader_of_a_large_page_gets_all_of_it(server):
    server.append(*[{"type": "bulk", "s": "x" * 10_000} for _ in range(90)])
    status, headers, body = server.request("GET", "/api/events?types=bulk&limit=90")
    assert status == 200 and len(body) == int(headers["Content-Length"]) > 900_000
    assert len(json.loads(body)["events"]) == 90


def test_a_client_that_does_not_read_holds_up_nobody(server):
    end = end_of(server)
    with RawWebSocket(server, f"/ws/firehose?from={end}", timeout=30) as slow:
        for _ in range(20):
            server.append(*[{"type": "flood", "s": "x" * 2000} for _ in range(500)])
        with RawWebSocket(server, "/ws/firehose?from=-1", timeout=30) as fast:
            while '"flood"' not in fast.read_text():
                pass
        seen = 0
        while seen < 10_000:
            message = json.loads(slow.read_text())
            if message["type"] == "event":
                assert message["offset"] == end + seen
                seen += 1


def test_a_thousand_clients_see_the_same_event(server):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    sockets = [RawWebSocket(server, "/ws/firehose?from=end&types=for_all", timeout=60) for _ in range(1000)]
    try:
        for socket in sockets:
            assert json.loads(socket.read_text())["type"] == "hello"
        server.append({"type": "for_all"})
        for socket in sockets:
            while '"for_all"' not in socket.read_text():
                pass
    finally:
        for socket in sockets:
            socket.socket.close()


def test_metrics_are_what_prometheus_reads_and_say_what_health_says(server):
    server.append({"type": "note"})
    assert server.request("PUT", "/api/consumers/measured", body='{"position":"beginning"}')[0] == 200
    status, answer_headers, body = server.request("GET", "/metrics")
    assert status == 200
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    health = server.get_json("/api/health")
    assert families["vibes_log_end_offset"].samples[0].value == health["log"]["end"]
    assert families["vibes_log_writable"].samples[0].value == 1
    lags = {s.labels["group"]: s.value for s in families["vibes_consumer_lag_events"].samples}
    assert lags == {group["group"]: group["lag"] for group in health["consumers"]}
    assert lags["measured"] == health["log"]["end"] - health["log"]["first"]
    states = {s.labels["group"]: s.labels["state"] for s in families["vibes_consumer_state"].samples}
    assert states["measured"] == "idle" and states["websocket"] == "running"
    assert families["vibes_consumer_dead_letters"].type == "counter"
    assert server.request("GET", "/metrics", token=None)[0] == 401
