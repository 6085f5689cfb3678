"""What other packages trained and scored: small files that tests/peers/*_scores.py wrote in their environments."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file

from recmodels.recommender import Recommender

DATA = Path(__file__).with_name("data")


def recorded(name: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Settings with expected scores, and tensors."""
    record = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return record, load_file(DATA / f"{name}.safetensors")


def check_scores(recommender: Recommender, expected: Iterable[dict[str, Any]]) -> None:
    """Scores together and alone are those of the other package, keyed by its item ids, to 1e-5.

    Args:
        recommender: the wrapped model.
        expected: for each user a record of the history, perhaps its columns and its user's id, items and scores.
    """
    expected = list(expected)
    rows = [dict(zip(case["items"], case["scores"], strict=True)) for case in expected]
    target = np.array([[row[item] for item in recommender.vocabulary.ids] for row in rows])
    histories = recommender.histories(steps(expected))
    together = recommender.score(histories)
    alone = torch.cat([recommender.score(history) for history in histories.batches(1)])
    np.testing.assert_allclose(together, target, atol=1e-5)
    np.testing.assert_allclose(alone, target, atol=1e-5)


def steps(expected: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """The histories of such records as a table."""
    frames = [
        pd.DataFrame({"user": case.get("user", row), "item": case["history"]}).assign(
            **case.get("columns", {"time": range(len(case["history"]))})
        )
        for row, case in enumerate(expected)
    ]
    return pd.concat(frames)
