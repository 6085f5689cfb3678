"""Every odd module: scores of its own program, reads, writes, files, and the fast path after a block."""

import copy
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch

from interp.model.envoys import RecommenderEnvoy
from interp.model.last_step import score_last_step
from recmodels.adapters.adapter import Adapter
from recmodels.recommender import Recommender
from tests.recmodels.adapters.zoo import CODES, HISTORIES, IDS, ZOO

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
NAMES = pytest.mark.parametrize("name", ZOO)


def rows() -> pd.DataFrame:
    """The histories as a table; hours are squares."""
    return pd.concat(
        pd.DataFrame({"user": user, "item": items, "time": 1e9 + 3600 * np.arange(len(items)) ** 2})
        for user, items in HISTORIES.items()
    )


@cache
def built(name: str) -> Recommender:
    return ZOO[name].build()


@NAMES
def test_scores_are_those_of_the_module_by_itself(name):
    recommender, member = built(name), ZOO[name]
    histories = recommender.histories(rows())
    module = recommender.model.module
    expected = torch.stack([member.scores(module, user, CODES[user]) for user in histories.users])
    torch.testing.assert_close(recommender.score(histories), expected, **CLOSE)
    assert recommender.origin.causal is member.causal
    assert {site: recommender.model.width(site) for site in recommender.model.sites} == member.sites
    assert repr(recommender).startswith("<Recommender of 20 items, reads the last 6 of a history; zoo-")


@NAMES
def test_a_trace_reads_what_a_hook_reads_and_writes_what_a_hook_writes(name):
    recommender = built(name)
    adapter, module = recommender.model.adapter, recommender.model.module
    rec = RecommenderEnvoy(recommender)
    histories = recommender.histories(rows())
    plain = rec.score(histories)
    for site, path in adapter.site_paths().items():
        raw: list[torch.Tensor] = []

        def look(_module, _inputs, output, raw=raw, change=None):
            hidden = output[0] if isinstance(output, tuple) else output
            raw.append(hidden.clone())

        hook = module.get_submodule(path).register_forward_hook(look)
        rec.score(histories)
        hook.remove()
        hidden = raw[0].transpose(0, 1) if adapter.sequence_first and site != "embedding" else raw[0]
        with rec.trace(histories):
            read = rec.site(site).output.save()
        for row, user in enumerate(histories.users):
            n = len(CODES[user]) + adapter.mask_step
            if not adapter.has_steps:
                torch.testing.assert_close(read[row, 0], hidden[row])
            elif adapter.side == "right":
                torch.testing.assert_close(read[row, -n:], hidden[row, :n])
            else:
                torch.testing.assert_close(read[row, -n:], hidden[row, -n:])

        ramp = torch.linspace(-1, 2, recommender.model.width(site)) ** 2  # which no normalisation undoes

        def write(_module, _inputs, output, ramp=ramp):
            hidden = output[0] if isinstance(output, tuple) else output
            hidden = hidden + ramp
            return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

        hook = module.get_submodule(path).register_forward_hook(write)
        expected = rec.score(histories)
        hook.remove()
        with rec.trace(histories):
            rec.site(site).output[:] += ramp
            edited = rec.scores.save()
        with rec.trace(histories):
            rec.site(site).output = rec.site(site).output + ramp
            assigned = rec.scores.save()
        assert not torch.allclose(edited, plain, atol=1e-3)
        torch.testing.assert_close(edited, assigned)
        # Padding that the module reads is not ours to write.
        if not adapter.full_width:
            torch.testing.assert_close(edited, expected, **CLOSE)


@NAMES
def test_it_is_saved_and_opened(name, tmp_path):
    recommender = built(name)
    recommender.save(tmp_path / "recommender")
    again = Recommender.load(tmp_path / "recommender")
    assert again.fingerprint == recommender.fingerprint
    assert again.origin == recommender.origin
    # Weights that lie elsewhere in memory may be summed in another order.
    scores = again.score(again.histories(rows()))
    torch.testing.assert_close(scores, recommender.score(recommender.histories(rows())), rtol=1e-5, atol=1e-6)
    again.model.post_init()  # draws the weights of other models anew
    assert Recommender(again.model, again.vocabulary).fingerprint == recommender.fingerprint


@NAMES
@torch.no_grad()
def test_many_values_of_the_last_step_equal_one_traced_pass_for_each(name, monkeypatch):
    monkeypatch.setattr("recmodels.model.ROWS", 7)
    recommender = built(name)
    rec = RecommenderEnvoy(recommender)
    histories = recommender.histories(rows())
    for site in recommender.model.sites:
        hidden = rec.hidden(histories, site) * 1.1
        last = torch.randn(3, 4, hidden.shape[2], generator=torch.Generator().manual_seed(1))
        scores = recommender.model.score_hidden(score_last_step(rec, histories, site, hidden, last))
        for value in range(4):
            with rec.trace(histories):
                rec.site(site).output = torch.cat([hidden[:, :-1], last[:, value : value + 1]], dim=1)
                expected = rec.scores.save()
            torch.testing.assert_close(scores[:, value], expected, **CLOSE)


@NAMES
def test_a_copy_is_its_own(name):
    recommender = built(name)
    histories = recommender.histories(rows())
    copied = Recommender(copy.deepcopy(recommender.model), recommender.vocabulary)
    scores = recommender.score(histories)
    assert torch.equal(copied.score(histories), scores)
    for weights in copied.model.parameters():
        weights.data.mul_(1.5)
    with RecommenderEnvoy(copied).trace(histories):
        pass
    assert not torch.allclose(copied.score(histories), scores, atol=1e-3)
    assert torch.equal(recommender.score(histories), scores)


def test_threads_score_beside_each_other():
    recommender = built("zoo-right")
    parts = [recommender.histories([items]) for items in HISTORIES.values()]
    alone = [recommender.score(part) for part in parts]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(recommender.score, parts * 20))
    for scores, expected in zip(together, alone * 20, strict=True):
        torch.testing.assert_close(scores, expected)


def test_the_zoo_uses_what_adapters_may_say():
    """A trait that no member has would be untested."""
    traits = ("side", "full_width", "mask_step", "columns", "by_user", "has_steps", "sequence_first")
    for trait in traits:
        assert any(getattr(member.adapter, trait) != getattr(Adapter, trait) for member in ZOO.values()), trait
    assert IDS[0] == "film 0"
