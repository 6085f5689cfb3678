"""Files that pages and recipes name are there: a promise of SECURITY.md keeps the tests behind it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"\b(?:tests|interp|recmodels|docs|benchmarks)/[\w/.-]+\.(?:py|md)\b")


@pytest.mark.parametrize("page", ["SECURITY.md", "README.md", "Makefile", "artifacts/README.md"])
def test_files_that_a_page_names_are_there(page):
    names = set(NAMED.findall((ROOT / page).read_text(encoding="utf-8")))
    assert not [name for name in names if not (ROOT / name).is_file()]


def test_the_security_page_names_tests_for_every_promise():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    promises = text.partition("## What is promised")[2].partition("## What is not promised")[0]
    for promise in promises.strip().split("\n\n"):
        assert "Tests: `tests/" in promise.replace("\n", " "), promise[:60]
