"""An amount for each user: who pays least for more of a set gets more of it.

With one amount for all, a user whose list is sure loses as much of it as one whose list is a guess. By price, each user
gets the amount where the list's expected NDCG plus price times its share of the set is largest, which is the solution
of "a mean share at the least expected cost" (Everett, Operations Research 1963). The expectation is the unsteered
recommender's own, so that no held-out item plays a part.

Axes: a amounts, u users, p prices.
"""

import numpy as np

PRICES = (0.0, *np.geomspace(1e-3, 5.0, 28).round(5).tolist())
"""Expected NDCG that may be paid for a share of 1."""


def amounts_by_price(expected: np.ndarray, share: np.ndarray, prices: np.ndarray) -> np.ndarray:
    """Each user's amount at each price; of equally good ones the first.

    Args:
        expected: [a, u] expected NDCG of each user's list at each amount.
        share: [a, u] share of the set in it.
        prices: [p].

    Returns:
        int [p, u], places along the amounts. The mean share never falls as the price rises.
    """
    worth = expected[None] + np.asarray(prices)[:, None, None] * share[None]
    return worth.argmax(axis=1)


def price_for(expected: np.ndarray, share: np.ndarray, level: float) -> tuple[float, np.ndarray]:
    """The smallest price, up to bisection, at which the mean share reaches a level, and each user's amount.

    Returns:
        The price (inf where no price reaches the level), and int [u] places along the amounts; where no price reaches
        it, those of the largest share.
    """
    low, high = 0.0, 1.0
    users = np.arange(share.shape[1])

    def mean(price: float) -> float:
        return float(share[amounts_by_price(expected, share, np.array([price]))[0], users].mean())

    if share.max(axis=0).mean() < level - 1e-9:
        most = np.where(share == share.max(axis=0), expected, -np.inf).argmax(axis=0)
        return np.inf, most
    if mean(0.0) >= level - 1e-9:
        return 0.0, amounts_by_price(expected, share, np.array([0.0]))[0]
    while mean(high) < level - 1e-9:
        high *= 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if mean(middle) >= level - 1e-9 else (middle, high)
    return high, amounts_by_price(expected, share, np.array([high]))[0]
