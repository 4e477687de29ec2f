# SPDX-License-Identifier: MIT
"""Starts a real nats-server with JetStream for a test: on a free loopback port, with a directory of its own, stopped by its pid."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path


class NatsServer:
    """One nats-server process ($VIBES_NATS_SERVER, else the one on $PATH). `more` is text for its configuration file."""

    def __init__(self, more=""):
        self.root = Path(tempfile.mkdtemp(prefix="vibes-nats-"))
        self.more = more
        self.process = None
        self.port = None

    def start(self):
        """Returns when it is ready; again after kill(), on the same port and directory."""
        config = self.root / "conf"
        config.write_text(f'host: 127.0.0.1\nport: {self.port or -1}\njetstream {{ store_dir: "{self.root}/store" }}\n{self.more}\n')
        name = os.environ.get("VIBES_NATS_SERVER") or "nats-server"
        self.process = subprocess.Popen([name, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        seen = ""
        for line in self.process.stderr:
            seen += line
            if "Server is ready" in line:
                break
        port = re.search(r"client connections on 127\.0\.0\.1:(\d+)", seen)
        assert port, f"nats-server did not start: {seen}"
        self.port = int(port[1])
        return self

    def url(self, rest="/vibes", user=""):
        return f"nats://{user}127.0.0.1:{self.port}{rest}"

    def kill(self):
        """kill -9."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.root, ignore_errors=True)
