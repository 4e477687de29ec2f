#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: make_sample.py > agent-day.ndjson

One day of coding agents as vibes records it: the stories told in stories.py, played side by side. Claude Code's hook
payloads wrapped as `hook` events, the agent's own stream as `claude` events, and what the people, the sessions and
the clients did. The seed is fixed: the same file comes out every time, and a test compares.
"""
import heapq
import json
import random
import sys
import uuid

import stories

SEED = 7432
HOOK_TYPES = {
    "SessionStart": "session_start", "UserPromptSubmit": "user_prompt_submit", "PreToolUse": "pre_tool_use",
    "PostToolUse": "post_tool_use", "PermissionRequest": "permission_request", "Notification": "notification",
    "SubagentStop": "subagent_stop", "Stop": "stop", "PreCompact": "pre_compact", "SessionEnd": "session_end",
    "WorktreeCreate": "worktree_create",
}
ID_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz"


class Session:
    """Plays one story and yields (seconds since morning, event)."""

    def __init__(self, rng, *, person, cwd, start, story, name=None, source="cli",
                 end="prompt_input_exit", removed="session_finished"):
        self.rng, self.now, self.story, self.source = rng, start, story, source
        self.end, self.removed = end, removed
        self.agent_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        # A session of ours (a PTY) has a name; an agent started elsewhere is known by its hooks only.
        self.name = name
        self.session_id = f"sess-{person}-{rng.getrandbits(24):06x}" if name else self.agent_id
        self.client_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        self.common = {"session_id": self.agent_id, "cwd": cwd, "permission_mode": "default",
                       "transcript_path": f"/home/{person}/.claude/projects/{cwd.replace('/', '-')}/{self.agent_id}.jsonl"}

    def after(self, least, most, event):
        self.now += self.rng.uniform(least, most)
        return self.now, event

    def hook(self, name, **fields):
        event = {"type": HOOK_TYPES[name], **self.common, "hook_event_name": name, **fields}
        return self.after(0.01, 0.06, {"type": "hook", "session_id": self.session_id, "event": event})

    def claude(self, kind, **fields):
        return self.after(0.02, 0.4, {"type": "claude", "session_id": self.session_id, "event": {"type": kind, **fields}})

    def state(self, state):
        return self.after(0.01, 0.05, {"type": "session_state_changed", "session_id": self.session_id, "state": state})

    def new_id(self, prefix):
        return prefix + "01" + "".join(self.rng.choice(ID_LETTERS) for _ in range(22))

    def events(self):
        """All of them; of an agent that runs outside our sessions only what its hooks tell."""
        for timed in self.everything():
            if self.name or timed[1]["type"] == "hook":
                yield timed

    def everything(self):
        yield from self.opening()
        turn_open = False
        for step in self.story:
            if step[0] == "prompt" and turn_open:
                yield from self.close_turn()
            yield from getattr(self, "play_" + step[0])(*step[1:])
            turn_open = True
        yield from self.close_turn()
        yield from self.closing()

    def opening(self):
        if self.name:
            yield self.after(0, 1, {"type": "client_connected", "client_id": self.client_id})
            yield self.after(0.1, 0.4, {"type": "session_created", "session_id": self.session_id, "name": self.name})
            yield self.state("Running")
        yield self.hook("SessionStart", source="startup", model="claude-opus-4-5")

    def closing(self):
        self.now += self.rng.uniform(2, 40)
        yield self.hook("SessionEnd", reason=self.end)
        if not self.name:
            return
        if self.removed == "session_finished":
            yield self.state("Exited(0)")
        if self.removed == "owner_disconnected":
            yield self.after(0.5, 3, {"type": "client_disconnected", "client_id": self.client_id})
        yield self.after(0.1, 1, {"type": "session_removed", "session_id": self.session_id, "reason": self.removed})
        if self.removed != "owner_disconnected":
            yield self.after(0.5, 3, {"type": "client_disconnected", "client_id": self.client_id})

    def close_turn(self):
        usage = {"input_tokens": self.rng.randrange(8_000, 60_000), "output_tokens": self.rng.randrange(200, 4_000)}
        yield self.claude("turn_complete", usage=usage)
        yield self.hook("Stop", stop_hook_active=False)

    def play_prompt(self, text):
        self.now += self.rng.uniform(5, 90)  # a person reads, thinks and types
        yield self.hook("UserPromptSubmit", prompt=text)
        yield self.after(0, 0.02, {"type": "user_input", "session_id": self.session_id, "content": text, "source": self.source})
        yield self.claude("turn_start")

    def stream(self, kind, text):
        """As it comes from the model: a few words at a time. The deltas joined are the text."""
        while text:
            size = self.rng.randrange(4, 15)
            yield self.claude(kind, text=text[:size])
            text = text[size:]

    def play_say(self, text):
        yield from self.stream("text_delta", text)

    def play_think(self, text):
        yield from self.stream("thinking_delta", text)

    def play_tool(self, name, tool_input, response, ok, permission):
        tool_use_id = self.new_id("toolu_")
        yield self.claude("tool_use_start", id=tool_use_id, name=name)
        sent = json.dumps(tool_input, ensure_ascii=False)
        for at in range(0, len(sent), 32):
            yield self.claude("tool_input_delta", id=tool_use_id, delta=sent[at:at + 32])
        yield self.hook("PreToolUse", tool_name=name, tool_input=tool_input, tool_use_id=tool_use_id)
        if permission is not None:
            yield from self.ask(name, tool_input, tool_use_id, permission)
        if permission is False:
            refusal = "The user doesn't want to proceed with this tool use."
            yield self.claude("tool_result", id=tool_use_id, output=refusal, is_error=True)
            return
        self.now += self.rng.uniform(0.1, 9 if name == "Bash" else 0.5)
        yield self.hook("PostToolUse", tool_name=name, tool_input=tool_input, tool_response=response, tool_use_id=tool_use_id)
        yield self.claude("tool_result", id=tool_use_id, output=shown(response), is_error=not ok)

    def ask(self, name, tool_input, tool_use_id, allowed):
        what = tool_input.get("description") or tool_input.get("file_path", name)
        yield self.hook("PermissionRequest", tool_name=name, tool_input=tool_input, tool_use_id=tool_use_id)
        yield self.hook("Notification", message=f"Claude needs your permission to use {name}", notification_type="permission_prompt")
        request_id = self.new_id("req_")
        yield self.claude("permission_request", id=request_id, tool=name, description=what)
        self.now += self.rng.uniform(1, 45)
        yield self.after(0, 0.1, {"type": "permission_response", "session_id": self.session_id, "request_id": request_id,
                                  "approved": allowed})

    def play_subagent(self, task, answer, steps):
        agent = f"a{self.rng.getrandbits(28):07x}"
        tool_use_id = self.new_id("toolu_")
        tool_input = {"description": task[:30], "prompt": task, "subagent_type": "Explore"}
        yield self.claude("tool_use_start", id=tool_use_id, name="Task")
        yield self.hook("PreToolUse", tool_name="Task", tool_input=tool_input, tool_use_id=tool_use_id)
        for step in steps:
            yield from self.play_tool(*step[1:])
        yield self.hook("SubagentStop", agent_id=agent, stop_hook_active=False)
        response = {"status": "completed", "agentId": agent, "content": [{"type": "text", "text": answer}], "totalToolUseCount": len(steps)}
        yield self.hook("PostToolUse", tool_name="Task", tool_input=tool_input, tool_response=response, tool_use_id=tool_use_id)
        yield self.claude("tool_result", id=tool_use_id, output=answer, is_error=False)

    def play_compact(self, trigger):
        yield self.hook("PreCompact", trigger=trigger, custom_instructions="")
        self.now += self.rng.uniform(10, 25)
        yield self.hook("SessionStart", source="compact", model="claude-opus-4-5")

    def play_error(self, message, recoverable):
        yield self.claude("error", message=message, recoverable=recoverable)
        self.now += self.rng.uniform(4, 12)

    def play_idle(self, message):
        self.now += 60
        yield self.hook("Notification", message=message, notification_type="idle_prompt")


def shown(response):
    """What the model is told of a tool's answer."""
    if "stdout" in response:
        return response["stdout"] + response["stderr"]
    if "file" in response:
        return response["file"]["content"]
    return response.get("content") or "ok"


def around(rng, jonas):
    """What belongs to no agent: the daemon's tunnel, a browser, a build server's own event type, a hook nobody knows yet."""
    viewer = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    yield 20.0, {"type": "tunnel_state_changed", "state": "starting"}
    yield 21.5, {"type": "tunnel_state_changed", "state": "connected", "url": "https://quiet-river.tunnel.example"}
    yield 130.0, {"type": "client_connected", "client_id": viewer}
    yield 215.0, {"type": "ownership_transferred", "session_id": jonas.session_id, "new_owner_id": viewer}
    yield 300.0, {"type": "hook", "session_id": None, "event": {"type": "worktree_create", "hook_event_name": "WorktreeCreate",
                                                               "name": "fix-rounding", "cwd": "/home/mara/shop"}}
    yield 421.0, {"type": "ci_build_finished", "repository": "live", "number": 1182, "passed": False, "seconds": 341.25}
    yield 700.0, {"type": "client_disconnected", "client_id": viewer}
    yield 990.0, {"type": "ci_build_finished", "repository": "live", "number": 1183, "passed": True, "seconds": 338.5}
    yield 1200.0, {"type": "tunnel_state_changed", "state": "stopped", "url": None}


def day():
    rng = random.Random(SEED)
    sessions = [
        Session(rng, person="mara", cwd="/home/mara/shop", start=0, story=stories.CENTS, name="one cent off"),
        Session(rng, person="jonas", cwd="/home/jonas/live", start=45, story=stories.RECONNECT, name="flaky reconnect", source="web_ui"),
        Session(rng, person="ines", cwd="/home/ines/tiles", start=90, story=stories.RACE, name="race"),
        Session(rng, person="ci", cwd="/builds/review", start=260, story=stories.REVIEW),
        Session(rng, person="ken", cwd="/srv/ken/ledger", start=150, story=stories.MIGRATE, name="移行",
                end="other", removed="owner_disconnected"),
        Session(rng, person="pat", cwd="/home/pat/tick", start=200, story=stories.DURATION, name="durations",
                end="other", removed="killed"),
    ]
    # Each tells its own story at its own pace; the log knows one order.
    parts = [list(session.events()) for session in sessions] + [list(around(rng, sessions[1]))]
    for _, event in heapq.merge(*parts, key=lambda timed: timed[0]):
        yield event


def main():
    for event in day():
        sys.stdout.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
