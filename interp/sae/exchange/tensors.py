"""Tensors from files of strangers: only plain tensors are read, and nothing in the file is executed."""

import pickle
import zipfile
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from recmodels.errors import InputError
from recmodels.folders import refuse_link
from recmodels.loading import tensor_shapes

LARGEST = 2**34  # bytes of a file of weights


def read_safetensors(path: Path, advice: str) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises:
        InputError: it is missing, a link, too large or no such file.
    """
    _check_file(path, advice)
    tensor_shapes(path, advice)
    return load_file(path)


def read_pt(path: Path, advice: str) -> dict[str, Tensor]:
    """The tensors of a file that `torch.save` wrote, a mapping from names to tensors.

    torch's restricted unpickler reads it: it makes tensors and plain values, and calls nothing else.

    Raises:
        InputError: it is missing, a link, too large, no such file, or holds anything but tensors by name.
    """
    _check_file(path, advice)
    _check_archive(path, advice)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise InputError(f"{path} holds more than tensors, which is not read: {advice}") from None
    except Exception as error:  # a damaged file fails in many ways
        raise InputError(f"{path} is damaged ({type(error).__name__}): {advice}") from None
    size = path.stat().st_size
    if not isinstance(state, dict) or not state or not all(isinstance(name, str) for name in state):
        raise InputError(f"{path} holds no tensors by name: {advice}")
    for name, tensor in state.items():
        if not isinstance(tensor, Tensor) or tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
            raise InputError(f"{path} holds {name!r}, which is no plain tensor: {advice}")
        if tensor.numel() * tensor.element_size() > size:  # a view that is larger than what is stored
            raise InputError(f"{path} is damaged, {name!r} is larger than the file: {advice}")
    return dict(state)


def _check_file(path: Path, advice: str) -> None:
    refuse_link(path)
    if not path.is_file():
        raise InputError(f"{path} is missing: {advice}")
    if path.stat().st_size > LARGEST:
        raise InputError(f"{path} is larger than {LARGEST:,} bytes: {advice}")


def _check_archive(path: Path, advice: str) -> None:
    """Refuse an archive whose files are compressed: torch stores them, so that they cannot grow when read."""
    if not zipfile.is_zipfile(path):
        return  # the format of old releases of torch, which holds no archive
    try:
        with zipfile.ZipFile(path) as archive:
            compressed = [entry for entry in archive.infolist() if entry.compress_type != zipfile.ZIP_STORED]
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise InputError(f"{path} is damaged ({error}): {advice}") from None
    if compressed:
        raise InputError(f"{path} is compressed, as torch writes none: {advice}")
