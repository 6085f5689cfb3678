"""The kinds of dictionaries, one file each; a new one is a file and its name in `interp.sae_registry.OURS`.

Each file registers a trainer, and the empty dictionary that trained weights are loaded into
(`interp.sae_registry.register_sae`). All but `multi_scale` and `imported` are those of dictionary_learning.
They import torch only to make one, so that settings are checked at once.
"""

from importlib import import_module
from importlib.util import find_spec

from interp.sae_registry import OURS

if find_spec("dictionary_learning") is None:
    raise ModuleNotFoundError(
        "dictionary-learning is not installed. It pins an old nnsight, so it has to be installed alone: "
        "pip install --no-deps dictionary-learning==0.1.0"
    )

for _kind in OURS:
    import_module(f"{__name__}.{_kind}")
