# SPDX-License-Identifier: MIT
"""What --help offers and what the man page describes are the same options."""
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(os.environ["VIBES_ROOT"])
BIN = pathlib.Path(os.environ["VIBES_BIN"])
PAGES = sorted(ROOT.glob("man/*.[18]"))
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")
# Examples also show programs that are not ours.
FOREIGN = re.compile(r"\b(claude|systemctl|journalctl|curl|rsync|apt|ctest|cmake)\b")
# Every program has them; the pages say so once, in words of their own.
COMMON = {"--help", "--version"}


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def help_texts(program, *verbs):
    """The help of a program and of all its verbs, however deep."""
    text = output(program, *verbs, "--help")
    yield text
    listed = re.search(r"^Subcommands:\n((?:  +.*\n)+)", text, re.M)
    for verb in re.findall(r"^  ([a-z][a-z-]*)\b", listed[1], re.M) if listed else []:
        yield from help_texts(program, *verbs, verb)


def offered(program):
    options = set()
    for text in help_texts(program):
        options |= set(re.findall(r"^  (?:-\w,)?(--[a-z][a-z-]*[a-z])", text, re.M))
    return options - COMMON


def described(page):
    text = re.sub(r".\x08", "", output("mandoc", "-T", "utf8", page))
    text = re.sub(r"[\u2010\u2011\u2212]", "-", text)
    own = [line for line in text.splitlines() if not FOREIGN.search(line)]
    return set(OPTION.findall("\n".join(own))) - COMMON


def test_there_are_pages():
    assert PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_is_described_and_every_described_option_exists(page):
    in_help, in_page = offered(BIN / page.stem), described(page)
    assert in_help, "no options found in --help"
    assert in_help - in_page == set(), f"{page.name} lacks these"
    # A page may name options of the other programs, in examples and under SEE ALSO.
    others = set().union(*(offered(BIN / other.stem) for other in PAGES if other != page))
    assert in_page - in_help - others == set(), f"{page.name} describes what {page.stem} does not have"
