"""Reads checkpoints of torch, pickled parts included, without running anything that they name.

A pickle names classes and functions to call. Here only tensors, arrays and plain Python values are made; every other
class becomes an `Opaque` that keeps its arguments and state and does nothing.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from recmodels.errors import InputError

DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
PLAIN_ARRAYS = "biufUSO"  # kinds of numpy types that hold plain values


class Opaque:
    """What a checkpoint says of an object of an unknown class; nothing of the class itself has run.

    Attributes:
        kind: dotted name of the class or function.
        arguments: what it would be called with.
        state: its attributes, or what else was to be restored.
        items: what it holds as a list or a mapping.
    """

    kind: ClassVar[str] = ""
    arguments: tuple[Any, ...]
    state: Any
    items: list[Any]

    def __new__(cls, *arguments: Any, **named: Any) -> "Opaque":
        """One that knows its arguments; pickles call this alone or with `__init__`."""
        self = object.__new__(cls)
        self.arguments, self.state, self.items = (*arguments, *named.items()), {}, []
        return self

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Nothing; see `__new__`."""

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        self.items.append((key, value))

    def append(self, item: Any) -> None:
        """Keep an item of a list."""
        self.items.append(item)

    def extend(self, items: Any) -> None:
        """Keep items of a list."""
        self.items.extend(items)

    add = append


class _ArrayType:
    """A type of numpy's arrays while it is read; None for one that holds no plain values."""

    type: np.dtype | None = None

    def __init__(self, name: Any, *_: Any) -> None:
        if isinstance(name, str) and name[:1] in PLAIN_ARRAYS:
            self.type = np.dtype(name)

    def __setstate__(self, state: Any) -> None:
        if self.type is not None and state[1] in ("<", ">"):
            self.type = self.type.newbyteorder(state[1])

    def values(self, content: Any) -> Any:
        """[n] the content of an array, of this type if it is plain."""
        if self.type is None or (self.type.kind == "O") != isinstance(content, list):
            return Opaque(content)
        if self.type.kind != "O":
            return np.frombuffer(content, self.type)
        values = np.empty(len(content), dtype=object)
        values[:] = content
        return values


class _Array:
    """An array of numpy while it is read."""

    values: Any = None

    def __init__(self, *_: Any) -> None:
        """Nothing: the content comes with the state."""

    def __setstate__(self, state: Any) -> None:
        _version, shape, kind, is_fortran, content = state
        values = kind.values(content)
        self.values = values if isinstance(values, Opaque) else values.reshape(shape, order="F" if is_fortran else "C")


def _scalar(kind: Any, content: Any) -> Any:
    values = kind.values(content) if isinstance(content, bytes) else content
    return values[0].item() if isinstance(values, np.ndarray) else values


def _tensor(storage: Tensor, offset: int, size: Any, stride: Any, *_: Any) -> Tensor:
    return torch.as_strided(storage, tuple(size), tuple(stride), offset).clone()


def _bytes(text: str = "", *_: Any) -> bytes:
    return text.encode("latin-1")  # as older pickles write bytes


KNOWN: dict[str, Any] = {
    "_codecs.encode": _bytes,
    "__builtin__.bytes": _bytes,
    "collections.OrderedDict": OrderedDict,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
    "torch.Size": tuple,
    "torch.device": str,
    "numpy.dtype": _ArrayType,
    "numpy.ndarray": _Array,
    "builtins.set": set,
    "__builtin__.set": set,
    **{f"torch.{name}": name for name in DTYPES},
    **{f"{core}.multiarray._reconstruct": _Array for core in ("numpy.core", "numpy._core")},
    **{f"{core}.multiarray.scalar": _scalar for core in ("numpy.core", "numpy._core")},
}


class _Reader(pickle.Unpickler):
    def __init__(self, content: bytes, record: Callable[[str], bytes]) -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8")
        self.record = record
        self.storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        kind = f"{module}.{name}"
        return KNOWN[kind] if kind in KNOWN else type(name, (Opaque,), {"kind": kind, "__module__": __name__})

    def persistent_load(self, reference: Any) -> Tensor:
        _word, kind, key, _place, n = reference
        if key not in self.storages:
            content = bytearray(self.record(key))
            dtype = DTYPES[kind]
            self.storages[key] = torch.frombuffer(content, dtype=dtype, count=n) if n else torch.empty(0, dtype=dtype)
        return self.storages[key]


def _plain(value: Any, done: dict[int, Any]) -> Any:
    """The value with arrays in place of what reads them. Lists, mappings and objects may hold themselves."""
    if isinstance(value, _Array):
        return _plain(value.values, done)
    if isinstance(value, tuple):
        return tuple(_plain(item, done) for item in value)
    if id(value) in done or not isinstance(value, list | dict | np.ndarray | Opaque):
        return value
    done[id(value)] = value  # also keeps it alive, so that no other value gets its id
    if isinstance(value, list):
        value[:] = [_plain(item, done) for item in value]
    elif isinstance(value, dict):
        value.update({key: _plain(item, done) for key, item in value.items()})
    elif isinstance(value, Opaque):
        value.arguments, value.state, value.items = (
            _plain(part, done) for part in (value.arguments, value.state, value.items)
        )
    elif value.dtype == object:
        flat = value.reshape(-1)
        flat[:] = [_plain(item, done) for item in flat]
    return value


def read_checkpoint(path: Path) -> Any:
    """The content of a checkpoint that `torch.save` wrote: tensors, arrays and plain values as they are.

    Everything else is `Opaque`.

    Raises:
        InputError: the file is missing, damaged or no such checkpoint.
    """
    if not path.is_file():
        raise InputError(f"there is no checkpoint {path}: give the path of the file that the training wrote")
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.partition("/")[2]: name for name in archive.namelist()}
            if names.get("byteorder") and archive.read(names["byteorder"]) != b"little":
                raise InputError(f"{path} was written by a big-endian machine: save it again on another one")
            reader = _Reader(archive.read(names["data.pkl"]), lambda key: archive.read(names[f"data/{key}"]))
            return _plain(reader.load(), {})
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{path} is not a checkpoint of torch, or it is damaged ({type(error).__name__}): save it again with "
            f"torch.save of torch 1.6 or later"
        ) from error


def tensors_of(content: Any) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name: of a `state_dict()`, or of a whole model that was saved.

    Raises:
        InputError: it is neither.
    """
    if isinstance(content, Opaque) and isinstance(content.state, dict) and "_parameters" in content.state:
        own = {**content.state["_parameters"], **content.state.get("_buffers", {})}
        tensors = {name: tensor for name, tensor in own.items() if isinstance(tensor, Tensor)}
        for name, part in content.state["_modules"].items():
            if part is not None:
                tensors |= {f"{name}.{key}": tensor for key, tensor in tensors_of(part).items()}
        return tensors
    if isinstance(content, dict) and content and all(isinstance(tensor, Tensor) for tensor in content.values()):
        return dict(content)
    raise InputError("this checkpoint holds no tensors by name: save model.state_dict() with torch.save")


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """The tensors of a folder with model.safetensors, or with pytorch_model.bin.

    Raises:
        InputError: it has neither, or the file is damaged.
    """
    path = folder / "model.safetensors"
    if not path.is_file():
        return tensors_of(read_checkpoint(folder / "pytorch_model.bin"))
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is damaged ({error}): save the model again") from None
