#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2154,SC2238 # handlers are for another shell; run and the helpers assign
load helpers

nats() { "$BATS_TEST_DIRNAME/../support/nats_server.py" "$1" "$world/nats" 3>&- 5>&-; }

# A server whose log is in a nats-server that goes and comes.
start_far_server() { # start_far_server [OPTION…]
  local port
  port=$(nats start)
  start_server --log "nats://127.0.0.1:$port/vibes" "$@"
}
teardown() {
  [ ! -e "$world/nats/pid" ] || nats kill
  teardown_world
}
state_is() { [ "$(vibesctl health --json | jq -r .log.state)" = "$1" ]; }
none_is_pending() { [ "$(vibesctl health --json | jq .log.pending_events)" = 0 ]; }
has_a_hook() { [ "$(vibesctl tail -e --types hook -F '{session}')" = s ]; }
engine() { # engine away|back
  case $1 in
    away)
      nats kill
      eventually state_is away
      ;;
    back)
      nats start
      eventually state_is writable
      ;;
  esac
}

@test "append: while the engine is away events are pending, and that is no failure" {
  start_far_server
  engine away
  run -0 --separate-stderr vibesctl append --type note --data '{"text":"one"}'
  [ -z "$output" ]
  [ "$stderr" = "vibesctl: 1 event pending: the server keeps them until the engine of its log is back" ]
  [ ! -s "$XDG_STATE_HOME/vibes/spool/events" ]
  run -0 texts
  [ -z "$output" ]
  engine back
  eventually none_is_pending
  run -0 texts
  [ "$output" = one ]
}

@test "append --receipts: a pending event has an id and no offset" {
  start_far_server
  vibesctl append --type note --data '{"text":"before"}'
  engine away
  printf '{"type":"note","text":"%s"}\n' one two | vibesctl append -l --receipts >receipts 2>err
  [ "$(cat err)" = "vibesctl: 2 events pending: the server keeps them until the engine of its log is back" ]
  [ "$(jq -c 'del(.event_id)' receipts)" = $'{"line":1,"pending":true,"durability":"fsync"}\n{"line":2,"pending":true,"durability":"fsync"}' ]
  engine back
  eventually none_is_pending
  run -0 vibesctl tail -e -F '{event_id}'
  [ "${lines[1]}" = "$(jq -r .event_id receipts | head -n 1)" ]
  [ "${lines[2]}" = "$(jq -r .event_id receipts | tail -n 1)" ]
}

@test "append: a server that keeps nothing for its engine refuses, and says why" {
  start_far_server --no-outbox
  engine away
  run -1 --separate-stderr vibesctl append --type note
  [[ $stderr == *"the engine cannot be reached"* ]]
  vibesctl hook --timeout 10 <<<'{"hook_event_name":"Stop","session_id":"s"}'
  engine back
  eventually has_a_hook # it was in the spool
}

@test "hook: a pending hook is not spooled" {
  start_far_server
  engine away
  run -0 vibesctl hook --timeout 10 <<<'{"hook_event_name":"Stop","session_id":"s"}'
  [ -z "$output" ]
  [ ! -s "$XDG_STATE_HOME/vibes/spool/events" ]
  [ "$(vibesctl health --json | jq .log.pending_events)" = 1 ]
}

@test "import: says how many are pending" {
  start_far_server
  engine away
  printf '{"type":"note","text":"%s"}\n' one two >file
  run -0 --separate-stderr vibesctl import file
  [ "$stderr" = "vibesctl: imported 2 events from 1 file; 2 pending, until the engine of the log is back" ]
}

@test "health: an engine that is away is degraded, with what waits for it" {
  start_far_server
  engine away
  note one two 2>/dev/null
  run -1 vibesctl health
  [ "${lines[0]}" = "status      degraded" ]
  [[ $output == *$'\nlog         away: the engine cannot be reached\n'* ]]
  [[ $output == *$'\npending     2 events wait for the engine, 0 were refused by it'* ]]
}
