"""Programs of torch as graphs of ONNX. It needs the packages of the extra `onnx`, which are imported when it runs."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

from interp.optional import needing
from recmodels.errors import InputError, one_line
from recmodels.model import SequentialRecommender
from recmodels.steady import steady

OPSET = 20
PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def check_onnx() -> None:
    """Refuse to go on where a package is not installed.

    Raises:
        InputError: so it is.
    """
    with needing(*PACKAGES):
        for package in PACKAGES:
            import_module(package)


def onnx_graph(
    model: SequentialRecommender, program: ExportedProgram, inputs: Sequence[str], outputs: Sequence[str]
) -> bytes:
    """The content of an .onnx file, weights included.

    Args:
        model: the recommender.
        program: a program around it.
        inputs: names of its inputs.
        outputs: names of its results.

    Raises:
        InputError: ONNX lacks an operator that it needs.
    """
    for name in ("torch.onnx", "onnxscript"):  # they warn of packages and constants that do not matter
        logging.getLogger(name).setLevel(logging.ERROR)
    with steady(model), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            onnx_program = torch.onnx.export(
                program,
                input_names=inputs,
                output_names=outputs,
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
                external_data=False,
            )
        except Exception as error:  # of torch, about operators
            reason = one_line(str(error))[:200]
            raise InputError(f"{type(model).__name__} cannot be written as ONNX: {reason}") from None
    assert onnx_program is not None
    proto = onnx_program.model_proto
    _strip(proto)
    return proto.SerializeToString()


def _strip(message: Any) -> None:
    """Remove the notes of the exporter from all parts of a graph: most of its size, and paths of this machine."""
    for field, value in message.ListFields():
        if field.name in ("metadata_props", "doc_string"):
            message.ClearField(field.name)
        elif field.message_type is not None:
            for part in [value] if hasattr(value, "ListFields") else value:
                _strip(part)


def run_onnx(graph: bytes, inputs: Mapping[str, Tensor]) -> list[Tensor]:
    """The results of a graph.

    Raises:
        InputError: onnxruntime cannot run it.
    """
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        results = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
    except Exception as error:  # of onnxruntime
        raise InputError(f"onnxruntime cannot run what torch wrote: {one_line(str(error))[:200]}") from None
    return [torch.from_numpy(result) for result in results]
