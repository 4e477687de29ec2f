# SPDX-License-Identifier: MIT
"""A browser that subscribed to Web Push: push/browser.js with its two packages from npm, installed once per build."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent / "push"
INSTALL_WITHIN_S = 120


def node_modules():
    """The folder with what package-lock.json names; npm is asked only where that is not what lies there."""
    build = os.environ.get("VIBES_BUILD_DIR")
    place = (Path(build) if build else Path(tempfile.gettempdir()) / f"vibes-{os.getuid()}") / "push-browser"
    place.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "package-lock.json").read_bytes()
    installed = place / "installed-lock.json"
    with open(place / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run at the same time
        if not installed.exists() or installed.read_bytes() != wanted:
            install(place)
            installed.write_bytes(wanted)
    return place / "node_modules"


def install(place):
    (place / "installed-lock.json").unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, place)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline",
               "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]  # fmt: skip
    try:
        done = subprocess.run(command, cwd=place, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=INSTALL_WITHIN_S, check=False)  # fmt: skip
        problem = done.stdout if done.returncode else None
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem is not None:
        raise RuntimeError(
            f"Web Push is tested with two packages from npm, and they could not be installed:\n{problem}\n"
            "hint: scripts/bootstrap test installs node and npm. npm needs its registry once, afterwards its cache will do; "
            "for another registry: npm config set registry URL"
        )


class PushBrowser:
    """One subscription at `endpoint`. A context manager; it ends its process by closing what that reads."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.process = subprocess.Popen(["node", str(HERE / "browser.js")], env={**os.environ, "NODE_PATH": str(node_modules())},
                                        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
        self.keys = json.loads(self.process.stdout.readline())

    def subscription(self):
        return {"endpoint": self.endpoint, "keys": self.keys}

    def receive(self, headers, body, vapid_key, subject, **others):
        """{"payload","claims"}, or {"error"} for what a push service or a browser refuses."""
        message = {"headers": headers, "body": base64.b64encode(body).decode(), "endpoint": self.endpoint,
                   "vapid_key": vapid_key, "subject": subject, "at": int(time.time()), **others}  # fmt: skip
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
