"""Checkpoints as other packages write them, made from what is recorded of them; tests and benchmarks read them."""

import json
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM

from .recorded import DATA, recorded

SHOP = DATA / "shop"
PMIXER_FILE = "SASRec.epoch=60.lr=0.001.layer=2.head=2.hidden=8.maxlen=6.pth"
Tensors = dict[str, torch.Tensor]


class Config:
    """Pickled as RecBole's own class is, which the reader must not look for."""

    __module__ = "recbole.config.configurator"

    def __init__(self, settings: dict[str, Any]) -> None:
        self.final_config_dict = settings
        self.parameters = {"Training": ["epochs"]}


def recbole(folder: Path, name: str, tensors: Callable[[Tensors], Tensors] | None = None, **changes: Any) -> Path:
    """What its trainer saves, with changes of its settings and tensors."""
    record, saved = recorded(f"recbole_{name}")
    content = {
        "config": Config(record["config"] | changes),
        "epoch": 0,
        "state_dict": OrderedDict(saved if tensors is None else tensors(saved)),
        "other_parameter": {},
        "optimizer": {"state": {}, "param_groups": []},
    }
    package = [".".join(Config.__module__.split(".")[:n]) for n in (1, 2, 3)]
    modules = {part: ModuleType(part) for part in package}
    modules[package[-1]].__dict__["Config"] = Config
    with patch.dict(sys.modules, modules):
        torch.save(content, folder / f"{name}.pth", pickle_protocol=4)
    return folder / f"{name}.pth"


def rectools(folder: Path, name: str, **changes: Any) -> Path:
    """What Lightning saves of its model, with changes of the settings."""
    record, tensors = recorded(f"rectools_{name}")
    settings = record["hyper_parameters"]
    settings["model_config"] |= changes
    settings["item_external_ids"] = np.array(settings["item_external_ids"], dtype=object)
    torch.save({"hyper_parameters": settings, "state_dict": tensors}, folder / "model.ckpt")
    return folder / "model.ckpt"


def replay(folder: Path, name: str, **changes: Any) -> tuple[Path, Path]:
    """What Lightning saves, with changes of the settings, and the tokenizer or label encoder."""
    record, tensors = recorded(f"replay_{name}")
    settings, place = record.get("hyper_parameters", {"optimizer_factory": None}), folder / "ids.replay"
    torch.save({"hyper_parameters": settings | changes, "state_dict": tensors}, folder / "model.ckpt")
    if "tokenizer" in record:
        write_json(place / "init_args.json", record["tokenizer"])
    else:
        write_json(place / "init_args.json", {"_class_name": "LabelEncoder", "rule_names": ["user", "item"]})
        write_json(place / "rules" / "item.replay" / "init_args.json", record["rule"])
    return folder / "model.ckpt", place


def pmixer(folder: Path, name: str, arguments: bool = True, file: str = PMIXER_FILE, **changes: torch.Tensor) -> Path:
    """What main.py saves: tensors, and args.txt beside them."""
    record, tensors = recorded(f"pmixer_{name}")
    torch.save(tensors | changes, folder / file)
    if arguments:
        (folder / "args.txt").write_text(record["arguments"], encoding="utf-8")
    return folder / file


def gsasrec(folder: Path, name: str = "untied", **changes: torch.Tensor) -> Path:
    """What train_gsasrec.py saves: tensors."""
    torch.save(recorded(f"gsasrec_{name}")[1] | changes, folder / "model.pt")
    return folder / "model.pt"


def id_files(folder: Path, record: dict[str, Any]) -> dict[str, str]:
    """Files of the ids of items and users, as options of an adapter."""
    for name in ("items", "users"):
        write_json(folder / f"{name}.json", record[name])
    return {"item_ids": str(folder / "items.json"), "user_ids": str(folder / "users.json")}


def write_json(path: Path, content: Any) -> None:
    """Write JSON, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


# Models of transformers are made here; there is nothing to record.

FILMS = [f"film {code}" for code in range(17)]
SIZES = {
    "vocab_size": 20,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 8,
    "pad_token_id": 0,
}
DISTILBERT = {"vocab_size": 20, "dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 16, "max_position_embeddings": 8}
GPT2 = {"vocab_size": 20, "n_embd": 8, "n_layer": 2, "n_head": 2, "n_positions": 8, "pad_token_id": 0}
# Sizes, and the token of its [MASK].
TRANSFORMERS: dict[str, tuple[dict[str, Any], int | None]] = {
    "gpt2": ({**GPT2, "bos_token_id": 0, "eos_token_id": 0}, None),
    "llama": (SIZES, None),
    "bert": (SIZES, 18),
    "distilbert": (DISTILBERT, 18),
}


def transformers_model(kind: str, **changes: Any) -> Any:
    """A model of transformers, with weights of any value."""
    sizes, mask = TRANSFORMERS[kind]
    torch.manual_seed(0)
    made = (AutoModelForCausalLM if mask is None else AutoModelForMaskedLM).from_config(
        AutoConfig.for_model(kind, **(sizes | changes))
    )
    for parameter in made.parameters():  # biases too
        torch.nn.init.normal_(parameter, std=0.5)
    return made.eval()


def transformers_scores(kind: str, model: Any, codes: list[int]) -> torch.Tensor:
    """[item] scores that the model itself gives after one history, without padding."""
    mask = TRANSFORMERS[kind][1]
    longest = 8 if mask is None else 7
    tokens = [code + 1 for code in codes][-longest:] + ([] if mask is None else [mask])
    with torch.no_grad():
        return model(torch.tensor([tokens])).logits[0, -1, 1:18]


def example(adapter: str, model: str, folder: Path) -> tuple[Path, dict[str, Any], list[dict[str, Any]]]:
    """A checkpoint in a folder, the options of its adapter, and what the program itself scores.

    Args:
        adapter: name of the adapter.
        model: name of the model; of what is recorded, the end of the file's name.
        folder: an empty one.
    """
    if adapter == "transformers":
        made, mask = transformers_model(model), TRANSFORMERS[model][1]
        made.save_pretrained(folder / "model")
        write_json(folder / "ids.json", FILMS)
        scores = {n: transformers_scores(model, made, list(range(n))).tolist() for n in (1, 3, 11)}
        cases = [{"history": FILMS[:n], "items": FILMS, "scores": row} for n, row in scores.items()]
        options = {"item_ids": folder / "ids.json"} | ({} if mask is None else {"mask": mask})
        return folder / "model", options, cases
    name = {"vectors": f"implicit_{model}", "ncf": "ncf"}.get(adapter, f"{adapter}_{model}")
    record = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    if adapter == "replay":
        path, ids = replay(folder, model)
        return path, {"item_ids": ids} | ({"heads": record["heads"]} if "heads" in record else {}), record["expected"]
    if adapter == "vectors":
        return DATA / f"{name}.npz", id_files(folder, record), record["expected"]
    if adapter == "ncf":
        torch.save(recorded(name)[1], folder / "ncf.pth")
        return folder / "ncf.pth", id_files(folder, record), record["expected"]
    write = {"recbole": recbole, "rectools": rectools, "pmixer": pmixer, "gsasrec": gsasrec}[adapter]
    options = {"recbole": {"atomic_files": SHOP}, "gsasrec": {"heads": 2}}.get(adapter, {})
    options |= {"request_gap": 5000.0} if name == "rectools_hstu" else {}
    return write(folder, model), options, record["expected"]
