"""Names that other packages and scripts add."""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from tiny_package import install

import recmodels
from recmodels import datasets, plugins
from recmodels.datasets.planted import PlantedConfig, load
from recmodels.errors import InputError
from recmodels.plugins import Registry, import_entry_points
from recmodels.recommender import MODELS, model_class


def test_an_installed_package_adds_a_data_set(site):
    install(
        site,
        "shop-data",
        "recmodels.datasets",
        "shop",
        "shop_data",
        "import recmodels\n"
        "from recmodels.datasets.planted import PlantedConfig, load\n"
        "count = []\n"
        "def shop(name, folder, cache):\n"
        "    count.append(folder)\n"
        "    return load(PlantedConfig(users=50, items=40, concepts=2, mean_length=5))\n"
        "recmodels.register_dataset('shop', shop)\n",
    )
    try:
        assert "shop" in datasets.names()
        expected = load(PlantedConfig(users=50, items=40, concepts=2, mean_length=5)).fingerprint
        assert recmodels.load("shop", "~/somewhere").fingerprint == expected
        assert "~" not in str(sys.modules["shop_data"].count[0])
    finally:
        datasets._LOADERS.pop("shop", None)


def test_an_installed_package_adds_a_recommender(site):
    install(
        site,
        "shop-models",
        "recmodels.recommenders",
        "narrow",
        "shop_models",
        "from recmodels import RecommenderConfig, register\n"
        "from recmodels.gptrec import GPTRec\n"
        "class NarrowConfig(GPTRec.config_class):\n"
        "    model_type = 'narrow'\n"
        "@register\n"
        "class Narrow(GPTRec):\n"
        "    config_class = NarrowConfig\n",
    )
    try:
        assert model_class("narrow").__name__ == "Narrow"
    finally:
        MODELS.pop("narrow", None)


def test_a_package_is_imported_once(site):
    install(
        site, "once", "recmodels.tests", "once", "once_only", "import sys\nsys.loads = getattr(sys, 'loads', 0) + 1\n"
    )
    try:
        import_entry_points("recmodels.tests")
        del sys.modules["once_only"]
        import_entry_points("recmodels.tests")
        assert sys.loads == 1
    finally:
        del sys.loads


def test_installed_packages_are_read_once_until_another_is_installed(site, monkeypatch):
    plugins._entries.cache_clear()
    reads = []
    monkeypatch.setattr(plugins, "entry_points", lambda: reads.append(True) or entry_points())
    for group in ("recmodels.late", "recmodels.later", "recmodels.late"):
        import_entry_points(group)
    assert len(reads) == 1
    install(site, "late", "recmodels.late", "late", "late_only", "import sys\nsys.late = True\n")
    import_entry_points("recmodels.late")
    assert len(reads) == 2
    assert vars(sys).pop("late")


def test_a_package_that_cannot_be_imported_is_named(site):
    install(site, "broken-shop", "recmodels.broken", "shop", "broken_shop", "import nothing_of_this_name\n")
    for _ in range(2):  # not only at the first look
        with pytest.raises(InputError) as caught:
            import_entry_points("recmodels.broken")
        assert str(caught.value).startswith(
            "broken-shop adds shop = broken_shop to recmodels.broken, which cannot be imported (ModuleNotFoundError: "
        )
        assert "\n" not in str(caught.value)


def test_ours_cannot_be_replaced_but_ones_own_can():
    registry = Registry("there is no thing", "recmodels.things", "register_thing")
    registry.add("first", 1, "recmodels.things")
    registry.add("mine", 2, "shop")
    registry.add("mine", 3, "shop")
    assert registry.find("mine") == 3
    with pytest.raises(InputError, match="register_thing: 'first' is already one of ours"):
        registry.add("first", 4, "shop")
    with pytest.raises(InputError, match="there is no thing 'x': choose one of first, mine, or register your own"):
        registry.find("x")
    with pytest.raises(InputError, match="register_thing was given the name 3"):
        registry.add(3, 4, "shop")


def test_a_script_cannot_take_the_name_of_one_of_our_data_sets():
    with pytest.raises(InputError, match="'ml-100k' is already one of ours"):
        recmodels.register_dataset("ml-100k", lambda name, folder, cache: None)


def test_a_loader_that_gives_no_data_set_is_named():
    recmodels.register_dataset("nothing", lambda name, folder, cache: None)
    try:
        with pytest.raises(InputError, match=r"the loader of nothing gives a NoneType: return a recmodels\.Dataset"):
            recmodels.load("nothing")
    finally:
        del datasets._LOADERS["nothing"]


def test_a_fresh_process_finds_the_adapters_of_this_project():
    code = "from recmodels.adapters.registry import ADAPTERS; print(ADAPTERS.find('vectors').name)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "vectors\n"
    )
