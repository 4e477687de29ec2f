#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2154,SC2238 # handlers are for another shell; run and the helpers assign
load helpers

spool=
setup() {
  setup_world
  spool=$XDG_STATE_HOME/vibes/spool
  unset VIBES_SESSION_ID
}
spooled() { cat "$spool"/{draining,events} 2>/dev/null | wc -l; }

# pre_tool ID: a payload as Claude Code gives it.
pre_tool() {
  printf '{"session_id":"agent-1","transcript_path":"/t.jsonl","cwd":"/p","permission_mode":"default",'
  printf '"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"ls"},"tool_use_id":"%s"}' "$1"
}
# prompt TEXT: one without a tool_use_id.
prompt() { printf '{"session_id":"agent-1","hook_event_name":"UserPromptSubmit","prompt":"%s"}' "$1"; }
# hook [OPTION…] with the payload on stdin: must be silent and well, whatever happens.
hook() {
  run -0 --separate-stderr vibesctl hook "$@"
  [ -z "$output" ]
}
# A sanitizer makes a call too slow for 50 ms; these tests are not about time.
patient=--timeout=20
prompts() { vibesctl tail -e --types hook -F '{event.event.prompt}'; }

@test "hook: the payload becomes a hook event in the log, and nothing is printed" {
  start_server
  hook $patient <<<"$(pre_tool toolu_1)"
  [ -z "$stderr" ]
  run -0 vibesctl tail -e -F '{type} {session} {event.event.type} {event.event.tool_input.command}'
  [ "$output" = 'hook agent-1 pre_tool_use ls' ]
  [ "$(spooled)" = 0 ]
}

@test "hook: one that is fired twice is one event" {
  start_server
  hook $patient <<<"$(pre_tool toolu_1)"
  hook $patient <<<"$(pre_tool toolu_1)"
  hook $patient <<<"$(pre_tool toolu_2)"
  hook $patient <<<"$(prompt again)"
  hook $patient <<<"$(prompt again)"
  run -0 vibesctl tail -e -F '{event.event.type} {event.event.tool_use_id}'
  [ "$output" = $'pre_tool_use toolu_1\npre_tool_use toolu_2\nuser_prompt_submit \nuser_prompt_submit ' ]
}

@test "hook: two calls under one tool_use_id are both kept" {
  start_server
  hook $patient <<<"$(pre_tool toolu_1)"
  hook $patient <<<"$(pre_tool toolu_1 | sed 's/"ls"/"pwd"/')"
  run -0 vibesctl tail -e -F '{event.event.tool_input.command}'
  [ "$output" = $'ls\npwd' ]
}

@test "hook: in a session of ours it has that session, and the two are linked once" {
  start_server
  export VIBES_SESSION_ID=terminal-1
  hook $patient <<<"$(prompt 1)"
  hook $patient <<<"$(prompt 2)"
  run -0 vibesctl tail -e -F '{type} {session}'
  [ "$output" = $'session_linked terminal-1\nhook terminal-1\nhook terminal-1' ]
}

@test "hook: with the daemon down it is spooled, and drained in order by the next call" {
  for i in 1 2 3; do hook <<<"$(prompt $i)"; done
  [ -z "$stderr" ]
  [ "$(spooled)" = 3 ]
  [ "$(stat -c %a "$spool/events")" = 600 ]
  start_server
  eventually eval '[ "$(spooled)" = 0 ] || vibesctl hook $patient <<<"$(prompt 4)" && [ "$(spooled)" = 0 ]'
  run -0 prompts
  [ "${output:0:5}" = $'1\n2\n3' ]
}

@test "hook: a payload that is not JSON is spooled as hook_unparsed with its bytes" {
  printf 'not json \xff\x00 at all' >payload
  hook <payload
  [ "$(spooled)" = 1 ]
  start_server
  hook $patient <<<"$(prompt next)"
  eventually eval '[ "$(vibesctl tail -e -F {type})" = $'"'hook_unparsed\nhook'"' ]'
  vibesctl tail -e --types hook_unparsed -o cat | jq -r .raw | base64 -d | cmp - payload
}

@test "hook: no payload at all is recorded too" {
  start_server
  hook $patient </dev/null
  hook $patient <&-
  run -0 vibesctl tail -e -F '{type} {event.bytes}'
  [ "$output" = $'hook_unparsed 0\nhook_unparsed 0' ]
}

@test "hook: a payload of 5 MB is recorded, shortened" {
  start_server
  {
    printf '{"session_id":"s","hook_event_name":"PostToolUse","tool_name":"Read","tool_use_id":"t","tool_response":"'
    head -c 5000000 /dev/zero | tr '\0' x
    printf '"}'
  } >payload
  hook $patient <payload
  run -0 vibesctl tail -e -F '{event.event.type} {event.event.tool_name} {event.event.vibes_shortened.tool_response}'
  [ "$output" = 'post_tool_use Read 5000002' ]
}

@test "hook: an agent that keeps the pipe open does not keep us" {
  start_server
  mkfifo pipe
  exec 5<>pipe
  prompt open >&5
  hook $patient <pipe
  exec 5>&-
  run -0 prompts
  [ "$output" = open ]
}

@test "hook: a refused token is spooled" {
  start_server
  echo wrong >token
  hook $patient --url "$url" --token-file token <<<"$(prompt kept)"
  [ -z "$stderr" ]
  hook $patient <<<"$(prompt sent)"
  eventually eval '[ "$(spooled)" = 0 ]'
  run -0 prompts
  [ "$output" = $'kept\nsent' ]
}

@test "hook: a token file that is not there, a URL that is none: spooled" {
  start_server
  hook --token-file missing <<<"$(prompt 1)"
  hook --url 'ftp://x' <<<"$(prompt 2)"
  VIBES_URL=::: hook <<<"$(prompt 3)"
  [ -z "$stderr" ]
  hook $patient <<<"$(prompt 4)"
  eventually eval '[ "$(spooled)" = 0 ]'
  run -0 prompts
  [ "$output" = $'1\n2\n3\n4' ]
}

@test "hook: a server that answers nothing costs the deadline and no event" {
  mkdir -m 0700 "$XDG_RUNTIME_DIR/vibes"
  cat >mute.py <<'PY'
import socket, sys, time
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(8)
print("ready", flush=True)
taken = []
while True:
    taken.append(server.accept())
PY
  background /usr/bin/python3 mute.py "$XDG_RUNTIME_DIR/vibes/vibes.sock"
  eventually has_lines out 1
  hook <<<"$(prompt kept)"
  [ "$(spooled)" = 1 ]
}

@test "hook: wrong options are told on stderr, and the payload is recorded all the same" {
  start_server
  hook --bogus <<<"$(prompt 1)"
  [[ $stderr == *"unknown option '--bogus'"* ]]
  hook extra words <<<"$(prompt 2)"
  hook --timeout soon <<<"$(prompt 3)"
  run -0 --separate-stderr vibesctl --bogus hook <<<"$(prompt 4)"
  hook $patient <<<"$(prompt 5)"
  eventually eval '[ "$(spooled)" = 0 ]'
  run -0 prompts
  [ "$output" = $'1\n2\n3\n4\n5' ]
}

@test "hook: a spool that cannot be written is a line on stderr, and status 0" {
  mkdir -p "$XDG_STATE_HOME/vibes"
  : >"$spool"
  hook <<<"$(prompt lost)"
  [[ $stderr == "vibesctl: error: a hook is lost: "*"spool"* ]]
}

@test "hook: out of disk is a line on stderr, and status 0" {
  # A limit on the size of files stands for the disk: one is a signal, the other a status.
  run -0 --separate-stderr bash -c 'ulimit -f 1; vibesctl hook' <<<"$(prompt "$(head -c 4000 /dev/zero | tr '\0' x)")"
  [ -z "$output" ]
  [[ $stderr == *"a hook is lost"* ]]
  [ "$(spooled)" = 0 ]
  hook <<<"$(prompt small)"
  [ "$(spooled)" = 1 ]
}

@test "hook: without HOME and without a place for the spool, status 0" {
  run -0 --separate-stderr env -u HOME -u XDG_STATE_HOME -u XDG_CONFIG_HOME -u XDG_DATA_HOME vibesctl hook <<<"$(prompt lost)"
  [ -z "$output" ]
  [[ $stderr == *"a hook is lost"* ]]
}

@test "hook: closed descriptors and readers that are gone hurt nobody" {
  vibesctl hook <<<"$(prompt 1)" >&-
  vibesctl hook <<<"$(prompt 2)" >&- 2>&-
  vibesctl hook <&- >&- 2>&-
  # Something to say, and nobody to hear it: SIGPIPE must not be what the agent gets.
  (vibesctl hook --bogus <<<"$(prompt 3)" 2>&1 && echo well >status) | true
  eventually test -e status
  [ "$(spooled)" = 4 ]
  ! grep -q vibesctl "$spool/events"
}

# intervene TEXT: something for the agent that waits in the log.
intervene() {
  vibesctl append -q "{\"type\":\"intervention\",\"session_id\":\"agent-1\",\"kind\":\"k\",\"reason\":\"r\",\"message\":\"$1\"}"
}

@test "hook: what waits for the agent is all that it prints, once" {
  start_server --assessment on --interventions on
  intervene 'Stop and think.'
  hook $patient <<<"$(pre_tool toolu_1)"
  run -0 --separate-stderr vibesctl hook $patient <<<"$(prompt 1)"
  [ "$output" = '{"hookSpecificOutput":{"hookEventName":"UserPromptSubmit","additionalContext":"Stop and think."}}' ]
  [ -z "$stderr" ]
  hook $patient <<<"$(prompt 2)"
  run -0 vibesctl tail -e --types intervention_delivered -F '{type}'
  [ "$output" = intervention_delivered ]
}

@test "hook: what could not be printed is not told to be delivered" {
  start_server --assessment on --interventions on
  intervene 'Stop and think.'
  vibesctl hook $patient <<<"$(prompt 1)" >/dev/full
  run -0 vibesctl tail -e --types intervention_delivered
  [ -z "$output" ]
  [ "$(spooled)" = 0 ]
}

@test "hook: VIBES_HOOKS=off records and prints nothing, with a server and without" {
  export VIBES_HOOKS=off
  hook <<<"$(prompt 1)"
  [ -z "$stderr" ]
  start_server --assessment on --interventions on
  intervene 'Stop and think.'
  head -c 1000000 /dev/zero | tr '\0' x >payload
  # To its end, or its writer would be sent SIGPIPE.
  (cat payload && : >written) | hook $patient
  [ -e written ]
  hook $patient <<<"$(prompt 2)"
  [ -z "$stderr" ]
  [ "$(spooled)" = 0 ]
  run -0 vibesctl tail -e --types hook,hook_unparsed
  [ -z "$output" ]
}

@test "hook: a full spool keeps the oldest, and one event tells of the others" {
  hook <<<"$(prompt oldest)"
  {
    printf '01900000-0000-7000-8000-000000000009 {"type":"filler","text":"'
    head -c $((256 * 1024 * 1024 - 1000)) /dev/zero | tr '\0' x
    printf '"}\n'
  } >>"$spool/events"
  hook <<<"$(prompt "$(head -c 900 /dev/zero | tr '\0' x)")"
  hook <<<"$(prompt "$(head -c 900 /dev/zero | tr '\0' x)")"
  [[ $stderr == *"the spool is full"* ]]
  [ "$(wc -l <"$spool/events")" = 2 ]
  # Room again: the filler, which no log would take, is gone.
  sed -i 2d "$spool/events"
  hook <<<"$(prompt newest)"
  [ ! -e "$spool/lost" ]
  start_server
  hook $patient <<<"$(prompt live)"
  eventually eval '[ "$(spooled)" = 0 ]'
  run -0 vibesctl tail -e -F '{type} {event.event.prompt}{event.lost}'
  [ "$output" = $'hook oldest\nspool_full 2\nhook newest\nhook live' ]
}
