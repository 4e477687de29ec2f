#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What --help, the man page and the completions say must be the same.
# shellcheck disable=SC2016,SC2154,SC2238 # handlers are for another shell; run and the helpers assign
load helpers

root=$BATS_TEST_DIRNAME/../..

verbs=(append hook 'hooks install' 'hooks uninstall' 'hooks status' import tail 'consumers list' 'consumers show' 'consumers seek' 'consumers remove'
  'consumers dead-letters' 'log info' 'log verify' 'log dump' 'log export' 'log copy' 'notify test' health
  'sessions list' 'sessions create' 'sessions show' 'sessions export' 'sessions kill' attach run)

# Every option of --help, one a line: of the program and of all its verbs.
all_options() {
  local verb
  {
    vibesctl --help
    for verb in "${verbs[@]}"; do
      # shellcheck disable=SC2086  # a verb may be two words
      vibesctl $verb --help
    done
  } | grep -oE '^  +(-[A-Za-z],)?-{1,2}[A-Za-z][a-z-]*' | tr -d ' ' | tr ',' '\n' | sort -u
}

@test "interface: every option of --help is in the man page, and the other way round" {
  all_options >help
  sed -E 's/^\.(It|Op|Fl|Oo|Nm|Ar|Cm)/ \1/' "$root/man/vibesctl.1" |
    grep -oE 'Fl -?[A-Za-z][a-z-]*' | sed 's/Fl /-/' | sort -u >man
  diff help man
}

@test "interface: every option of --help is in the completions, and the other way round" {
  all_options >help
  grep -oE -- "(^|[ '])--?[A-Za-z][a-z-]*" "$root/dist/completions/vibesctl.bash" |
    grep -oE -- '-.*' | grep -vE '^-(o|F|f|d|t|W|z)$' | sort -u >bash-options
  # -o, -F and -W are words of complete and compgen too.
  grep -vE '^-(F|W|o)$' help | diff - bash-options
  grep -oE -- "(\{|,|'|\))--?[A-Za-z][a-z-]*" "$root/dist/completions/_vibesctl" |
    grep -oE -- '-.*' | sort -u | grep -v '^-C$' >zsh-options
  grep -v '^-C$' help | diff - zsh-options
  grep -E '^complete' "$root/dist/completions/vibesctl.fish" | sed -E "s/ -n ('[^']*'|\"[^\"]*\"|\\\$[a-z_]+)//" |
    grep -oE -- ' -(l [a-z-]+|s [A-Za-z])' | sed -E 's/ -l /--/; s/ -s /-/' | sort -u >fish-options
  diff help fish-options
}

@test "interface: every verb has help with an example, shorter for -h" {
  for verb in append hook hooks import tail sessions attach run consumers notify log health; do
    run -0 vibesctl "$verb" --help
    [[ $output == *Example* ]]
    run -0 vibesctl "$verb" -h
    [[ $output != *Example* ]]
  done
  run -0 vibesctl --version
  [[ $output == "vibesctl "* ]]
}

@test "interface: what an agent waits for loads no library" {
  [ -z "$VIBES_SANITIZE" ] || skip "a sanitizer is a library"
  run ldd "$(command -v vibesctl)"
  [[ $output != *'=>'* ]]
}

@test "interface: an unknown verb or option is status 2 with a suggestion" {
  run -2 vibesctl
  run -2 --separate-stderr vibesctl tial
  [[ $stderr == *"did you mean 'tail'?"* ]]
  run -2 --separate-stderr vibesctl log verifi
  [[ $stderr == *"did you mean 'verify'?"* ]]
  run -2 --separate-stderr vibesctl tail --cursorfile x
  [[ $stderr == *"did you mean '--cursor-file'?"* ]]
}

@test "interface: the bash completion completes" {
  # shellcheck source=/dev/null
  source "$root/dist/completions/vibesctl.bash"
  COMP_WORDS=(vibesctl tail --cur) COMP_CWORD=2
  _vibesctl
  [ "${COMPREPLY[*]}" = --cursor-file ]
  COMP_WORDS=(vibesctl -q consumers s) COMP_CWORD=3
  _vibesctl
  [ "${COMPREPLY[*]}" = 'show seek' ]
}
