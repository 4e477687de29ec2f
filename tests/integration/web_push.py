# SPDX-License-Identifier: MIT
"""Web Push as browsers and push services see it: other people's code decrypts the message and verifies the token."""

import base64
import json

import pytest
from http_endpoint import HttpEndpoint
from push_browser import PushBrowser
from vibes_server import VibesServer

SUBJECT = "mailto:me@example.com"
HOUR_S = 3600
PERMISSION = {"type": "claude", "session_id": "s1",
              "event": {"type": "permission_request", "id": "1", "tool": "Bash", "description": "d"}}  # fmt: skip


@pytest.fixture
def endpoint():
    running = HttpEndpoint()
    yield running
    running.close()


@pytest.fixture
def browser(endpoint):
    with PushBrowser(endpoint.url + "/push/abc") as running:
        yield running


def public_key(server):
    return server.get_json("/api/push/vapid-key")["public_key"]


def subscribe(server, subscription):
    status, _, answer = server.request("POST", "/api/push/subscribe", body=subscription)
    assert status == 201, answer
    return json.loads(answer)["id"]


def test_a_browser_that_subscribed_gets_what_only_it_can_read_until_it_is_gone(endpoint, browser):
    with VibesServer("--push", "on", "--push-subject", SUBJECT) as server:
        key = public_key(server)
        made = subscribe(server, browser.subscription())
        assert subscribe(server, browser.subscription()) == made  # the same endpoint, the same id
        server.restart()
        assert public_key(server) == key
        listed = server.get_json("/api/push/subscriptions")
        assert listed["count"] == 1 and listed["subscriptions"][0]["id"] == made
        assert "abc" not in json.dumps(listed)
        for name in ("vapid_keys.json", "subscriptions.json"):
            assert (server.root / "state" / "vibes" / "push" / name).stat().st_mode & 0o777 == 0o600
        server.append(PERMISSION)
        path, headers, body = endpoint.next_raw()
        assert path == "/push/abc" and int(headers["TTL"]) > 0
        received = browser.receive(headers, body, key, SUBJECT)
        assert received["claims"]["aud"] == endpoint.url and received["claims"]["sub"] == SUBJECT
        assert json.loads(received["payload"]) == {
            "title": "Claude needs approval", "body": "Permission requested for Bash", "icon": "/icon-192.png",
            "tag": "permission-s1",
            "data": {"url": "/session/s1", "session_id": "s1", "event_type": "permission_needed"}}  # fmt: skip
        endpoint.status = 410
        answer = server.request("POST", "/api/notify/test")
        assert json.loads(answer[2])["channels"][0]["result"] == "gone"
        assert server.get_json("/api/push/subscriptions")["count"] == 0


def flipped(text, at):
    """The text with another base64url letter at the place."""
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def tampered(headers, body, key):
    """(what is wrong, what the refusal says, the changed arguments of receive())"""
    authorization = headers["Authorization"]
    signature_at = authorization.index(", k=") - 10
    claims_at = authorization.index(".") + 10

    def with_header(name, value):
        return {"headers": {**headers, name: value}}

    for at in (0, 20, 30, 86, len(body) // 2, len(body) - 1):  # salt, length of the key, key, text, tag
        yield f"body byte {at}", "", {"body": body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]}
    yield "body cut", "", {"body": body[:-1]}
    yield "token signature", "signature verification failed", with_header("Authorization", flipped(authorization, signature_at))
    yield "token claims", "signature verification failed", with_header("Authorization", flipped(authorization, claims_at))
    yield "key in the header", "server's key", with_header("Authorization", flipped(authorization, len(authorization) - 20))
    yield "scheme", "vapid", with_header("Authorization", authorization.replace("vapid", "WebPush"))
    yield "no TTL", "TTL", {"headers": {name: value for name, value in headers.items() if name != "TTL"}}
    yield "encoding", "aes128gcm", with_header("Content-Encoding", "aesgcm")
    yield "another server's key", "server's key", {"vapid_key": flipped(key, 20)}
    yield "another origin", '"aud"', {"endpoint": "https://push.example/push/abc"}
    yield "another subject", '"sub"', {"subject": "mailto:you@example.com"}


def test_nothing_that_was_changed_on_the_way_is_taken(endpoint, browser):
    with VibesServer("--push", "on", "--push-subject", SUBJECT) as server:
        key = public_key(server)
        subscribe(server, browser.subscription())
        server.append(PERMISSION)
        _, headers, body = endpoint.next_raw()
    good = {"headers": headers, "body": body, "vapid_key": key, "subject": SUBJECT}
    received = browser.receive(**good)
    assert "payload" in received, received
    for what, says, changes in tampered(headers, body, key):
        refused = browser.receive(**{**good, **changes})
        assert "payload" not in refused and says in refused["error"], (what, refused)
    expires = received["claims"]["exp"]
    assert '"exp"' in browser.receive(**good, at=expires + 1)["error"]
    assert "24 hours" in browser.receive(**good, at=expires - 25 * HOUR_S)["error"]
    with PushBrowser(endpoint.url + "/push/abc") as other:
        assert "payload" not in other.receive(**good)


def test_subscriptions_are_checked_and_can_be_taken_back(browser):
    good = browser.subscription()
    no_point = base64.urlsafe_b64encode(b"\x04" * 65).rstrip(b"=").decode()
    with VibesServer("--push", "on") as server:
        for bad in ({**good, "endpoint": "http://example.com/"}, {**good, "endpoint": 7}, {"endpoint": good["endpoint"]}, [],
                    {**good, "keys": {**good["keys"], "auth": "AAAA"}}, {**good, "keys": {**good["keys"], "p256dh": no_point}}):  # fmt: skip
            status, _, answer = server.request("POST", "/api/push/subscribe", body=bad)
            assert status == 400 and isinstance(json.loads(answer)["error"], str), bad
        made = subscribe(server, good)
        assert server.request("DELETE", f"/api/push/subscribe/{made}")[0] == 204
        status, _, answer = server.request("DELETE", f"/api/push/subscribe/{made}")
        assert status == 404 and json.loads(answer) == {"error": "Subscription not found"}


def test_without_push_its_routes_say_so():
    with VibesServer() as server:
        for method, path in (("GET", "vapid-key"), ("GET", "subscriptions"), ("POST", "subscribe"), ("DELETE", "subscribe/x")):
            status, _, answer = server.request(method, f"/api/push/{path}")
            assert status == 503 and json.loads(answer) == {"error": "Push notifications not configured"}
