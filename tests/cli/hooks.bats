#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2154,SC2238 # handlers are for another shell; run and the helpers assign
load helpers

data=$BATS_TEST_DIRNAME/../data
settings=.claude/settings.json
# Each file is several starts of the program: under a sanitizer every fourth does.
some() { printf '%s\n' "$@" | if [ "${VIBES_SANITIZE:-}" ]; then sed -n '1~4p'; else cat; fi; }
setup() {
  setup_world
  unset CLAUDE_CONFIG_DIR
  mkdir .claude
}

@test "hooks: install, then uninstall, leaves every file of the corpus as it was" {
  mapfile -t files < <(some "$data"/settings/*.json)
  for file in "${files[@]}"; do
    cp "$file" $settings
    chmod 640 $settings
    vibesctl -q hooks install
    jq -e '.hooks.PreToolUse[-1].hooks[0].args == ["hook", "--tag", "vibes"]' $settings >/dev/null ||
      [[ $file == *byte-order-mark* ]] # which jq does not take
    cmp $settings.vibes-backup "$file"
    vibesctl -q hooks install # again: nothing
    vibesctl -q hooks uninstall
    cmp $settings "$file"
    [ "$(stat -c %a $settings)" = 640 ]
    [ "$(ls -A .claude)" = settings.json ]
  done
}

@test "hooks: a broken file is refused untouched, with line and column and status 1" {
  mapfile -t files < <(some "$data"/settings-broken/*.json)
  for file in "${files[@]}"; do
    cp "$file" $settings
    for verb in install uninstall; do
      run -1 --separate-stderr vibesctl hooks $verb
      [ -z "$output" ]
      [[ $stderr == "vibesctl: error: "*"settings.json: "* ]]
      [[ $stderr == *"line "*", column "* || $file == *deep* ]]
      cmp $settings "$file"
      [ "$(ls -A .claude)" = settings.json ]
    done
  done
}

@test "hooks: without settings a file is made, and is gone again" {
  rmdir .claude
  vibesctl hooks install
  [ "$(jq -r '.hooks.Stop[0].hooks[0] | .type + " " + .command' $settings)" = 'command vibesctl' ]
  vibesctl hooks uninstall
  [ ! -e $settings ]
}

@test "hooks: what the agent does with them is recorded" {
  vibesctl -q hooks install --events PreToolUse
  start_server
  # As an agent does in exec form: no shell, arguments one by one.
  mapfile -t call < <(jq -r '.hooks.PreToolUse[0].hooks[0] | .command, .args[]' $settings)
  echo '{"session_id":"s","hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{}}' | "${call[@]}" --timeout 20
  run -0 vibesctl tail -e -F '{event.event.hook_event_name}'
  [ "$output" = PreToolUse ]
}

@test "hooks: the scopes are three files" {
  vibesctl -q hooks install --scope user
  [ -e .claude/settings.json ] # HOME is here
  vibesctl -q hooks uninstall --scope user
  export CLAUDE_CONFIG_DIR=$world/elsewhere
  vibesctl -q hooks install --scope user
  vibesctl -q hooks install --scope project --events Stop
  vibesctl -q hooks install --scope local --events Stop,SessionEnd
  [ "$(jq '.hooks | length' elsewhere/settings.json)" = 28 ]
  [ "$(jq '.hooks | length' .claude/settings.json)" = 1 ]
  [ "$(jq '.hooks | length' .claude/settings.local.json)" = 2 ]
  run -0 vibesctl hooks status --json
  [ "$(jq -c 'map([.scope, (.hooks | length)])' <<<"$output")" = '[["user",28],["project",1],["local",2]]' ]
  run -0 vibesctl hooks status
  [[ $output == *"user"*"28 hooks call vibesctl"*"elsewhere/settings.json"* ]]
}

@test "hooks: --dry-run shows a diff that patch(1) takes, and changes nothing" {
  cp "$data/settings/hand-written.json" $settings
  for verb in install uninstall; do
    cp $settings before
    run -0 --separate-stderr vibesctl hooks $verb --dry-run
    cmp $settings before
    printf '%s\n' "$output" >change
    patch -s before change
    vibesctl -q hooks $verb
    cmp $settings before
  done
}

@test "hooks: --events takes a list, and names that are new" {
  run -0 --separate-stderr vibesctl hooks install --events Stop,BrandNewHook
  [[ $stderr == *"no hook 'BrandNewHook' is known"* ]]
  [ "$(jq -c '.hooks | keys' $settings)" = '["BrandNewHook","Stop"]' ]
  vibesctl -q hooks install --events all
  [ "$(jq '.hooks | length' $settings)" = 31 ]
  run -2 --separate-stderr vibesctl hooks install --events WorktreeCreate
  [[ $stderr == *"WorktreeCreate: the agent fails"* ]]
  run -2 vibesctl hooks install --events 'no name'
}

@test "hooks: another command replaces ours, and one that is not there is warned of" {
  vibesctl -q hooks install --events Stop
  run -0 --separate-stderr vibesctl hooks install --events Stop --command /nowhere/vibesctl
  [[ $stderr == *"warning: '/nowhere/vibesctl' is not in PATH"* ]]
  [ "$(jq -c '[.hooks.Stop[].hooks[].command]' $settings)" = '["/nowhere/vibesctl"]' ]
  run -2 vibesctl hooks install --command ./vibesctl
}

@test "hooks: what changed in between stays when ours go" {
  cp "$data/settings/hooks.json" $settings
  vibesctl -q hooks install
  sed -i 's/"opus"/"sonnet"/' $settings
  vibesctl -q hooks uninstall
  sed 's/"opus"/"sonnet"/' "$data/settings/hooks.json" | cmp - $settings
}

@test "hooks: settings behind a link are edited there" {
  cp "$data/settings/hooks.json" dotfile
  ln -s ../dotfile $settings
  vibesctl -q hooks install
  [ -L $settings ]
  grep -q vibes dotfile
  vibesctl -q hooks uninstall
  cmp dotfile "$data/settings/hooks.json"
}

@test "hooks: status tells of a file that cannot be read, with status 1" {
  cp "$data/settings-broken/comment.json" $settings
  run -1 vibesctl hooks status
  [[ $output == *"line 2, column 3"* ]]
}
