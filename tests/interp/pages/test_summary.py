"""The text that ends a run: the values to which a feature was set, whichever they are, have columns."""

import ast
import math

import pandas as pd
import pytest

from interp.pages.summary import _columns, _literal, _steering_line


@pytest.mark.parametrize(
    ("values", "columns"),
    [
        ([-10, -4, -1, 0, 1, 4, 10], [-4, 0, math.nan, 4]),
        ([-2, 0, 2], [-2, 0, math.nan, 2]),
        ([1, 2], [math.nan, 1, 2]),
        ([3], [math.nan, 3]),
        ([-9, 0.5], [math.nan, 0.5]),
        ([-20, -10, 10], [-20, math.nan, 10]),
        ([0], [0, math.nan]),
    ],
)
def test_every_column_has_a_number(values, columns):
    turned = _columns(values)
    assert str(turned) == str(columns)
    rows = pd.DataFrame({"target": "Horror", "value": [*values, math.nan], "share": 0.25, "ndcg@10": 0.5})
    assert _steering_line(rows, turned, 8) == "  Horror  " + "   0.25 (0.500)" * len(columns)


@pytest.mark.parametrize("text", ["Horror", 'q"uo,te', "it's", "back\\slash\\", "😀 é", "a\tb\nc", "concept:12"])
def test_a_name_in_a_line_of_python_means_itself(text):
    assert ast.literal_eval(_literal(text)) == text
