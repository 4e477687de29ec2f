# SPDX-License-Identifier: MIT
"""vibesctl over https:// and wss://, to a real server behind a TLS front whose certificate is made here."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from tls_front import TlsFront, make_certificate  # noqa: E402
from vibes_server import VibesServer, program  # noqa: E402


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server():
    with VibesServer() as server:
        yield server


class Client:
    """vibesctl in the world of `server`, talking to `port` by TLS; trusts the certificate unless told not to."""

    def __init__(self, server, certificate, port, host="localhost"):
        self.url = f"https://{host}:{port}"
        self.env = {**server.environment, "SSL_CERT_FILE": str(certificate[0]), "VIBES_TOKEN_FILE": str(server.token_file)}

    def run(self, *arguments, status=0, **options):
        done = subprocess.run(
            [program("vibesctl"), "--url", self.url, *arguments],
            env=self.env, capture_output=True, text=True, timeout=120, check=False, **options,
        )
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done


def test_requests_appends_and_the_firehose_go_through_tls(server, certificate):
    with TlsFront(server.port, *certificate) as front:
        client = Client(server, certificate, front.port)
        assert json.loads(client.run("health", "--json").stdout)["status"] == "ok"
        # One is a POST or a WebSocket as the program likes; many are a WebSocket.
        client.run("append", "--no-spool", "--type", "note", "--data", '{"text":"one"}')
        lines = "".join(json.dumps({"type": "note", "text": str(i)}) + "\n" for i in range(3000))
        client.run("append", "--no-spool", "-l", input=lines)
        seen = client.run("tail", "-n", "all", "-e", "-F", "{event.text}").stdout.splitlines()
        assert seen == ["one", *map(str, range(3000))]
        # PUT with a body, and an answer.
        sought = client.run("consumers", "seek", "g", "--to", "end", "--json").stdout
        assert json.loads(sought)["committed"] == 3001
        assert any(head.startswith("PUT ") for head in front.heads)
        assert all(f"localhost:{front.port}" in head for head in front.heads)


def test_a_body_over_many_records_arrives_whole(server, certificate):
    """256 KiB in one event: more than one TLS record and one buffer, there and back."""
    text = "x" * 262_144
    with TlsFront(server.port, *certificate) as front:
        client = Client(server, certificate, front.port)
        client.run("append", "--no-spool", "-l", input=json.dumps({"type": "note", "text": text}))
        assert client.run("tail", "-n", "all", "-e", "-F", "{event.text}").stdout == text + "\n"


@pytest.mark.parametrize("arguments", [("health",), ("tail", "-e"), ("append", "--no-spool", "--type", "note")])
def test_a_certificate_nobody_vouches_for_is_no_connection(server, certificate, arguments):
    with TlsFront(server.port, *certificate) as front:
        client = Client(server, certificate, front.port)
        del client.env["SSL_CERT_FILE"]
        done = client.run(*arguments, status=3)
        assert "error: " in done.stderr and f"localhost:{front.port}" in done.stderr
        assert front.heads == []  # the token has not left us


@pytest.mark.parametrize("arguments", [("health",), ("tail", "-e")])
def test_a_certificate_for_another_name_is_no_connection(server, certificate, arguments):
    with TlsFront(server.port, *certificate) as front:
        Client(server, certificate, front.port, host="127.0.0.1").run(*arguments, status=3)
        assert front.heads == []


@pytest.mark.parametrize("arguments", [("health",), ("tail", "-e")])
def test_a_plain_server_on_a_tls_url_is_no_connection(server, certificate, arguments):
    Client(server, certificate, server.port).run(*arguments, status=3)


def test_nobody_there_is_status_3(server, certificate):
    with TlsFront(server.port, *certificate) as front:
        pass
    Client(server, certificate, front.port).run("health", status=3)


def test_a_wrong_token_is_status_4(server, certificate, tmp_path):
    (tmp_path / "token").write_text("wrong\n")
    with TlsFront(server.port, *certificate) as front:
        client = Client(server, certificate, front.port)
        client.env["VIBES_TOKEN_FILE"] = str(tmp_path / "token")
        client.run("consumers", "list", status=4)
        client.run("tail", "-e", status=4)


def test_retry_after_counts_over_tls_too(server, certificate):
    busy = b"HTTP/1.1 429 x\r\nRetry-After: 2\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    with TlsFront(server.port, *certificate, busy) as front:
        client = Client(server, certificate, front.port)
        began = time.monotonic()
        client.run("append", "--no-spool", "-W", "60", "--type", "note")
        assert time.monotonic() - began >= 2
        assert len(front.heads) == 2


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"cut",
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"cut\r\n",
    b"nonsense\r\n\r\n",
    b"",
])
def test_an_answer_cut_short_is_not_taken_for_whole(server, certificate, answer):
    with TlsFront(None, *certificate, answer) as front:
        client = Client(server, certificate, front.port)
        done = subprocess.run([program("vibesctl"), "--url", client.url, "health", "--json"], env=client.env,
                              capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode in (1, 3), (done.returncode, done.stdout, done.stderr)
        assert done.stdout == ""
