"""Settings of a configuration that play no part in its run, so that nobody believes they did."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from interp.config import StudyConfig
from interp.presets import PRESETS
from interp.sae_registry import OURS, sae_kind
from recmodels import ranks
from recmodels.losses import name_of_loss
from recmodels.settings import Settings

OF_LOSS = {"negatives": ("sampled-softmax", "gbce"), "proposal": ("sampled-softmax",), "calibration": ("gbce",)}
MOST = 6  # settings that a line names


def idle_notes(config: StudyConfig, n_items: int, has_recommender: bool = False, has_data: bool = False) -> list[str]:
    """A line for each reason why settings that somebody chose play no part.

    A setting was chosen if it is neither at its default nor as a ready-made study of these data has it.

    Args:
        config: of a run.
        n_items: of its data.
        has_recommender: whether it is given a recommender in Python.
        has_data: whether it is given its data in Python.
    """
    usual = [StudyConfig(), *(preset for _, preset in PRESETS.values() if preset.dataset == config.dataset)]
    by_reason: dict[str, list[str]] = {}
    for name, reason in idle_settings(config, n_items, has_recommender, has_data):
        if all(_value(config, name) != _value(other, name) for other in usual):
            by_reason.setdefault(reason, []).append(name)
    return [_line(names, reason) for reason, names in by_reason.items()]


def idle_settings(
    config: StudyConfig, n_items: int, has_recommender: bool = False, has_data: bool = False
) -> Iterator[tuple[str, str]]:
    """Settings that play no part under this configuration, whatever their value, each with the reason."""
    is_trained = config.recommender is not None or has_recommender
    if is_trained:
        yield from ((f"training.{name}", "the recommender is trained already") for name in _names(config.training))
    else:
        loss = name_of_loss(config.training, n_items)
        for name, losses in OF_LOSS.items():
            if loss not in losses:
                yield f"training.{name}", f"the loss is {loss}"
    if config.split.kind == "leave-one-out":
        yield "split.recommender_share", "under leave-one-out all users train the recommender"
    if has_data or (config.data is None and config.items is None):
        reason = "the data were given in Python" if has_data else f"{config.dataset} is no table of your own"
        yield from ((f"columns.{name}", reason) for name in _names(config.columns))
        yield from ((f"reading.{name}", reason) for name in _names(config.reading))
    if ranks.count() == 1:
        yield "share_batches", "there is one rank, as torchrun did not start several"
    yield from _of_dictionaries(config, is_trained)


def _of_dictionaries(config: StudyConfig, is_trained: bool) -> Iterator[tuple[str, str]]:
    grid = config.grid
    if config.dictionary is not None:
        reason = "the dictionary is imported, so that none is trained"
        yield from ((f"sae.{name}", reason) for name in _names(config.sae))
        yield from ((f"grid.{name}", reason) for name in _names(grid))
        yield from ((name, reason) for name in ("max_l0", "sparse_l0"))
        if is_trained:
            yield "share_batches", reason
        return
    trainer = sae_kind(config.sae.trainer)
    kinds = [trainer, *(sae_kind(text.partition(":")[0]) for text in grid.trade_off)]
    for name in ("l1", "k"):
        if trainer.sparsity != name and trainer.name in OURS:  # another's trainer may read both
            yield f"sae.{name}", f"{trainer.name} has the setting {trainer.sparsity}"
    if trainer.sparsity != "l1":
        yield "grid.l1", f"{trainer.name} has the setting {trainer.sparsity}"
    if is_trained and not any(kind.shares_batches for kind in kinds):
        yield "share_batches", f"{trainer.name} is trained by one rank"
    if not any(kind.penalty for kind in kinds):
        yield "sae.sparsity_warmup_steps", f"{trainer.name} has no penalty that rises"
    if not (grid.l1 or grid.n_features):
        yield "grid.seeds", "there is no grid.l1 or grid.n_features to repeat"


def _names(settings: Settings) -> list[str]:
    return [field.name for field in fields(settings)]  # type: ignore[arg-type]


def _value(config: StudyConfig, name: str) -> Any:
    value: Any = config
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _line(names: list[str], reason: str) -> str:
    some = ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")
    return f"{some} {'plays' if len(names) == 1 else 'play'} no part here: {reason}."
