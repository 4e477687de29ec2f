# SPDX-License-Identifier: MIT
"""vibesctl log copy: between files and a real nats-server, and what may come between."""

import contextlib
import json
import signal
import socket
import subprocess
import time
import uuid

import pytest
from nats_server import NatsServer
from vibes_server import VibesServer, program


@pytest.fixture
def nats():
    with NatsServer() as running:
        yield running


@pytest.fixture
def server():
    with VibesServer() as running:
        yield running


def command(*arguments):
    return [program("vibesctl"), "log", *map(str, arguments)]


def run(server, *arguments):
    return subprocess.run(command(*arguments), env=server.environment, cwd=server.root, text=True, capture_output=True,
                          check=False)  # fmt: skip


def copy(server, source, target, *options, code=0):
    """What it said."""
    done = run(server, "copy", source, target, *options)
    assert done.returncode == code, done.stderr
    return done.stderr


def export(server, log):
    done = run(server, "export", log)
    assert done.returncode == 0, done.stderr
    return done.stdout


def info(server, log):
    return json.loads(run(server, "info", "--json", log).stdout)


def fill(server, count, first=0, pad=0):
    lines = "".join(json.dumps({"type": f"t{n % 3}", "session_id": f"s{n % 5}", "n": n, "pad": "x" * pad}) + "\n"
                    for n in range(first, first + count))  # fmt: skip
    done = subprocess.run([program("vibesctl"), "append", "-l", "--no-spool"], input=lines, env=server.environment,
                          text=True, capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_file_to_nats_to_file_is_the_same_to_the_byte(server, nats):
    fill(server, 3_000)
    said = copy(server, server.log_dir, nats.url())
    assert "copied 3,000 events (0 to 3,000)" in said and "; verified" in said
    assert "cursors are not" in said
    copy(server, nats.url(), "back")
    assert export(server, "back") == export(server, server.log_dir)
    assert run(server, "verify", "back").returncode == 0
    assert [p.suffix for p in (server.root / "state" / "vibes" / "copies").iterdir()] == [".lock"], "nothing is left over"


def test_a_new_file_is_the_same_log_with_its_groups(server):
    fill(server, 30)
    for group, at in (("a", 5), ("b", 30)):
        subprocess.run([program("vibesctl"), "consumers", "seek", group, "--to", str(at)], env=server.environment,
                       check=True, capture_output=True)  # fmt: skip
    copy(server, server.log_dir, "new")
    was, new = info(server, server.log_dir), info(server, "new")
    assert new["log_id"] == was["log_id"] and (new["first"], new["end"]) == (0, 30)
    assert new["groups"]["a"] == 5 and new["groups"]["b"] == 30
    copy(server, server.log_dir, "bare", "--groups", "none")
    assert info(server, "bare")["groups"] == {}


def test_what_does_not_begin_at_0_keeps_its_offsets_in_a_file_and_says_that_it_does_not_in_a_stream(server, nats):
    fill(server, 10)
    server.options = ["--retain-age", "1s"]
    while info(server, server.log_dir)["first"] == 0:
        server.restart()
    server.options = []
    server.restart()
    fill(server, 20)
    first = info(server, server.log_dir)["first"]
    assert "offsets" not in copy(server, server.log_dir, "new", "--groups", "none")
    assert info(server, "new")["first"] == first and export(server, "new") == export(server, server.log_dir)
    said = copy(server, server.log_dir, nats.url())
    assert f"offsets are other ones in DST: event {first} of SRC is 0 there" in said
    copy(server, server.log_dir, nats.url(), "--groups", "all", code=2)
    copy(server, nats.url(), "back")
    want = [json.loads(line) for line in export(server, server.log_dir).splitlines()]
    got = [json.loads(line) for line in export(server, "back").splitlines()]
    assert got == [event | {"offset": n} for n, event in enumerate(want)]
    fill(server, 5)
    said = copy(server, server.log_dir, nats.url())
    assert "copied 5 events" in said and "; verified, with " in said


def test_groups_go_through_a_stream_if_they_are_asked_for(server, nats):
    fill(server, 30)
    subprocess.run([program("vibesctl"), "consumers", "seek", "a", "--to", "5"], env=server.environment, check=True,
                   capture_output=True)  # fmt: skip
    copy(server, server.log_dir, nats.url())
    copy(server, nats.url(), "without")
    assert info(server, "without")["groups"] == {}
    copy(server, server.log_dir, nats.url(), "--groups", "all")
    copy(server, nats.url(), "with")
    assert info(server, "with")["groups"]["a"] == 5


# More than a copy has under way at once (8 MiB), so that it can be interrupted; few events, which is what a sanitizer
# makes dear.
EVENTS, PAD = 4_000, 4_000
BEGUN = 1_000_000  # bytes of the copy, far from all


def fill_large(server):
    fill(server, EVENTS, pad=PAD)
    server.stop()


def start_copy(server, target):
    return subprocess.Popen(command("copy", server.log_dir, target), env=server.environment, cwd=server.root,
                            stderr=subprocess.PIPE, text=True)  # fmt: skip


def wait_until_begun(process, folder, files):
    """Until the first of it is in the target's files, or all."""
    while process.poll() is None and not any(is_written(file) for file in folder.rglob(files)):
        time.sleep(0.001)  # between two looks


def is_written(file):
    """A segment has its size from the beginning, but nothing in it."""
    with contextlib.suppress(FileNotFoundError), open(file, "rb") as opened:
        opened.seek(BEGUN)
        return any(opened.read(64))
    return False


@pytest.mark.parametrize("way", ["file", "nats"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_copy_that_is_ended_in_the_middle_goes_on(server, nats, way, number):
    fill_large(server)
    for attempt in range(10):
        target = nats.url(f"/try{attempt}") if way == "nats" else f"try{attempt}"
        process = start_copy(server, target)
        if way == "nats":
            wait_until_begun(process, nats.root / "store" / "jetstream" / "$G" / "streams" / f"try{attempt}", "*.blk")
        else:
            wait_until_begun(process, server.root / target, "*.seg")
        process.send_signal(number)
        said = process.communicate()[1]
        assert process.returncode in (0, -number), said
        again = copy(server, server.log_dir, target)
        had = EVENTS - int(again.split("copied ")[1].split(" event")[0].replace(",", ""))
        if 0 < had < EVENTS:
            assert f"with {had:,} that had been there" in again
            if number == signal.SIGINT:
                assert f"stopped after {had:,} events" in said
            copy(server, target, "back")
            assert export(server, "back") == export(server, server.log_dir)
            break
    else:
        pytest.fail("never ended in the middle")


def test_it_copies_what_there_is_while_a_server_writes_and_the_rest_later(server, nats):
    fill(server, 500)
    writer = subprocess.Popen([program("vibesctl"), "append", "-l", "--no-spool"], env=server.environment, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)  # fmt: skip
    for n in range(2_000):
        writer.stdin.write(json.dumps({"type": "late", "n": n}) + "\n")
        if n % 500 == 0:
            writer.stdin.flush()
            copy(server, server.log_dir, nats.url())
            copy(server, server.log_dir, "new")
    writer.stdin.close()
    assert writer.wait() == 0
    copy(server, server.log_dir, nats.url())
    copy(server, server.log_dir, "new")
    copy(server, nats.url(), "back")
    whole = export(server, server.log_dir)
    assert whole.count("\n") == 2_500
    assert export(server, "back") == whole and export(server, "new") == whole


def test_a_target_that_went_its_own_way_is_refused_and_not_changed(server, nats):
    fill(server, 10)
    copy(server, server.log_dir, nats.url())
    copy(server, server.log_dir, "old")
    with VibesServer() as other:
        fill(other, 10)
        for target in (nats.url(), "old"):
            said = copy(server, other.log_dir, target, code=9)
            assert "event 9 of the target" in said and "nothing was changed" in said
        copy(server, server.log_dir, other.log_dir, code=9)
        assert export(server, other.log_dir).count("\n") == 10
    assert export(server, "old") == export(server, server.log_dir)
    copy(server, nats.url(), "back")
    assert export(server, "back") == export(server, server.log_dir)


def test_a_difference_in_what_was_there_is_status_7_and_named(server):
    ids = [str(uuid.uuid4()) for _ in range(3)]
    with VibesServer() as other:
        for where in (server, other):
            for n, event_id in enumerate(ids):
                status, _, body = where.request("POST", "/api/events", body={"type": "t", "n": n}, unix=True,
                                                headers={"Idempotency-Key": event_id})  # fmt: skip
                assert status == 200, body
        other.stop()
        fill(server, 2)
        said = copy(server, server.log_dir, other.log_dir, code=7)
        assert "event 0 of the target, 0 of the source: time" in said


def test_an_event_that_the_engine_does_not_take_is_named(server):
    fill(server, 3)
    fill(server, 1, pad=200_000)
    with NatsServer(more="max_payload: 100KB") as nats:
        said = copy(server, server.log_dir, nats.url(), code=1)
        assert "event 3 of the source has 2000" in said and "max_payload" in said


def test_what_fits_one_by_one_is_not_refused_for_being_many(server):
    fill(server, 100, pad=20_000)
    with NatsServer(more="max_payload: 64KB") as nats:
        copy(server, server.log_dir, nats.url())
        copy(server, nats.url(), "back")
    assert export(server, "back") == export(server, server.log_dir)


def test_errors_have_their_codes(server, nats):
    fill(server, 3)
    copy(server, server.log_dir, nats.url())
    copy(server, server.log_dir, "nats://127.0.0.1:1/vibes", code=3)
    copy(server, server.log_dir, nats.url("/vibes?max_bytes=1000000"), code=9)
    copy(server, nats.url("/missing"), "new", code=5)
    copy(server, server.log_dir, "redis://127.0.0.1/vibes", code=2)
    copy(server, server.log_dir, "memory:", code=2)
    copy(server, nats.url(), nats.url(), code=2)
    copy(server, "old", "new", code=5)
    assert not (server.root / "new").exists()
    copy(server, server.log_dir, server.log_dir, code=75)
    with NatsServer(more='authorization { user: "me", password: "secret" }') as locked:
        said = copy(server, server.log_dir, locked.url(login="me:wrong@"), code=4)
        assert "wrong" not in said
        copy(server, server.log_dir, locked.url(login="me:secret@"))


def test_an_engine_that_goes_away_is_status_3_and_the_copy_goes_on_when_it_is_back(server, nats):
    fill_large(server)
    codes = set()
    for attempt in range(10):
        target = nats.url(f"/try{attempt}")
        process = start_copy(server, target)
        wait_until_begun(process, nats.root / "store" / "jetstream" / "$G" / "streams" / f"try{attempt}", "*.blk")
        nats.kill()
        said = process.communicate()[1]
        nats.start()
        codes.add(process.returncode)
        if process.returncode == 3 and "were copied; the same command goes on" in said:
            copy(server, server.log_dir, target)
            copy(server, target, "back")
            assert export(server, "back") == export(server, server.log_dir)
            break
    else:
        pytest.fail(f"never went away in the middle: {codes}")
    assert codes <= {0, 3}, codes


def test_an_interrupt_ends_it_while_it_waits_for_an_engine(server):
    fill(server, 3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = subprocess.Popen(command("copy", server.log_dir, f"nats://127.0.0.1:{silent.getsockname()[1]}/vibes"),
                                   env=server.environment, cwd=server.root)  # fmt: skip
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            assert process.wait() == -signal.SIGINT
