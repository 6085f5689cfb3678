"""Measures what an adapter says of its module, and how the module behaves. No tracing is needed for it.

Axes: b histories, s steps, d width, v items.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from recmodels.adapters.adapted import AdaptedConfig, AdaptedRecommender
from recmodels.adapters.adapter import Adapter
from recmodels.errors import InputError
from recmodels.sequences import USER, Histories
from recmodels.steady import check_precision, steady
from recmodels.tolerance import is_close

STEPS = 5  # of the longest example history


def adapted(adapter: Adapter, n_users: int = 0) -> AdaptedRecommender:
    """The recommender around an adapter's module, in evaluation mode, measured.

    Args:
        adapter: the adapter.
        n_users: how many users it scores, if it scores by user.

    Raises:
        InputError: something is not as the adapter says.
    """
    config = AdaptedConfig(
        n_items=adapter.n_items,
        max_history=adapter.max_history,
        num_hidden_layers=adapter.blocks(),
        num_attention_heads=1,
        dropout=0.0,
        adapter=adapter.name,
        settings=json.dumps(adapter.settings, sort_keys=True),
    )
    model = AdaptedRecommender(config, adapter).eval()
    check_precision(model)
    with steady(model), torch.no_grad():
        _measure(model)
        if adapter.by_user:
            _check_last_user(model, n_users)
    return model


@dataclass(frozen=True)
class Pass:
    """A forward pass.

    Attributes:
        tokens: what was read.
        sites: [b, s, d] by site.
        scores: [b, v].
    """

    tokens: Tensor
    sites: dict[str, Tensor]
    scores: Tensor


def _measure(model: AdaptedRecommender) -> None:
    """Check everything, and write what was measured to the model's configuration."""
    name, config = type(model.adapter).__name__, model.config
    longest = min(STEPS, config.max_history)
    histories = _histories(model, [min(2, longest), longest])
    _check_scorer(model)
    first = _pass(model, histories)
    if first.scores.shape != (2, config.n_items):
        raise InputError(f"{name} gives scores of the shape {list(first.scores.shape)}, not [2, {config.n_items}]")
    if not torch.isfinite(first.scores).all():
        raise InputError(
            f"the scores of {name} are not finite: its weights are damaged, or `run` reads padding wrongly"
        )
    if config.n_items > 1 and (first.scores.amax(dim=1) == first.scores.amin(dim=1)).any():
        raise InputError(f"{name} gives all items the same score: its weights were not loaded, or `weights` is wrong")
    again = _pass(model, histories)
    if not torch.equal(again.scores, first.scores):
        raise InputError(
            f"{name} gives other scores for the same histories each time: turn off dropout that eval() leaves on"
        )
    alone = torch.cat([_pass(model, history).scores for history in histories.batches(1)])
    if not _close(alone, first.scores):
        raise InputError(
            f"{name} scores a history differently alone than beside a longer one, so its padding matters: correct "
            f"`side` and the tokens in `run`, or set full_width if it was trained so"
        )
    _pass(model, _histories(model, [config.max_history]))
    _check_own_scores(model, first)
    widths = {site: hidden.shape[-1] for site, hidden in first.sites.items()}
    config.widths, config.hidden_size = json.dumps(widths), widths["final"]
    config.causal = _is_causal(model, histories, first)
    config.item_inputs = _reads_embeddings(model, first)


def _check_scorer(model: AdaptedRecommender) -> None:
    """Refuse weights and biases of other items."""
    adapter, v = model.adapter, model.config.n_items
    if type(adapter).weights is Adapter.weights and not adapter.linear:
        return
    name, weights, bias = type(adapter).__name__, adapter.weights(), adapter.bias()
    if weights.ndim != 2 or len(weights) != v:
        raise InputError(f"{name}.weights has the shape {list(weights.shape)}, not [{v}, width]: a row for each item")
    if bias is not None and bias.shape != (v,):
        raise InputError(f"{name}.bias has the shape {list(bias.shape)}, not [{v}]: a number for each item")


def _check_last_user(model: AdaptedRecommender, n_users: int) -> None:
    """Refuse more users than the module has."""
    histories = _histories(model, [1])
    last = replace(histories, extras={**histories.extras, USER: np.full(1, n_users - 1.0)})
    try:
        _pass(model, last)
    except InputError as error:
        reason = error.__cause__ or error
        raise InputError(
            f"{type(model.adapter).__name__} cannot score the last of {n_users:,} users ({reason}): give users=, an id "
            f"for each row of the module, in their order"
        ) from error


def _check_own_scores(model: AdaptedRecommender, first: Pass) -> None:
    """Compare the scores with the module's own, where the adapter gives them."""
    own = model.adapter.scores(model.batch(first.tokens))
    if own is None:
        return
    name = type(model.adapter).__name__
    if own.shape != first.scores.shape:
        raise InputError(f"{name}.scores has the shape {list(own.shape)}, not {list(first.scores.shape)}")
    if not _close(first.scores, own):
        off = float((first.scores - own).abs().max())
        raise InputError(f"the module's own scores differ by up to {off:.3g} from those of {name}.run and its weights")


def _is_causal(model: AdaptedRecommender, histories: Histories, first: Pass) -> bool | None:
    """Whether no step changes when a later item does; None for a module without steps, or one that reads one item."""
    n, adapter = model.config.n_items, model.adapter
    if n == 1 or not adapter.has_steps:
        return None
    codes = histories.codes.copy()
    last = histories.offsets[1:] - 1
    codes[last] = (codes[last] + 1) % n
    changed = _pass(model, replace(histories, codes=codes))
    if torch.equal(changed.scores, first.scores):
        raise InputError(
            f"the scores of {type(adapter).__name__} do not change with the last item of a history: the steps are read "
            f"from the wrong side, or `run` does not read them"
        )
    earlier = slice(None, -1 - adapter.mask_step)
    if not first.sites["final"][1:, earlier].numel():
        return None
    return all(
        _close(changed.sites[site][1:, earlier], hidden[1:, earlier], 1e-2) for site, hidden in first.sites.items()
    )


def _reads_embeddings(model: AdaptedRecommender, first: Pass) -> bool:
    """Whether the site "embedding" gives the vectors of `Adapter.embeddings` at steps of items."""
    hidden, tokens = first.sites.get("embedding"), model.step_tokens(first.tokens)
    if hidden is None or not model.adapter.has_steps:
        return False
    items = (tokens > 0) & (tokens <= model.config.n_items)
    vectors = model.item_embeddings()
    return vectors.shape[1] == hidden.shape[2] and _close(vectors[tokens[items] - 1], hidden[items])


def _histories(model: AdaptedRecommender, lengths: Sequence[int]) -> Histories:
    """Example histories with the last, the first and other items."""
    histories, v = model.example_histories(lengths), model.config.n_items
    codes = np.random.default_rng(0).integers(0, v, len(histories.codes))
    codes[:1], codes[1:2] = v - 1, 0
    return replace(histories, codes=codes.astype(np.int32))


def _pass(model: AdaptedRecommender, histories: Histories) -> Pass:
    """Everything that a forward pass gives.

    Raises:
        InputError: the module fails.
    """
    try:
        tokens = model.inference_inputs(histories).to(model.device)
        with _taps(model) as sites:
            scores = model(tokens).scores
    except InputError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".split("\n")[0]
        steps = " and ".join(map(str, histories.lengths))
        kind = "history" if len(histories) == 1 else "histories"
        raise InputError(
            f"{type(model.adapter).__name__}.run fails on {len(histories)} {kind} of {steps} items ({reason}): "
            f"correct `run`, n_items or max_history, or name in `columns` what else it reads of each step"
        ) from error
    return Pass(tokens, sites, scores)


@contextmanager
def _taps(model: AdaptedRecommender) -> Iterator[dict[str, Tensor]]:
    """Collects what passes through the taps."""
    outputs: dict[str, Tensor] = {}

    def keeper(site: str) -> Callable[..., None]:
        return lambda *call: outputs.update({site: call[-1].clone()})

    hooks = [model.get_submodule(path).register_forward_hook(keeper(site)) for site, path in model.sites.items()]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()


def _close(values: Tensor, others: Tensor, share: float = 1.0) -> bool:
    """Whether all values are equal up to a share of the tolerance."""
    return bool(is_close(values, others, share).all())
