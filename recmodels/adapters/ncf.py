"""Neural collaborative filtering (https://arxiv.org/abs/1708.05031): GMF, MLP and NeuMF, with the names of
github.com/guoyang9/NCF.

Its score is not linear in the user's vectors, which are the site "final", beside each other: a small network reads them
with each item's. There is one row of activations for each user, as that of the last item.

Axes: b users, v items, d width of the user's vectors together.
"""

from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from recmodels.adapters.adapter import Adapter
from recmodels.adapters.batch import Batch
from recmodels.adapters.checkpoint_reader import read_checkpoint, tensors_of
from recmodels.adapters.registry import register_adapter
from recmodels.adapters.user_vectors import check_rows
from recmodels.adapters.weights import load_weights
from recmodels.errors import InputError
from recmodels.id_files import read_ids

ITEMS_AT_ONCE = 2**22  # numbers of the first layer's input, at most


class NCFNetwork(nn.Module):
    """GMF, MLP or both.

    Args:
        n_users: users.
        n_items: items.
        factors: width of the last layer.
        layers: layers of the MLP.
        parts: which parts are scored: "GMF", "MLP" or "NeuMF".
    """

    def __init__(self, n_users: int, n_items: int, factors: int, layers: int, parts: str) -> None:
        super().__init__()
        wide = factors * 2 ** (layers - 1)
        self.embed_user_GMF, self.embed_item_GMF = nn.Embedding(n_users, factors), nn.Embedding(n_items, factors)
        self.embed_user_MLP, self.embed_item_MLP = nn.Embedding(n_users, wide), nn.Embedding(n_items, wide)
        sizes = [factors * 2 ** (layers - layer) for layer in range(layers)]
        self.MLP_layers = nn.Sequential(
            *(module for size in sizes for module in (nn.Identity(), nn.Linear(size, size // 2), nn.ReLU()))
        )
        self.predict_layer = nn.Linear(factors * (2 if parts == "NeuMF" else 1), 1)
        self.parts = parts
        self.scored = [part for part in ("GMF", "MLP") if parts in (part, "NeuMF")]

    def user_vectors(self) -> Tensor:
        """[users, d]."""
        return torch.cat([self.get_parameter(f"embed_user_{part}.weight") for part in self.scored], dim=1)

    def item_vectors(self) -> Tensor:
        """[v, d]."""
        return torch.cat([self.get_parameter(f"embed_item_{part}.weight") for part in self.scored], dim=1)

    def scores(self, vectors: Tensor) -> Tensor:
        """[..., d] to [..., v]."""
        flat, n = vectors.reshape(-1, vectors.shape[-1]), len(self.embed_item_GMF.weight)
        rows = max(1, ITEMS_AT_ONCE // (n * 2 * vectors.shape[-1]))
        return torch.cat([self._scores(part) for part in flat.split(rows)]).reshape(*vectors.shape[:-1], n)

    def _scores(self, vectors: Tensor) -> Tensor:
        """[b, d] to [b, v]."""
        b, n, outputs = len(vectors), len(self.embed_item_GMF.weight), []
        factors = self.embed_user_GMF.embedding_dim
        if self.parts != "MLP":
            outputs.append(vectors[:, None, :factors] * self.embed_item_GMF.weight)
        if self.parts != "GMF":
            user = vectors[:, None, 0 if self.parts == "MLP" else factors :]
            item = self.embed_item_MLP.weight
            pairs = torch.cat([user.expand(b, n, -1), item.expand(b, n, -1)], dim=-1)
            outputs.append(self.MLP_layers(pairs))
        return self.predict_layer(torch.cat(outputs, dim=-1))[..., 0]


@register_adapter
class NCF(Adapter):
    """Neural collaborative filtering.

    Args:
        sizes: what `NCFNetwork` takes.
    """

    name = "ncf"
    title = "NCF"
    module: NCFNetwork
    by_user = True
    has_steps = False

    def __init__(self, sizes: dict[str, Any]) -> None:
        super().__init__(NCFNetwork(**sizes), sizes["n_items"], max_history=1, settings=sizes)

    @classmethod
    def build(cls, settings: dict[str, Any]) -> Self:
        """The adapter of an untrained network."""
        return cls(settings)

    @classmethod
    def read(
        cls,
        path: Path,
        *,
        item_ids: Path,
        user_ids: Path,
        parts: str | None = None,
    ) -> tuple[Self, list[Any]]:
        """The adapter of a checkpoint, and its item ids in the order of their rows.

        Args:
            path: what `torch.save` wrote of the model or of its `state_dict()`.
            item_ids: the item of each row, as `recmodels.id_files.read_ids` reads them.
            user_ids: the user of each row, in the same form.
            parts: "GMF" or "MLP" if the model scores with one part, which a `state_dict()` does not tell.

        Raises:
            InputError: the file is no checkpoint of such a model.
        """
        tensors = tensors_of(read_checkpoint(path))
        try:
            n_users, factors = tensors["embed_user_GMF.weight"].shape
            n_items, layers = len(tensors["embed_item_GMF.weight"]), sum("MLP_layers" in name for name in tensors) // 2
            is_whole = tensors["predict_layer.weight"].shape[1] == 2 * factors
        except KeyError as error:
            raise InputError(f"{path} has no {error}, so it is not a model of github.com/guoyang9/NCF") from None
        if not is_whole and parts not in ("GMF", "MLP"):
            raise InputError(f"{path} scores with one part and does not tell which: pass parts=GMF or parts=MLP")
        sizes = {"n_users": n_users, "n_items": n_items, "factors": factors, "layers": layers}
        adapter = cls(sizes | {"parts": "NeuMF" if is_whole else parts})
        load_weights(adapter.module, tensors, path)
        adapter.users, ids = read_ids(user_ids), read_ids(item_ids)
        check_rows(path, "users", n_users, user_ids, adapter.users)
        check_rows(path, "items", n_items, item_ids, ids)
        return adapter, ids

    def run(self, batch: Batch) -> Tensor:
        """[b, d] vectors of each history's user."""
        return self.module.user_vectors()[batch.users]

    def score(self, hidden: Tensor) -> Tensor:
        """[..., d] to [..., v]."""
        return self.module.scores(hidden)

    def weights(self) -> Tensor:
        """[v, d] how each item's score changes with the user's vectors, at the mean of all users'."""
        mean = self.module.user_vectors().mean(dim=0)
        return torch.func.jacfwd(self.module.scores)(mean).detach()

    def embeddings(self) -> Tensor:
        """[v, d] the item's own vectors, beside each other as the user's are."""
        return self.module.item_vectors()
