# SPDX-License-Identifier: MIT
# For the bats files beside this one: a private world per test, and a real server in it.
# The programs are those of $VIBES_BIN, which ctest sets; by hand they are those of the dev build.

bats_require_minimum_version 1.5.0
PATH=${VIBES_BIN:-$BATS_TEST_DIRNAME/../../build/dev/bin}:$PATH

setup_world() {
  world=$(mktemp -d "${BATS_TMPDIR:-/tmp}/vibes-cli.XXXXXX")
  export XDG_RUNTIME_DIR=$world/run XDG_STATE_HOME=$world/state XDG_DATA_HOME=$world/data
  export XDG_CONFIG_HOME=$world/config HOME=$world
  export TZ=UTC NO_COLOR=1
  unset VIBES_URL VIBES_TOKEN_FILE
  mkdir -m 0700 "$XDG_RUNTIME_DIR"
  cd "$world" || return 1
  server_pid=
  pids=()
}

# start_server [OPTION…]: returns once it listens; $url is its HTTP URL. The log is the default one of this world.
start_server() {
  rm -f "$world/ready"
  mkfifo "$world/ready"
  vibes-server --listen 127.0.0.1:0 --ready-fd 9 "$@" >"$world/server.log" 2>&1 3>&- 5>&- 9>"$world/ready" &
  server_pid=$!
  # shellcheck disable=SC2034 # the tests use it
  read -r url <"$world/ready"
}

stop_server() {
  kill "$server_pid"
  wait "$server_pid" || true
  server_pid=
}

kill_server() {
  kill -9 "$server_pid"
  wait "$server_pid" || true
  server_pid=
}

# background COMMAND…: runs it (without our descriptors 3 and 5) with stdout in $world/out and stderr in $world/err; its pid is $pid.
background() {
  "$@" <&0 >"$world/out" 2>"$world/err" 3>&- 5>&- &
  pid=$!
  pids+=("$pid")
}

# Waits until a command succeeds, 20 s at most; the tests wait for events, not for time.
eventually() {
  local tries=0
  until "$@"; do
    tries=$((tries + 1))
    if ((tries > 400)); then
      echo "never came true: $*" >&2
      return 1
    fi
    sleep 0.05
  done
}

has_lines() { # has_lines FILE COUNT
  [ "$(wc -l <"$1")" -ge "$2" ]
}
is_gone() { ! kill -0 "$1" 2>/dev/null; }

# note TEXT…: appends one event for each.
note() {
  local text
  for text in "$@"; do
    vibesctl append --type note --data "{\"text\":\"$text\"}" --no-spool
  done
}
# texts [TAIL-OPTION…]: what `note` put there, one a line.
texts() { vibesctl tail -e "$@" -F '{event.text}'; }

teardown_world() {
  local pid
  for pid in "${pids[@]}" $server_pid; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  cd /
  rm -rf "$world"
}

setup() { setup_world; }
teardown() { teardown_world; }
