"""The types of the pages' scripts, by TypeScript's checker."""

import json
import subprocess
from pathlib import Path

import pytest

from interp.pages.rendering import SCRIPTS

ROOT = Path(__file__).parents[3]
PROJECTS = sorted((ROOT / "types").glob("*.json"))
TSC = ROOT / "node_modules" / ".bin" / "tsc"


@pytest.fixture
def tsc():
    if not TSC.is_file():
        pytest.skip("needs typescript: npm install --no-package-lock at the root of the repository")
    return lambda *words: subprocess.run([TSC, *words], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_scripts_of_all_pages_have_right_types(tsc):
    """A project for each page, as the scripts of different pages define the same names."""
    assert tsc("-b", "tsconfig.json", *map(str, PROJECTS)).stdout == ""


def test_every_script_is_in_a_project():
    projects = [ROOT / "tsconfig.json", *PROJECTS]
    files = {(path.parent / name).resolve() for path in projects for name in json.loads(path.read_text())["files"]}
    pages = ROOT / "interp" / "pages"
    assert {path for path in files if path.suffix == ".js"} == {
        *pages.glob("assets/*.js"),
        *pages.glob("templates/*.js"),
    }
    for page, parts in SCRIPTS.items():
        project = json.loads((ROOT / "types" / f"{page}.json").read_text())["files"]
        known = {Path(name).stem for name in project}
        assert set(parts) - known <= {"equalizer"}  # which has a project of its own


def test_a_wrong_type_is_told(tsc, tmp_path):
    wrong = tmp_path / "wrong.js"
    wrong.write_text("/** @param {number} n */\nfunction half(n) { return n / 2; }\nhalf('2');\n")
    assert "TS2345" in tsc("--checkJs", "--allowJs", "--noEmit", str(wrong)).stdout
