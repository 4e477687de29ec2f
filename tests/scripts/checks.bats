#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The checks pass on this tree, and each of them can fail.

setup() {
  checks="$VIBES_ROOT/scripts/checks"
  tree="$BATS_TEST_TMPDIR/tree"
  mkdir -p "$tree"/lib/{base,eventlog/file,net,consumers} "$tree/cmd/vibesctl"
  echo '#include "base/result.hpp"' >"$tree/lib/eventlog/reader.hpp"
}

@test "layers: this tree has no arrow that points back" {
  run "$checks/layers" "$VIBES_ROOT"
  [ "$status" -eq 0 ]
}

@test "layers: an include of a higher layer is refused with its place" {
  "$checks/layers" "$tree"
  printf '\n#include "net/server.hpp"\n' >>"$tree/lib/eventlog/reader.hpp"
  run "$checks/layers" "$tree"
  [ "$status" -eq 1 ]
  [[ $output == *'lib/eventlog/reader.hpp:3: eventlog must not include "net/server.hpp"'* ]]
}

@test "layers: a layer nobody declared is refused" {
  mkdir "$tree/lib/surprise"
  echo '#include "base/result.hpp"' >"$tree/lib/surprise/x.cpp"
  run "$checks/layers" "$tree"
  [ "$status" -eq 1 ]
}

@test "layers: libwebsockets is for net and client only" {
  echo '#include <libwebsockets.h>' >"$tree/lib/net/loop.cpp"
  "$checks/layers" "$tree"
  echo '#include <libwebsockets.h>' >"$tree/lib/consumers/x.cpp"
  run "$checks/layers" "$tree"
  [ "$status" -eq 1 ]
}

@test "layers: the file engine knows no JSON and no spdlog" {
  for header in nlohmann/json.hpp simdjson.h spdlog/spdlog.h; do
    echo "#include <$header>" >"$tree/lib/eventlog/file/record.cpp"
    run "$checks/layers" "$tree"
    [ "$status" -eq 1 ]
  done
}

@test "producers: this tree only appends" {
  run "$checks/producers" "$VIBES_ROOT"
  [ "$status" -eq 0 ]
}

@test "producers: a broadcast from a net handler is refused" {
  "$checks/producers" "$tree"
  echo 'void f() { broadcaster.broadcast_event({}, event); }' >"$tree/lib/net/handler.cpp"
  run "$checks/producers" "$tree"
  [ "$status" -eq 1 ]
  [[ $output == *lib/net/handler.cpp* ]]
}

@test "producers: a forged passkey is refused" {
  echo 'const BroadcastPasskey key = std::bit_cast<BroadcastPasskey>(BroadcastPasskey{});' >"$tree/cmd/vibesctl/main.cpp"
  run "$checks/producers" "$tree"
  [ "$status" -eq 1 ]
}

@test "links: a missing file and a missing heading are found" {
  printf '# One\n[a](#one) [b](other.md) [c](https://example.invalid/)\n' >"$tree/good.md"
  printf '# Other\n' >"$tree/other.md"
  "$checks/links" "$tree/good.md"
  printf '[a](#two) [b](gone.md) `lib/gone.hpp`\n' >"$tree/bad.md"
  run "$checks/links" "$tree/bad.md"
  [ "$status" -eq 1 ]
  [[ $output == *'no such heading: #two'* ]]
  [[ $output == *'no such file: gone.md'* ]]
  [[ $output == *'no such path: lib/gone.hpp'* ]]
}

@test "format: a badly formatted file is found" {
  printf 'int   f( ){return 1;}\n' >"$tree/bad.cpp"
  run "$VIBES_ROOT/scripts/format" --check "$tree/bad.cpp"
  [ "$status" -ne 0 ]
}
