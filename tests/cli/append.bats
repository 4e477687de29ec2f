#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2154,SC2238 # handlers are for another shell; run and the helpers assign
load helpers

@test "append: an argument becomes an event, byte for byte" {
  start_server
  run -0 vibesctl append '{ "type":"note",  "n":1.50, "text":"hi" }'
  [ -z "$output" ]
  run -0 vibesctl tail -e -o cat
  [ "$output" = '{ "type":"note",  "n":1.50, "text":"hi" }' ]
}

@test "append: a server is found by its address and by its name" {
  start_server
  local port=${url##*:}
  run -0 vibesctl --url "http://127.0.0.1:$port" append '{"type":"note","text":"address"}' --no-spool
  run -0 vibesctl append '{"type":"note","text":"name"}' --no-spool --url "localhost:$port"
  VIBES_URL="http://localhost:$port" run -0 vibesctl append --no-spool --type note --data '{"text":"variable"}'
  run -0 texts
  [ "$output" = $'address\nname\nvariable' ]
}

@test "append: with arguments standard input is not read" {
  start_server
  printf 'one\ntwo\n' | while read -r word; do
    vibesctl append "{\"type\":\"note\",\"text\":\"$word\"}"
  done
  run -0 texts
  [ "$output" = $'one\ntwo' ]
}

@test "append: - reads one event from standard input, line breaks and all" {
  start_server
  printf '{"type":"note",\n "text":"piped"}\n' | vibesctl append -
  run -0 texts
  [ "$output" = piped ]
}

@test "append: -l takes a last line without newline and skips empty ones" {
  start_server
  printf '{"type":"note","text":"1"}\n\n{"type":"note","text":"2"}' | vibesctl append -l
  run -0 texts
  [ "$output" = $'1\n2' ]
}

@test "append: -l names a bad line, sends the others and exits 10" {
  start_server
  run -10 --separate-stderr vibesctl append -l <<<$'{"type":"note","text":"1"}\nbroken\n{"type":"note","text":"3"}'
  [[ $stderr == *"error: line 2: "* ]]
  run -0 texts
  [ "$output" = $'1\n3' ]
}

@test "append: -l streams: a line is sent before the next one comes" {
  start_server
  mkfifo in
  exec 5<>in
  background vibesctl append -l --receipts <in
  echo '{"type":"note","text":"first"}' >&5
  eventually has_lines out 1
  exec 5>&-
  wait "$pid"
}

@test "append: -l sends a line while the next one is only half there" {
  start_server
  mkfifo in
  exec 5<>in
  background vibesctl append -l --receipts <in
  printf '{"type":"note","text":"first"}\n{"type":' >&5
  eventually has_lines out 1
  printf '"note","text":"second"}\n' >&5
  eventually has_lines out 2
  exec 5>&-
  wait "$pid"
}

@test "append: -l names the bad lines of several batches in their order" {
  start_server
  seq 1 9000 | sed '3~3000s/.*/broken/; t; s/.*/{"type":"note","text":"&"}/' >lines
  run -10 --separate-stderr vibesctl append -l <lines
  [ "$(grep -o 'error: line [0-9]*' <<<"$stderr")" = $'error: line 3\nerror: line 3003\nerror: line 6003' ]
  texts >got
  seq 1 9000 | sed '3~3000d' | cmp - got
}

@test "append: -l keeps the order of 20,000 lines" {
  start_server
  seq 1 20000 | sed 's/.*/{"type":"note","text":"&"}/' | vibesctl append -l
  texts >got
  seq 1 20000 | cmp - got
}

@test "append: an event over 1 MiB is refused by its line, not cut" {
  start_server
  {
    printf '{"type":"note","text":"'
    head -c 1100000 /dev/zero | tr '\0' x
    printf '"}\n{"type":"note","text":"small"}\n'
  } >big
  run -10 --separate-stderr vibesctl append -l <big
  [[ $stderr == *"line 1: "* ]]
  run -0 texts
  [ "$output" = small ]
}

@test "append: --type, --session and --data make an event" {
  start_server
  vibesctl append --type deploy --session ci-42 --data '{"ok":true}'
  run -0 vibesctl tail -e -o cat
  [ "$output" = '{"type":"deploy","session_id":"ci-42","ok":true}' ]
}

@test "append: --receipts tells where each event is and how durable" {
  start_server
  run -0 vibesctl append --receipts '{"type":"a"}' '{"type":"b"}'
  [ "$(jq -c '[.offset,.durability,.duplicate]' <<<"$output")" = $'[0,"fsync",false]\n[1,"fsync",false]' ]
}

@test "append: -l --receipts, the ids that are told are those in the log, over several batches" {
  start_server
  seq 1 9000 | sed 's/.*/{"type":"note","text":"&"}/' >lines
  vibesctl append -l --receipts <lines | jq -r '"\(.offset) \(.event_id)"' >told
  vibesctl tail -n all -e -F '{offset} {event_id}' >kept
  [ "$(wc -l <kept)" -eq 9000 ]
  cmp told kept
}

@test "append: the same event_id twice is one event; with another payload it is a conflict, 9" {
  start_server
  id=01900000-0000-7000-8000-000000000001
  vibesctl append "{\"event_id\":\"$id\",\"type\":\"note\",\"text\":\"x\"}"
  run -0 vibesctl append --receipts "{\"event_id\":\"$id\",\"type\":\"note\",\"text\":\"x\"}"
  [ "$(jq -c '[.offset,.duplicate]' <<<"$output")" = '[0,true]' ]
  run -9 vibesctl append "{\"event_id\":\"$id\",\"type\":\"note\",\"text\":\"y\"}"
  run -0 texts
  [ "$output" = x ]
}

@test "append: one event that the server refuses does not keep the others back" {
  start_server
  id=01900000-0000-7000-8000-000000000002
  vibesctl append "{\"event_id\":\"$id\",\"type\":\"note\",\"text\":\"0\"}"
  run -9 vibesctl append '{"type":"note","text":"1"}' \
    "{\"event_id\":\"$id\",\"type\":\"note\",\"text\":\"other\"}" '{"type":"note","text":"2"}'
  [[ $output == *"event 2: "* ]]
  run -0 texts
  [ "$output" = $'0\n1\n2' ]
}

@test "append: --ack refuses a log that gives less" {
  start_server --durability os
  vibesctl append --ack os '{"type":"note","text":"ok"}'
  run -1 vibesctl append --ack fsync '{"type":"note","text":"no"}'
  [[ $output == *durability_unavailable* ]]
  run -0 texts
  [ "$output" = ok ]
}

@test "append: what is no event is refused with 10 and nothing is sent" {
  start_server
  run -10 vibesctl append '[1]'
  run -10 vibesctl append '{"no":"type"}'
  run -10 vibesctl append ''
  run -10 vibesctl append '{"type":"a","type":"b"}'
  run -0 texts
  [ -z "$output" ]
}

@test "append: mistakes on the command line are status 2" {
  run -2 vibesctl append
  run -2 vibesctl append -l '{"type":"x"}'
  run -2 vibesctl append --session s
  run -2 vibesctl append --type x --data '[1]'
  run -2 vibesctl append --type x --data '{"type":"y"}'
  run -2 vibesctl append --ack never '{"type":"x"}'
  run -2 vibesctl append -W soon '{"type":"x"}'
  run -2 --separate-stderr vibesctl append --recipts '{"type":"x"}'
  [[ $stderr == *"did you mean '--receipts'?"* ]]
}
