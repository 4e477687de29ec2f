# SPDX-License-Identifier: MIT
"""bench/peers/report says what the claims' files say, and its guard lets nothing slip."""
import json
import os
import pathlib
import subprocess

import pytest

REPORT = pathlib.Path(os.environ["VIBES_ROOT"]) / "bench" / "peers" / "report"
SMOKE = pathlib.Path(os.environ["VIBES_ROOT"]) / "bench" / "smoke.json"


def claim(line=1, what="many", peer="Redis", ratio=2.0, holds=False, **more):
    return {"line": line, "what": what, "peer": peer, "unit": "1/s", "wanted": ">=", "bound": 4.0, "ours": [20.0, 30.0, 10.0],
            "theirs": [10.0], "ratio": ratio, "least": 1.5, "greatest": 3.0, "holds": holds, **more}


@pytest.fixture
def report(tmp_path):
    def run(verb, claims, *more):
        (tmp_path / "peers_x.json").write_text(json.dumps({"benchmark": "peers_x", "claims": claims}))
        done = subprocess.run(["/usr/bin/python3", REPORT, verb, tmp_path, *more], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout
    return run


@pytest.fixture
def guard(report, tmp_path):
    def run(claims, **bound):
        bounds = tmp_path / "bounds.json"
        bounds.write_text(json.dumps([{"what": "many", "peer": "Redis", **bound}]))
        return report("guard", claims, bounds)
    return run


def test_the_table_says_how_much_a_claim_is_short_by_and_which_lines_are_missing(report):
    status, table = report("table", [claim(line=2, what="held", holds=True), claim(line=1)])
    lines = table.splitlines()
    assert status == 0
    assert lines[1].startswith("1  many") and lines[1].endswith("short by 50 %")
    assert "20.0 1/s" in lines[1] and "1.50 to 3.00" in lines[1]
    assert lines[2].startswith("2  held") and lines[2].endswith("holds")
    assert lines[3:] == ["1 of 2 promises hold, by the median of the runs", "not measured: line 3, 4, 5, 6, 7, 8, 9"]


def test_what_was_left_out_is_in_the_table_with_its_reason_and_does_not_count(report):
    left_out = {"line": 1, "what": "many", "peer": "Redis", "left_out": "no redis-server"}
    _, table = report("table", [left_out])
    assert "left out: no redis-server" in table
    assert "0 of 0 promises hold" in table


def test_of_bounds_of_which_one_is_to_hold_one_is_counted(report):
    either = [claim(peer="a", holds=True, alternative=True), claim(peer="b", alternative=True), claim(peer="c")]
    lines = report("table", either)[1].splitlines()
    assert [line.rsplit("  ", 1)[1].strip() for line in lines[1:4]] == ["holds", "short by 50 %, but the other holds", "short by 50 %"]
    assert lines[4] == "1 of 2 promises hold, by the median of the runs"
    neither = [claim(peer=peer, alternative=True) for peer in "ab"]
    lines = report("table", neither)[1].splitlines()
    assert lines[1].endswith("short by 50 %") and lines[3].startswith("0 of 1 promises hold")


@pytest.mark.parametrize("bound, status", [({"at_least": 2.0}, 0), ({"at_least": 2.1}, 1), ({"at_most": 2.0}, 0), ({"at_most": 1.9}, 1)])
def test_the_guard_fails_exactly_where_a_ratio_is_beyond_its_bound(guard, bound, status):
    assert guard([claim()], **bound)[0] == status


def test_the_guard_fails_where_nothing_measures_what_is_bounded(guard):
    status, said = guard([claim(what="renamed")], at_least=1)
    assert status == 1
    assert "nothing measures: many, beside Redis" in said


def test_the_guard_passes_over_what_was_left_out(guard):
    assert guard([{"line": 1, "what": "many", "peer": "Redis", "left_out": "no redis-server"}], at_least=1)[0] == 0


def test_the_bounds_are_of_ratios_to_somebody():
    for bound in json.loads(SMOKE.read_text()):
        assert bound["what"] and bound["peer"]
        assert ("at_least" in bound) != ("at_most" in bound)
