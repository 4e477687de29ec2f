# SPDX-License-Identifier: MIT
"""A program in a terminal of its own, as a person would run it.

    with Terminal(["vibesctl", "attach", "s1"], env=…, size=(80, 24)) as terminal:
        terminal.wait_for(b"$ ")
        terminal.type(b"exit 3\\r")
        assert terminal.wait() == 3

The program is the session leader of a new pseudo-terminal. The test keeps the other end open, so the terminal's settings can be
compared before and after.
"""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

PATIENCE_S = 60  # used up by failing tests only


class Terminal:
    def __init__(self, arguments, env=None, size=(80, 24), stdout=None):
        self.master, self.slave = pty.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(self.slave)
        self.output = b""
        self.process = subprocess.Popen(
            arguments, stdin=self.slave, stdout=stdout or self.slave, stderr=self.slave, env=env,
            preexec_fn=self._take_terminal,
        )

    def _take_terminal(self):
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def resize(self, cols, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def type(self, keys):
        os.write(self.master, keys)

    def kill(self, number):
        os.kill(self.process.pid, number)

    @property
    def settings(self):
        return termios.tcgetattr(self.slave)

    @property
    def is_raw(self):
        return not self.settings[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    def read(self, patience=0.1):
        """Takes what has been written; true if there was something."""
        ready, _, _ = select.select([self.master], [], [], patience)
        if not ready:
            return False
        self.output += os.read(self.master, 65536)
        return True

    def wait_until(self, is_so, what):
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} never came true; the terminal shows {self.output!r}")
            self.read()

    def wait_for(self, text):
        self.wait_until(lambda: text in self.output, repr(text))

    def wait_raw(self):
        self.wait_until(lambda: self.is_raw, "a raw terminal")

    def wait(self):
        """The program's exit status as a shell has it, all its output read."""
        self.wait_until(lambda: self.process.poll() is not None, "the program's end")
        while self.read(0):
            pass
        status = self.process.returncode
        return 128 - status if status < 0 else status

    def assert_restored(self):
        assert self.settings == self.before, (self.before, self.settings)

    def wait_stopped(self):
        def is_stopped():
            with open(f"/proc/{self.process.pid}/stat") as stat:
                return stat.read().rpartition(")")[2].split()[0] == "T"

        self.wait_until(is_stopped, "a stopped program")

    def wait_full(self):
        """Until what the program writes, and nobody reads, has stopped growing."""
        seen = -1
        while (now := struct.unpack("i", fcntl.ioctl(self.master, termios.FIONREAD, b"\0" * 4))[0]) != seen:
            seen = now
            time.sleep(0.2)
