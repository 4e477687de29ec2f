# SPDX-License-Identifier: MIT
# bash completion for vibesctl(1). tests/cli/interface.bats compares its options with --help and the man page.

_vibesctl_options() { # _vibesctl_options VERB SUBVERB
  local common='--url --token-file --color -q --quiet -h --help'
  local choose='--from --until --types --session -C --count'
  case "$1 $2" in
    'append '*) echo "$common -l --lines --type --session --data --ack --receipts --no-spool -W --timeout" ;;
    'hook '*) echo "$common --tag -W --timeout" ;;
    'tail '*) echo "$common -n --from --since --until -e --until-end --types --session --tree -C --count -W --timeout --idle -o --output -F --format --cursor-file --show-cursor --group --exec --ready-fd" ;;
    'sessions list' | 'sessions show') echo "$common --json" ;;
    'sessions create') echo "$common --json --id --name --cwd --size" ;;
    'sessions export') echo "$common --format" ;;
    'attach '*) echo "$common --new --name --cwd" ;;
    'run '*) echo "$common --name --cwd" ;;
    'hooks install') echo "$common --scope --dry-run --events --command" ;;
    'hooks uninstall') echo "$common --scope --dry-run" ;;
    'hooks status') echo "$common --json" ;;
    'import '*) echo "$common -W --timeout" ;;
    'consumers list' | 'consumers show' | 'consumers reset') echo "$common --json" ;;
    'consumers seek') echo "$common --to --json" ;;
    'log info' | 'log verify') echo "$common --json" ;;
    'log dump') echo "$common $choose" ;;
    'log export') echo "$common $choose -o --output" ;;
    'log copy') echo "$common --groups" ;;
    'notify test') echo "$common --json" ;;
    'health '*) echo "$common --json" ;;
    ' ') echo "$common --version" ;;
    *) echo "$common" ;;
  esac
}

_vibesctl_sessions() {
  vibesctl sessions 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_vibesctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb='' sub='' i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      --url | --token-file | --color) ((i++)) ;;
      -*) ;;
      *) if [[ -z $verb ]]; then verb=$word; elif [[ -z $sub ]]; then sub=$word; fi ;;
    esac
  done
  case $prev in
    --cwd) mapfile -t COMPREPLY < <(compgen -d -- "$cur") && return ;;
    --token-file | --cursor-file) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
    --scope) mapfile -t COMPREPLY < <(compgen -W 'user project local' -- "$cur") && return ;;
    --events) mapfile -t COMPREPLY < <(compgen -W 'default all' -- "$cur") && return ;;
    --color) mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur") && return ;;
    --format) [[ $verb == sessions ]] && mapfile -t COMPREPLY < <(compgen -W 'markdown jsonl' -- "$cur") && return ;;
    --groups) mapfile -t COMPREPLY < <(compgen -W 'missing all none' -- "$cur") && return ;;
    --ack) mapfile -t COMPREPLY < <(compgen -W 'memory os fsync replicated' -- "$cur") && return ;;
    --from | --to) mapfile -t COMPREPLY < <(compgen -W 'beginning end' -- "$cur") && return ;;
    --types) mapfile -t COMPREPLY < <(compgen -W 'claude session hook assessment custom' -- "$cur") && return ;;
    -o | --output) mapfile -t COMPREPLY < <(compgen -W 'short json cat cloudevents' -- "$cur") && return ;;
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_vibesctl_options "$verb" "$sub")" -- "$cur")
  elif [[ -z $verb ]]; then
    mapfile -t COMPREPLY < <(compgen -W 'append hook hooks import tail sessions attach run consumers notify log health' -- "$cur")
  elif [[ $verb == sessions && -z $sub ]]; then
    mapfile -t COMPREPLY < <(compgen -W 'list create show export kill' -- "$cur")
  elif [[ $verb == attach || ($verb == sessions && ($sub == show || $sub == export || $sub == kill)) ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_vibesctl_sessions)" -- "$cur")
  elif [[ $verb == consumers && -z $sub ]]; then
    mapfile -t COMPREPLY < <(compgen -W 'list show seek reset remove dead-letters' -- "$cur")
  elif [[ $verb == notify && -z $sub ]]; then
    mapfile -t COMPREPLY < <(compgen -W 'test' -- "$cur")
  elif [[ $verb == hooks && -z $sub ]]; then
    mapfile -t COMPREPLY < <(compgen -W 'install uninstall status' -- "$cur")
  elif [[ $verb == import ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  elif [[ $verb == log && -z $sub ]]; then
    mapfile -t COMPREPLY < <(compgen -W 'info verify dump export copy' -- "$cur")
  elif [[ $verb == log ]]; then
    mapfile -t COMPREPLY < <(compgen -d -- "$cur")
  fi
}
complete -o filenames -F _vibesctl vibesctl
