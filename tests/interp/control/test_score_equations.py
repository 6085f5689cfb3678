"""Least squares for steers: a scorer whose best move is known by hand, and slow sums beside fast ones."""

import numpy as np
import pytest
import torch

from interp.control import score_equations
from interp.control.score_equations import (
    BOUNDARY,
    OUT,
    LastStates,
    NearItems,
    equations,
    greedy_weights,
    user_jacobians,
    user_moves,
)


@pytest.fixture
def separate():
    """Three users of 12 items, each with a direction of its own: any change of scores can be had exactly."""
    hidden = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 12)))
    own = torch.zeros(3, 12, dtype=torch.bool)
    own[0, 4] = True
    return LastStates(hidden, torch.eye(12, dtype=torch.float64), own)


@pytest.fixture
def crowded():
    """Five users of 40 items in 6 dimensions."""
    rng = np.random.default_rng(1)
    own = torch.from_numpy(rng.random((5, 40)) < 0.1)
    return LastStates(torch.from_numpy(rng.normal(size=(5, 6))), torch.from_numpy(rng.normal(size=(40, 6))), own)


def test_the_best_move_is_that_of_a_reranker_where_the_model_allows_it(separate):
    has = np.arange(12) % 3 == 0
    change = (user_moves(NearItems.of(separate, has), 0.5) @ separate.items.T).numpy()
    for user in range(3):
        unit = separate.hidden[user].std().item()
        free = ~separate.own[user].numpy()
        raised, left = change[user, has & free], change[user, ~has & free]
        # All others alike, the set above them by the boost, but for the small ridge.
        assert raised.mean() - left.mean() == pytest.approx(0.5 * unit, rel=0.15)
        assert max(np.ptp(raised), np.ptp(left)) < 0.1 * unit


def test_equations_are_the_sums_they_stand_for(crowded):
    has = np.random.default_rng(2).random(40) < 0.3
    gram, side = equations(NearItems.of(crowded, has), 0.7)
    scores = (crowded.hidden @ crowded.items.T).numpy()
    for user in range(5):
        free = np.flatnonzero(~crowded.own[user].numpy())
        gain = 0.7 * scores[user].std(ddof=1) * has
        plain, raised = (np.argsort(-row[free]).argsort() for row in (scores[user], scores[user] + gain))
        weight = 1 / (1 + (np.minimum(plain, raised) / BOUNDARY) ** 2)
        x, y = crowded.items.numpy()[free], gain[free]
        # c is free: both sides are centred with the weights.
        x, y = x - np.average(x, axis=0, weights=weight), y - np.average(y, weights=weight)
        share = weight / weight.sum()
        np.testing.assert_allclose(gram[user], (x * share[:, None]).T @ x, atol=1e-10)
        np.testing.assert_allclose(side[user], (x * share[:, None]).T @ y, atol=1e-10)


def test_a_move_costs_less_than_any_other_of_its_gain(crowded):
    """It is the minimum: small changes of it in any direction make the weighted error larger."""
    has = np.random.default_rng(3).random(40) < 0.3
    gram, side = equations(NearItems.of(crowded, has), 0.7)
    best = torch.linalg.solve(gram, side)

    def error(move):
        return ((move[:, None] @ gram @ move[:, :, None])[:, 0, 0] - 2 * (side * move).sum(dim=1)).numpy()

    for seed in range(10):
        other = best + 0.01 * torch.from_numpy(np.random.default_rng(seed).normal(size=best.shape))
        assert (error(other) > error(best)).all()


def test_expected_ndcg_by_hand():
    chances = torch.tensor([[0.5, 0.3, 0.2]], dtype=torch.float64)
    states = LastStates(chances.log(), torch.eye(3, dtype=torch.float64), torch.zeros(1, 3, dtype=torch.bool))
    lists = np.array([[[1, 0]], [[2, -1]]])
    expected = [[0.3 + 0.5 / np.log2(3)], [0.2]]
    np.testing.assert_allclose(states.expected_ndcg(lists), expected)


def test_greedy_weights_take_the_largest_of_separate_directions():
    directions = torch.eye(5, dtype=torch.float64)
    side = torch.tensor([0.1, -3.0, 0.0, 2.0, 1.0], dtype=torch.float64)
    chosen, weights = greedy_weights(directions, directions, side, 3)
    assert chosen == [1, 3, 4]
    np.testing.assert_allclose(weights, [-3, 2, 1], rtol=0.02)
    chosen, _ = greedy_weights(directions, directions, side, 5)
    assert sorted(chosen) == [0, 1, 3, 4]  # the one that does not help is left out


def test_greedy_weights_find_the_planted_features():
    rng = np.random.default_rng(0)
    directions = torch.from_numpy(rng.normal(size=(60, 30)))
    planted = {7: 1.0, 22: -0.8, 41: 0.6}
    move = sum(weight * directions[feature] for feature, weight in planted.items())
    chosen, weights = greedy_weights(directions, torch.eye(30, dtype=torch.float64), move, 3)
    assert dict(zip(chosen, weights.tolist(), strict=True)) == pytest.approx(planted, rel=0.05)


def test_states_make_the_scores_of_the_recommender(rec, histories):
    few = histories.select(np.arange(9))
    states = LastStates.of(rec, few)
    scores = rec.score(few)
    for user in range(9):
        scores[user, few.select([user]).codes] = OUT
    torch.testing.assert_close(states.scores, scores)


def test_states_in_batches_are_those_of_each_user(rec, histories, monkeypatch):
    monkeypatch.setattr(score_equations, "_USERS", 1)  # batches of four
    few = histories.select(np.arange(9))
    together, alone = LastStates.of(rec, few), [LastStates.of(rec, few.select([user])) for user in range(9)]
    torch.testing.assert_close(together.hidden, torch.cat([states.hidden for states in alone]))
    assert torch.equal(together.own, torch.cat([states.own for states in alone]))
    torch.testing.assert_close(together.scores, torch.cat([states.scores for states in alone]))


@pytest.mark.parametrize("model", ["gptrec", "bert4rec"])
def test_jacobians_are_those_of_autograd(steerable, histories, model):
    rec, few = steerable[model], histories.select(np.arange(3))
    found = user_jacobians(rec, few, "blocks.0", 0.01)
    for user in range(3):
        one = few.select([user])
        hidden = rec.hidden(one, "blocks.0")
        tokens = rec.recommender.model.inference_inputs(one)

        def final(last, hidden=hidden, tokens=tokens):
            return rec.recommender.model.scored_after(0, tokens, hidden, last[None, None])[0, 0]

        exact = torch.autograd.functional.jacobian(final, hidden[0, -1])
        torch.testing.assert_close(found[user], exact, atol=5e-3, rtol=5e-2)
