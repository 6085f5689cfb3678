import pytest
import torch

from recmodels.tolerance import is_close, spread


def test_values_may_differ_by_a_thousandth_and_by_a_share_of_the_spread():
    expected = torch.tensor([0.0, 10.0])  # spread 10: 0.001 everywhere, and 0.01 more at 10
    assert is_close(torch.tensor([0.0009, 10.0109]), expected).tolist() == [True, True]
    assert is_close(torch.tensor([0.0011, 10.0111]), expected).tolist() == [False, False]
    assert is_close(torch.tensor([0.0009, 10.0]), expected, share=0.5).tolist() == [False, True]
    assert is_close(torch.tensor([1.0, 1.0], dtype=torch.float64), torch.ones(2)).all()


@pytest.mark.parametrize("share", [0.01, 0.2, 0.6])
@pytest.mark.parametrize("score", [-1e9, -1e4, float("-inf")])
def test_items_that_are_out_of_sale_hide_no_difference(score, share):
    """Of any number of them, as long as a quarter of the items is on sale."""
    expected = torch.randn(1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    usual = spread(expected)
    assert 3 < usual < expected.max() - expected.min()
    expected[: int(1000 * share)] = score
    assert spread(expected) < 5 * usual
    others = expected.clone()
    others[-1] += 0.01 + 1e-3 * others[-1].abs()
    assert is_close(others, expected).tolist() == [True] * 999 + [False]


def test_the_spread_by_hand():
    assert spread(torch.tensor([])) == 0
    assert spread(torch.tensor([2.0, 2.0, 2.0])) == 0
    assert spread(torch.tensor([1.0, 3.0])) == 2  # no quarter has two values
    assert spread(torch.tensor([0.0, 0, 0, 0, 1, 2, 4, 90])) == 8  # quarters 0, 0, 1 and 86
    assert spread(torch.tensor([0.0, 1, 2, 3, 4, 5, 6, 7])) == 7  # at most from end to end
