"""The types of the pages' scripts, by TypeScript's checker."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TSC = ROOT / "node_modules" / ".bin" / "tsc"


@pytest.fixture
def tsc():
    if not TSC.is_file():
        pytest.skip("needs typescript: npm install --no-package-lock at the root of the repository")
    return lambda *words: subprocess.run([TSC, *words], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_engine_has_right_types(tsc):
    assert tsc("-p", ".").stdout == ""


def test_a_wrong_type_is_told(tsc, tmp_path):
    wrong = tmp_path / "wrong.js"
    wrong.write_text("/** @param {number} n */\nfunction half(n) { return n / 2; }\nhalf('2');\n")
    assert "TS2345" in tsc("--checkJs", "--allowJs", "--noEmit", str(wrong)).stdout
