# SPDX-License-Identifier: MIT
"""scripts/tally counts cases, and a failure can hide nowhere."""
import os
import pathlib
import subprocess

import pytest

TALLY = pathlib.Path(os.environ["VIBES_ROOT"]) / "scripts" / "tally"


def tally(*files):
    done = subprocess.run(["/usr/bin/python3", TALLY, *files], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()[-1]


def entry(output="", status="run", inner=""):
    escaped = output.replace("&", "&amp;").replace("<", "&lt;")
    return (f'<testcase name="t" classname="t" time="1" status="{status}">{inner}'
            f"<system-out>{escaped}</system-out></testcase>")


FAILURE = '<failure message="Failed"/>'


@pytest.fixture
def junit(tmp_path):
    def write(*entries):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.xml"
        path.write_text('<?xml version="1.0"?><testsuite>' + "".join(entries) + "</testsuite>")
        return path
    return write


CATCH_GOOD = "=====\nAll tests passed (70 assertions in 16 test cases)\n"
CATCH_BAD = "=====\ntest cases:  12 |  10 passed | 2 failed\nassertions: 300 | 298 passed | 2 failed\n"
PYTEST_BAD = "F.s\n=== short ===\n1 failed, 7 passed, 2 skipped in 0.31s\n"
TAP_MIXED = "1..4\nok 1 a\nnot ok 2 b\nok 3 c # skip no tmux\nok 4 the ok of d\n"


@pytest.mark.parametrize("output, status, inner, line, code", [
    (CATCH_GOOD, "run", "", "16 passed, 0 failed", 0),
    (CATCH_BAD, "fail", FAILURE, "10 passed, 2 failed", 1),
    ("test cases: 3 | 2 passed | 1 failed as expected\n", "run", "", "3 passed, 0 failed", 0),
    ("test cases: 1 | 1 failed\n", "fail", FAILURE, "0 passed, 1 failed", 1),
    (PYTEST_BAD, "fail", FAILURE, "7 passed, 1 failed, 2 skipped", 1),
    ("5 passed in 0.10s\n", "run", "", "5 passed, 0 failed", 0),
    (TAP_MIXED, "fail", FAILURE, "2 passed, 1 failed, 1 skipped", 1),
    ("TAP version 14\n1..2\nok 1 - a\nok 2 - b\n", "run", "", "2 passed, 0 failed", 0),
    ("done\n", "run", "", "1 passed, 0 failed", 0),
    ("", "notrun", '<skipped message="SKIP_RETURN_CODE=77"/>', "0 passed, 0 failed, 1 skipped", 1),
    ("Disabled", "disabled", "", "0 passed, 0 failed, 1 skipped", 1),
    ("", "notrun", '<skipped message="Unable to find executable"/>', "0 passed, 1 failed", 1),
])
def test_counts_the_cases_of_every_kind_of_program(junit, output, status, inner, line, code):
    assert tally(junit(entry(output, status, inner))) == (code, line)


def test_a_program_that_dies_without_a_count_is_a_failure(junit):
    assert tally(junit(entry("Segmentation fault", "fail", FAILURE))) == (1, "0 passed, 1 failed")


def test_a_program_that_fails_after_counting_no_failure_is_a_failure(junit):
    assert tally(junit(entry(CATCH_GOOD, "fail", FAILURE))) == (1, "16 passed, 1 failed")


def test_a_failure_printed_by_a_program_that_exits_0_is_a_failure(junit):
    assert tally(junit(entry(PYTEST_BAD))) == (1, "7 passed, 1 failed, 2 skipped")


def test_tap_that_stops_before_its_plan_is_a_failure(junit):
    assert tally(junit(entry("1..3\nok 1 a\n"))) == (1, "1 passed, 2 failed")


def test_adds_up_files_and_takes_plain_counts(junit, tmp_path):
    plain = tmp_path / "check"
    plain.write_text("ok format\n9 passed, 0 failed\n")
    assert tally(junit(entry(CATCH_GOOD)), junit(entry("ok")), plain) == (0, "26 passed, 0 failed")


def test_a_file_without_counts_a_broken_and_a_missing_one_are_failures(junit, tmp_path):
    plain, broken = tmp_path / "plain", tmp_path / "broken"
    plain.write_text("nothing\n")
    broken.write_text("<testsuite><testcase")
    assert tally(junit(entry("ok")), plain, broken, tmp_path / "none") == (1, "1 passed, 3 failed")


def test_nothing_run_is_no_success(junit):
    assert tally(junit()) == (1, "0 passed, 0 failed")


def test_control_characters_in_an_output_are_survived(junit):
    assert tally(junit(entry("\x1b[1mred\x00\n" + CATCH_GOOD))) == (0, "16 passed, 0 failed")


def test_a_failing_case_under_ctest_is_seen(tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(x NONE)\nenable_testing()\n"
        "add_test(NAME good COMMAND true)\nadd_test(NAME bad COMMAND false)\nadd_test(NAME gone COMMAND ./gone)\n")
    subprocess.run(["cmake", "-G", "Ninja", "-S", tmp_path, "-B", tmp_path / "b"], check=True, capture_output=True)
    done = subprocess.run(["ctest", "--test-dir", tmp_path / "b", "--output-junit", tmp_path / "j.xml"],
                          check=False, capture_output=True)
    assert done.returncode != 0
    assert tally(tmp_path / "j.xml") == (1, "1 passed, 2 failed")
