"""What is given to `wrap`: types and sizes that are wrong, and modules that are compiled, parallel or scripted."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from recmodels.adapters import wrap
from recmodels.adapters.foreign import read_options
from recmodels.errors import InputError
from tests.recmodels.adapters.test_zoo import built
from tests.recmodels.adapters.zoo import IDS, LONGEST, RightPadded, Transformer, V


class Plain(RightPadded):
    """Not registered."""

    name = ""


class LastStep(Plain):
    def run(self, batch):
        hidden = super().run(batch)
        return hidden[torch.arange(len(hidden)), batch.lengths - 1]


class Pair(Plain):
    def run(self, batch):
        return super().run(batch), None


def plain(**changes):
    return Plain(**{"module": Transformer(), "n_items": V, "max_history": LONGEST, **changes})


WRONG = {
    "a module": (lambda: wrap(Transformer(), IDS), "Transformer is a torch module, not an adapter: subclass"),
    "the class of a module": (lambda: wrap(Transformer, IDS), "Transformer is a class, not an adapter: subclass"),
    "the class of an adapter": (
        lambda: wrap(Plain, IDS),
        r"Plain is a class: make an adapter of it, Plain.module, n_it",
    ),
    "another object": (lambda: wrap(SimpleNamespace(), IDS), "SimpleNamespace is something else, not an adapter"),
    "weights": (lambda: wrap(plain(module=Transformer().state_dict()), IDS), "is OrderedDict: build the network"),
    "no weights yet": (
        lambda: wrap(plain(module=Transformer().to("meta")), IDS),
        "items.weight of the module of Plain is on the device meta, so it has no values: load its weights first",
    ),
    "no ids": (lambda: wrap(plain()), "Plain scores 20 items: give item_ids=, your id of each"),
    "a number": (lambda: wrap(plain(), 20), "20 is not a list of item ids"),
    "a mapping": (lambda: wrap(plain(), {"a": 1}), "is not a list of item ids"),
    "ids that are lists": (lambda: wrap(plain(), [[1]] * V), r"\[1\] is not an id: give a whole number or text"),
    "ids of two axes": (lambda: wrap(plain(), np.ones((V, 2))), r"\[1.0, 1.0\] is not an id"),
    "truth values": (lambda: wrap(plain(), [True] * V), "True is not an id"),
    "fractions": (lambda: wrap(plain(), np.arange(V) + 0.5), "0.5 is not an id"),
    "a size as text": (lambda: wrap(plain(n_items="20"), IDS), "n_items of Plain is '20': give a whole number"),
    "no history": (lambda: wrap(plain(max_history=0), IDS), "max_history of Plain is 0: give a whole number"),
    "settings": (lambda: wrap(plain(settings={"a": torch.ones(1)}), IDS), "settings of Plain are .* JSON values"),
    "the last step": (
        lambda: wrap(LastStep(Transformer(), V, LONGEST), IDS),
        r"LastStep.run gives the shape \[2, 8\] .* return the states of all steps, not of the last alone",
    ),
    "a pair": (lambda: wrap(Pair(Transformer(), V, LONGEST), IDS), "Pair.run gives tuple .* return them from `run`"),
    "TorchScript": (
        lambda: wrap(plain(module=torch.jit.script(nn.Linear(2, 2))), IDS),
        "the module is TorchScript, in which no hidden state can be read",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_adapter_or_no_list_of_ids_is_refused_in_one_line(what):
    make, says = WRONG[what]
    with pytest.raises(InputError, match=says) as fault:
        make()
    assert "\n" not in str(fault.value)


def compiled_in_place(module):
    module.compile()
    return module


def compiled_layer(module):
    module.layers[1] = torch.compile(nn.DataParallel(module.layers[1]))
    return module


@pytest.mark.parametrize("change", [torch.compile, compiled_in_place, compiled_layer, nn.DataParallel])
def test_a_module_that_is_compiled_or_parallel_scores_as_the_bare_one(change):
    bare = built("zoo-right").model.module
    expected = built("zoo-right").score(built("zoo-right").histories([IDS[:4]]))
    fresh = Transformer()
    fresh.load_state_dict(bare.state_dict())
    recommender = wrap(plain(module=change(fresh)), IDS)
    torch.testing.assert_close(recommender.score(recommender.histories([IDS[:4]])), expected)
    assert list(recommender.model.module.state_dict()) == list(bare.state_dict())


def test_options_that_are_true_or_false():
    class Read(Plain):
        name = "read"

        @classmethod
        def read(cls, path, *, tied: bool = True, heads: int = 1):
            raise NotImplementedError

    for word, value in (("true", True), ("Off", False), ("0", False), (True, True)):
        assert read_options(Read, {"tied": word}) == {"tied": value}
    with pytest.raises(InputError, match="tied=… is 'maybe': give true or false"):
        read_options(Read, {"tied": "maybe"})
    with pytest.raises(InputError, match="heads=… is 'two': give a whole number"):
        read_options(Read, {"heads": "two"})
