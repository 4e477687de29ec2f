#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2154,SC2238 # handlers are for another shell; run and the helpers assign
load helpers

spooled() { cat "$XDG_STATE_HOME"/vibes/spool/{draining,events} 2>/dev/null | wc -l; }

@test "spool: with the daemon down events are kept, with a note and status 0" {
  run -0 --separate-stderr vibesctl append '{"type":"note","text":"kept"}'
  [ -z "$output" ]
  [[ $stderr == *"1 event kept in the spool"* ]]
  [ "$(spooled)" = 1 ]
  [ "$(stat -c %a "$XDG_STATE_HOME/vibes/spool")" = 700 ]
  [ "$(stat -c %a "$XDG_STATE_HOME/vibes/spool/events")" = 600 ]
}

@test "spool: it is drained in order before the next event" {
  vibesctl -q append '{"type":"note","text":"1"}'
  vibesctl -q append '{"type":"note","text":"2"}' '{"type":"note","text":"3"}'
  start_server --log memory: # which leaves the spool to its clients
  vibesctl append '{"type":"note","text":"4"}'
  run -0 texts
  [ "$output" = $'1\n2\n3\n4' ]
  [ "$(spooled)" = 0 ]
}

@test "spool: --no-spool makes an absent daemon status 3" {
  run -3 --separate-stderr vibesctl append --no-spool '{"type":"note"}'
  [[ $stderr == *"hint: is vibes-server running?"* ]]
  [ "$(spooled)" = 0 ]
}

@test "spool: receipts say that an event is spooled, under the id it will have" {
  run -0 --separate-stderr vibesctl append --receipts '{"type":"note","text":"x"}'
  [ "$(jq .spooled <<<"$output")" = true ]
  id=$(jq -r .event_id <<<"$output")
  start_server
  vibesctl append '{"type":"note","text":"y"}'
  run -0 vibesctl tail -e -F '{event_id}' -C 1
  [ "$output" = "$id" ]
}

@test "spool: a bad event is refused, not spooled" {
  run -10 vibesctl append '{"no":"type"}'
  [ "$(spooled)" = 0 ]
}

@test "spool: a wrong token is status 4 and nothing is spooled" {
  start_server
  echo wrong >token
  run -4 vibesctl append --url "$url" --token-file token '{"type":"note"}'
  [ "$(spooled)" = 0 ]
}

@test "spool: a torn last line, of which nobody was told, is not an event" {
  vibesctl -q append '{"type":"note","text":"whole"}'
  printf '01900000-0000-7000-8000-000000000009 {"type":"note","te' >>"$XDG_STATE_HOME/vibes/spool/events"
  vibesctl -q append '{"type":"note","text":"next"}'
  start_server
  vibesctl append '{"type":"note","text":"live"}'
  run -0 texts
  [ "$output" = $'whole\nnext\nlive' ]
}

@test "spool: a line that is no event is set aside with its reason" {
  vibesctl -q append '{"type":"note","text":"1"}'
  echo 'garbage' >>"$XDG_STATE_HOME/vibes/spool/events"
  vibesctl -q append '{"type":"note","text":"2"}'
  start_server
  vibesctl append '{"type":"note","text":"3"}'
  run -0 texts
  [ "$output" = $'1\n2\n3' ]
  [ "$(jq -r .event "$XDG_STATE_HOME/vibes/spool/refused")" = garbage ]
}

@test "spool: kill -9 in the middle of drains neither loses nor doubles" {
  seq 1 30000 | sed 's/.*/{"type":"note","text":"&"}/' | vibesctl -q append -l
  [ "$(spooled)" = 30000 ]
  start_server --log memory: # which leaves the spool to its clients
  # Each try is killed a little later than the one before, until one gets through.
  for delay in 0.02 0.04 0.06 0.08 0.1 0.15 0.2 0.3; do
    vibesctl append '{"type":"end"}' 3>&- &
    victim=$!
    sleep "$delay"
    kill -9 "$victim" 2>/dev/null || true
    wait "$victim" || true
  done
  vibesctl append '{"type":"end"}'
  [ "$(spooled)" = 0 ]
  texts --types note >got
  seq 1 30000 | cmp - got
}

@test "spool: the daemon dies in the middle of a stream and nothing is lost" {
  start_server
  mkfifo in
  exec 5<>in
  background vibesctl append -l <in
  for i in 1 2 3; do echo "{\"type\":\"note\",\"text\":\"$i\"}" >&5; done
  eventually eval '[ "$(texts | wc -l)" = 3 ]'
  kill_server
  for i in 4 5 6; do echo "{\"type\":\"note\",\"text\":\"$i\"}" >&5; done
  eventually eval '[ "$(spooled)" = 3 ]'
  start_server
  for i in 7 8 9; do echo "{\"type\":\"note\",\"text\":\"$i\"}" >&5; done
  exec 5>&-
  wait "$pid"
  run -0 texts
  [ "$output" = $'1\n2\n3\n4\n5\n6\n7\n8\n9' ]
}
