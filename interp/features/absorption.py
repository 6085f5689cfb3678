"""Feature absorption on concepts inside others: the parent's feature is silent where a child's feature speaks.

In spirit the first-letter metric of Chanin et al., "A is for Absorption", 2024, as SAEBench computes it: a feature for
"starts with S" that is silent on "short", whose own feature writes the direction of "starts with S" as well. Here
Animation lies inside Children's (`interp.concepts.hierarchies`), and the question is whether a feature for Children's
is silent on animated films.

Axes: n rows that have both concepts, f features, m main features.
"""

import numpy as np

PART = 0.4  # of what all features write along the probe, that one other feature must write (SAEBench's threshold)


def absorption_rate(
    activations: np.ndarray, main: np.ndarray, along: np.ndarray, correct: np.ndarray, part: float = PART
) -> float:
    """Share of rows with parent and child where the parent's features are absorbed.

    A row is absorbed if the full layer's probe for the parent is right there, all main features of the parent are
    silent, and one other feature writes at least `part` of what all features together write along the probe.

    Args:
        activations: [n, f], on the rows that have both concepts.
        main: int [m], the parent's main features.
        along: float [f], what one unit of each feature writes along the probe for the parent.
        correct: bool [n], whether that probe is right.
        part: see above.

    Returns:
        NaN if the probe is right on none of them.
    """
    if not correct.any():
        return float("nan")
    written = activations[correct] * along
    silent = ~(activations[correct][:, main] > 0).any(axis=1)
    written[:, main] = 0  # they are silent where it matters
    total = written.sum(axis=1)
    taken = (written.max(axis=1, initial=0) >= part * total) & (total > 0)
    return float((silent & taken).mean())
