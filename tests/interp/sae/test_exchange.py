"""Dictionaries of SAELens and dictionary_learning, read and written: the same features, the same reconstructions.

Folders under `recorded/saelens` were written by the real package (tests/peers/saelens.py). The classes of the real
dictionary_learning are installed with this project. `make peers` runs both packages in environments of their own.
"""

import json
import pickle
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import dictionary_learning.dictionary
import numpy as np
import pytest
import torch
from dictionary_learning.trainers.batch_top_k import BatchTopKSAE
from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKSAE
from dictionary_learning.trainers.top_k import AutoEncoderTopK
from peers import environments
from safetensors.torch import load_file, save_file

from interp import read_dictionary
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import Provenance, SparseAutoencoder
from interp.sae.exchange import folder_formats
from interp.sae.exchange.of_modules import plain_of
from interp.sae.exchange.plain import PlainDictionary, PlainSAE
from interp.sae.import_dictionary import of_plain
from interp.sae_registry import sae_kinds
from recmodels.errors import InputError

RECORDED = Path(__file__).parent / "recorded" / "saelens"
ARCHITECTURES = sorted(path.name for path in RECORDED.iterdir())
CLOSE = {"rtol": 1e-5, "atol": 1e-5}
THEIRS = {
    **vars(dictionary_learning.dictionary),
    "AutoEncoderTopK": AutoEncoderTopK,
    "BatchTopKSAE": BatchTopKSAE,
    "MatryoshkaBatchTopKSAE": MatryoshkaBatchTopKSAE,
}


@pytest.fixture(scope="module")
def states(stores):
    """float32 [n, d] of the test part."""
    return torch.from_numpy(np.array(stores["test"].activations[:2000]))


def same(sae, states, features, reconstructions):
    torch.testing.assert_close(sae.encode(states), features, **CLOSE)
    torch.testing.assert_close(sae.decode(sae.encode(states)), reconstructions, **CLOSE)


def ours(folder, width, format=None):
    """A dictionary of another library as ours, for a recommender that nobody has."""
    plain, source, *_ = folder_formats.read(folder, format)
    assert plain.width == width
    return of_plain(plain, 0.0, 1.0, Provenance("someone", "blocks.0", "", source))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_folder_of_saelens_has_the_features_that_saelens_gives(name):
    recorded = load_file(RECORDED / name / "results.safetensors")
    sae = ours(RECORDED / name, 4)
    assert 0 < (recorded["features"] > 0).float().mean() < 1
    same(sae, recorded["states"], recorded["features"], recorded["reconstructions"])


@pytest.mark.parametrize("kind", sae_kinds())
def test_dictionary_learning_loads_what_was_exported(kind, every_kind, states, tmp_path):
    sae = every_kind[kind]
    sae.export("dictionary_learning", tmp_path / "out")
    config = json.loads((tmp_path / "out" / "config.json").read_text())["trainer"]
    # What `load_dictionary` of the library does.
    kwargs = {"k": config["k"]} if "k" in config else {}
    theirs = THEIRS[config["dict_class"]].from_pretrained(tmp_path / "out" / "ae.pt", **kwargs)
    with torch.no_grad():
        features = theirs.encode(states)
        same(sae, states, features, theirs.decode(features))


@pytest.mark.parametrize("format", folder_formats.FORMATS)
@pytest.mark.parametrize("kind", sae_kinds())
def test_there_and_back_again(kind, format, every_kind, states, tmp_path, recommender):
    sae = every_kind[kind]
    sae.export(format, tmp_path / "out")
    back = read_dictionary(tmp_path / "out", recommender)
    assert (back.mean, back.std, back.config.trainer) == (0.0, 1.0, "imported")
    same(back, states, sae.encode(states), sae.decode(sae.encode(states)))
    # What was read is saved, loaded and exported like any other.
    back.save(tmp_path / "ours")
    loaded = SparseAutoencoder.load(tmp_path / "ours")
    assert torch.equal(loaded.encode(states), back.encode(states))
    assert (loaded.fingerprint, loaded.provenance) == (back.fingerprint, back.provenance)
    loaded.export("saelens", tmp_path / "again")
    same(read_dictionary(tmp_path / "again", recommender), states, sae.encode(states), sae.decode(sae.encode(states)))


def test_the_normaliser_is_folded_in_by_hand():
    """One state, one feature: z = (x − 10)/2, h = relu(3(z − 0.5) + 1) = 7 and x̂ = 2(4·7 + 0.5) + 10 at x = 15."""
    one = {
        name: torch.tensor([value]) for name, value in {"shift": 0.5, "encoder_bias": 1.0, "decoder_bias": 0.5}.items()
    }
    plain = PlainDictionary("relu", encoder=torch.tensor([[3.0]]), decoder=torch.tensor([[4.0]]), **one)
    folded = PlainSAE.of(plain.on_states(10.0, 2.0))
    assert folded.encode(torch.tensor([[15.0]])).item() == 7.0
    assert folded.decode(torch.tensor([[7.0]])).item() == 67.0
    assert folded.shift.item() == folded.decoder_bias.item() == 11.0  # what SAELens asks of the two


@pytest.mark.parametrize("name", ["AutoEncoder", "BatchTopKSAE", "MatryoshkaBatchTopKSAE", "JumpReluAutoEncoder"])
def test_folders_of_dictionary_learning_that_we_do_not_write_are_read(name, tmp_path):
    """Decoder directions of other lengths than 1 among them, which the library rescales when it loads."""
    torch.manual_seed(0)
    more = {"BatchTopKSAE": (2,), "MatryoshkaBatchTopKSAE": (2, [2, 4])}.get(name, ())
    theirs = THEIRS[name](4, 6, *more)
    with torch.no_grad():
        for key, tensor in theirs.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(torch.tensor(0.3) if key == "threshold" else torch.randn(tensor.shape))
    torch.save(theirs.state_dict(), tmp_path / "ae.pt")
    (tmp_path / "config.json").write_text(json.dumps({"trainer": {"dict_class": name}}))
    theirs = THEIRS[name].from_pretrained(tmp_path / "ae.pt")
    states = torch.randn(50, 4)
    with torch.no_grad():
        features = theirs.encode(states)
        same(ours(tmp_path, 4, "dictionary_learning"), states, features, theirs.decode(features))


def test_an_imported_dictionary_is_steered_and_says_where_it_comes_from(every_kind, recommender, histories, tmp_path):
    every_kind["top_k"].export("saelens", tmp_path / "out")
    sae = read_dictionary(tmp_path / "out", recommender)
    rec, plain = RecommenderEnvoy(recommender, sae), RecommenderEnvoy(recommender)
    assert sae.provenance.source.startswith("saelens topk, sha256 ")
    with rec.steer({3: 2.0}):
        steered = rec.score(histories)
    same_steer = RecommenderEnvoy(recommender, every_kind["top_k"])
    with same_steer.steer({3: 2.0}):
        torch.testing.assert_close(steered, same_steer.score(histories), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(steered, plain.score(histories))


def test_an_estimated_normaliser_is_that_of_the_store(every_kind, stores, recommender, states, tmp_path):
    """A dictionary on normalised activations that lacks its normaliser, as one trained elsewhere may."""
    sae = every_kind["jump_relu"]
    replace(sae, mean=0.0, std=1.0).export("saelens", tmp_path / "out")
    back = read_dictionary(tmp_path / "out", recommender, normalise=stores["sae"])
    assert (back.mean, back.std) == (stores["sae"].mean, stores["sae"].std)
    assert back.provenance.activations == stores["sae"].fingerprint
    same(back, states, sae.encode(states), sae.decode(sae.encode(states)))
    numbers = read_dictionary(tmp_path / "out", recommender, normalise=(sae.mean, sae.std))
    assert torch.equal(numbers.encode(states), back.encode(states))


def test_fingerprints_of_earlier_releases_stand(sae):
    """A dictionary without a source has the fingerprint that it had before provenance named one."""
    moved = replace(sae, provenance=replace(sae.provenance, source="saelens topk, sha256 00"))
    assert moved.fingerprint != sae.fingerprint
    assert replace(moved, provenance=sae.provenance).fingerprint == sae.fingerprint


def copy(tmp_path, name="topk", **changes):
    folder = shutil.copytree(RECORDED / name, tmp_path / "folder")
    config = json.loads((folder / "cfg.json").read_text()) | changes
    (folder / "cfg.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "abstopk"}, "abstopk, which has no counterpart here: its features may be negative"),
        ({"architecture": "temporal"}, "no counterpart here: it reads more than one step"),
        ({"architecture": "new"}, "names the architecture 'new': known are standard, gated"),
        ({"normalize_activations": "layer_norm"}, "normalised row by row"),
        ({"normalize_activations": "expected_average_only_in"}, "fold_activation_norm_scaling_factor"),
        ({"normalize_activations": "odd"}, "normalised by 'odd', which is not known"),
        ({"reshape_activations": "hook_z"}, "heads of attention"),
        ({"finetuning_scaling_factor": True}, "fold it into W_dec"),
        ({"k": "2"}, "k = '2': give a whole number"),
        ({"k": 7}, "its k is 7, of 6 features"),
        ({"d_in": 5}, "6 features of width 4, cfg.json says 6 of width 5"),
        ({"d_in": "4"}, "'d_in' is '4', not a whole number"),
        ({"apply_b_dec_to_input": "yes"}, "'apply_b_dec_to_input' is 'yes', not true or false"),
    ],
)
def test_a_folder_of_saelens_without_a_counterpart_is_refused(changes, message, tmp_path):
    with pytest.raises(InputError, match=message):
        folder_formats.read(copy(tmp_path, **changes))


def test_damaged_weights_are_refused(tmp_path):
    folder = copy(tmp_path)
    state = load_file(folder / "sae_weights.safetensors")
    path = folder / "sae_weights.safetensors"
    for change, message in (
        ({"b_enc": torch.zeros(5)}, r"its encoder_bias has shape \(5,\), not \(6,\)"),
        ({"W_dec": torch.full((6, 4), torch.inf)}, "its decoder has values that are not finite"),
        ({"W_enc": torch.zeros(24)}, "encoder of shape"),
    ):
        save_file(state | change, path)
        with pytest.raises(InputError, match=message):
            folder_formats.read(folder)
    save_file({name: tensor for name, tensor in state.items() if name != "b_enc"}, path)
    with pytest.raises(InputError, match="lacks b_enc, which topk has"):
        folder_formats.read(folder)
    path.write_bytes(b"odd")
    with pytest.raises(InputError, match="is damaged"):
        folder_formats.read(folder)


class Marks:
    """What a hostile pickle would run."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def folder_of(tmp_path, state, dict_class="AutoEncoderTopK"):
    torch.save(state, tmp_path / "ae.pt")
    (tmp_path / "config.json").write_text(json.dumps({"trainer": {"dict_class": dict_class}}))
    return tmp_path


def test_no_pickle_is_executed(tmp_path):
    mark = tmp_path / "executed"
    folder = folder_of(tmp_path, {"encoder.weight": Marks(mark)})
    with pytest.raises(InputError, match="holds more than tensors, which is not read"):
        folder_formats.read(folder)
    (tmp_path / "ae.pt").write_bytes(pickle.dumps(Marks(mark)))
    with pytest.raises(InputError, match=r"holds more than tensors|is damaged"):
        folder_formats.read(folder)
    assert not mark.exists()


def test_a_pt_file_that_grows_when_it_is_read_is_refused(tmp_path):
    view = torch.zeros(1).expand(100_000, 100_000)
    with pytest.raises(InputError, match="is larger than the file"):
        folder_formats.read(folder_of(tmp_path, {"encoder.weight": view}))
    stored, packed = tmp_path / "ae.pt", tmp_path / "packed"
    folder_of(tmp_path, {"encoder.weight": torch.zeros(1000, 1000)})
    with zipfile.ZipFile(stored) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry))
    packed.replace(stored)
    with pytest.raises(InputError, match="is compressed, as torch writes none"):
        folder_formats.read(tmp_path)


def test_odd_folders_of_dictionary_learning_are_refused(tmp_path):
    state = AutoEncoderTopK(4, 6, 2).state_dict()
    with pytest.raises(InputError, match="names the class 'Odd': known are AutoEncoder, "):
        folder_formats.read(folder_of(tmp_path, state, "Odd"))
    with pytest.raises(InputError, match=r"does not hold the GatedAutoEncoder that config.json names"):
        folder_formats.read(folder_of(tmp_path, state, "GatedAutoEncoder"))
    with pytest.raises(InputError, match=r"no matrix encoder.weight or W_enc"):
        folder_formats.read(folder_of(tmp_path, {"b_dec": torch.zeros(4)}))
    with pytest.raises(InputError, match="'b_dec', which is no plain tensor"):
        folder_formats.read(folder_of(tmp_path, state | {"b_dec": 3}))
    (tmp_path / "ae.pt").unlink()
    with pytest.raises(
        InputError, match=r"holds no dictionary: give a folder with cfg.json and sae_weights.safetensors"
    ):
        folder_formats.read(tmp_path)


def test_another_width_site_or_normaliser_is_refused(recommender, tmp_path):
    with pytest.raises(InputError, match=r"reads activations of width 4, those of blocks.0 have width 32"):
        read_dictionary(RECORDED / "topk", recommender)
    with pytest.raises(InputError, match=r"no site 'blocks.9': choose one of embedding, "):
        read_dictionary(RECORDED / "topk", recommender, "blocks.9")
    with pytest.raises(InputError, match="no format 'odd': choose one of saelens, dictionary_learning"):
        read_dictionary(RECORDED / "topk", recommender, format="odd")


@pytest.mark.parametrize("normalise", ["estimate", (1.0,), (0.0, 0.0), (float("nan"), 1.0), (True, 1.0)])
def test_odd_normalisers_are_refused(normalise, every_kind, recommender, tmp_path):
    every_kind["top_k"].export("saelens", tmp_path / "out")
    with pytest.raises(InputError, match="normalise is"):
        read_dictionary(tmp_path / "out", recommender, normalise=normalise)


def test_a_wrong_counterpart_is_not_written(sae, tmp_path):
    """A module whose encoder is not the one of the class that it comes from."""

    class Odd(type(sae.dictionary)):
        def encode(self, x):
            return super().encode(x) ** 2

    odd = Odd(sae.dictionary.activation_dim, sae.n_features)
    odd.load_state_dict(sae.dictionary.state_dict())
    with pytest.raises(InputError, match="the features of unsquared would differ in the other library"):
        replace(sae, dictionary=odd).export("saelens", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="a Linear has no counterpart in other libraries"):
        plain_of(torch.nn.Linear(2, 2))


def test_an_export_replaces_only_an_export(sae, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not a saelens dictionary that this program wrote"):
        sae.export("saelens", tmp_path / "mine")
    sae.export("saelens", tmp_path / "out")
    sae.export("saelens", tmp_path / "out")
    with pytest.raises(InputError, match="there is no format 'SAELens'"):
        sae.export("SAELens", tmp_path / "out")


@pytest.mark.peer
@pytest.mark.parametrize(
    ("format", "peer", "script"),
    [
        ("saelens", "saelens", "saelens.py"),
        ("dictionary_learning", "dictionary-learning", "dictionary_learning_folders.py"),
    ],
)
def test_the_real_package_gives_the_same_on_what_was_exported(format, peer, script, every_kind, states, tmp_path):
    save_file({"states": states}, tmp_path / "states.safetensors")
    folders = {kind: sae.export(format, tmp_path / kind) for kind, sae in every_kind.items()}
    environments.run(peer, script, "encode", tmp_path / "states.safetensors", *folders.values())
    for kind, sae in every_kind.items():
        theirs = load_file(folders[kind] / "results.safetensors")
        same(sae, states, theirs["features"], theirs["reconstructions"])


@pytest.mark.peer
def test_what_was_recorded_is_what_the_real_package_writes(tmp_path):
    environments.run("saelens", "saelens.py", "make", tmp_path)
    for name in ARCHITECTURES:
        for file in ("results.safetensors", "sae_weights.safetensors"):
            recorded, now = load_file(RECORDED / name / file), load_file(tmp_path / name / file)
            assert recorded.keys() == now.keys()
            for key, tensor in recorded.items():
                torch.testing.assert_close(now[key], tensor, **CLOSE)
        theirs = load_file(tmp_path / name / "results.safetensors")
        same(ours(tmp_path / name, 4), theirs["states"], theirs["features"], theirs["reconstructions"])
