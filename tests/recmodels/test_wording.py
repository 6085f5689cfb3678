import pytest

from recmodels.wording import counted, with_interval


@pytest.mark.parametrize(
    ("number", "words", "says"),
    [
        (1, ("user",), "1 user"),
        (0, ("user",), "0 users"),
        (1234, ("user",), "1,234 users"),
        (2, ("history", "histories"), "2 histories"),
        (1, ("user is", "users are"), "1 user is"),
    ],
)
def test_a_noun_follows_its_number(number, words, says):
    assert counted(number, *words) == says


def test_a_number_has_its_bounds_where_there_are_any():
    assert with_interval(-0.01, -0.02, 0.001, "+.3f") == "−0.010 [−0.020, +0.001]"
    assert with_interval(-0.0001, -0.02, 0.0004, "+.3f") == "0.000 [−0.020, 0.000]"
    assert with_interval(0.125, float("nan"), float("nan"), ".1%") == "12.5%"
