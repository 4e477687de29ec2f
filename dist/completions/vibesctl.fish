# SPDX-License-Identifier: MIT
# fish completion for vibesctl(1). tests/cli/interface.bats compares its options with --help and the man page.

set -l verbs append hook hooks import tail sessions attach run consumers notify log health
complete -c vibesctl -f
complete -c vibesctl -n "not __fish_seen_subcommand_from $verbs" -a append -d 'Append events to the log'
complete -c vibesctl -n "not __fish_seen_subcommand_from $verbs" -a hook -d 'Record what an agent gives its hook'
complete -c vibesctl -n "not __fish_seen_subcommand_from $verbs" -a hooks -d 'Let Claude Code call vibesctl hook'
complete -c vibesctl -n "not __fish_seen_subcommand_from $verbs" -a import -d 'Append a transcript or a file of events'
complete -c vibesctl -n "not __fish_seen_subcommand_from $verbs" -a tail -d 'Print events and follow the log'
complete -c vibesctl -n "not __fish_seen_subcommand_from $verbs" -a sessions -d 'Terminal sessions, and what happened in any session'
complete -c vibesctl -n "not __fish_seen_subcommand_from $verbs" -a attach -d 'Be the terminal of a session'
complete -c vibesctl -n "not __fish_seen_subcommand_from $verbs" -a run -d 'Run a command in a new session'
complete -c vibesctl -n "not __fish_seen_subcommand_from $verbs" -a consumers -d 'Look at and move consumer groups'
complete -c vibesctl -n "not __fish_seen_subcommand_from $verbs" -a notify -d 'Look after notifications'
complete -c vibesctl -n "not __fish_seen_subcommand_from $verbs" -a log -d 'Look into a log on disk, or copy one'
complete -c vibesctl -n "not __fish_seen_subcommand_from $verbs" -a health -d 'Say how the server is'

complete -c vibesctl -l url -x -d 'Server'
complete -c vibesctl -l token-file -rF -d 'File with the access token'
complete -c vibesctl -l color -xa 'auto always never' -d 'When to colour'
complete -c vibesctl -s q -l quiet -d 'Say only errors and warnings'
complete -c vibesctl -s h -d 'Show the options'
complete -c vibesctl -l help -d 'Show the options and examples'
complete -c vibesctl -n "not __fish_seen_subcommand_from $verbs" -l version -d 'Show the version'

set -l append '__fish_seen_subcommand_from append'
complete -c vibesctl -n $append -s l -l lines -d 'Append each line of standard input'
complete -c vibesctl -n $append -l type -x -d 'Make an event of this type'
complete -c vibesctl -n $append -l data -x -d 'Its further members'
complete -c vibesctl -n $append -l ack -xa 'memory os fsync replicated' -d 'Least durability to accept'
complete -c vibesctl -n $append -l receipts -d 'Print one JSON line per event'
complete -c vibesctl -n $append -l no-spool -d 'Fail if the server is down'

set -l tail '__fish_seen_subcommand_from tail'
complete -c vibesctl -n $tail -s n -x -a all -d 'Start with the newest N events'
complete -c vibesctl -n $tail -l since -xa 'today yesterday -1h' -d 'Start at a time'
complete -c vibesctl -n $tail -s e -l until-end -d 'Stop at the end'
complete -c vibesctl -n $tail -l idle -x -d 'Stop after so long without an event'
complete -c vibesctl -n $tail -s F -l format -x -d 'A line of your own'
complete -c vibesctl -n $tail -l cursor-file -rF -d 'Resume from and keep'
complete -c vibesctl -n $tail -l show-cursor -d 'Say the last cursor at the end'
complete -c vibesctl -n $tail -l group -x -d 'Read as member of a durable group'
complete -c vibesctl -n $tail -l exec -x -d 'Run for each event'
complete -c vibesctl -n $tail -l tree -d 'With the sessions started in it'
complete -c vibesctl -n $tail -l ready-fd -x -d 'Write a line once events flow'

complete -c vibesctl -n '__fish_seen_subcommand_from hook' -l tag -x -d Ignored
set -l steps install uninstall status
complete -c vibesctl -n "__fish_seen_subcommand_from hooks; and not __fish_seen_subcommand_from $steps" -a "$steps"
complete -c vibesctl -n '__fish_seen_subcommand_from install uninstall' -l scope -xa 'user project local' -d 'Whose settings'
complete -c vibesctl -n '__fish_seen_subcommand_from install uninstall' -l dry-run -d 'Print what would change'
complete -c vibesctl -n '__fish_seen_subcommand_from install' -l events -xa 'default all' -d 'Which hooks'
complete -c vibesctl -n '__fish_seen_subcommand_from install' -l command -rF -d 'What the agent calls'
complete -c vibesctl -n '__fish_seen_subcommand_from import' -F
set -l timed '__fish_seen_subcommand_from append hook import tail'
complete -c vibesctl -n $timed -s W -l timeout -x -d 'Seconds to wait'
set -l about_session '__fish_seen_subcommand_from append tail dump export'
complete -c vibesctl -n $about_session -l session -x -d 'Session'
set -l choosing '__fish_seen_subcommand_from tail dump export'
complete -c vibesctl -n $choosing -l from -xa 'beginning end' -d 'Start at'
complete -c vibesctl -n $choosing -l until -xa end -d 'Stop before'
complete -c vibesctl -n $choosing -l types -xa 'claude session hook assessment custom' -d 'Only these'
complete -c vibesctl -n $choosing -s C -l count -x -d 'Stop after COUNT events'
complete -c vibesctl -n '__fish_seen_subcommand_from tail export' -s o -l output -xa 'short json cat cloudevents' -d 'Format'

set -l on_sessions list create show export kill
set -l ids "(vibesctl sessions 2>/dev/null | awk 'NR > 1 { print \$1 }')"
complete -c vibesctl -n "__fish_seen_subcommand_from sessions; and not __fish_seen_subcommand_from $on_sessions" -a "$on_sessions"
complete -c vibesctl -n '__fish_seen_subcommand_from attach' -a "$ids"
complete -c vibesctl -n '__fish_seen_subcommand_from sessions; and __fish_seen_subcommand_from show export kill' -a "$ids"
complete -c vibesctl -n '__fish_seen_subcommand_from attach' -l new -d 'Make a session'
complete -c vibesctl -n '__fish_seen_subcommand_from attach run create' -l name -x -d 'A name for people'
complete -c vibesctl -n '__fish_seen_subcommand_from attach run create' -l cwd -xa '(__fish_complete_directories)' -d 'Where it starts'
complete -c vibesctl -n '__fish_seen_subcommand_from sessions; and __fish_seen_subcommand_from export' -l format -xa 'markdown jsonl' -d 'Of the transcript'
complete -c vibesctl -n '__fish_seen_subcommand_from create' -l id -x -d 'Its ID'
complete -c vibesctl -n '__fish_seen_subcommand_from create' -l size -x -d 'Size of its terminal'

set -l groups list show seek reset remove dead-letters
complete -c vibesctl -n "__fish_seen_subcommand_from consumers; and not __fish_seen_subcommand_from $groups" -a "$groups"
complete -c vibesctl -n '__fish_seen_subcommand_from seek' -l to -xa 'beginning end' -d 'Where to read next'
complete -c vibesctl -n '__fish_seen_subcommand_from notify; and not __fish_seen_subcommand_from test' -a test
set -l looks info verify dump export copy
complete -c vibesctl -n "__fish_seen_subcommand_from log; and not __fish_seen_subcommand_from $looks" -a "$looks"
complete -c vibesctl -n '__fish_seen_subcommand_from copy' -l groups -xa 'missing all none' -d 'Committed offsets to copy'
complete -c vibesctl -n '__fish_seen_subcommand_from list create show seek reset status info verify test health' -l json -d 'Print JSON'
