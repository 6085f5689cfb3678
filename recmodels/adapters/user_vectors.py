"""Models without steps whose score is an inner product: matrix factorisation, BPR, two towers.

Each known user has a vector, and each item. A file of numpy or safetensors holds both, such as the .npz that
`model.save` of the package implicit writes, or the outputs of two towers for all users and items. The user's vector is
the site "final". There is one row of activations for each user, as that of the last item.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from recmodels.adapters.adapter import Adapter
from recmodels.adapters.batch import Batch
from recmodels.adapters.registry import register_adapter
from recmodels.errors import InputError
from recmodels.id_files import read_ids

USERS = ("user_factors", "user_vectors", "users")
ITEMS = ("item_factors", "item_vectors", "items")


class Vectors(nn.Module):
    """A vector for each user and each item.

    Args:
        n_users: users.
        n_items: items.
        d: width.
    """

    def __init__(self, n_users: int, n_items: int, d: int) -> None:
        super().__init__()
        self.users, self.items = nn.Embedding(n_users, d), nn.Embedding(n_items, d)


@register_adapter
class UserVectors(Adapter):
    """The inner product of a user's vector and an item's.

    Args:
        n_users: users.
        n_items: items.
        d: width.
    """

    name = "vectors"
    title = "User and item vectors"
    module: Vectors
    by_user = True
    has_steps = False

    def __init__(self, n_users: int, n_items: int, d: int) -> None:
        settings = {"n_users": n_users, "n_items": n_items, "d": d}
        super().__init__(Vectors(**settings), n_items, max_history=1, settings=settings)

    @classmethod
    def of(
        cls,
        users: Any,
        items: Any,
        user_bias: Any = None,
        item_bias: Any = None,
        mean: float = 0.0,
    ) -> Self:
        """The adapter of vectors in memory.

        Biases become further columns: that of a user stands before a 1 of each item, and the other way round.

        Args:
            users: [u, d] vector of each user.
            items: [v, d] vector of each item.
            user_bias: [u] added to all scores of a user.
            item_bias: [v] added to the score of an item.
            mean: added to all scores.

        Raises:
            InputError: the vectors have different widths, or are not finite.
        """
        user, item = (torch.as_tensor(np.asarray(part), dtype=torch.float32) for part in (users, items))
        if user.ndim != 2 or item.ndim != 2 or user.shape[1] != item.shape[1]:
            raise InputError(
                f"the vectors of users and items have shapes {tuple(user.shape)} and {tuple(item.shape)}: give one "
                f"row for each, of the same width"
            )
        if user_bias is not None or mean:
            bias = torch.full((len(user),), mean) if user_bias is None else torch.as_tensor(user_bias).flatten() + mean
            user, item = torch.column_stack([user, bias]), torch.column_stack([item, torch.ones(len(item))])
        if item_bias is not None:
            bias = torch.as_tensor(item_bias).flatten()
            user, item = torch.column_stack([user, torch.ones(len(user))]), torch.column_stack([item, bias])
        if not (user.isfinite().all() and item.isfinite().all()):
            raise InputError("a vector is not finite: train the model again, or leave such users and items out")
        adapter = cls(len(user), len(item), user.shape[1])
        adapter.module.load_state_dict({"users.weight": user.float(), "items.weight": item.float()})
        return adapter

    @classmethod
    def build(cls, settings: dict[str, Any]) -> Self:
        """The adapter of untrained vectors."""
        return cls(**settings)

    @classmethod
    def read(cls, path: Path, *, item_ids: Path, user_ids: Path) -> tuple[Self, list[Any]]:
        """The adapter of a file of vectors, and its item ids in the order of their rows.

        Args:
            path: .npz or .safetensors with `user_factors` [u, d], `item_factors` [v, d] and, if the model has them,
                `user_bias`, `item_bias` and `mean`.
            item_ids: the item of each row, as `recmodels.id_files.read_ids` reads them.
            user_ids: the user of each row, in the same form.

        Raises:
            InputError: the file lacks the vectors, or has another number of rows than a file of ids.
        """
        arrays = _arrays(path)
        users, items = (_first(path, arrays, names) for names in (USERS, ITEMS))
        biases = {name: arrays[name] for name in ("user_bias", "item_bias") if name in arrays}
        adapter = cls.of(users, items, **biases, mean=float(arrays.get("mean", 0.0)))
        adapter.users, ids = read_ids(user_ids), read_ids(item_ids)
        check_rows(path, "users", len(users), user_ids, adapter.users)
        check_rows(path, "items", len(items), item_ids, ids)
        return adapter, ids

    def run(self, batch: Batch) -> Tensor:
        """[b, d] vector of each history's user."""
        return self.module.users(batch.users)

    def weights(self) -> Tensor:
        """[v, d] vector of each item."""
        return self.module.items.weight


def check_rows(path: Path, what: str, n: int, source: Path, ids: list[Any]) -> None:
    """Refuse ids that are not as many as the rows.

    Raises:
        InputError: so.
    """
    if len(ids) != n:
        raise InputError(f"{path} has {n} {what}, {source} has {len(ids)}: give the ids of this model, in its order")


def _arrays(path: Path) -> Mapping[str, Any]:
    """The arrays of a file of numpy or safetensors."""
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                return dict(file)
        return {name: tensor.float().numpy() for name, tensor in load_file(path).items()}
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{path} is no .npz or .safetensors file of vectors, or is damaged ({error})") from None


def _first(path: Path, arrays: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    name = next((name for name in names if name in arrays), None)
    if name is None:
        raise InputError(f"{path} has no {names[0]}: save the vectors of all {names[-1]} under this name")
    return arrays[name]
