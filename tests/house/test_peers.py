"""The environments of `make peers`: built once, skipped with a reason where they are not."""

import pytest
from peers import environments


def test_a_test_whose_environment_is_missing_is_skipped_with_the_way_to_build_it(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    with pytest.raises(pytest.skip.Exception, match="no environment of saelens: `make peers` builds it"):
        environments.run("saelens", "saelens.py")


def test_an_environment_with_the_same_requirements_is_left_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    place = environments.folder("saelens")
    place.mkdir()
    (place / ".ready").write_text("\n".join(environments.ENVIRONMENTS["saelens"]), encoding="utf-8")
    environments.build("saelens", [], seconds=60)
    assert [path.name for path in place.iterdir()] == [".ready"]
