"""Both recommenders, exported with every steer once."""

import pytest
from tiny_recommenders import HISTORIES, every_steer, tiny_envoy

import interp.serving
from interp.deployment.service_export import export_service


@pytest.fixture(scope="session", params=["gptrec", "bert4rec"])
def exported(request, tmp_path_factory):
    """The envoy with dictionaries at two sites, its steers by name, and the folder."""
    rec = tiny_envoy(request.param, "gated", ("blocks.0", "final"))
    steers = every_steer(rec) | {"later": rec.steer_of({2: 3.0, 4: 1.0}, site="final", at="all")}
    folder = tmp_path_factory.mktemp("service") / "tiny"
    return rec, steers, export_service(rec, folder, steers, histories=HISTORIES)


@pytest.fixture(scope="session")
def service(exported):
    return interp.serving.load(exported[2])
