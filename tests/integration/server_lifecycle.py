# SPDX-License-Identifier: MIT
"""How the daemon starts, refuses to start, and stops."""

import http.client
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import time

import pytest
from raw_http import RawSocket, RawWebSocket, headers
from vibes_server import VibesServer, program

OK, FAILURE, USAGE, DAMAGED, IO_ERROR, ALREADY_RUNNING = 0, 1, 2, 65, 74, 75


@pytest.fixture
def home(tmp_path_factory):
    """A directory of its own with a short path, since it holds a unix socket."""
    import tempfile

    path = tempfile.mkdtemp(prefix="vibes-")
    yield path
    subprocess.run(["chmod", "-R", "u+rwX", path], check=True)
    shutil.rmtree(path, ignore_errors=True)


def run(home, *options, env=None, cwd=None):
    """Runs the server to its end; for what must not start."""
    server = VibesServer(root=home)
    for name in ("home", "config", "data", "state", "run"):
        (server.root / name).mkdir(mode=0o700, exist_ok=True)
    return subprocess.run(
        [program("vibes-server"), *options],
        env={**server.environment, **(env or {})},
        cwd=cwd or home,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_ready_means_one_line_on_stderr_and_the_url_on_the_descriptor(home):
    with VibesServer(root=home) as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        lines = [line for line in server.stderr.splitlines() if line.startswith("listening on ")]
        assert lines == [f"listening on {server.url}"]
        assert server.request("GET", "/readyz", token=False)[0] == 200


def test_what_it_makes_is_private(home):
    with VibesServer(root=home) as server:
        mode = lambda path: stat.S_IMODE(os.stat(path).st_mode)  # noqa: E731
        assert mode(server.token_file) == 0o600
        assert mode(server.socket) == 0o600
        assert mode(server.socket.parent) == 0o700
        assert mode(server.log_dir) & 0o077 == 0
        token = server.token
        server.restart()
        assert server.token == token
        with open(f"/proc/{server.pid}/cmdline") as cmdline:
            assert token not in cmdline.read()
        assert token not in server.stderr


def test_sigterm_and_sigint_stop_it_with_0(home):
    for number in (signal.SIGTERM, signal.SIGINT):
        with VibesServer(root=home) as server:
            assert server.stop(number) == OK
            assert not server.socket.exists()


def test_a_stop_answers_what_was_sent_and_closes_clients_with_1001(home):
    with VibesServer(root=home) as server:
        firehose = RawWebSocket(server, "/ws/firehose?from=end")
        firehose.read_text()
        producer = RawWebSocket(server, "/ws/append")
        for n in range(200):
            producer.send_text(json.dumps({"type": "last", "n": n}))
        first = json.loads(producer.read_text())
        begin = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        acked = first["count"]
        try:
            while True:
                _, opcode, payload = producer.read_frame()
                if opcode == 8:
                    assert int.from_bytes(payload[:2], "big") == 1001
                    break
                acked += json.loads(payload)["count"]
        except (EOFError, ConnectionResetError):
            pass
        assert firehose.read_close() == 1001
        assert server.process.wait(15) == OK
        assert time.monotonic() - begin < 10
        server.start()
        stored = server.get_json("/api/events?types=last&limit=1000")["events"]
        assert [e["event"]["n"] for e in stored] == list(range(len(stored)))
        assert len(stored) >= acked


def test_a_stop_does_not_wait_for_silent_connections_or_streams(home):
    with VibesServer(root=home) as server:
        silent = [RawSocket(server) for _ in range(5)]
        with RawSocket(server) as stream:
            accept = headers(server, Accept="text/event-stream")
            stream.send(f"GET /api/events HTTP/1.1\r\n{accept}\r\n".encode())
            assert b"200" in stream.socket.recv(4096)
            begin = time.monotonic()
            assert server.stop() == OK
            assert time.monotonic() - begin < 8
        for connection in silent:
            connection.socket.close()


def test_what_was_acknowledged_survives_kill_9(home):
    with VibesServer(root=home) as server:
        ids = [server.append({"type": "kept", "n": n})["event_ids"][0] for n in range(20)]
        server.kill()
        server.start()  # over the socket that the dead server left
        assert [e["event_id"] for e in server.get_json("/api/events?types=kept")["events"]] == ids
        assert server.request("GET", "/api/health", unix=True)[0] == 200


def test_a_port_in_use_is_1(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run(home, "--listen", "127.0.0.1:%d" % taken.getsockname()[1])
    assert done.returncode == FAILURE
    assert "vibes-server: error: 127.0.0.1:" in done.stderr and "hint:" in done.stderr
    assert "listening on" not in done.stderr


def test_a_log_in_use_is_75_and_is_not_touched(home):
    with VibesServer(root=home) as server:
        server.append({"type": "x"})
        second = run(home, "--listen", "127.0.0.1:0", "--unix", "none")
        assert second.returncode == ALREADY_RUNNING, second.stderr
        assert "hint:" in second.stderr
        assert server.append({"type": "y"})["first_offset"] == 1


def test_a_socket_in_use_is_refused_and_left_alone(home):
    with VibesServer(root=home) as server:
        second = run(home, "--listen", "127.0.0.1:0", "--log", "memory:")
        assert second.returncode == FAILURE and "vibes.sock" in second.stderr
        assert server.request("GET", "/api/health", unix=True)[0] == 200


def test_something_else_at_the_sockets_place_is_left_alone(home):
    path = os.path.join(home, "run", "precious")
    os.makedirs(os.path.dirname(path), mode=0o700)
    with open(path, "w") as file:
        file.write("mine")
    done = run(home, "--listen", "127.0.0.1:0", "--log", "memory:", "--unix", path)
    assert done.returncode not in (OK, None) and "precious" in done.stderr
    with open(path) as file:
        assert file.read() == "mine"


def test_a_damaged_log_is_65_and_names_the_place(home):
    with VibesServer(root=home) as server:
        for n in range(50):
            server.append({"type": "x", "s": "a" * 500, "n": n})
        server.stop()
        segment = sorted(server.log_dir.glob("**/*.seg"))[0]
        with open(segment, "r+b") as file:
            file.seek(4096 + 100)
            byte = file.read(1)
            file.seek(4096 + 100)
            file.write(bytes([byte[0] ^ 0xFF]))
        before = segment.read_bytes()
        done = run(home, "--listen", "127.0.0.1:0")
        assert done.returncode == DAMAGED, done.stderr
        assert segment.name in done.stderr
        assert segment.read_bytes() == before


def test_a_foreign_directory_is_refused(home):
    foreign = os.path.join(home, "foreign")
    os.makedirs(foreign, mode=0o700)
    with open(os.path.join(foreign, "letter.txt"), "w") as file:
        file.write("dear diary")
    done = run(home, "--listen", "127.0.0.1:0", "--log", f"file:{foreign}")
    assert done.returncode == DAMAGED, done.stderr
    assert os.listdir(foreign) == ["letter.txt"]


def test_a_directory_that_others_may_write_is_refused(home):
    shared = os.path.join(home, "shared")
    os.makedirs(shared)
    os.chmod(shared, 0o777)
    done = run(home, "--listen", "127.0.0.1:0", "--log", f"file:{shared}")
    assert done.returncode == IO_ERROR and "shared" in done.stderr, done.stderr


def test_a_directory_that_cannot_be_made_is_74(home):
    blocked = os.path.join(home, "file")
    with open(blocked, "w"):
        pass
    done = run(home, "--listen", "127.0.0.1:0", "--log", f"file:{blocked}/log")
    assert done.returncode == IO_ERROR and "hint" not in done.stdout, done.stderr


def test_a_token_file_that_others_can_read_is_refused(home):
    with VibesServer(root=home) as server:
        server.stop()
        os.chmod(server.token_file, 0o644)
        done = run(home, "--listen", "127.0.0.1:0")
        assert done.returncode != OK and "0600" in done.stderr
        os.unlink(server.token_file)
        os.symlink("/etc/passwd", server.token_file)
        assert run(home, "--listen", "127.0.0.1:0").returncode != OK


@pytest.mark.parametrize(
    "options",
    [
        ["--nonsense"],
        ["--listen", "0.0.0.0:0"],
        ["--listen", "192.0.2.1:80"],
        ["--listen", "[::]:0"],
        ["--listen", "localhost"],
        ["--listen", "127.0.0.1:65536"],
        ["--listen", "127.0.0.1:"],
        ["--listen", "::1:80"],
        ["--listen", "none", "--unix", "none"],
        ["--durability", "maybe"],
        ["--durability", "interval:"],
        ["--auth", "password"],
        ["--net-threads", "0"],
        ["--net-threads", "many"],
        ["--retain-age", "soon"],
        ["--retain-size", "-1"],
        ["--ready-fd", "-3"],
        ["--log", "carrier-pigeon://x"],
        ["extra"],
    ],
    ids=" ".join,
)
def test_options_that_are_refused_are_2(home, options):
    done = run(home, *options)
    assert done.returncode == USAGE, done.stderr
    assert "vibes-server: error:" in done.stderr and done.stdout == ""


def test_flags_win_over_the_environment_over_the_nearer_file(home):
    config = os.path.join(home, "config", "vibes")
    project = os.path.join(home, "project")
    os.makedirs(config)
    os.makedirs(os.path.join(project, ".vibes"))
    with open(os.path.join(config, "config.toml"), "w") as file:
        file.write('durability = "os"\nauth = "none"\nretain-age = "7d"\nlisten = ["127.0.0.1:1", "[::1]:2"]\n')
    with open(os.path.join(project, ".vibes", "config.toml"), "w") as file:
        file.write('durability = "interval:5"\nstrict-types = true\nnet-threads = 3\n')

    def effective(*options, **env):
        done = run(home, "--print-config", *options, env=env, cwd=project)
        assert done.returncode == OK, done.stderr
        return dict(line.split(" = ", 1) for line in done.stdout.splitlines())

    plain = effective()
    assert plain["durability"] == '"interval:5"' and plain["auth"] == '"none"'
    assert plain["retain-age"] == '"604800s"' and plain["strict-types"] == "true"
    assert plain["net-threads"] == "3" and plain["listen"] == '["127.0.0.1:1", "[::1]:2"]'
    assert effective(VIBES_DURABILITY="fsync")["durability"] == '"fsync"'
    both = effective("--durability", "os", VIBES_DURABILITY="fsync", VIBES_LISTEN="127.0.0.1:3,127.0.0.1:4")
    assert both["durability"] == '"os"' and both["listen"] == '["127.0.0.1:3", "127.0.0.1:4"]'


@pytest.mark.parametrize("line", ['auth = "none"', 'session-command = "/bin/evil"', 'listen = "127.0.0.1:1"', 'unix = "/tmp/x"',
                                  'notify-command = "/bin/evil"', 'assess-backend = "/bin/evil"', 'notify-webhook = "https://evil.example/"'])
def test_a_project_cannot_open_the_server_or_choose_what_it_runs(home, line):
    project = os.path.join(home, "cloned")
    os.makedirs(os.path.join(project, ".vibes"))
    with open(os.path.join(project, ".vibes", "config.toml"), "w") as file:
        file.write(line + "\n")
    done = run(home, "--check-config", cwd=project)
    assert done.returncode == USAGE
    assert line.split()[0] in done.stderr and "config.toml" in done.stderr


def test_what_print_config_says_is_a_configuration(home):
    os.makedirs(os.path.join(home, "config", "vibes"))
    options = ["--retain-size", "1GiB", "--session-command", 'sh -c "x"', "--net-threads", "2",
               "--notify-command", 'echo "$VIBES_BODY"', "--notify-off", "stalled,hook_stop", "--stall-after", "90s"]
    printed = run(home, "--print-config", *options).stdout
    with open(os.path.join(home, "config", "vibes", "config.toml"), "w") as file:
        file.write(printed)
    assert run(home, "--print-config").stdout == printed


@pytest.mark.parametrize("text", ["nonsense = 1\n", 'durability = "maybe"\n', "ready-fd = 3\n", "[section]\nauth = 1\n"])
def test_a_bad_configuration_is_2_and_names_its_file(home, text):
    os.makedirs(os.path.join(home, "config", "vibes"))
    with open(os.path.join(home, "config", "vibes", "config.toml"), "w") as file:
        file.write(text)
    done = run(home, "--check-config")
    assert done.returncode == USAGE
    assert "config.toml" in done.stderr or "--durability" in done.stderr
    assert run(home, "--check-config", env={"XDG_CONFIG_HOME": "/nonexistent"}).returncode == OK


def test_without_auth_a_client_needs_no_token_but_a_foreign_origin_stays_out(home):
    with VibesServer("--auth", "none", root=home) as server:
        assert server.request("GET", "/api/health", token=False)[0] == 200
        assert "--auth none" in server.stderr
        with RawWebSocket(server, "/ws/firehose", Authorization=None) as firehose:
            assert firehose.status == 101
        with RawWebSocket(server, "/ws/firehose", Authorization=None, Origin="http://evil.example") as firehose:
            assert firehose.status == 403


def test_strict_types_refuse_what_is_unknown(home):
    with VibesServer("--strict-types", "--log", "memory:", root=home) as server:
        assert server.request("POST", "/api/events", body={"type": "no_such_type"})[0] == 400
        assert server.request("POST", "/api/events", body={"type": "session_created", "session_id": "s"})[0] == 200


def test_ipv6_and_several_listeners(home):
    with VibesServer("--listen", "[::1]:0", root=home) as server:
        assert server.request("GET", "/healthz", token=False)[0] == 200
        v6 = [line.split()[3] for line in open("/proc/net/tcp6") if line.split()[3] == "0A"]
        assert v6


def test_only_the_unix_socket(home):
    server = VibesServer("--listen", "none", root=home, listen=None)
    with socket.socket():
        with pytest.raises(ValueError):  # the URL has no port
            server.start()
        try:
            assert server.url.startswith("unix:")
            assert server.request("GET", "/api/health", unix=True)[0] == 200
        finally:
            assert server.stop() == OK


def test_systemd_is_told(home):
    path = os.path.join(home, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(10)
        with VibesServer(root=home, env={"NOTIFY_SOCKET": path}) as server:
            assert b"READY=1" in notify.recv(4096)
            server.stop()
            assert b"STOPPING=1" in notify.recv(4096)


def test_the_watchdog_is_fed(home):
    path = os.path.join(home, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(10)
        with VibesServer(root=home, env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000"}):
            messages = [notify.recv(4096) for _ in range(4)]
    assert messages.count(b"WATCHDOG=1") == 3


def test_a_second_signal_ends_a_stop_at_once(home):
    with VibesServer(root=home) as server:
        with RawWebSocket(server, "/ws/firehose?from=beginning") as stuck:
            # Enough for the socket's buffers to be full, so that its goodbye cannot leave.
            for _ in range(20):
                server.append(*[{"type": "bulk", "s": "x" * 3000} for _ in range(1000)])
            server.process.send_signal(signal.SIGTERM)
            while "stopping" not in server.stderr:
                assert server.alive()
                time.sleep(0.01)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(5) in (-signal.SIGTERM, OK)
            assert stuck.status == 101


def test_few_descriptors_are_refused_before_anything_is_opened(home):
    server = VibesServer(root=home)
    done = subprocess.run(
        ["prlimit", "--nofile=512:512", program("vibes-server"), "--listen", "127.0.0.1:0", "--log", "memory:"],
        env=server.environment, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == FAILURE and "1024" in done.stderr


def test_more_connections_than_descriptors_wait_and_the_log_is_written(home):
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    with VibesServer(root=home) as server:
        subprocess.run(["prlimit", f"--pid={server.pid}", "--nofile=700:700"], check=True)
        sockets = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(100)]
        held = [RawWebSocket(server, "/ws/firehose?from=end", timeout=30) for _ in range(300)]
        assert all(one.status == 101 for one in held)
        for one in sockets:
            one.close()
        assert server.append({"type": "still_written"})["durability"] == "fsync"
        for one in held:
            one.socket.close()


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_a_failed_sync_ends_it_at_once_with_74_and_nothing_acknowledged_is_lost(home):
    with VibesServer(root=home) as server:
        server.append({"type": "before"})
        inject = ["-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO"]
        strace = subprocess.Popen(
            ["strace", "-f", "-qq", *inject, "-p", str(server.pid)], stderr=subprocess.DEVNULL
        )
        try:
            acknowledged = 0
            with pytest.raises((ConnectionError, AssertionError, http.client.HTTPException)):
                while True:  # until strace has attached
                    server.append({"type": "during"})
                    acknowledged += 1
            assert server.process.wait(5) == IO_ERROR
            assert "the log has failed" in server.stderr
        finally:
            strace.terminate()
            strace.wait()
        server.start()
        stored = server.get_json("/api/events?types=before,during&limit=1000")["events"]
        assert len(stored) >= min(acknowledged + 1, 1000)
