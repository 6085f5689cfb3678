"""Names the usual transform by which expected scores differ from a recommender's, for the message that refuses them."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from recmodels.tolerance import is_close, spread
from recmodels.wording import counted

DECIMALS = 7  # rounding to more is within the tolerance
SAMPLE = 1000  # values whose digits are looked at
SWEEPS = 50  # of a fit by histories and items
FLOATS = (np.float64, np.float32, np.float16)
LEFT = 0.05  # of the largest difference, which a summand or factor may leave at most
LITTLE = 2.0**-7  # of the spread of the expected scores: what weights of 16 bits change
SMALL = 1e-3  # scores below this share of the largest say nothing of a factor

# By what the difference depends on: what to say of a summand, and of a factor.
SUMMANDS = {
    "all": "they differ by the same constant everywhere: add it to `bias`",
    "history": "they differ by a constant in each history, as after log_softmax: give the scores before it",
    "item": "they differ by a constant for each item: give it as `bias`",
}
ONE_HISTORY = (
    "they differ by a constant: if it is that of log_softmax, give the scores before it; if it is the same in other "
    "histories, add it to `bias`"
)
FACTORS = {
    "all": "they are these times one factor, such as a temperature or a scale: put it into `weights`, or give the "
    "scores before it",
    "history": "they are these times a factor in each history, as where hidden states are normalised: do so in `run`",
    "item": "they are these times a factor for each item, as where item vectors are normalised: do so in `weights`",
    "both": "they are these times a factor in each history and for each item, as the cosine is: normalise in `run` and "
    "in `weights`",
}


def explanation(scores: np.ndarray, expected: np.ndarray, rows: np.ndarray, items: np.ndarray) -> str | None:
    """What makes of the scores the expected ones, and what to do about it; None where it is nothing known.

    A guess needs twice as many scores as it has free numbers.

    Args:
        scores: the recommender's, float64 [n].
        expected: those of the other program, [n].
        rows: the number of each score's history, [n].
        items: the code of each score's item, [n].
    """
    digits = _digits(scores, expected)
    if digits is not None:
        return f"they are rounded to {digits}: give them in full"
    off = np.abs(expected - scores).max()
    for name, fitted in _fits(expected - scores, rows, items):
        if name in SUMMANDS and _explains(scores + fitted, expected, off):
            return ONE_HISTORY if name == "all" and len(np.unique(rows)) == 1 else SUMMANDS[name]
    large = np.abs(scores) > SMALL * np.abs(scores).max()
    if (scores * expected > 0)[large].all():
        ratio = np.log(np.where(large, expected, 1) / np.where(large, scores, 1))
        for name, fitted in _fits(ratio, rows, items, large):
            if _explains(scores * np.exp(fitted), expected, off):
                return FACTORS[name]
    apart = off / width if (width := spread(torch.from_numpy(expected))) else np.inf
    if apart <= LITTLE:
        return (
            f"they differ by at most {100 * apart:.2g}% of their spread, as where weights are rounded to 16 bits: "
            f"record them anew with the weights that you wrap, such as those of model.float()"
        )
    if expected.min() >= 0 and expected.max() <= 1:
        return _of_probabilities(scores, expected, rows, items)
    return None


def _of_probabilities(scores: np.ndarray, expected: np.ndarray, rows: np.ndarray, items: np.ndarray) -> str | None:
    inside = (expected > 0) & (expected < 1)  # one that was rounded to 0 or 1 has no logarithm
    scores, expected, rows, items = scores[inside], expected[inside], rows[inside], items[inside]
    if len(scores) > 2 and _same(scores, np.log(expected) - np.log1p(-expected)):
        return "they are probabilities, the sigmoid of these: give the scores before it"
    for name, fitted in _fits(np.log(expected) - scores, rows, items):
        if name in ("all", "history") and _same(scores + fitted, np.log(expected)):
            return "they are probabilities, the softmax of these: give the scores before it"
    return None


def _fits(
    difference: np.ndarray, rows: np.ndarray, items: np.ndarray, use: np.ndarray | None = None
) -> Iterator[tuple[str, np.ndarray]]:
    """Least-squares fits of a difference, the simplest first: by what it depends on, and [n] the fitted values.

    Args:
        difference: [n].
        rows: of histories.
        items: codes.
        use: which to fit to, bool [n]; by default all.
    """
    weights = np.ones(len(rows)) if use is None else use.astype(np.float64)
    history, item = (np.unique(labels, return_inverse=True)[1] for labels in (rows, items))
    groups = {"all": [np.zeros_like(history)], "history": [history], "item": [item], "both": [history, item]}
    for name, by in groups.items():
        if weights.sum() > 2 * sum(int(group.max(initial=0)) + 1 for group in by):
            yield name, _additive(difference, by, weights)


def _additive(values: np.ndarray, by: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """The sum of a mean for each group that comes nearest to the values, in a few sweeps."""
    fitted = np.zeros(len(values))
    for _ in range(1 if len(by) == 1 else SWEEPS):
        for group in by:
            total = np.bincount(group, weights * (values - fitted))
            fitted = fitted + (total / np.maximum(np.bincount(group, weights), 1))[group]
    return fitted


def _digits(scores: np.ndarray, expected: np.ndarray) -> str | None:
    """To how many digits the expected scores are the rounded scores, in words."""
    scores, expected = scores[:SAMPLE], expected[:SAMPLE]
    for n in range(DECIMALS):
        half = 0.5 * 10.0**-n
        if _is_written(expected, np.round(expected, n)) and (np.abs(scores - expected) <= 1.01 * half).all():
            return counted(n, "decimal")
    for n in (1, 2, 3):
        half = 0.5 * 10.0 ** (np.floor(np.log10(np.abs(expected) + 1e-300)) + 1 - n)
        short = np.array([float(f"{value:.{n}g}") for value in expected.tolist()])
        if _is_written(expected, short) and (np.abs(scores - expected) <= 1.01 * half).all():
            return counted(n, "digit")
    return None


def _is_written(expected: np.ndarray, short: np.ndarray) -> bool:
    """Whether scores are these short numbers, as float64 or as another program's float32 or float16 holds them."""
    with np.errstate(over="ignore"):  # 16 bits hold no −1e9
        return any(np.array_equal(short.astype(kind).astype(np.float64), expected) for kind in FLOATS)


def _explains(values: np.ndarray, expected: np.ndarray, off: float) -> bool:
    """Whether changed scores are the expected ones, and no noise of a small difference remains."""
    return _same(values, expected) and bool(np.abs(values - expected).max() <= LEFT * off)


def _same(values: np.ndarray, expected: np.ndarray) -> bool:
    return bool(is_close(torch.from_numpy(values), torch.from_numpy(expected)).all())
