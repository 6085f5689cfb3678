"""How much of the ranking a reconstruction keeps."""

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from interp.activations.fidelity import downstream
from interp.control.ranking_kept import kl_divergence, ranking_kept


def test_divergence_is_that_of_the_softmax():
    scores = torch.tensor([[0.0, 1.0, 2.0], [5.0, 5.0, 5.0]]), torch.tensor([[2.0, 1.0, 0.0], [7.0, 7.0, 7.0]])
    p, q = (torch.softmax(part.double(), dim=1).numpy() for part in scores)
    np.testing.assert_allclose(kl_divergence(*scores), [entropy(p[0], q[0]), 0], atol=1e-12)


def test_nothing_replaced_keeps_everything(rec, histories):
    kept = ranking_kept(rec, histories, "blocks.0", "none")
    assert (kept.overlap, kept.kl) == (1, 0)
    assert kept.ndcg == pytest.approx(downstream(rec, histories, "blocks.0", ("none",))["ndcg@10"].item())


def test_what_is_replaced_is_what_the_papers_table_replaces(rec, histories):
    table = downstream(rec, histories, "blocks.0", ("last", "all")).set_index("replaced")["ndcg@10"]
    last, everywhere = (ranking_kept(rec, histories, "blocks.0", where) for where in ("last", "all"))
    assert [last.ndcg, everywhere.ndcg] == pytest.approx(table[["last", "all"]].tolist())
    assert 0 < last.kl < everywhere.kl
    assert 0 < everywhere.overlap <= last.overlap < 1
