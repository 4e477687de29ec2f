#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A real nats-server with JetStream for a test: on a free port of 127.0.0.1, with a directory of its own, ended by its pid.

    with NatsServer() as nats:
        print(nats.url("/vibes"))
        nats.kill()
        nats.start_again()

The program is $VIBES_NATS_SERVER, or the one on $PATH. Only the standard library is used. As a program it is the same for shells:

    nats_server.py start DIRECTORY    starts it in the background, again on the same port if it ran there before; prints the port
    nats_server.py kill DIRECTORY     kill -9

NatsCluster is three of them that are one cluster.
"""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WITHIN_S = 30
PR_SET_PDEATHSIG = 1


def die_with_parent():
    """A test that is killed must not leave servers behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait(condition, within=WITHIN_S):
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(condition)
        time.sleep(0.02)  # between two looks


class NatsServer:
    """One nats-server process. It starts again on the same port and directory."""

    def __init__(self, root=None, user="", password="", more=""):
        self._own_root = root is None
        self.root = Path(root or tempfile.mkdtemp(prefix="nats-"))
        self.user, self.password, self.more = user, password, more
        self.ports = self.root / "ports"
        self.pid_file = self.root / "pid"
        self.port_file = self.root / "port"
        self.process = None

    @property
    def port(self):
        return int(self.port_file.read_text())

    def url(self, rest="/vibes", login=""):
        return f"nats://{login}127.0.0.1:{self.port}{rest}"

    def start(self, outlive=False):
        self.ports.mkdir(parents=True, exist_ok=True)
        for stale in self.ports.iterdir():
            stale.unlink()
        port = self.port if self.port_file.exists() else -1
        login = f'authorization {{ user: "{self.user}", password: "{self.password}" }}\n' if self.user else ""
        (self.root / "conf").write_text(
            f'host: 127.0.0.1\nport: {port}\njetstream {{ store_dir: "{self.root}/store" }}\n'
            f'pid_file: "{self.pid_file}"\nports_file_dir: "{self.ports}"\n{login}{self.more}\n'
        )
        with open(self.root / "output", "ab") as output:
            self.process = subprocess.Popen(
                [os.environ.get("VIBES_NATS_SERVER") or "nats-server", "-c", str(self.root / "conf")],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=outlive, preexec_fn=None if outlive else die_with_parent,
            )  # fmt: skip
        wait(self._is_ready)
        return self

    def _is_ready(self):
        """It writes its ports once it listens on them."""
        if self.process.poll() is not None:
            raise RuntimeError("nats-server ended:\n" + (self.root / "output").read_text(errors="replace"))
        for file in self.ports.glob("*.ports"):
            with contextlib.suppress(json.JSONDecodeError):  # half written
                (url,) = json.loads(file.read_text())["nats"]
                self.port_file.write_text(url.rsplit(":", 1)[1])
                return True
        return False

    start_again = start

    def kill(self, signal_number=signal.SIGKILL):
        self.process.send_signal(signal_number)
        self.process.wait(WITHIN_S)
        self.process = None

    def stop(self):
        self.kill(signal.SIGTERM)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process is not None:
            self.kill()
        if self._own_root:
            shutil.rmtree(self.root, ignore_errors=True)


def free_ports(count):
    """Ports that were free a moment ago, all different."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [s.getsockname()[1] for s in sockets]


class NatsCluster:
    """Three nats-servers that are one JetStream cluster. A node dies with the thread that started it."""

    NODES = 3

    def __init__(self):
        ports = free_ports(self.NODES)
        routes = ", ".join(f"nats://127.0.0.1:{port}" for port in ports)
        self.nodes = [
            NatsServer(more=f"server_name: s{n}\ncluster {{ name: c, listen: 127.0.0.1:{port}, routes: [ {routes} ] }}")
            for n, port in enumerate(ports)
        ]
        self._ending = contextlib.ExitStack()

    def url(self, rest="/vibes?replicas=3"):
        return "nats://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes) + rest

    def wait_until_whole(self, within=2 * WITHIN_S):
        """Waits until every node has all of every stream: only then may the next one die."""
        wait(self._is_whole, within)

    def _is_whole(self):
        """Also asks what has no leader, which is not answered, and a node that has just begun, which answers errors."""
        try:
            with contextlib.closing(RawNats(self.nodes[0].port, within=1)) as raw:
                names = raw.request("$JS.API.STREAM.NAMES", {})["streams"] or []
                found = [raw.request(f"$JS.API.STREAM.INFO.{name}", {}).get("cluster", {}) for name in names]
        except (OSError, RuntimeError):
            return False
        return bool(found) and all(map(self._is_with_all, found))

    def _is_with_all(self, group):
        replicas = group.get("replicas", [])
        return (
            "leader" in group
            and len(replicas) == self.NODES - 1
            and all(r.get("current") and not r.get("offline") for r in replicas)
        )

    def __enter__(self):
        with self._ending:
            for node in self.nodes:
                self._ending.enter_context(node)
            self._ending = self._ending.pop_all()
        return self

    def __exit__(self, *reason):
        return self._ending.__exit__(*reason)


class RawNats:
    """NATS' text protocol over a socket, for what our own client would never send."""

    def __init__(self, port, within=WITHIN_S):
        self.socket = socket.create_connection(("127.0.0.1", port), within)
        self.lines = self.socket.makefile("rb")
        assert self.lines.readline().startswith(b"INFO ")
        self.socket.sendall(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n')
        self.flush()

    def flush(self):
        """Returns once the server has taken everything before."""
        self.socket.sendall(b"PING\r\n")
        while (line := self.lines.readline()) != b"PONG\r\n":
            assert line and not line.startswith(b"-ERR"), line

    def publish(self, subject, body):
        self.socket.sendall(b"PUB %s %d\r\n%s\r\n" % (subject.encode(), len(body), body))
        self.flush()

    def request(self, subject, value):
        """One answer of the JetStream API."""
        body = json.dumps(value).encode()
        inbox = f"_INBOX.{os.urandom(8).hex()}"
        self.socket.sendall(f"SUB {inbox} 1\r\nPUB {subject} {inbox} {len(body)}\r\n".encode() + body + b"\r\n")
        while not (line := self.lines.readline()).startswith(b"MSG "):
            assert line and not line.startswith(b"-ERR"), line
        answer = json.loads(self.lines.read(int(line.split()[-1]) + 2))
        self.socket.sendall(b"UNSUB 1\r\n")
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def make_stream(self, name, **settings):
        return self.request(f"$JS.API.STREAM.CREATE.{name}", {"name": name, **settings})

    def close(self):
        self.lines.close()
        self.socket.close()


def is_gone(pid):
    """Also a child that nobody has waited for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def main(verb, directory):
    nats = NatsServer(root=directory)
    if verb == "start":
        nats.start(outlive=True)
        print(nats.port)
    else:
        pid = int(nats.pid_file.read_text())
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        wait(lambda: is_gone(pid))


if __name__ == "__main__":
    main(*sys.argv[1:])
