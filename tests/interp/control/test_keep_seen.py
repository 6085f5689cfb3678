"""Lists that may repeat the items of a history: every way to make a list agrees."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from interp.concepts import concepts_of
from interp.control.baselines import Raise, boosted_lists
from interp.control.list_entry import to_enter
from interp.control.receipts import steering_receipt
from interp.control.score_equations import LastStates
from interp.control.steered_lists import steered_lists
from interp.features.explanations import why
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Edit, Steer
from recmodels.metrics import ndcg
from recmodels.ranking import evaluate


@pytest.fixture
def again(recommender, sae):
    return RecommenderEnvoy(replace(recommender, keep_seen=True), sae)


def test_every_list_may_repeat(again, histories):
    few = histories.select(np.arange(30))
    expected = np.argsort(-again.score(few).numpy(), axis=1, kind="stable")[:, :7]
    assert any(np.isin(row, few[user]).any() for user, row in enumerate(expected))  # or this would show nothing
    has = np.arange(len(again.recommender.vocabulary)) % 2 == 0
    np.testing.assert_array_equal(again.rank(few, 7), expected)
    np.testing.assert_array_equal(boosted_lists(again, few, [Raise(has, [0.0])], 7)[0][0], expected)
    np.testing.assert_array_equal(steered_lists(again, few, [Steer((), "blocks.0")], 7)[0], expected)
    assert again.recommend(few, 7)["item"].tolist() == again.recommender.vocabulary.decode(expected.ravel()).tolist()
    assert not LastStates.of(again, few).own.any()


def test_the_fast_path_of_steers_is_the_slow_one(again, histories):
    few, steer = histories.select(np.arange(30)), Steer((Edit(3, 4.0), Edit(8, 2.0, "add")), "blocks.0")
    (fast,) = steered_lists(again, few, [steer], 7)
    with again.steer(steer):
        np.testing.assert_array_equal(fast, again.rank(few, 7))


def test_receipts_measure_these_lists(again, planted, histories):
    concepts = concepts_of(planted.items, "concepts")
    ids = again.recommender.vocabulary.ids
    popularity = pd.Series(np.arange(len(ids)), ids)
    receipt = steering_receipt(again, histories, Steer((), "blocks.0"), concepts, popularity)
    inputs, truth = histories.split_last()
    before = receipt.measures.set_index("measure")["before"]
    assert before["ndcg@10"] == pytest.approx(ndcg(again.rank(inputs), truth))
    catalogue = np.arange(len(ids))
    plain = evaluate(again.score, histories, catalogue, keep_seen=True)
    assert before["ndcg@10"] == pytest.approx(plain["ndcg@10"])
    assert plain["ndcg@10"] != evaluate(again.score, histories, catalogue)["ndcg@10"]


def test_an_item_of_the_history_has_a_rank_and_can_enter(again, histories):
    history, vocabulary = histories.select(np.array([0])), again.recommender.vocabulary
    codes = np.argsort(-again.score(history).numpy()[0], kind="stable")
    ranks = {int(code): place for place, code in enumerate(codes, start=1)}
    code = int(max(history[0], key=lambda one: ranks[int(one)]))  # the one that is ranked last
    item = vocabulary.ids[code]
    assert why(again, history, item, top=1).rank == ranks[code]
    assert to_enter(again, history, item, k=3).rank == ranks[code]
