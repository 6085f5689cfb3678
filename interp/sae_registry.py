"""The kinds of dictionaries that are known, by name; those of this package are in `interp.sae.kinds`.

Stands beside `interp.config`, whose `SAEConfig` must know which setting decides how sparse a kind is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

from recmodels.errors import InputError, an, quote
from recmodels.plugins import Registry

Build = TypeVar("Build", bound=Callable[..., Any])


@dataclass(frozen=True)
class SAEKind:
    """A kind of dictionary, and how it is trained.

    Attributes:
        name: what `SAEConfig.trainer` calls it.
        trainer: makes a fresh trainer from a configuration, the hidden size and a device.
        dictionary: makes an untrained dictionary from a configuration and the hidden size, to load weights into.
        sparsity: the setting that decides how sparse it is: "l1", "k", or a field of `settings`.
        settings: a dataclass of further settings, each with a default; None if it has none.
        penalty: whether it has a penalty that rises over `sparsity_warmup_steps`.
        min_features: the smallest dictionary that it can train.
        trained: whether it can be trained; otherwise its dictionaries are only read.
        shares_batches: whether ranks can train one together, each on its share of every batch.
    """

    name: str
    trainer: Callable[[Any, int, str], Any]
    dictionary: Callable[[Any, int], Any]
    sparsity: str
    settings: type | None = None
    penalty: bool = False
    min_features: int = 1
    trained: bool = True
    shares_batches: bool = False

    @property
    def symbol(self) -> str:
        """What the sparsity setting is called in figures: "λ" for `l1`."""
        return "λ" if self.sparsity == "l1" else self.sparsity

    def read_settings(self, settings: Any) -> Any:
        """Settings of this kind as its dataclass.

        Args:
            settings: that dataclass, a mapping by name, or texts such as ("target=8",).

        Raises:
            InputError: it has no such settings, or a value cannot be read.
        """
        if self.settings is None:
            raise InputError(f"sae.settings is {quote(settings)}, but {self.name} has no such settings: leave it out")
        if isinstance(settings, self.settings):
            return settings
        defaults = {field.name: getattr(self.settings(), field.name) for field in fields(self.settings)}
        values = settings if isinstance(settings, Mapping) else dict(map(_pair, _texts(settings, self.settings)))
        for name in values:
            if name not in defaults:
                raise InputError(f"{self.name} has no setting {quote(name)}: choose one of {', '.join(defaults)}")
        return self.settings(**{name: _typed(name, value, defaults[name]) for name, value in values.items()})


# Those of `interp.sae.kinds`, a file each.
OURS = (
    "unsquared",
    "standard",
    "gated",
    "p_anneal",
    "top_k",
    "batch_top_k",
    "matryoshka",
    "jump_relu",
    "multi_scale",
    "imported",
)
_KINDS: Registry[SAEKind] = Registry(
    "sae.trainer is", "interp.dictionaries", "interp.register_sae", home="interp.sae.kinds", ours=OURS
)


def register_sae(
    name: str,
    *,
    dictionary: Callable[[Any, int], Any],
    sparsity: str,
    settings: type | None = None,
    penalty: bool = False,
    min_features: int = 1,
    trained: bool = True,
    shares_batches: bool = False,
) -> Callable[[Build], Build]:
    """Make a kind of dictionary known: put above its trainer, a class or function, as a decorator.

    The trainer is called with an `SAEConfig`, the hidden size and a device, such as "cpu". It has `ae`, the dictionary,
    and `update(step, activations)`, which takes one step on float [n, d] (and, if it has `reads_item_means`, the mean
    activations of the items of these rows as a third argument); with `optimizer` and `scheduler` of torch, a
    training that was interrupted goes on where it was. docs/plugins/dictionary.md has a complete example.

    Args:
        name: what `SAEConfig(trainer=…)` and `--sae.trainer` call it.
        dictionary: makes an untrained dictionary from an `SAEConfig` and the hidden size. It is a torch module with
            `activation_dim`, `dict_size`, `encode` and `decode`, and `decode` is affine; a trained dictionary is
            loaded into it, without its trainer.
        sparsity: the setting that decides how sparse it is: "l1", "k", or a field of `settings`.
        settings: a frozen dataclass of settings of its own, each with a default. A trainer finds them in
            `config.settings`; if they have a method `check`, it may refuse them.
        penalty: whether it has a penalty that rises over `sae.sparsity_warmup_steps`.
        min_features: the smallest dictionary that it can train.
        trained: False for dictionaries that are only read; the trainer then refuses.
        shares_batches: whether ranks may train one together (`StudyConfig.share_batches`). Then each sees its share of
            every batch, and gradients of `ae` are averaged in the backward pass. So the loss must be a mean over rows;
            what else depends on several rows is reduced by `recmodels.rank_tensors`.

    Raises:
        InputError: the settings are no dataclass with defaults, or there is no such sparsity setting.
    """
    if settings is not None:
        _check_settings(name, settings)
    if sparsity not in ("l1", "k") and not hasattr(settings, sparsity):
        raise InputError(f"{name} has no setting {quote(sparsity)}: its sparsity is l1, k or a field of its settings")

    def register(trainer: Build) -> Build:
        kind = SAEKind(name, trainer, dictionary, sparsity, settings, penalty, min_features, trained, shares_batches)
        _KINDS.add(name, kind, trainer.__module__)
        return trainer

    return register


def sae_kind(name: str) -> SAEKind:
    """The kind of a name.

    Raises:
        InputError: there is none, or an installed package with kinds cannot be imported.
    """
    return _KINDS.find(name)


def sae_kinds() -> tuple[str, ...]:
    """The names of all kinds that can be trained.

    Raises:
        InputError: an installed package with kinds cannot be imported.
    """
    _KINDS.load()
    return tuple(name for name, kind in _KINDS.items() if kind.trained)


def _check_settings(name: str, settings: type) -> None:
    try:
        fine = is_dataclass(settings) and bool(settings() == settings())
    except TypeError:
        fine = False
    if not fine:
        raise InputError(f"the settings of {name} are {quote(settings)}: give a dataclass, and each field a default")


def _texts(settings: Any, kind: type) -> list[str]:
    if not isinstance(settings, tuple | list) or not all(isinstance(text, str) for text in settings):
        raise InputError(f"sae.settings is {quote(settings)}: give {an(kind.__name__)}, or texts such as NAME=VALUE")
    return list(settings)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"sae.settings has {quote(text)}: write NAME=VALUE")
    return name.strip(), value.strip()


def _typed(name: str, value: Any, default: Any) -> Any:
    """A value as its default is: a text of the command line as a number, a list of a file as a tuple."""
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(value)
    if not isinstance(value, str) or isinstance(default, str):
        return value
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}[value.lower()]
        if isinstance(default, int | float):
            return type(default)(value)
    except (KeyError, ValueError):
        raise InputError(f"sae.settings has {name}={value}: give a value such as {default}") from None
    raise InputError(f"sae.settings has {name}={value}: give a setting such as {quote(default)} in Python")
