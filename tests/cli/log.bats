#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2154,SC2238 # handlers are for another shell; run and the helpers assign
load helpers

log_dir() { echo "$XDG_DATA_HOME/vibes/log"; }
first_segment() { find "$(log_dir)" -name '*.seg' | sort | head -n 1; }

@test "log: info, verify, dump and export work while the server runs" {
  start_server
  note 1 2 3
  run -0 vibesctl log info
  [[ $output == *"offsets    0 to 3 (3 events)"* ]]
  [ "$(vibesctl log info --json | jq -c '[.first,.end]')" = '[0,3]' ]
  run -0 vibesctl log verify
  [[ $output == ok:* ]]
  run -0 vibesctl log dump --from 1
  [ "${#lines[@]}" = 2 ]
  run -0 vibesctl log export
  [ "$output" = "$(vibesctl tail -e -o json)" ]
}

@test "log: they work without a server, on a directory or a file: URL" {
  start_server
  note 1 2
  stop_server
  for where in '' "$(log_dir)" "file:$(log_dir)" data/vibes/log; do
    run -0 vibesctl log export ${where:+"$where"} -o cat
    [ "${#lines[@]}" = 2 ]
  done
  [ "$(vibesctl log info --json | jq .durable.closed)" = true ]
}

@test "log: export chooses by type, session, place and count" {
  start_server
  vibesctl append '{"type":"a","session_id":"s"}' '{"type":"b"}' '{"type":"a"}'
  offsets() { vibesctl log export "$@" | jq .offset | paste -sd,; }
  [ "$(offsets --types a)" = 0,2 ]
  [ "$(offsets --session s)" = 0 ]
  [ "$(offsets --from 1 --until 2)" = 1 ]
  [ "$(offsets --from -1)" = 2 ]
  [ "$(offsets -C 2)" = 0,1 ]
  [ "$(vibesctl log export -o cloudevents -C 1 | jq -r .type)" = dev.vibes.a ]
}

@test "log: a damaged log is status 65, naming file and place" {
  start_server
  note damaged
  note more
  stop_server
  segment=$(first_segment)
  at=$(grep -abo damaged "$segment" | head -n 1 | cut -d: -f1)
  printf X | dd of="$segment" bs=1 seek="$at" conv=notrunc status=none
  run -65 --separate-stderr vibesctl log verify
  [[ $output == DAMAGED:* ]]
  [[ $stderr == *"$segment at byte "* ]]
  [ "$(vibesctl log verify --json | jq .damaged)" = true ]
  run -65 vibesctl log export
  [[ $output == *"$segment"* ]]
}

@test "log: what is no log is told so" {
  mkdir empty
  for what in info verify dump export; do
    run -1 vibesctl log "$what" empty
    [[ $output == *"not a log"* ]]
    run -1 vibesctl log "$what" missing
  done
}
