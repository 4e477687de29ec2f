# SPDX-License-Identifier: MIT
"""vibesctl sessions, attach and run in real terminals, against a real server."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from terminal import PATIENCE_S, Terminal  # noqa: E402
from vibes_server import VibesServer, program  # noqa: E402

LEAVE = b"\x1cd"


@pytest.fixture
def server():
    with VibesServer("--session-command", "/bin/sh") as server:
        yield server


def vibesctl(server, *arguments, status=0, **options):
    done = subprocess.run([program("vibesctl"), *arguments], env={**server.environment, "TERM": "xterm"},
                          capture_output=True, timeout=PATIENCE_S, check=False, **options)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done


def in_terminal(server, *arguments, **options):
    return Terminal([program("vibesctl"), *arguments], env={**server.environment, "TERM": "xterm"}, **options)


def create(server, script, *arguments):
    done = vibesctl(server, "sessions", "create", *arguments, "--", "/bin/sh", "-c", script)
    return done.stdout.decode().strip()


def sessions(server):
    return {s["id"]: s for s in json.loads(vibesctl(server, "sessions", "list", "--json").stdout)["sessions"]}


# --- sessions ---


def test_sessions_are_made_listed_shown_and_killed(server, tmp_path):
    made = create(server, "pwd; exec cat", "--id", "s1", "--name", "my name", "--cwd", str(tmp_path), "--size", "100x30")
    assert made == "s1"
    other = create(server, "exec cat")
    table = vibesctl(server, "sessions").stdout.decode().splitlines()
    assert table[0].split() == ["ID", "NAME", "STATE", "CLIENTS", "SIZE", "AGE", "IDLE", "PID", "CWD"]
    assert len(table) == 3
    row = next(line for line in table if line.startswith("s1 "))
    assert "my name" in row and "Running" in row and "100x30" in row and str(tmp_path) in row
    shown = json.loads(vibesctl(server, "sessions", "show", "s1", "--json").stdout)
    assert (shown["id"], shown["name"], shown["cols"], shown["rows"]) == ("s1", "my name", 100, 30)
    shown.pop("record")  # what the log tells, once it has been read
    assert shown.pop("assessment") is None
    assert shown == sessions(server)["s1"]
    assert sessions(server)[other]["cwd"] == os.getcwd()
    vibesctl(server, "sessions", "kill", "s1", other)
    assert not any(s["state"] == "Running" for s in sessions(server).values())


def test_mistakes_about_sessions_have_their_exit_codes(server):
    assert b"nosuch" in vibesctl(server, "sessions", "show", "nosuch", status=5).stderr
    assert b"session_not_found" in vibesctl(server, "sessions", "kill", "nosuch", status=5).stderr
    create(server, "exec cat", "--id", "s1")
    assert b"session_exists" in vibesctl(server, "sessions", "create", "--id", "s1", status=9).stderr
    for wrong in ("120", "x", "axb", "120x", "120x40x3", "-1x5"):
        vibesctl(server, "sessions", "create", f"--size={wrong}", status=2)
    assert b"bad_size" in vibesctl(server, "sessions", "create", "--size", "9999x5", status=2).stderr
    assert b"bad_cwd" in vibesctl(server, "sessions", "create", "--cwd", "/nowhere", status=2).stderr
    assert b"bad_command" in vibesctl(server, "run", "--", "/no/such/program", status=2).stderr
    vibesctl(server, "attach", status=2)
    vibesctl(server, "attach", "a", "b", status=2)
    vibesctl(server, "run", status=2)
    vibesctl(server, "sessions", "show", status=2)
    assert sessions(server).keys() == {"s1"}


# --- attach and run ---


def test_a_shell_in_a_session_is_a_shell(server):
    with in_terminal(server, "run", "--", "/bin/sh") as terminal:
        terminal.wait_raw()
        terminal.type(b"echo $((6*7))\r")
        terminal.wait_for(b"42\r\n")
        # Not the shell's own child, which is deaf to ctrl-c between its fork and its exec.
        terminal.type(b"sh -c 'echo sl\"\"eeps; exec sleep 100'\r")
        terminal.wait_for(b"sleeps")
        terminal.type(b"\x03")  # the program's, not ours
        terminal.wait_until(lambda: re.search(rb"\^C\s+[#$] $", terminal.output), "a prompt")
        terminal.type(b"exit 3\r")
        assert terminal.wait() == 3
        terminal.assert_restored()


@pytest.mark.parametrize("script, status", [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -9 $$", 137)])
def test_the_status_is_the_program_s(server, script, status):
    for verb in (("run",), ("attach", "--new")):
        with in_terminal(server, *verb, "--", "/bin/sh", "-c", script) as terminal:
            assert terminal.wait() == status
            terminal.assert_restored()


def test_detaching_leaves_the_session_running_and_the_terminal_as_it_was(server):
    with in_terminal(server, "attach", "--new", "--name", "mine") as terminal:
        terminal.wait_raw()
        terminal.type(b"echo be''gun\r")
        terminal.wait_for(b"begun")
        # Modes that a program has set are undone by who leaves in the middle of it.
        terminal.type(b"printf '\\033[?1049h\\033[?25l\\033[?2004h'; echo do''ne\r")
        terminal.wait_for(b"done")
        terminal.type(LEAVE)
        assert terminal.wait() == 0
        terminal.assert_restored()
        assert b"\x1b[?25h\x1b[?1049l\x1b[?2004l" in terminal.output
        assert b"detached" in terminal.output
    (session,) = sessions(server).values()
    assert session["state"] == "Running" and session["name"] == "mine" and session["subscriber_count"] == 0
    with in_terminal(server, "attach", session["id"]) as terminal:
        terminal.wait_for(b"begun")  # the replay
        terminal.type(b"exit 5\r")
        assert terminal.wait() == 5
        terminal.assert_restored()


def test_the_detach_keys_are_typed_twice_or_before_others(server):
    with in_terminal(server, "run", "--", "/bin/sh", "-c", "stty raw -echo; echo ready; exec od -An -v -tx1 -w1") as terminal:
        terminal.wait_for(b"ready")
        terminal.type(b"a\x1c\x1cb\x1c")
        terminal.wait_for(b"62")
        terminal.type(b"xd")
        terminal.wait_for(b"64")
        assert terminal.output.split(b"ready")[1].split() == [b"61", b"1c", b"62", b"1c", b"78", b"64"]
        terminal.type(LEAVE)
        assert terminal.wait() == 0


def test_two_clients_see_the_same_bytes(server):
    id = create(server, "read go; i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; read end; exit 4")
    with in_terminal(server, "attach", id) as first, in_terminal(server, "attach", id) as second:
        first.wait_raw()
        second.wait_until(lambda: second.is_raw and sessions(server)[id]["subscriber_count"] == 2, "two clients")
        second.type(b"go\r")
        for terminal in (first, second):
            terminal.wait_for(b"line 2999\r\n")
        first.type(b"end\r")
        assert [first.wait(), second.wait()] == [4, 4]
        assert first.output == second.output
        assert first.output == b"go\r\n" + b"".join(b"line %d\r\n" % i for i in range(3000)) + b"end\r\n"
        first.assert_restored()
        second.assert_restored()


def test_the_window_s_size_arrives_at_first_and_when_it_changes(server):
    script = "trap 'stty size' WINCH; stty size; echo ready; while :; do sleep 0.05; done"
    with in_terminal(server, "run", "--", "/bin/sh", "-c", script, size=(91, 33)) as terminal:
        terminal.wait_for(b"33 91\r\nready")
        terminal.resize(101, 44)
        terminal.wait_for(b"44 101")
        terminal.resize(60, 20)
        terminal.wait_for(b"20 60")
        terminal.type(LEAVE)
        assert terminal.wait() == 0
    (id,) = sessions(server)
    with in_terminal(server, "attach", id, size=(77, 22)) as terminal:
        terminal.wait_for(b"22 77")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_restores_the_terminal_and_leaves_the_session(server, number):
    with in_terminal(server, "run", "--", "/bin/sh", "-c", "printf '\\033[?25lup'; exec cat") as terminal:
        terminal.wait_raw()
        terminal.wait_for(b"up")
        terminal.kill(number)
        assert terminal.wait() == 128 + number
        terminal.assert_restored()
        assert b"\x1b[?25h" in terminal.output
    assert [s["state"] for s in sessions(server).values()] == ["Running"]


def test_a_crash_restores_the_terminal(server):
    with in_terminal(server, "attach", "--new", "--", "/bin/cat") as terminal:
        terminal.wait_raw()
        terminal.kill(signal.SIGABRT)
        assert terminal.wait() != 0
        terminal.assert_restored()


def test_a_signal_ends_a_client_whose_terminal_takes_no_output(server):
    with in_terminal(server, "run", "--", "/bin/sh", "-c", "exec yes") as terminal:
        terminal.wait_raw()
        terminal.wait_for(b"y\r\n")
        terminal.wait_full()  # nobody reads it from here on
        terminal.kill(signal.SIGTERM)
        terminal.process.wait(PATIENCE_S)
        assert terminal.process.returncode == -signal.SIGTERM
        terminal.assert_restored()


def test_a_stop_gives_the_terminal_back_and_a_continuation_takes_it(server):
    with in_terminal(server, "run", "--", "/bin/sh", "-c", "stty -echo; echo ready; exec cat") as terminal:
        terminal.wait_for(b"ready")
        terminal.kill(signal.SIGTSTP)
        terminal.wait_stopped()
        terminal.assert_restored()
        terminal.kill(signal.SIGCONT)
        terminal.wait_raw()
        terminal.type(b"again\r")
        terminal.wait_for(b"again\r\n")
        terminal.type(LEAVE)
        assert terminal.wait() == 0
        terminal.assert_restored()


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_after_a_stop_the_terminal_is_raw_again_and_the_screen_drawn_anew(server, number):
    script = "stty -echo; printf '\\033[?1049hready'; exec cat"
    with in_terminal(server, "run", "--", "/bin/sh", "-c", script) as terminal:
        terminal.wait_for(b"ready")
        terminal.kill(number)
        terminal.wait_stopped()
        if number == signal.SIGTSTP:
            terminal.wait_for(b"\x1b[?1049l")  # the program's screen makes way for the shell
        termios.tcsetattr(terminal.slave, termios.TCSANOW, terminal.before)  # as the shell does
        os.write(terminal.slave, b"$ fg\n")
        terminal.resize(70, 20)
        terminal.kill(signal.SIGCONT)
        terminal.wait_raw()
        terminal.wait_for(b"\x1bc\x1b[?1049hready")
        terminal.type(b"again\r")
        terminal.wait_for(b"again\r\n")
        assert b"attached again" not in terminal.output
        (session,) = sessions(server).values()
        assert (session["cols"], session["rows"], session["subscriber_count"]) == (70, 20, 1)
        terminal.type(LEAVE)
        assert terminal.wait() == 0
        terminal.assert_restored()


def test_a_stop_repeats_nothing_in_a_pipe(server):
    read, write = os.pipe()
    with in_terminal(server, "run", "--", "/bin/sh", "-c", "stty -echo; echo up; exec cat", stdout=write) as terminal:
        os.close(write)
        with os.fdopen(read, "rb") as output:
            assert output.readline() == b"up\r\n"
            terminal.kill(signal.SIGSTOP)
            terminal.wait_stopped()
            terminal.kill(signal.SIGCONT)
            terminal.type(b"again\r\x04")
            assert output.read() == b"again\r\n"
        assert terminal.wait() == 0


# Also of a program that ends in its own way, or only with the SIGKILL that follows.
@pytest.mark.parametrize("taken", ["", "trap 'exit 7' HUP; ", "trap '' HUP; "])
def test_a_session_that_is_killed_ends_its_clients_as_hung_up(server, taken):
    id = create(server, taken + "echo up; while read line; do :; done; sleep 100")
    with in_terminal(server, "attach", id) as terminal:
        terminal.wait_for(b"up")
        vibesctl(server, "sessions", "kill", id)
        assert terminal.wait() == 128 + signal.SIGHUP
        terminal.assert_restored()
        assert b"the session was killed" in terminal.output


def test_a_kill_that_nobody_asked_the_server_for_is_a_signal_s_status(server):
    with in_terminal(server, "run", "--", "/bin/sh", "-c", "echo up; exec cat") as terminal:
        terminal.wait_for(b"up")
        (session,) = sessions(server).values()
        os.kill(session["pid"], signal.SIGKILL)
        assert terminal.wait() == 128 + signal.SIGKILL


def test_attaching_to_what_is_not_there_changes_nothing(server):
    with in_terminal(server, "attach", "nosuch") as terminal:
        assert terminal.wait() == 5
        terminal.assert_restored()
        assert b"session_not_found" in terminal.output
    assert sessions(server) == {}
    id = create(server, "exit 0")
    while sessions(server)[id]["state"] == "Running":
        pass
    with in_terminal(server, "attach", id) as terminal:
        assert terminal.wait() == 9
        assert b"session_exited" in terminal.output
    server.stop()
    with in_terminal(server, "attach", id) as terminal:
        assert terminal.wait() == 3
        terminal.assert_restored()


def test_a_session_cannot_show_itself(server):
    script = f'{program("vibesctl")} attach "$VIBES_SESSION_ID"; exit $?'
    with in_terminal(server, "run", "--", "/bin/sh", "-c", script) as terminal:
        assert terminal.wait() == 2
        assert b"itself" in terminal.output


# --- Lost connections ---


class Relay:
    """Passes connections on to a server, and drops them when told to."""

    def __init__(self, server):
        self.port_behind = server.port
        self.pairs = []
        # The server takes only its own port as Host, so the relay must be told apart by address: 127.0.0.1 all the same.
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *reason):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.drop()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            server = socket.create_connection(("127.0.0.1", self.port_behind))
            server.sendall(re.sub(rb"(?im)^host:[^\r\n]*", b"Host: 127.0.0.1:%d" % self.port_behind, head, count=1))
            self.pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def pump(source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
        except OSError:
            pass

    def drop(self):
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs.clear()


def test_a_server_that_is_gone_is_waited_for_and_its_sessions_are_gone(server):
    with in_terminal(server, "run", "--", "/bin/sh", "-c", "echo up; exec cat") as terminal:
        terminal.wait_for(b"up")
        server.kill()
        terminal.wait_for(b"trying again")
        server.start()
        assert terminal.wait() == 5
        terminal.assert_restored()
        assert b"session_not_found" in terminal.output
        assert b"sessions end with their server" in terminal.output


@pytest.mark.parametrize("keys, status", [(LEAVE, 0), (b"\x03", 3)])
def test_waiting_for_a_server_can_be_given_up(server, keys, status):
    with in_terminal(server, "run", "--", "/bin/sh", "-c", "echo up; exec cat") as terminal:
        terminal.wait_for(b"up")
        server.kill()
        terminal.wait_for(b"trying again")
        terminal.wait_raw()  # as it is not while that is written
        terminal.type(keys)
        assert terminal.wait() == status
        terminal.assert_restored()


def test_a_lost_connection_is_made_again_with_the_screen_as_it_was(server):
    with Relay(server) as relay:
        env = {"VIBES_URL": relay.url, "VIBES_TOKEN_FILE": str(server.token_file)}
        with Terminal([program("vibesctl"), "run", "--", "/bin/sh", "-c", "stty -echo; echo up; exec cat"],
                      env={**server.environment, **env, "TERM": "xterm"}) as terminal:
            terminal.wait_for(b"up")
            terminal.type(b"one\r")
            terminal.wait_for(b"one\r\n")
            relay.drop()
            terminal.wait_for(b"attached again")
            terminal.wait_for(b"\x1bcup\r\none\r\n")  # a reset, and the replay
            terminal.type(b"two\r")
            terminal.wait_for(b"two\r\n")
            terminal.type(b"\x04")
            assert terminal.wait() == 0
            terminal.assert_restored()


# --- Without a terminal ---


def test_with_its_output_in_a_pipe_it_has_the_size_of_the_terminal_typed_at(server):
    read, write = os.pipe()
    with in_terminal(server, "run", "--", "/bin/sh", "-c", "stty size; read line; echo got $line", size=(71, 31), stdout=write) as terminal:
        os.close(write)
        with os.fdopen(read, "rb") as output:
            assert output.readline() == b"31 71\r\n"
            terminal.type(b"it\r")
            assert output.read() == b"it\r\ngot it\r\n"
        assert terminal.wait() == 0
        terminal.assert_restored()


class Typist(threading.Thread):
    """Types as fast as the terminal takes it."""

    def __init__(self, terminal, text):
        super().__init__(daemon=True)
        self.terminal = terminal
        self.text = text
        self.typed = 0
        self.start()

    def run(self):
        while self.typed < len(self.text):
            self.typed += os.write(self.terminal.master, self.text[self.typed : self.typed + 4096])


LATE_READER = "stty raw -echo; echo up; while [ ! -e go ]; do sleep 0.05; done; "


def test_a_paste_that_the_program_reads_late_arrives_whole(server):
    text = b"".join(b"%07d\n" % i for i in range(512 * 1024))  # 4 MiB, where 1 MiB waits for the program
    script = f"{LATE_READER}head -c {len(text)} | cksum"
    with in_terminal(server, "run", "--cwd", str(server.root), "--", "/bin/sh", "-c", script) as terminal:
        terminal.wait_for(b"up")
        typist = Typist(terminal, text)
        terminal.wait_until(lambda: typist.typed > 2 << 20, "2 MiB typed")
        vibesctl(server, "run", "--", "/bin/sh", "-c", "exit 4", status=4)  # others go on
        (server.root / "go").touch()
        assert terminal.wait() == 0
        typist.join(PATIENCE_S)
        terminal.assert_restored()
        sum = subprocess.run(["cksum"], input=text, capture_output=True, check=True).stdout.split()
        assert terminal.output.split(b"up")[1].split() == sum


@pytest.mark.parametrize("leave", ["keys", "kill"])
def test_a_program_that_does_not_read_a_paste_can_be_left_and_killed(server, leave):
    with in_terminal(server, "run", "--cwd", str(server.root), "--", "/bin/sh", "-c", LATE_READER) as terminal:
        terminal.wait_for(b"up")
        typist = Typist(terminal, b"x" * (3 << 19))
        terminal.wait_until(lambda: typist.typed == len(typist.text), "1.5 MiB typed")
        (id,) = sessions(server)
        if leave == "keys":
            terminal.type(LEAVE)
            assert terminal.wait() == 0
            assert sessions(server)[id]["state"] == "Running"
        vibesctl(server, "sessions", "kill", id)
        assert terminal.wait() == (0 if leave == "keys" else 128 + signal.SIGHUP)
        terminal.assert_restored()


def in_pipes(server, script, text):
    """Runs a script that says "up" when it wants its input, which then is `text` and ends. Its output and its status."""
    with subprocess.Popen([program("vibesctl"), "run", "--", "/bin/sh", "-c", script], env=server.environment,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # fmt: skip
        assert process.stdout.readline() == b"up\r\n"
        output, _ = process.communicate(text, timeout=PATIENCE_S)
    return output, process.returncode


def test_in_a_pipe_it_carries_bytes_and_the_end_of_input(server):
    script = "stty -echo; echo up; while read line; do echo got $line; done; exit 6"
    assert in_pipes(server, script, b"one\ntwo\n") == (b"got one\r\ngot two\r\n", 6)
    vibesctl(server, "run", "--", "/bin/sh", "-c", "cat; exit 2", stdin=subprocess.DEVNULL, status=2)


def test_a_large_input_arrives_whole(server):
    text = b"".join(b"%07d\n" % i for i in range(25_000))
    assert in_pipes(server, "stty -echo; echo up; cksum", text)[0].split() == subprocess.run(
        ["cksum"], input=text, capture_output=True, check=True
    ).stdout.split()
