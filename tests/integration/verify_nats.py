# SPDX-License-Identifier: MIT
"""vibes-verify over a log in a real nats-server."""

import json
import os
import subprocess

from nats_server import NatsServer
from vibes_server import program

# Each is dear under a sanitizer.
EVENTS = "1000" if os.environ.get("VIBES_SANITIZE") else "2000"
FILES_ONLY = {"the directory is read offline", "a torn tail is refused or recovered, and told"}


def test_every_scenario_passes_on_one_stream():
    with NatsServer() as nats:
        done = subprocess.run(
            [program("vibes-verify"), "--log", nats.url("/verify"), "--events", EVENTS, "--format", "json"],
            capture_output=True, text=True, timeout=280, env=os.environ, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout
    scenarios = json.loads(done.stdout)["scenarios"]
    assert len(scenarios) == 11
    assert {s["status"] for s in scenarios} == {"passed"}
    skipped = {c["name"] for s in scenarios for c in s["checks"] if c["status"] == "skipped"}
    assert skipped == FILES_ONLY
