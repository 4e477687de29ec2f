#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2154,SC2238 # handlers are for another shell; run and the helpers assign
load helpers

@test "tail: -n counts from the end, with a filter only what matches" {
  start_server
  note 1 2 3
  vibesctl append --type other
  run -0 vibesctl tail -e -n 2 -F '{type}'
  [ "$output" = $'note\nother' ]
  run -0 texts -n 2 --types note
  [ "$output" = $'2\n3' ]
  run -0 texts -n 0
  [ -z "$output" ]
  run -0 texts -n all --types note
  [ "$output" = $'1\n2\n3' ]
}

@test "tail: -n with a filter that nothing matches starts at the end" {
  start_server
  note 1
  background vibesctl tail -n 5 --types late -F '{type}' -C 1 --ready-fd 7 7>ready-tail
  eventually has_lines ready-tail 1
  vibesctl append --type late
  wait "$pid"
  [ "$(cat out)" = late ]
}

@test "tail: it follows, in a pipe too, and -C ends it" {
  start_server
  note old
  background vibesctl tail -n 1 -F '{event.text}' -C 3
  eventually has_lines out 1
  note new1 new2
  wait "$pid"
  [ "$(cat out)" = $'old\nnew1\nnew2' ]
}

@test "tail: head ends it" {
  start_server
  note 1 2 3
  run -0 bash -c "vibesctl tail -n all -F '{event.text}' | head -n 1"
  [ "$output" = 1 ]
}

@test "tail: it ends quietly with 0 when its reader goes away while nothing happens" {
  start_server
  mkfifo pipe
  exec 5<>pipe
  vibesctl tail -n 0 --ready-fd 7 >pipe 2>err 7>ready-tail 3>&- 5>&- &
  pid=$!
  pids+=("$pid")
  eventually has_lines ready-tail 1
  exec 5>&-
  wait "$pid"
  [ ! -s err ]
}

@test "tail: jq takes its JSON" {
  start_server
  note 1
  run -0 bash -c "vibesctl tail -e -o json | jq -c '[.offset,.event.text]'"
  [ "$output" = '[0,"1"]' ]
}

@test "tail: Ctrl-C is status 130, TERM is 143" {
  start_server
  for signal in INT:130 TERM:143; do
    # Background children of a shell ignore INT; env(1) gives it back.
    background env --default-signal=INT vibesctl tail -n 0 --ready-fd 7 7>ready-tail
    eventually has_lines ready-tail 1
    kill -"${signal%:*}" "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" = "${signal#*:}" ]
    rm ready-tail
  done
}

@test "tail: -W is status 124, --idle is status 0" {
  start_server
  run -124 vibesctl tail -W 200ms
  run -0 vibesctl tail --idle 200ms
  run -0 vibesctl tail -W 60 -e
}

@test "tail: --since and --until choose by time" {
  start_server
  note before
  middle=$(vibesctl tail -e -o json | jq -r .time)
  eventually eval '[ "$(date -u +%s)" -gt "$(date -u -d "$middle" +%s)" ]'
  note after
  cut=$(date -u -d "@$(($(date -u -d "$middle" +%s) + 1))" +%Y-%m-%dT%H:%M:%SZ)
  run -0 texts --since "$cut"
  [ "$output" = after ]
  run -0 vibesctl tail --from beginning --until "$cut" -F '{event.text}'
  [ "$output" = before ]
  run -0 texts --since -1h
  [ "$output" = $'before\nafter' ]
}

@test "tail: --from takes beginning, offsets and counts from the end; --until an offset" {
  start_server
  note 0 1 2 3
  run -0 texts --from 2
  [ "$output" = $'2\n3' ]
  run -0 texts --from -1
  [ "$output" = 3 ]
  run -0 texts --from beginning
  [ "$output" = $'0\n1\n2\n3' ]
  run -0 vibesctl tail --from 1 --until 3 -F '{event.text}'
  [ "$output" = $'1\n2' ]
}

@test "tail: --types and --session filter" {
  start_server
  vibesctl append '{"type":"hook","session_id":"s1","event":{"type":"stop"}}' \
    '{"type":"session_created","session_id":"s2"}' '{"type":"note","session_id":"s1"}'
  run -0 vibesctl tail -e --types hook,note -F '{type}'
  [ "$output" = $'hook\nnote' ]
  run -0 vibesctl tail -e --session s2 -F '{type}'
  [ "$output" = session_created ]
}

@test "tail: -o cat, json and cloudevents give one line per event, whatever is in it" {
  start_server
  printf '{"type":"note",\n"text":"a\\nb"}' | vibesctl append -
  for format in cat json cloudevents; do
    run -0 vibesctl tail -e -o "$format"
    [ "${#lines[@]}" = 1 ]
    jq -e . <<<"$output"
  done
  [ "$(vibesctl tail -e -o cloudevents | jq -r .type)" = dev.vibes.note ]
}

@test "tail: a cursor file resumes across a restart of both" {
  start_server
  note 1 2
  run -0 vibesctl tail -e --cursor-file cursor -F '{event.text}'
  [ "$output" = $'1\n2' ]
  note 3
  stop_server
  start_server
  note 4
  run -0 vibesctl tail -e --cursor-file cursor -F '{event.text}'
  [ "$output" = $'3\n4' ]
  run -0 vibesctl tail -e --cursor-file cursor -F '{event.text}'
  [ -z "$output" ]
}

@test "tail: with -C the cursor stands behind the last event printed" {
  start_server
  note 1 2 3
  run -0 vibesctl tail -n all -C 2 --cursor-file cursor -F '{event.text}'
  run -0 vibesctl tail -e --cursor-file cursor -F '{event.text}'
  [ "$output" = 3 ]
}

@test "tail: the cursor of another log is status 6 with a hint" {
  start_server
  note 1
  vibesctl tail -e --cursor-file cursor >/dev/null
  stop_server
  rm -r "$XDG_DATA_HOME"
  start_server
  run -6 --separate-stderr vibesctl tail -e --cursor-file cursor
  [[ $stderr == *"hint: "* ]]
}

@test "tail: --show-cursor says it on stderr, and --from takes it" {
  start_server
  note 1
  run -0 --separate-stderr vibesctl tail -e --show-cursor -F '{event.text}'
  [ "$output" = 1 ]
  [[ $stderr == "-- cursor: v1."* ]]
  note 2
  run -0 texts --from "${stderr#-- cursor: }"
  [ "$output" = 2 ]
}

@test "tail: it survives a restart of the server without losing or repeating" {
  start_server
  note 1
  background vibesctl tail -n all -F '{event.text}' -C 3
  eventually has_lines out 1
  kill_server
  start_server
  note 2 3
  wait "$pid"
  [ "$(cat out)" = $'1\n2\n3' ]
  grep -q 'trying again' err
}

@test "tail: no server is status 3, a wrong token is status 4" {
  run -3 vibesctl tail
  start_server
  echo wrong >token
  run -4 vibesctl --url "$url" --token-file token tail -e
}

@test "tail: http and the unix socket both work, and ws:// is http://" {
  start_server
  note 1
  for where in "$url" "ws${url#http}" "unix:$XDG_RUNTIME_DIR/vibes/vibes.sock"; do
    run -0 vibesctl --url "$where" tail -e -F '{event.text}'
    [ "$output" = 1 ]
    run -0 env VIBES_URL="$where" vibesctl tail -e -F '{event.text}'
    [ "$output" = 1 ]
  done
}

@test "tail: mistakes on the command line are status 2" {
  start_server
  run -2 vibesctl tail -n some
  run -2 vibesctl tail --from nowhere
  run -2 vibesctl tail --since someday
  run -2 vibesctl tail -o yaml
  run -2 vibesctl tail -F '{nothing}'
  run -2 vibesctl tail -n 1 --from end
  run -2 vibesctl tail --exec true
  run -2 vibesctl --url ftp://x tail
}

@test "tail: a full disk behind a redirection is status 74" {
  start_server
  note 1
  run -74 bash -c 'vibesctl tail -n all >/dev/full'
}

# restart_until_first OFFSET: ages the log. Retention looks at its rules when the server starts.
restart_until_first() {
  start_server --retain-age 1s
  [ "$(vibesctl log info --json | jq .first)" = "$1" ] && return
  stop_server
  return 1
}

@test "tail: a cursor whose events retention took tells the gap, goes on and ends with status 6" {
  start_server
  note 1
  run -0 --separate-stderr vibesctl tail -n all -e --show-cursor -F '{event.text}'
  cursor=${stderr#-- cursor: }
  vibesctl tail -n all -e --cursor-file kept >/dev/null
  note 2 3
  stop_server
  eventually restart_until_first 3
  note 4
  for place in --from="$cursor" --cursor-file=kept; do
    run -6 --separate-stderr vibesctl tail -e "$place" -F '{event.text}'
    [ "$output" = 4 ]
    [[ $stderr == *"events 1 to 2 are gone"* ]]
  done
  # The cursor file now lies behind the gap.
  run -0 texts --cursor-file kept
  [ -z "$output" ]
  run -6 --separate-stderr vibesctl tail --from 0 -C 1 -o json
  [ "$(jq -r .offset <<<"$output")" = 3 ]
  [[ $stderr == *"events 0 to 2 are gone"* ]]
}
