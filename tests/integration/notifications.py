# SPDX-License-Identifier: MIT
"""Notifications reach a webhook (signed), ntfy and a command; one endpoint that hangs delays no other; a restart skips nothing."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import queue
import socket
import subprocess
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from vibes_server import VibesServer, program

SECRET = "open sesame"
WITHIN_S = 30


class Endpoint:
    """An HTTP server that puts what it is sent into a queue and answers with its status."""

    def __init__(self):
        received = self.received = queue.Queue()
        self.status = 200
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.put((self.path, dict(self.headers), body))
                self.send_response(endpoint.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        path, headers, body = self.received.get(timeout=WITHIN_S)
        return path, headers, json.loads(body), body

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def endpoint():
    running = Endpoint()
    yield running
    running.close()


@pytest.fixture
def hung():
    """Takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    return str(path)


def permission(session, tool="Bash"):
    return {"type": "claude", "session_id": session,
            "event": {"type": "permission_request", "id": "1", "tool": tool, "description": "d"}}  # fmt: skip


def group(server):
    return server.get_json("/api/consumers/notifications")


def test_a_webhook_gets_a_signed_request_and_what_is_no_trigger_is_not_sent(endpoint, secret_file):
    with VibesServer("--notify-webhook", endpoint.url + "/hook", "--notify-webhook-secret-file", secret_file) as server:
        server.append({"type": "note", "text": "nothing to tell"})
        server.append({"type": "hook", "session_id": "s1", "event": {"type": "stop"}})  # off by default
        server.append(permission("s1"))
        server.append(permission("s1"))  # the same tag at once
        server.append({"type": "session_state_changed", "session_id": "s1", "state": "Completed"})
        path, headers, first, body = endpoint.next()
        assert path == "/hook" and headers["Content-Type"] == "application/json"
        assert headers["X-Vibes-Signature"] == "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert first["title"] == "Claude needs approval" and first["body"] == "Permission requested for Bash"
        assert first["tag"] == "permission-s1" and first["event_type"] == "permission_needed"
        stored = server.get_json(f"/api/events?from={first['offset']}&limit=1")["events"][0]
        assert stored["event_id"] == first["event_id"] and stored["event"] == permission("s1")
        assert endpoint.next()[2]["event_type"] == "session_completed"
        assert b'vibes_notifications_total{result="repeated"} 1' in server.request("GET", "/metrics")[2]
    assert endpoint.received.empty()


def test_an_endpoint_that_hangs_delays_no_other_and_nothing_is_skipped_by_a_restart(endpoint, hung):
    with VibesServer("--notify-webhook", endpoint.url, "--notify-ntfy", hung + "/topic") as server:
        server.append({"type": "note"})
        sessions = [f"s{n}" for n in range(20)]
        for session in sessions[:10]:
            server.append(permission(session))
        assert [endpoint.next()[2]["session_id"] for _ in range(10)] == sessions[:10]
        assert group(server)["lag"] >= 10  # ntfy has taken none of them
        server.stop()
        server.options = ["--notify-ntfy", endpoint.url + "/a/topic"]
        server.start()
        for session in sessions[10:]:
            server.append(permission(session))
        got = [endpoint.next() for _ in range(20)]
        assert {path for path, *_ in got} == {"/a/"}
        assert [message["topic"] for _, _, message, _ in got] == ["topic"] * 20
        assert got[0][2]["title"] == "Claude needs approval" and got[0][2]["priority"] == 4


def test_what_was_delivered_is_not_sent_again_after_a_restart(endpoint):
    with VibesServer("--notify-webhook", endpoint.url) as server:
        server.append(permission("before"))
        assert endpoint.next()[2]["session_id"] == "before"
        server.restart()
        server.append(permission("after"))
        assert endpoint.next()[2]["session_id"] == "after"


def test_a_command_gets_the_event_and_nothing_of_it_is_run(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    trap = tmp_path / "trap"
    command = f'{{ printf "%s|%s|%s|" "$VIBES_TRIGGER" "$VIBES_SESSION_ID" "$VIBES_BODY"; cat; }} >{tmp_path}/pipe'
    with VibesServer("--notify-command", command) as server:
        event = permission(f"$(touch {trap})", tool=f"`touch {trap}`; touch {trap}")
        server.append(event)
        with open(tmp_path / "pipe") as pipe:
            trigger, session, body, payload = pipe.read().split("|", 3)
        assert trigger == "permission_request" and session == event["session_id"]
        assert body == "Permission requested for " + event["event"]["tool"]
        assert json.loads(payload) == event
    assert not trap.exists()


def test_a_stalled_session_becomes_an_event_once_and_a_notification(endpoint):
    with VibesServer("--notify-webhook", endpoint.url, "--stall-after", "200ms") as server:
        server.append({"type": "user_input", "session_id": "s1", "content": "go"})
        message = endpoint.next()[2]
        assert message["event_type"] == "session_stalled" and message["session_id"] == "s1"
        server.restart()  # the prompt is read no second time
        server.append({"type": "user_input", "session_id": "s2", "content": "go"})
        assert endpoint.next()[2]["session_id"] == "s2"
        events = server.get_json("/api/events?from=beginning&types=session.stalled")["events"]
        assert [e["event"]["session_id"] for e in events] == ["s1", "s2"]
        assert events[0]["event"]["waiting_for"] == "answer"


def test_notify_off_says_what_is_left_out(endpoint):
    with VibesServer("--notify-webhook", endpoint.url, "--notify-off", "permission_request,completed") as server:
        server.append(permission("s1"))
        server.append({"type": "session_state_changed", "session_id": "s1", "state": "Completed"})
        server.append({"type": "hook", "session_id": "s1", "event": {"type": "stop"}})  # the default is replaced
        assert endpoint.next()[2]["trigger"] == "hook_stop"


def test_vibesctl_notify_test_tells_how_each_channel_did(endpoint):
    def notify_test(server):
        return subprocess.run([program("vibesctl"), "--url", server.url, "--token-file", str(server.token_file), "notify", "test"],
                              env=server.environment, text=True, capture_output=True, check=False)  # fmt: skip

    with VibesServer("--notify-webhook", endpoint.url, "--notify-command", "exit 0") as server:
        done = notify_test(server)
        assert done.returncode == 0, done.stderr
        lines = sorted(line.split()[:2] for line in done.stdout.splitlines())
        assert lines == [["command", "sent"], ["webhook", "sent"]]
        assert endpoint.next()[2]["event_type"] == "test"
        server.stop()
        server.options = []
        server.start()
        done = notify_test(server)
        assert done.returncode != 0 and "no channel" in done.stderr


@pytest.mark.parametrize("options", [
    ["--notify-webhook", "http://example.com/"],
    ["--notify-ntfy", "https://ntfy.sh/"],
    ["--notify-off", "everything"],
    ["--stall-after", "soon"],
    ["--stall-after", "0s"],
    ["--notify-webhook-secret-file", "/etc/hostname"],
    ["--notify-webhook", "https://e.example/", "--notify-webhook-secret-file", "/nowhere"],
], ids=" ".join)  # fmt: skip
def test_bad_options_are_refused_by_name(tmp_path, options):
    env = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    done = subprocess.run([program("vibes-server"), "--check-config", *options], cwd=tmp_path, env=env, text=True,
                          capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 2 and options[-2] in done.stderr, done.stderr


# Web Push. The receiving side is written after RFC 8291 with another library than the server's.


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Browser:
    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.auth = os.urandom(16)

    def subscription(self):
        return {"endpoint": self.endpoint, "keys": {"p256dh": b64(self.point), "auth": b64(self.auth)}}

    def decrypt(self, body):
        salt, record, idlen = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, sealed = body[21 : 21 + idlen], body[21 + idlen :]
        assert record == 4096 and len(body) <= 4096
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        secret = HKDF(SHA256(), 32, self.auth, b"WebPush: info\0" + self.point + sender).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
        text = AESGCM(key).decrypt(nonce, sealed, None)
        assert text.endswith(b"\x02")
        return json.loads(text[:-1])


def check_vapid(header, public_key, audience):
    token, key = header.removeprefix("vapid t=").split(", k=")
    assert key == public_key
    signed, signature = token.rsplit(".", 1)
    raw = unb64(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(key))
    point.verify(der, signed.encode(), ec.ECDSA(SHA256()))
    claims = json.loads(unb64(signed.split(".")[1]))
    assert claims["aud"] == audience and claims["sub"] == "mailto:me@example.com"


def test_a_browser_that_subscribed_gets_what_only_it_can_read_until_it_is_gone(endpoint):
    browser = Browser(endpoint.url + "/push/abc")
    with VibesServer("--push", "on", "--push-subject", "mailto:me@example.com") as server:
        public_key = server.get_json("/api/push/vapid-key")["public_key"]
        status, _, answer = server.request("POST", "/api/push/subscribe", body=browser.subscription())
        assert status == 201, answer
        again = server.request("POST", "/api/push/subscribe", body=browser.subscription())
        assert json.loads(again[2]) == json.loads(answer)  # the same endpoint, the same id
        server.restart()
        assert server.get_json("/api/push/vapid-key")["public_key"] == public_key
        listed = server.get_json("/api/push/subscriptions")
        assert listed["count"] == 1 and listed["subscriptions"][0]["id"] == json.loads(answer)["id"]
        assert "abc" not in json.dumps(listed)
        for name in ("vapid_keys.json", "subscriptions.json"):
            assert (server.root / "state" / "vibes" / "push" / name).stat().st_mode & 0o777 == 0o600
        server.append(permission("s1"))
        path, headers, body = endpoint.received.get(timeout=WITHIN_S)
        assert path == "/push/abc" and headers["Content-Encoding"] == "aes128gcm" and int(headers["TTL"]) > 0
        check_vapid(headers["Authorization"], public_key, endpoint.url)
        message = browser.decrypt(body)
        assert message == {"title": "Claude needs approval", "body": "Permission requested for Bash", "icon": "/icon-192.png",
                           "tag": "permission-s1", "data": {"url": "/session/s1", "session_id": "s1",
                                                            "event_type": "permission_needed"}}  # fmt: skip
        endpoint.status = 410
        answer = server.request("POST", "/api/notify/test")
        assert json.loads(answer[2])["channels"][0]["result"] == "gone"
        assert server.get_json("/api/push/subscriptions")["count"] == 0


def test_subscriptions_are_checked_and_can_be_taken_back(endpoint):
    good = Browser(endpoint.url).subscription()
    with VibesServer("--push", "on") as server:
        for bad in ({**good, "endpoint": "http://example.com/"}, {**good, "endpoint": 7}, {"endpoint": good["endpoint"]}, [],
                    {**good, "keys": {**good["keys"], "auth": "AAAA"}}, {**good, "keys": {**good["keys"], "p256dh": b64(b"\x04" * 65)}}):  # fmt: skip
            status, _, answer = server.request("POST", "/api/push/subscribe", body=bad)
            assert status == 400 and isinstance(json.loads(answer)["error"], str), bad
        made = json.loads(server.request("POST", "/api/push/subscribe", body=good)[2])["id"]
        assert server.request("DELETE", f"/api/push/subscribe/{made}")[0] == 204
        status, _, answer = server.request("DELETE", f"/api/push/subscribe/{made}")
        assert status == 404 and json.loads(answer) == {"error": "Subscription not found"}


def test_without_push_its_routes_say_so():
    with VibesServer() as server:
        for method, path in (("GET", "vapid-key"), ("GET", "subscriptions"), ("POST", "subscribe"), ("DELETE", "subscribe/x")):
            status, _, answer = server.request(method, f"/api/push/{path}")
            assert status == 503 and json.loads(answer) == {"error": "Push notifications not configured"}
