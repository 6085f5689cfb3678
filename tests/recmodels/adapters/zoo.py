"""Odd modules of other programs, each with its adapter and a plain way to its scores: no padding, no hooks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from recmodels.adapters import Adapter, register_adapter, wrap
from recmodels.recommender import Recommender

V, D, LONGEST = 20, 8, 6
IDS = [f"film {number}" for number in range(V)]
USERS = ["ann", "bob", "cyd"]
HISTORIES = {"ann": IDS[:2], "bob": IDS[3:9], "cyd": [IDS[5], IDS[2], IDS[11], IDS[0], IDS[19]]}
CODES = {user: [IDS.index(item) for item in items][-LONGEST:] for user, items in HISTORIES.items()}


class Layer(nn.Module):
    """A transformer block; `steps_first` and `gives_tuple` are what some programs do."""

    def __init__(self, causal: bool = True, steps_first: bool = False, gives_tuple: bool = False) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(D, 2, batch_first=not steps_first)
        self.mlp = nn.Sequential(nn.Linear(D, 2 * D), nn.ReLU(), nn.Linear(2 * D, D))
        self.causal, self.steps_first, self.gives_tuple = causal, steps_first, gives_tuple

    def forward(self, hidden: Tensor, padding: Tensor | None = None) -> Any:
        s = hidden.shape[0 if self.steps_first else 1]
        hides = torch.ones(s, s, dtype=torch.bool).triu(1) if self.causal else torch.zeros(s, s, dtype=torch.bool)
        if padding is not None:
            # A step of padding sees itself, since a row of attention without any key is not a number.
            hides = ((hides | padding[:, None]) & ~torch.eye(s, dtype=torch.bool)).repeat_interleave(2, dim=0)
        read, weights = self.attention(hidden, hidden, hidden, attn_mask=hides)
        hidden = hidden + read
        hidden = hidden + self.mlp(hidden)
        return (hidden, weights) if self.gives_tuple else hidden


class Transformer(nn.Module):
    def __init__(self, tokens: int = V + 1, pad: int = 0, blocks: int = 2, steps: int = LONGEST, **layer: bool) -> None:
        super().__init__()
        self.items = nn.Embedding(tokens, D, padding_idx=pad)
        self.positions = nn.Embedding(steps, D)
        self.layers = nn.ModuleList(Layer(**layer) for _ in range(blocks))
        self.norm = nn.LayerNorm(D)
        self.steps_first = layer.get("steps_first", False)

    def forward(self, tokens: Tensor, position: Tensor | None = None, padding: Tensor | None = None) -> Tensor:
        position = torch.arange(tokens.shape[1]) if position is None else position
        hidden = self.items(tokens) + self.positions(position)
        hidden = hidden.transpose(0, 1) if self.steps_first else hidden
        for layer in self.layers:
            hidden = layer(hidden, padding)
            hidden = hidden[0] if isinstance(hidden, tuple) else hidden
        return self.norm(hidden.transpose(0, 1) if self.steps_first else hidden)


class ZooAdapter(Adapter):
    sites = {"embedding": "items", "blocks.*": "layers.*", "blocks.*.mlp": "layers.*.mlp"}  # noqa: RUF012

    def run(self, batch):
        return self.module(batch.tokens())

    def weights(self):
        return self.module.items.weight[1 : V + 1]

    def embeddings(self):
        return self.module.items.weight[1 : V + 1]

    @classmethod
    def build(cls, settings):
        return cls(cls.network(), V, LONGEST, settings)


@register_adapter
class RightPadded(ZooAdapter):
    """Causal, so padding on the right needs no mask."""

    name, side, network = "zoo-right", "right", Transformer


@register_adapter
class LeftPadded(ZooAdapter):
    """Positions count from the first item; padding is masked, with its own token; items begin at 0."""

    name = "zoo-left"

    @staticmethod
    def network():
        return Transformer(pad=V)

    def run(self, batch):
        real = batch.real()
        position = (real.cumsum(dim=1) - 1).clamp(min=0)
        return self.module(batch.tokens(first=0, pad=V), position, ~real)

    def weights(self):
        return self.module.items.weight[:V]

    def embeddings(self):
        return self.weights()


@register_adapter
class Unmasked(ZooAdapter):
    """Reads padding as if it were an item, as it did in training."""

    name, full_width, network = "zoo-unmasked", True, Transformer


@register_adapter
class Masked(ZooAdapter):
    """Sees all steps, and scores at a [MASK] whose token comes before the items."""

    name, mask_step = "zoo-mask", True

    @staticmethod
    def network():
        return Transformer(tokens=V + 2, steps=LONGEST + 1, causal=False)

    def run(self, batch):
        real = batch.real()
        position = (real.cumsum(dim=1) - 1).clamp(min=0)
        return self.module(batch.tokens(first=2, mask=1), position, ~real)

    def weights(self):
        return self.module.items.weight[2:]

    def embeddings(self):
        return self.weights()


@register_adapter
class Tuples(ZooAdapter):
    name, side = "zoo-tuples", "right"

    @staticmethod
    def network():
        return Transformer(gives_tuple=True)


@register_adapter
class StepsFirst(ZooAdapter):
    name, side, sequence_first = "zoo-steps-first", "right", ("blocks.*", "blocks.*.mlp")

    @staticmethod
    def network():
        return Transformer(steps_first=True)


class GRU(nn.Module):
    """Layers of growing width, and a head of its own with a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.items = nn.Embedding(V + 1, 4, padding_idx=0)
        self.layers = nn.ModuleList([nn.GRU(4, 6, batch_first=True), nn.GRU(6, 10, batch_first=True)])
        self.head = nn.Linear(10, V)

    def forward(self, tokens: Tensor) -> Tensor:
        hidden = self.items(tokens)
        for layer in self.layers:
            hidden, _ = layer(hidden)
        return hidden


@register_adapter
class Recurrent(ZooAdapter):
    name, side, network = "zoo-gru", "right", GRU
    sites = {"embedding": "items", "blocks.*": "layers.*"}  # noqa: RUF012

    def weights(self):
        return self.module.head.weight

    def bias(self):
        return self.module.head.bias

    def scores(self, batch):
        hidden = self.module(batch.tokens())
        return self.module.head(batch.steps(hidden)[:, -1])


class Mean(nn.Module):
    """The mean of the items so far: no blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.items = nn.Embedding(V + 1, D, padding_idx=0)

    def forward(self, tokens: Tensor) -> Tensor:
        real = (tokens > 0)[..., None]
        return (self.items(tokens) * real).cumsum(dim=1) / real.cumsum(dim=1).clamp(min=1)


@register_adapter
class NoBlocks(ZooAdapter):
    name, network = "zoo-no-blocks", Mean
    sites = {"embedding": "items"}  # noqa: RUF012


class Timed(nn.Module):
    """Adds the hours since the first item, and what the items' kinds are."""

    def __init__(self) -> None:
        super().__init__()
        self.items = nn.Embedding(V + 1, D, padding_idx=0)
        self.kinds = nn.Embedding(3, D)
        self.register_buffer("kind", torch.arange(V + 1) % 3, persistent=False)
        self.ages = nn.Linear(1, D)
        self.layers = nn.ModuleList([Layer()])

    def forward(self, tokens: Tensor, hours: Tensor) -> Tensor:
        hidden = self.items(tokens) + self.kinds(self.kind[tokens]) + torch.tanh(self.ages(hours[..., None]))
        return self.layers[0](hidden)


@register_adapter
class WithTimes(ZooAdapter):
    name, side, columns, network = "zoo-times", "right", ("time",), Timed

    def run(self, batch):
        return self.module(batch.tokens(), ((batch.extra("time") - 1e9) / 3600).float())


class Towers(nn.Module):
    """A user's vector and the mean of the history; a small network scores each item with it."""

    def __init__(self) -> None:
        super().__init__()
        self.users = nn.Embedding(len(USERS), D)
        self.items = nn.Embedding(V, D)
        self.compare = nn.Sequential(nn.Linear(2 * D, 4), nn.ReLU(), nn.Linear(4, 1))

    def pairs(self, user: Tensor, items: Tensor) -> Tensor:
        return self.compare(torch.cat([user, items], dim=-1))[..., 0]


@register_adapter
class NoSteps(ZooAdapter):
    """Scores by user, and not linearly."""

    name, by_user, has_steps, network = "zoo-no-steps", True, False, Towers
    sites = {"embedding": "users"}  # noqa: RUF012
    weights = Adapter.weights

    def run(self, batch):
        return self.module.users(batch.users)

    def score(self, hidden):
        items = self.module.items.weight
        wide = hidden[..., None, :].expand(*hidden.shape[:-1], V, D)
        return self.module.pairs(wide, items.expand(*wide.shape))

    def embeddings(self):
        return self.module.items.weight


@dataclass(frozen=True)
class Member:
    """One of the zoo.

    Attributes:
        adapter: its adapter.
        scores: its module and one user's item codes → scores [v], as that program would give them.
        causal: whether no step sees later ones.
        sites: site → width.
    """

    adapter: type[Adapter]
    scores: Callable[[Any, str, list[int]], Tensor]
    causal: bool | None = True
    sites: dict[str, int] = field(default_factory=dict)

    def build(self, **options: Any) -> Recommender:
        torch.manual_seed(0)
        adapter = self.adapter.build({})
        for weights in adapter.module.parameters():
            nn.init.normal_(weights, std=0.5)
        return wrap(adapter, IDS, USERS if adapter.by_user else None, **options)


def _last(module: Any, tokens: list[int], rows: slice = slice(1, V + 1)) -> Tensor:
    return module.items.weight[rows] @ module(torch.tensor([tokens]))[0, -1]


def _times(module: Any, user: str, codes: list[int]) -> Tensor:
    hours = torch.arange(float(len(HISTORIES[user])))[-len(codes) :] ** 2
    return module.items.weight[1:] @ module(torch.tensor([codes]) + 1, hours[None])[0, -1]


TWO_BLOCKS = {"embedding": D, "blocks.0.mlp": D, "blocks.0": D, "blocks.1.mlp": D, "blocks.1": D, "final": D}
ZOO = {
    member.adapter.name: member
    for member in (
        Member(RightPadded, lambda m, u, codes: _last(m, [c + 1 for c in codes]), sites=TWO_BLOCKS),
        Member(LeftPadded, lambda m, u, codes: _last(m, codes, slice(0, V)), sites=TWO_BLOCKS),
        Member(
            Unmasked,
            lambda m, u, codes: _last(m, [0] * (LONGEST - len(codes)) + [c + 1 for c in codes]),
            sites=TWO_BLOCKS,
        ),
        Member(
            Masked,
            lambda m, u, codes: _last(m, [c + 2 for c in codes] + [1], slice(2, None)),
            False,
            TWO_BLOCKS,
        ),
        Member(Tuples, lambda m, u, codes: _last(m, [c + 1 for c in codes]), sites=TWO_BLOCKS),
        Member(StepsFirst, lambda m, u, codes: _last(m, [c + 1 for c in codes]), sites=TWO_BLOCKS),
        Member(
            Recurrent,
            lambda m, u, codes: m.head(m(torch.tensor([codes]) + 1)[0, -1]),
            sites={"embedding": 4, "blocks.0": 6, "blocks.1": 10, "final": 10},
        ),
        Member(NoBlocks, lambda m, u, codes: _last(m, [c + 1 for c in codes]), sites={"embedding": D, "final": D}),
        Member(WithTimes, _times, sites={"embedding": D, "blocks.0.mlp": D, "blocks.0": D, "final": D}),
        Member(
            NoSteps,
            lambda m, u, codes: torch.stack(
                [m.pairs(m.users.weight[USERS.index(u)], m.items.weight[code]) for code in range(V)]
            ),
            None,
            {"embedding": D, "final": D},
        ),
    )
}
