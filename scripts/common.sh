# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What every script here shares: strict mode, the repository as working directory, messages on stderr.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck disable=SC2034
# The distribution's python has the packages that bootstrap installs; another one in PATH has not.
python=/usr/bin/python3
# ccache hits across checkouts: paths below the repository are hashed relative to it.
export CCACHE_BASEDIR="${CCACHE_BASEDIR:-$root}" CCACHE_NOHASHDIR=1

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
hint() { printf '%s: hint: %s\n' "${0##*/}" "$*" >&2; }
die() {
  printf '%s: error: %s\n' "${0##*/}" "$*" >&2
  exit 1
}
need() { # need PROGRAM…: fails with a way out where one is missing
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || {
      hint "./scripts/bootstrap installs it"
      die "$program is not installed"
    }
  done
}
usage() { # usage "$@" prints the script's leading comment when help is asked for
  case "${1:-}" in
    -h | --help)
      sed -n '/^#!/d;/^# SPDX/d;/^#/!q;s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
  esac
}
# A job that needs 1.5 GiB each must not be started more often than memory allows.
jobs_by_memory() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/MemAvailable/ { print int($2 / 1572864) }' /proc/meminfo)
  if ((memory < 1)); then memory=1; fi
  echo "$((cores < memory ? cores : memory))"
}
