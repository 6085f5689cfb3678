"""A mistake on the command line is answered before torch is imported, and so is --help."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import contextlib, io, json, sys
from interp.cli import main
answers = []
for line in json.loads(sys.argv[1]):
    sys.argv, text = ["interp", *line.split()], io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code
    answers.append([" ".join(text.getvalue().split()), code])
    heavy = sorted({"torch", "transformers", "nnsight", "sklearn", "plotly"} & set(sys.modules))
    assert not heavy, f"interp {line} imports {heavy}"
sys.__stdout__.write(json.dumps(answers))
"""
MISTAKES = {
    "study --no-such-option": "Unrecognized options",
    "study no-such-preset": "Unrecognized options",
    "study ml-100k --sae.trainer topk": "sae.trainer is 'topk': choose one of unsquared",
    "study ml-100k --sae.trainer matryoshka --sae.n-features 8": "sae.n_features is 8",
    "study ml-100k --sae.trainer multi_scale --sae.settings ratio=0": "ratio of 1 to 64",
    "study ml-100k --sae.steps 5": "its warm-up alone takes",
    "study ml-100k --grid.trade-off top:8": "unknown trainer 'top'",
    "study ml-100k --dataset ml-100": "there is no dataset 'ml-100'",
    "study ml-100k --training.model sasrec": "unknown model 'sasrec'",
    "study ml-100k --data absent": "absent does not exist",
    "study own --data absent.csv --items absent.csv": "absent.csv does not exist",
    "study ml-100k --dictionary absent": "absent does not exist",
    "study ml-100k --recommender absent --adapter recbole": "absent does not exist",
    "demo --out /": "holds more than a study",
    "report absent": "absent holds no finished study",
    "compare absent --page a.html": "there is one study: name the new one too",
    "compare absent also": "absent holds no finished study",
    "dose absent Horror 0.3": "absent holds no finished study",
}
HELP = ["--help", "study --help", "dose --help", "--version"]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What each command line prints, and its exit status; one process without torch answers all."""
    folder, lines = tmp_path_factory.mktemp("nothing"), [*MISTAKES, *HELP]
    arguments = [sys.executable, "-c", SCRIPT, json.dumps(lines)]
    result = subprocess.run(arguments, capture_output=True, text=True, cwd=folder)
    assert not result.stderr, result.stderr
    assert list(folder.iterdir()) == []
    return dict(zip(lines, json.loads(result.stdout), strict=True))


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_refused_before_torch_is_imported(answers, line):
    text, code = answers[line]
    assert MISTAKES[line] in text
    assert code == 2


@pytest.mark.parametrize("line", HELP)
def test_help_is_answered_without_torch(answers, line):
    assert answers[line][1] == 0


def test_a_study_opens_without_what_only_analyses_need():
    code = "import sys, interp; interp.open; assert not {'sklearn', 'scipy.stats'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
