#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2154,SC2238 # handlers are for another shell; run and the helpers assign
load helpers

transcript=$BATS_TEST_DIRNAME/../data/transcript.jsonl
end() { vibesctl health --json | jq .log.end; }

@test "import: a transcript, with its sessions and times, once" {
  start_server
  run -0 --separate-stderr vibesctl import "$transcript"
  [ -z "$output" ]
  [ "$stderr" = "vibesctl: imported $(wc -l <"$transcript") events from 1 file" ]
  run -0 vibesctl tail -e --types transcript_entry -F '{session} {event.time} {event.imported.from} {event.entry.type}'
  [ "${lines[1]}" = "3f1c2a9e-7d1b-4c6a-9f53-0d5f2b8a7c11 2026-01-05T09:00:00.000Z claude-code user" ]
  vibesctl tail -n all -e -o cat | jq -c .entry >got
  jq -c . "$transcript" | cmp - got
  before=$(end)
  run -0 --separate-stderr vibesctl import "$transcript" "$transcript"
  [[ $stderr == *"imported 0 events from 2 files; $((2 * $(wc -l <"$transcript"))) were there already" ]]
  [ "$(end)" = "$before" ]
}

@test "import: what a log exports, into another log, with the first times" {
  start_server
  note one two
  vibesctl log export >exported
  stop_server
  XDG_DATA_HOME=$world/other start_server
  run -0 --separate-stderr vibesctl import - <exported
  [[ $stderr == *"imported 2 events from 1 file" ]]
  run -0 vibesctl tail -e -F '{event.text} {event.imported.time}'
  [ "$output" = "$(jq -r '.event.text + " " + .time' exported)" ]
}

@test "import: bad lines are named, the others are imported, status 10" {
  start_server
  printf '{"type":"note","text":"1"}\n\nbroken\n{"no":"type"}\n{"type":"note","text":"2"}' >file
  run -10 --separate-stderr vibesctl import file
  [[ $stderr == *"error: file: line 3: "*"error: file: line 4: "*"imported 2 events from 1 file; 2 refused"* ]]
  run -0 texts
  [ "$output" = $'1\n2' ]
}

@test "import: a file that cannot be opened is named, the others are imported, status 1" {
  start_server
  echo '{"type":"note","text":"there"}' >file
  run -1 --separate-stderr vibesctl import missing file
  [[ $stderr == *"error: missing: No such file or directory"*"imported 1 event from 1 file"* ]]
}

@test "import: without a server status 3, and nothing is spooled" {
  echo '{"type":"note"}' >file
  run -3 --separate-stderr vibesctl import file
  [ ! -e "$XDG_STATE_HOME/vibes/spool/events" ]
  [[ $stderr == *"imported 0 events"* ]]
}

@test "import: many lines in their order, with no progress where no terminal is" {
  start_server
  seq 1 20000 | sed 's/.*/{"type":"note","text":"&"}/' >file
  run -0 --separate-stderr vibesctl import file
  [ "$stderr" = "vibesctl: imported 20000 events from 1 file" ]
  texts >got
  seq 1 20000 | cmp - got
  run -0 --separate-stderr vibesctl -q import file
  [ -z "$stderr" ]
}

@test "import: progress is shown on a terminal, and cleared" {
  start_server
  seq 1 20000 | sed 's/.*/{"type":"note","text":"&"}/' >file
  script -qefc 'stty cols 80; vibesctl import file' typescript </dev/null >/dev/null
  grep -q '%  ' typescript
  grep -q $'\r\x1b\\[Kvibesctl: imported 20000 events' typescript
}
