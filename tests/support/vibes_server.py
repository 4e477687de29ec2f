# SPDX-License-Identifier: MIT
"""Starts a real vibes-server for a test: on a free port, with private XDG directories, stopped by its pid.

    with VibesServer("--durability", "os") as server:
        print(server.url, server.token, server.socket)
        status, headers, body = server.request("GET", "/api/health")

The program is found in $VIBES_SERVER or beside this build ($VIBES_BUILD_DIR/bin), as ctest sets them.
Only the standard library is used.
"""

import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

START_WITHIN_S = 20
STOP_WITHIN_S = 20


def program(name):
    """The path of one of our programs."""
    given = os.environ.get(name.replace("-", "_").upper())
    if given:
        return given
    build = os.environ.get("VIBES_BUILD_DIR")
    root = Path(__file__).resolve().parents[2]
    places = [Path(build) / "bin"] if build else sorted(root.glob("build/*/bin"))
    for place in places:
        if (place / name).exists():
            return str(place / name)
    raise FileNotFoundError(f"{name}: build it, or name it in ${name.replace('-', '_').upper()}")


class UnixHTTPConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path, timeout=10):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class VibesServer:
    """One vibes-server process. Restarting keeps the directories, and so the log and the token."""

    def __init__(self, *options, env=None, root=None, listen="127.0.0.1:0", expect_start=True, cwd=None, pass_fds=()):
        self.options = list(options)
        self._own_root = root is None
        # Short: the path of a unix socket has 108 bytes at most.
        self.root = Path(root or tempfile.mkdtemp(prefix="vibes-"))
        self.listen = listen
        self.expect_start = expect_start
        self.extra_env = env or {}
        self.cwd = cwd
        self.pass_fds = tuple(pass_fds)
        self.process = None
        self.url = None
        self.port = None
        self._stderr = None

    # Where things are.
    @property
    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("VIBES_", "XDG_")) or k.startswith("VIBES_BUILD")}
        env.update(
            HOME=str(self.root / "home"),
            VIBES_ASSESS_BACKEND="off",  # no test asks the agent that may be installed here
            XDG_CONFIG_HOME=str(self.root / "config"),
            XDG_DATA_HOME=str(self.root / "data"),
            XDG_STATE_HOME=str(self.root / "state"),
            XDG_RUNTIME_DIR=str(self.root / "run"),
        )
        env.update(self.extra_env)
        return env

    @property
    def log_dir(self):
        return self.root / "data" / "vibes" / "log"

    @property
    def socket(self):
        return self.root / "run" / "vibes" / "vibes.sock"

    @property
    def token_file(self):
        return self.root / "run" / "vibes" / "token"

    @property
    def token(self):
        return self.token_file.read_text().strip()

    @property
    def stderr(self):
        """What the server wrote to stderr so far."""
        return (self.root / "stderr").read_text(errors="replace")

    @property
    def pid(self):
        return self.process.pid

    # Its life.
    def start(self):
        for name in ("home", "config", "data", "state", "run"):
            (self.root / name).mkdir(mode=0o700, exist_ok=True)
        ready_read, ready_write = os.pipe()
        arguments = [program("vibes-server"), "--ready-fd", str(ready_write)]
        if self.listen:
            arguments += ["--listen", self.listen]
        self._stderr = open(self.root / "stderr", "ab")
        self.process = subprocess.Popen(
            arguments + self.options,
            env=self.environment,
            cwd=self.cwd or self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
            pass_fds=(ready_write,) + self.pass_fds,
        )
        os.close(ready_write)
        try:
            line = self._read_ready(ready_read)
        finally:
            os.close(ready_read)
        if line:
            self.url = line
            self.port = int(line.rsplit(":", 1)[1])
        elif self.expect_start:
            self.process.wait(STOP_WITHIN_S)
            raise RuntimeError(f"vibes-server ended with {self.process.returncode}:\n{self.stderr}")
        return self

    @staticmethod
    def _read_ready(fd):
        deadline = time.monotonic() + START_WITHIN_S
        text = b""
        while not text.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                raise TimeoutError("vibes-server did not become ready")
            piece = os.read(fd, 4096)
            if not piece:
                break
            text += piece
        return text.decode().strip()

    def stop(self, signal_number=signal.SIGTERM):
        """Asks the server to stop and returns its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        try:
            return self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self._stderr.close()

    def kill(self):
        """kill -9."""
        return self.stop(signal.SIGKILL)

    def restart(self, signal_number=signal.SIGTERM):
        self.stop(signal_number)
        return self.start()

    def alive(self):
        return self.process.poll() is None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        try:
            if self.process is not None and self.process.poll() is None:
                self.stop()
        finally:
            if self._own_root:
                shutil.rmtree(self.root, ignore_errors=True)

    # Talking to it.
    def request(self, method, path, body=None, headers=None, token=True, unix=False, timeout=10):
        """One HTTP request; returns (status, headers, body bytes)."""
        connection = (
            UnixHTTPConnection(self.socket, timeout)
            if unix
            else http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        )
        given = dict(headers or {})
        if token and not unix and "Authorization" not in given:
            given["Authorization"] = f"Bearer {self.token}"
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if body is not None and "Content-Type" not in given:
            given["Content-Type"] = "application/json"
        try:
            connection.request(method, path, body=body, headers=given)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def get_json(self, path, **options):
        status, _, body = self.request("GET", path, **options)
        if status != 200:
            raise AssertionError(f"GET {path}: {status} {body!r}")
        return json.loads(body)

    def append(self, *events, **options):
        """Appends one atomic batch; returns the answer."""
        lines = "\n".join(e if isinstance(e, str) else json.dumps(e) for e in events)
        status, _, body = self.request(
            "POST", "/api/events", body=lines, headers={"Content-Type": "application/x-ndjson"}, **options
        )
        if status != 200:
            raise AssertionError(f"append: {status} {body!r}")
        return json.loads(body)
