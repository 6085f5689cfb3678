import torch

from recmodels.tolerance import is_close


def test_values_may_differ_by_a_thousandth_and_by_a_share_of_the_spread():
    expected = torch.tensor([0.0, 10.0])  # spread 10: 0.001 everywhere, and 0.01 more at 10
    assert is_close(torch.tensor([0.0009, 10.0109]), expected).tolist() == [True, True]
    assert is_close(torch.tensor([0.0011, 10.0111]), expected).tolist() == [False, False]
    assert is_close(torch.tensor([0.0009, 10.0]), expected, share=0.5).tolist() == [False, True]
    assert is_close(torch.tensor([1.0, 1.0], dtype=torch.float64), torch.ones(2)).all()
