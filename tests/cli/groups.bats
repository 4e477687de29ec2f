#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2154,SC2238 # handlers are for another shell; run and the helpers assign
load helpers

group() { vibesctl tail --group "$1" -e -F '{event.text}' "${@:2}"; }
committed() { vibesctl consumers show "$1" --json | jq -r '.committed'; }

@test "groups: a group resumes from its commit" {
  start_server
  note 1 2
  run -0 group g
  [ "$output" = $'1\n2' ]
  note 3
  run -0 group g
  [ "$output" = 3 ]
  run -0 group other
  [ "$output" = $'1\n2\n3' ]
}

@test "groups: a commit survives kill -9 of the server" {
  start_server
  note 1
  run -0 group g
  kill_server
  start_server
  note 2
  run -0 group g
  [ "$output" = 2 ]
}

@test "groups: with -C only what was printed is committed" {
  start_server
  note 1 2 3
  run -0 vibesctl tail --group g -C 2 -F '{event.text}'
  [ "$output" = $'1\n2' ]
  run -0 group g
  [ "$output" = 3 ]
}

@test "groups: --exec gets the event and its environment, and commits on status 0" {
  start_server
  vibesctl append '{"type":"note","session_id":"s1","text":"hi"}'
  cat >handler <<'END'
cat >>payloads
echo "$VIBES_OFFSET $VIBES_TYPE $VIBES_SESSION_ID $VIBES_ATTEMPT ${#VIBES_EVENT_ID}" >>environment
END
  run -0 vibesctl tail --group g -e --exec '. ./handler'
  [ -z "$output" ]
  [ "$(cat payloads)" = '{"type":"note","session_id":"s1","text":"hi"}' ]
  [ "$(cat environment)" = '0 note s1 1 36' ]
  [ "$(committed g)" = 1 ]
}

@test "groups: --exec tries again until the command succeeds" {
  start_server
  note 1
  run -0 --separate-stderr vibesctl tail --group g -e --exec 'echo try >>tries; [ "$VIBES_ATTEMPT" = 3 ]'
  [ "$(wc -l <tries)" = 3 ]
  [[ $stderr == *"attempt 2 of 8"* ]]
  [ "$(committed g)" = 1 ]
}

# In one test, for it takes 13 s until an event is given up.
@test "groups: an event that always fails goes to the dead letters and the group moves on; reset takes both back" {
  start_server
  note bad good
  run -0 --separate-stderr vibesctl tail --group g -e --exec 'grep -q good'
  [[ $stderr == *"moved to the dead letters"* ]]
  run -0 vibesctl consumers dead-letters g
  [ "$(jq -c '[.offset,.attempts]' <<<"$output")" = '[0,8]' ]
  [ "$(committed g)" = 2 ]
  run -0 vibesctl consumers reset g
  [ "$(committed g)" = 0 ]
  run -0 vibesctl consumers dead-letters g
  [ -z "$output" ]
  run -0 group g
  [ "$output" = $'bad\ngood' ]
  run -5 vibesctl consumers reset nobody
  run -9 vibesctl consumers reset websocket
}

@test "groups: an interrupted command is not committed" {
  start_server
  note 1
  background env --default-signal=INT vibesctl tail --group g --exec 'echo started; exec sleep 60'
  eventually has_lines out 1
  kill -INT "$pid"
  status=0
  wait "$pid" || status=$?
  [ "$status" = 130 ]
  eventually eval 'run -0 group g'
  [ "$output" = 1 ]
}

members() { [ "$(vibesctl consumers show g --json 2>/dev/null | jq -r .members)" = "$1" ]; }
shared_work() { for n in $(seq "$1" "$2"); do echo "{\"type\":\"note\",\"session_id\":\"s$((n % 12))\",\"n\":$n}"; done; }
all_handled() { [ "$(cat one two 2>/dev/null | sort -u | wc -l)" = "$1" ]; }

@test "groups: two members share the work; when one is killed the other does what it had in hand" {
  start_server
  background vibesctl tail --group g --exec 'if [ "$(cat one | wc -l)" -ge 3 ]; then
    echo "$VIBES_OFFSET" >stuck; exec sleep 60; fi; echo "$VIBES_OFFSET" >>one'
  first=$pid
  touch one
  eventually members 1
  background vibesctl tail --group g --exec 'echo "$VIBES_OFFSET" >>two'
  eventually members 2
  shared_work 0 59 | vibesctl append -l
  eventually has_lines stuck 1
  eventually has_lines two 1
  kill -9 "$first"
  eventually all_handled 60
  [ "$(wc -l <one)" = 3 ]
  [ -z "$(cat one two | sort | uniq -d)" ]
  grep -qx "$(cat stuck)" two
  eventually eval '[ "$(committed g)" = 60 ]'
}

@test "groups: -e ends with its answer though another member holds the commit back" {
  start_server
  background vibesctl tail --group g --exec 'echo "$VIBES_OFFSET" >stuck; exec sleep 60'
  eventually members 1
  background vibesctl tail --group g -C 1 --exec 'echo "$VIBES_OFFSET" >>two'
  second=$pid
  eventually members 2
  shared_work 0 59 | vibesctl append -l
  eventually has_lines stuck 1
  wait "$second"
  [ "$(wc -l <two)" = 1 ]
  (($(committed g) <= $(cat stuck)))
}

@test "consumers: list, show, seek and remove" {
  start_server
  note 1 2 3
  group g >/dev/null
  run -0 vibesctl consumers list
  [[ $output == *websocket* && $output == *g*durable* ]]
  [ "$(committed g)" = 3 ]
  vibesctl consumers seek g --to 1
  run -0 group g
  [ "$output" = $'2\n3' ]
  vibesctl consumers seek g --to beginning
  [ "$(committed g)" = 0 ]
  vibesctl consumers remove g
  run -5 vibesctl consumers show g
  run -5 vibesctl consumers remove g
  run -9 vibesctl consumers seek websocket --to end
  run -2 vibesctl consumers seek g
}

@test "consumers: a bad group name is refused" {
  start_server
  run -2 vibesctl tail --group '../x' -e
}

@test "health: 0 while ok, 3 without a server, JSON as it is" {
  run -3 vibesctl health
  start_server
  run -0 vibesctl health
  [[ $output == *"status      ok"* ]]
  run -0 vibesctl health --json
  [ "$(jq -r .log.state <<<"$output")" = writable ]
}
