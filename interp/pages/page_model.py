"""A study's recommender and dictionary as blocks of an offline page, which `engine.js` runs.

The block "model" is a file of safetensors: float32, so that scores in the page equal Python's, and every layer as
[in, out], so that one loop serves GPT-2 and BERT. Its metadata describe the model, and hold all that the equalizer's
component asks for (`interp/pages/assets/equalizer_contract.js`). A recommender that the page's own scripts do not know
can be in a second block, as a graph of ONNX; a library of WebAssembly then runs it (`interp.pages.onnx_runtime`).

Axes: v items, d hidden size, f features.
"""

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from interp.control.score_changes import POINTS as REASON_POINTS
from interp.deployment.canonical import ROWS, canonical
from interp.deployment.changed_program import changed_program
from interp.features.attributions import POINTS
from interp.pages.onnx_runtime import OnnxRuntime
from interp.sae.autoencoder import SparseAutoencoder
from interp.serving.dictionary_tensors import DictionaryTensors
from interp.study.equalizer_backend import EqualizerBackend
from recmodels.bert4rec import BERT4Rec
from recmodels.errors import InputError
from recmodels.gptrec import GPTRec
from recmodels.model import SequentialRecommender

if TYPE_CHECKING:
    from interp.study.study import Study

K = 10  # items in a list
USERS = 200  # test users whose histories the page offers, at most
LARGEST = 9_000_000  # bytes of weights that a page carries, at most: they take 11 MB of it
LARGEST_GRAPH = 100_000_000  # bytes of a graph of ONNX, which a page has only if it is asked for
GRAPH_POINTS = 8  # where differences of scores are taken for reasons, each over its part of the way
MEASURE = (
    "There is no receipt here: it needs the item that each test user chose next, and the page has histories alone, of "
    "{} of {} users. In Python: study.receipt({{…}})."
)


class PageModel(NamedTuple):
    """What a page carries to run its recommender.

    Attributes:
        blocks: by name; without a recommender, "model" says why in one line.
        why: this line, or nothing.
    """

    blocks: dict[str, bytes]
    why: str = ""


def page_model(study: "Study", runtime: OnnxRuntime | None = None) -> PageModel:
    """The blocks of a study.

    Args:
        study: a finished study.
        runtime: runs other recommenders than GPTRec and BERT4Rec; without it, the page does not run them.
    """
    try:
        described, tensors, more = _runnable(study, runtime)
        return PageModel({"model": as_block({**described, **_equalizer(study)}, tensors), **more})
    except InputError as error:
        return PageModel({"model": as_block({"why": str(error)}, {})}, str(error))


def _runnable(
    study: "Study", runtime: OnnxRuntime | None
) -> tuple[dict[str, Any], dict[str, Tensor], dict[str, bytes]]:
    """What describes recommender and dictionary, their tensors, and what the page needs beside them to run them.

    Raises:
        InputError: the page cannot run them; the message says why.
    """
    model, sae = study.bare_recommender.model, study.sae
    try:
        return *model_tensors(model, sae), {}
    except InputError as error:
        if runtime is None:
            raise InputError(f"{error}; interp dashboard FOLDER --onnx writes a page that may run it") from None
    described, tensors, graph = graph_tensors(model, sae)
    return {**described, "runtime": runtime.notice}, tensors, {"graph": graph, **runtime.blocks}


def as_block(page: dict[str, Any], tensors: dict[str, Tensor]) -> bytes:
    """A file of safetensors with these tensors, as float32, and JSON values as its metadata."""
    whole = {name: tensor.detach().float().cpu().contiguous().clone() for name, tensor in tensors.items()}
    return save(whole, {"page": json.dumps(page, separators=(",", ":"), allow_nan=False)})


def model_tensors(model: SequentialRecommender, sae: SparseAutoencoder) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What describes a recommender with its dictionary, and their tensors, under the names of `engine_model.js`.

    Raises:
        InputError: the page cannot run them; the message says why.
    """
    described, tensors = _recommender(model, sae.provenance.site)
    dictionary = _dictionary(sae)
    tensors |= _tensors(dictionary)
    size = sum(4 * tensor.numel() for tensor in tensors.values())
    if size > LARGEST:
        raise InputError(
            f"recommender and dictionary are {size / 1e6:.0f} MB, and a page carries {LARGEST / 1e6:.0f} MB at most"
        )
    return {**described, "strongest": dictionary.strongest, "nodes": _both_nodes(REASON_POINTS)}, tensors


def graph_tensors(
    model: SequentialRecommender, sae: SparseAutoencoder
) -> tuple[dict[str, Any], dict[str, Tensor], bytes]:
    """What describes any recommender with its dictionary, the tensors of the dictionary, and the recommender as ONNX.

    Raises:
        InputError: the recommender cannot be exported, or is too large; the message says why.
    """
    site, dictionary = sae.provenance.site, _dictionary(sae)
    program = changed_program(model, site)
    if len(program.graph) > LARGEST_GRAPH:
        raise InputError(
            f"the recommender is {len(program.graph) / 1e6:.0f} MB as ONNX, and a page carries "
            f"{LARGEST_GRAPH / 1e6:.0f} MB at most"
        )
    described = {
        "onnx": {"suffix": program.suffix, "width": program.width, "steps": model.has_steps},
        "shape": {"d": model.width(site)},
        "longest": model.config.max_history,
        "strongest": dictionary.strongest,
        "nodes": _both_nodes(GRAPH_POINTS),
    }
    return described, _tensors(dictionary), program.graph


def _both_nodes(points: int) -> dict[str, list[list[float]]]:
    """Where slopes are taken for reasons and for explanations."""
    return {"reasons": _nodes(points), "attributions": _nodes(POINTS)}


def _recommender(model: SequentialRecommender, site: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What describes the recommender, and its tensors.

    Raises:
        InputError: it is neither GPTRec nor BERT4Rec, or the dictionary reads within a block.
    """
    parts = {GPTRec: _gptrec, BERT4Rec: _bert4rec}.get(type(model))  # a subclass may compute something else
    if parts is None:
        raise InputError(f"the page runs GPTRec and BERT4Rec, and this recommender is a {type(model).__name__}")
    config, number = model.config, site.removeprefix("blocks.")
    if site != "final" and not number.isdigit():
        raise InputError(f'the page reads after a block or at "final", and this dictionary reads at {site}')
    n, shape = config.num_hidden_layers, {"d": config.hidden_size, "heads": config.num_attention_heads}
    causal, epsilon, tensors = parts(model)
    return {
        "shape": {**shape, "causal": causal, "epsilon": epsilon},
        "longest": config.max_history,
        "blocks": n,
        "site": n if site == "final" else int(number) + 1,
        "final": site == "final",
    }, {"items": model.item_embeddings(), **tensors}


def _gptrec(model: Any) -> tuple[bool, float, dict[str, Tensor]]:
    """Whether it is causal, epsilon of norms, and tensors."""
    backbone = model.backbone
    tensors = {"positions": backbone.wpe.weight, **_layer("last", backbone.ln_f)}
    for place, block in enumerate(backbone.h):
        layers = {"attention": block.attn.c_attn, "projection": block.attn.c_proj, "norm0": block.ln_1}
        layers |= {"wide": block.mlp.c_fc, "narrow": block.mlp.c_proj, "norm1": block.ln_2}
        for name, layer in layers.items():
            tensors |= _layer(f"{place}.{name}", layer)
    return True, backbone.config.layer_norm_epsilon, tensors


def _bert4rec(model: Any) -> tuple[bool, float, dict[str, Tensor]]:
    """Whether it is causal, epsilon of norms, and tensors."""
    embeddings = model.backbone.embeddings
    tensors = {
        "positions": embeddings.position_embeddings.weight + embeddings.token_type_embeddings.weight[0],
        "mask": embeddings.word_embeddings.weight[model.mask_token],
        **_layer("first", embeddings.LayerNorm),
    }
    for place, block in enumerate(model.backbone.encoder.layer):
        attention, after = block.attention.self, block.attention.output
        three = [attention.query, attention.key, attention.value]
        tensors[f"{place}.attention.weight"] = torch.cat([layer.weight for layer in three]).T
        tensors[f"{place}.attention.bias"] = torch.cat([layer.bias for layer in three])
        layers = {"projection": after.dense, "wide": block.intermediate.dense, "narrow": block.output.dense}
        for name, layer in layers.items():
            tensors |= {f"{place}.{name}.weight": layer.weight.T, f"{place}.{name}.bias": layer.bias}
        tensors |= _layer(f"{place}.norm0", after.LayerNorm) | _layer(f"{place}.norm1", block.output.LayerNorm)
    return False, model.backbone.config.layer_norm_eps, tensors


def _layer(name: str, layer: Any) -> dict[str, Tensor]:
    """A norm, or a layer whose weight is [in, out] as it is."""
    return {f"{name}.weight": layer.weight, f"{name}.bias": layer.bias}


def _dictionary(sae: SparseAutoencoder) -> DictionaryTensors:
    """The dictionary in the one form of all kinds, compared with itself on random hidden states."""
    generator = torch.Generator().manual_seed(0)
    d = int(sae.dictionary.activation_dim)
    return canonical(sae, sae.mean + sae.std * torch.randn(ROWS, d, generator=generator))


def _tensors(dictionary: DictionaryTensors) -> dict[str, Tensor]:
    """Its tensors under the names of `engine_model.js`; the offset of a reconstruction plays no part there."""
    tensors = dictionary.tensors()
    tensors |= {"encoder.weight": tensors.pop("encoder"), "encoder.bias": tensors.pop("bias")}
    return {name: tensor for name, tensor in tensors.items() if name != "offset"}


def _nodes(points: int) -> list[list[float]]:
    """Where a gradient is taken between 0 and 1, and with which weight (Gauss and Legendre)."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    return [[0.5 + node / 2, weight / 2] for node, weight in zip(nodes.tolist(), weights.tolist(), strict=True)]


def _equalizer(study: "Study") -> dict[str, Any]:
    """What the component asks for, as Python's backend says it, histories of users, features of concepts, and units."""
    backend = EqualizerBackend(study, K)
    users, study_users = backend.about["users"][:USERS], len(backend.about["users"])
    about = {**backend.about, "users": users, "measure_note": MEASURE.format(len(users), study_users)}
    histories = [] if backend.users is None else [backend.users[user].tolist() for user in range(len(about["users"]))]
    meanings = study.recommender.meanings[study.site]
    aligned = [list(meanings.features(concept["name"])) for concept in about["concepts"]]
    p99 = study.table("features").set_index("feature").sort_index()["p99"].tolist()
    return {"about": about, "histories": histories, "aligned": aligned, "p99": p99}
