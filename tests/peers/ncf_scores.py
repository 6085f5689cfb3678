"""Trains a small model of github.com/guoyang9/NCF and writes it, and what its own `forward` scores.

    python ncf_scores.py FOLDER MODEL_PY

MODEL_PY is the file model.py of that repository, which no registry has; any environment with torch and safetensors can
run this. FOLDER gets ncf.safetensors, ncf.json with the ids and the expected scores, and ncf.pth, the whole model as
its main.py saves it.
"""

import json
import runpy
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

if __name__ == "__main__":
    folder, module = Path(sys.argv[1]), runpy.run_path(sys.argv[2])
    torch.manual_seed(0)
    n_users, n_items = 15, 20
    model = module["NCF"](n_users, n_items, 4, 2, 0.0, "NeuMF-end")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(60):
        users, items = torch.randint(n_users, (64,)), torch.randint(n_items, (64,))
        liked = ((users * 7 + items * 3) % 5 == 0).float()
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(model(users, items), liked).backward()
        optimizer.step()
    model.eval()
    user_ids, item_ids = [f"u{row}" for row in range(n_users)], [100 + 7 * code for code in range(n_items)]
    expected = []
    for row in (0, 3, 14):
        with torch.no_grad():
            scores = model(torch.full((n_items,), row), torch.arange(n_items)).tolist()
        case = {"user": user_ids[row], "history": item_ids[:2], "items": item_ids}
        expected.append(case | {"scores": [round(score, 7) for score in scores]})
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / "ncf.safetensors")
    with (folder / "ncf.json").open("w", encoding="utf-8") as file:
        json.dump({"users": user_ids, "items": item_ids, "expected": expected}, file)
    sys.modules["model"] = type(sys)("model")
    sys.modules["model"].NCF = module["NCF"]
    module["NCF"].__module__ = "model"
    torch.save(model, folder / "ncf.pth")
