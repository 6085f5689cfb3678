"""The fast passes of the last step equal passes of whole sequences, in any number of blocks."""

import pytest
import torch

from recmodels.bert4rec import BERT4Rec, BERT4RecConfig
from recmodels.gptrec import GPTRec, GPTRecConfig
from recmodels.model import SequentialRecommender

SIZE = {"n_items": 30, "max_history": 9, "hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2}
MODELS = {"gptrec": (GPTRec, GPTRecConfig), "bert4rec": (BERT4Rec, BERT4RecConfig)}


@pytest.fixture(params=MODELS)
def model(request):
    """Four blocks with weights large enough that attention is uneven."""
    kind, config = MODELS[request.param]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = kind(config(**SIZE)).eval().requires_grad_(False)
        for weights in model.parameters():
            weights.copy_(0.4 * torch.randn_like(weights))
    return model


@pytest.mark.parametrize("block", range(4))
@pytest.mark.parametrize("lengths", [(1, 1), (2, 7, 9)])
@pytest.mark.parametrize("rows", [2048, 7])
def test_values_of_the_last_step_equal_passes_of_whole_sequences(model, block, lengths, rows, monkeypatch):
    monkeypatch.setattr(f"{type(model).__module__}.ROWS", rows)
    tokens = model.inference_inputs(model.example_histories(lengths))
    draw = torch.Generator().manual_seed(1)
    hidden = torch.randn(*tokens.shape, 16, generator=draw)
    last = torch.randn(len(lengths), 5, 16, generator=draw).requires_grad_()
    hidden = hidden.requires_grad_()
    fast = model.scored_after(block, tokens, hidden, last)
    slow = SequentialRecommender.scored_after(model, block, tokens, hidden, last)
    torch.testing.assert_close(fast, slow, atol=2e-5, rtol=1e-5)
    weight = torch.randn(fast.shape, generator=draw)
    for one, other in zip(
        torch.autograd.grad((fast * weight).sum(), [hidden, last], allow_unused=True),
        torch.autograd.grad((slow * weight).sum(), [hidden, last], allow_unused=True),
        strict=True,
    ):
        if block < 3:
            torch.testing.assert_close(one, other, atol=2e-4, rtol=1e-4)
