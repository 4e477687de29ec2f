# SPDX-License-Identifier: MIT
"""vibes-server --interventions on: what the assessment has to say reaches the agent with a hook's answer, once."""

import json
import re
import signal
import socket
import subprocess
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from vibes_server import VibesServer, program

WITHIN_S = 30
ON = ("--assessment", "on", "--interventions", "on")


def append(server, *events):
    body = "\n".join(json.dumps(event) for event in events).encode()
    headers = {"Content-Type": "application/x-ndjson"}
    assert server.request("POST", "/api/events", body=body, headers=headers)[0] == 200


def events_of(server, event_type):
    return server.get_json(f"/api/events?from=0&types={event_type}&limit=1000")["events"]


def until(check):
    """What `check` gives, once it gives something."""
    deadline = time.monotonic() + WITHIN_S
    while not (found := check()):
        assert time.monotonic() < deadline
        time.sleep(0.02)  # between two looks
    return found


def go_wrong(server, session):
    """Three corrections in a row: returns the intervention, once it is in the log."""
    append(server, *({"type": "user_input", "session_id": session, "content": f"no, that's wrong {n}"} for n in range(3)))
    return until(lambda: [e for e in events_of(server, "intervention") if e["event"]["session_id"] == session])[0]


def intervene(server, session, *messages):
    append(server, *({"type": "intervention", "session_id": session, "kind": "k", "reason": "r", "message": m} for m in messages))


def prompt(session, name="UserPromptSubmit"):
    """Each another text: one that is repeated is a reason for an intervention."""
    return json.dumps({"session_id": session, "hook_event_name": name, "prompt": f"Go to {uuid.uuid4()}.", "source": "resume"})


def hook(server, payload, timeout="--timeout=20", **env):
    """What `vibesctl hook` prints. With time enough, because these tests are not about time."""
    done = subprocess.run([program("vibesctl"), "hook", timeout], input=payload, env={**server.environment, **env},
                          capture_output=True, text=True, timeout=60, check=True)  # fmt: skip
    assert done.stderr == ""
    return done.stdout


def post(server, payload, **headers):
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    status, _, body = server.request("POST", "/api/hooks", body=payload.encode(), headers=given)
    assert status == 200
    return body.decode()


def answer(message, name="UserPromptSubmit"):
    return json.dumps({"hookSpecificOutput": {"hookEventName": name, "additionalContext": message}}, separators=(",", ":"))


def test_a_session_that_goes_wrong_is_told_so_by_the_next_hook_once():
    with VibesServer(*ON) as server:
        assert hook(server, prompt("s")) == ""
        intervention = go_wrong(server, "s")
        assert hook(server, prompt("other")) == ""
        assert hook(server, prompt("s", "Stop")) == ""
        assert hook(server, prompt("s")) == answer(intervention["event"]["message"]) + "\n"
        assert hook(server, prompt("s")) == ""
        (delivered,) = events_of(server, "intervention_delivered")
        given_to = [e for e in events_of(server, "hook") if e["event"]["event"]["type"] == "user_prompt_submit"][2]
        assert delivered["event"] == {"type": "intervention_delivered", "session_id": "s",
                                      "intervention_id": intervention["event_id"],
                                      "hook_event_id": given_to["event_id"]}  # fmt: skip
        assert uuid.UUID(delivered["event_id"]) == uuid.uuid5(uuid.UUID(intervention["event_id"]), "intervention_delivered")
        assert server.get_json("/api/consumers/interventions")["dead_letters"] == 0


def test_several_come_in_order_with_a_blank_line_between_also_at_a_sessions_start():
    with VibesServer(*ON, "--log", "memory:") as server:
        intervene(server, "a b&ü", "one \"1\"", "two\n2", "three")
        assert hook(server, prompt("a b&ü", "SessionStart")) == json.dumps(
            json.loads(answer('one "1"\n\ntwo\n2\n\nthree', "SessionStart")), ensure_ascii=False, separators=(",", ":")) + "\n"  # fmt: skip
        assert len(events_of(server, "intervention_delivered")) == 3


def test_of_hooks_at_the_same_time_one_gets_it():
    with VibesServer(*ON, "--log", "memory:") as server, ThreadPoolExecutor(8) as pool:
        for round_ in range(3):
            intervene(server, "s", f"message {round_}")
            by_verb = [pool.submit(hook, server, prompt("s")) for _ in range(4)]
            by_http = [pool.submit(post, server, prompt("s")) for _ in range(4)]
            told = [f.result() for f in by_verb if f.result()] + [f.result() for f in by_http if f.result() != "{}"]
            assert [t.strip() for t in told] == [answer(f"message {round_}")]
        assert len(events_of(server, "intervention_delivered")) == 3


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_loses_nothing_and_repeats_nothing(how):
    with VibesServer(*ON) as server:
        intervene(server, "s", "first")
        server.restart(how)
        assert hook(server, prompt("s")) == answer("first") + "\n"
        server.restart(how)
        assert hook(server, prompt("s")) == ""
        intervene(server, "s", "second")
        until(lambda: server.get_json("/api/consumers/interventions")["lag"] == 0)
        server.restart(how)
        assert post(server, prompt("s")) == answer("second")
        server.restart(how)
        assert post(server, prompt("s")) == "{}"
        # Also where the group has to read everything again.
        assert server.request("POST", "/api/consumers/interventions/reset")[0] == 200
        server.restart(how)
        assert hook(server, prompt("s")) == ""


def test_a_state_that_is_damaged_gives_nothing_until_it_is_reset_and_one_that_is_gone_is_made_anew():
    with VibesServer(*ON) as server:
        intervene(server, "s", "kept")
        until(lambda: server.get_json("/api/consumers/interventions")["lag"] == 0)
        server.stop()
        (state,) = (server.root / "state" / "vibes" / "interventions").glob("*.json")
        state.write_text("damaged")
        server.start()
        assert hook(server, prompt("s")) == ""
        until(lambda: server.get_json("/api/consumers/interventions")["state"] != "running")
        assert server.request("POST", "/api/consumers/interventions/reset")[0] == 200
        until(lambda: server.get_json("/api/consumers/interventions")["lag"] == 0)
        server.stop()
        assert "damaged" not in state.read_text()
        state.unlink()
        server.start()
        assert hook(server, prompt("s")) == answer("kept") + "\n"


class Between:
    """Stands between a hook and the server, one request after the other: `act` gets the request's first line and a
    function that has the server answer it, and returns what the hook is told; None: not a byte."""

    def __init__(self, server, act):
        self.server, self.act, self.requests = server, act, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                request = b""
                while b"\r\n\r\n" not in request or len(request.split(b"\r\n\r\n", 1)[1]) < self.length(request):
                    if not (piece := client.recv(65536)):
                        break
                    request += piece
                if request:
                    self.requests.append(request.split(b"\r\n", 1)[0].decode())
                    if (told := self.act(self.requests[-1], lambda: self.forward(request))) is not None:  # noqa: B023
                        client.sendall(told)

    @staticmethod
    def length(request):
        found = re.search(rb"\r\ncontent-length: *(\d+)", request.lower())
        return int(found[1]) if found else 0

    def forward(self, request):
        with socket.create_connection(("127.0.0.1", self.server.port)) as upstream:
            upstream.sendall(re.sub(rb"\r\nHost: [^\r]*", f"\r\nHost: 127.0.0.1:{self.server.port}".encode(), request, flags=re.I))
            answer = b""
            while piece := upstream.recv(65536):
                answer += piece
            return answer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def test_a_delivery_that_the_server_did_not_live_to_hear_of_is_kept_and_sent_first():
    answered = []

    def die_after_the_answer(line, forward):
        if answered:
            return None
        if "/api/hooks/answer" in line:
            answered.append(line)
        return forward()

    # Elsewhere than where a server looks for the spool by itself.
    with VibesServer(*ON, "--unix", "none") as server:
        intervene(server, "s", "once")
        with Between(server, die_after_the_answer) as between:
            assert hook(server, prompt("s"), VIBES_URL=between.url) == answer("once") + "\n"
        assert len(answered) == 1
        assert events_of(server, "intervention_delivered") == []
        server.restart(signal.SIGKILL)  # and with it who held it
        assert hook(server, prompt("s"), VIBES_URL=server.url) == ""
        assert len(events_of(server, "intervention_delivered")) == 1


def test_an_answer_that_comes_too_late_is_neither_said_nor_confirmed():
    gave_up = threading.Event()

    def be_late(line, forward):
        told = forward()
        if "/api/hooks/answer" in line:
            gave_up.wait(WITHIN_S)
        return told

    with VibesServer(*ON, "--unix", "none") as server:
        intervene(server, "s", "unsaid")
        with Between(server, be_late) as between:
            assert hook(server, prompt("s"), "--timeout=4", VIBES_URL=between.url) == ""
            gave_up.set()
        assert any("/api/hooks/answer" in line for line in between.requests)
        server.restart(signal.SIGKILL)
        assert hook(server, prompt("s"), VIBES_URL=server.url) == answer("unsaid") + "\n"


def test_only_hooks_that_may_say_something_ask():
    with VibesServer(*ON, "--unix", "none") as server, Between(server, lambda _, forward: forward()) as between:
        for name in ("PreToolUse", "PostToolUse", "Stop", "SessionEnd", "Notification", "SessionStart"):
            payload = json.dumps({"session_id": "s", "hook_event_name": name, "tool_name": "t", "tool_input": {}, "tool_response": {}, "message": ""})
            assert hook(server, payload, VIBES_URL=between.url) == ""
        assert [line.split()[1].split("?")[0] for line in between.requests] == ["/api/events"] * 6 + ["/api/hooks/answer"]


def test_an_answer_that_nobody_could_read_is_given_to_the_same_hook_only():
    with VibesServer(*ON, "--log", "memory:") as server:
        intervene(server, "s", "kept")
        path = "/api/hooks/answer?session=s&event="
        one, other = str(uuid.uuid4()), str(uuid.uuid4())
        status, _, first = server.request("POST", path + one)
        assert status == 200 and json.loads(first)["context"] == "kept"
        assert server.request("POST", path + other)[0] == 204
        assert server.request("POST", path + one)[2] == first
        assert hook(server, prompt("s")) == ""
        assert events_of(server, "intervention_delivered") == []


@pytest.mark.parametrize("query", ["", "?session=s", "?event=" + str(uuid.uuid4()), "?session=s&event=1"])
def test_a_question_without_a_session_or_a_hook_is_refused(query):
    with VibesServer(*ON, "--log", "memory:") as server:
        status, _, body = server.request("POST", "/api/hooks/answer" + query)
        assert status == 400 and json.loads(body)["error"]["code"] == "bad_query"


def test_the_same_hook_posted_twice_gets_the_same_answer():
    with VibesServer(*ON) as server:
        intervene(server, "s", "kept")
        key, payload = str(uuid.uuid4()), prompt("s")
        assert post(server, payload, Idempotency_Key=key) == answer("kept")
        intervene(server, "s", "later")
        assert post(server, payload, Idempotency_Key=key) == answer("kept")
        server.restart(signal.SIGKILL)
        assert post(server, payload, Idempotency_Key=key) == answer("kept")
        assert post(server, prompt("s", "Stop")) == "{}"
        assert post(server, prompt("s")) == answer("later")
        assert len(events_of(server, "intervention_delivered")) == 2


@pytest.mark.parametrize("end", [
    {"type": "session_removed", "session_id": "s", "reason": "killed"},
    {"type": "hook", "session_id": "s", "event": {"type": "session_end"}},
])
def test_what_waits_ends_with_its_session(end):
    with VibesServer(*ON, "--log", "memory:") as server:
        intervene(server, "s", "too late")
        append(server, end)
        assert hook(server, prompt("s")) == ""


def test_it_is_off_unless_it_is_asked_for():
    with VibesServer("--assessment", "on", "--log", "memory:") as server:
        go_wrong(server, "s")
        assert hook(server, prompt("s")) == ""
        assert post(server, prompt("s")) == "{}"
        assert server.request("POST", f"/api/hooks/answer?session=s&event={uuid.uuid4()}")[0] == 204
        assert server.request("GET", "/api/consumers/interventions")[0] == 404


def test_it_needs_the_assessment():
    done = subprocess.run([program("vibes-server"), "--check-config", "--interventions", "on"],
                          capture_output=True, text=True, timeout=30, check=False)  # fmt: skip
    assert done.returncode == 2
    assert "--interventions: needs --assessment on" in done.stderr, done.stderr


def test_hooks_that_are_switched_off_record_and_say_nothing():
    with VibesServer(*ON, "--log", "memory:") as server:
        intervene(server, "s", "waits")
        assert hook(server, prompt("s"), VIBES_HOOKS="off") == ""
        assert events_of(server, "hook") == []
        assert hook(server, prompt("s"), VIBES_HOOKS="on") == answer("waits") + "\n"
