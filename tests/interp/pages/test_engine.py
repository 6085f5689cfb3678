"""The page's own engine in a real browser: scores, lists, features, reasons and explanations are those of Python.

The page is that of a study made by hand; blocks of fitted recommenders are given to its engine one after another.
"""

import base64

import numpy as np
import pytest
import torch
from browsers import open_page
from pages import handmade_study

from interp.control.baselines import Raise, boosted
from interp.control.score_changes import feature_contributions
from interp.features.attributions import item_ranks
from interp.features.explanations import why
from interp.model.envoys import RecommenderEnvoy
from interp.pages.dashboard import write_dashboard
from interp.pages.page_model import as_block, model_tensors, page_model
from recmodels.errors import InputError

K, USERS, P99 = 10, 200, 0.5
SETTINGS = [{"kind": "concept", "index": 0, "value": 2}, {"kind": "feature", "index": 1, "value": -3}]
AMOUNTS = {0: 2 * P99, 1: (2 - 3) * P99, 2: 2 * P99}  # concept 0 has these features
ASK = """
    const [block, method, requests, most, done] = arguments;
    Object.assign(ENGINE, { reasons: 3, through: 2, lit: 5, features: 6, links: 12 }, most);
    const bytes = Uint8Array.from(atob(block), (one) => one.charCodeAt(0)).buffer;
    const own = makeEngine(async () => bytes);
    (async () => {
      const answers = [];
      for (const request of requests) answers.push(await own[method](request).catch((error) => error.message));
      return answers;
    })().then(done);
"""
CASES = pytest.mark.parametrize(
    "case",
    [(name, site) for name in ("gptrec", "bert4rec") for site in ("blocks.0", "blocks.1", "final")],
    ids="-".join,
)
BLOCKS = pytest.mark.parametrize("case", [("gptrec", "blocks.0"), ("bert4rec", "blocks.0")], ids="-".join)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return handmade_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def chromium(chromium, study):
    """With the page of a study open."""
    open_page(chromium, write_dashboard(study).as_uri())
    return chromium


@pytest.fixture
def ask(chromium):
    """Answers of an engine with this block to these requests, one after another."""

    def answers(block, method, requests, **most):
        return chromium.execute_async_script(ASK, base64.b64encode(block).decode(), method, requests, most)

    yield answers
    assert [entry["message"] for entry in chromium.get_log("browser")] == []


@pytest.fixture(scope="module")
def models(steerable):
    """Both recommenders by name and site, with the dictionary there alone."""
    return {
        (name, site): RecommenderEnvoy(envoy.recommender, envoy.saes[site])
        for name, envoy in steerable.items()
        for site in ("blocks.0", "blocks.1", "final")
    }


@pytest.fixture(scope="module")
def codes(split, recommender):
    """Item codes of 200 histories of users that the recommenders were not fitted on."""
    parts = [recommender.histories(getattr(split, part)) for part in ("test", "sae_validation", "sae")]
    return [rows[place].tolist() for rows in parts for place in range(len(rows))][:USERS]


def has_concepts(n):
    """The concepts of n items: 0 of every other item, 1 of the first 30."""
    return [[0] * (item % 2) + [1] * (item < 30) for item in range(n)]


def block_of(rec, k=K, keep_seen=False):
    """A block of a recommender with its one dictionary, whose features all have the same 99th percentile."""
    (sae,), n = rec.saes.values(), len(rec.recommender.vocabulary)
    described, tensors = model_tensors(rec.recommender.model, sae)
    about = {
        "k": k,
        "keep_seen": keep_seen,
        "reach": {"concept": 2, "feature": 4},
        "items": {"id": list(range(n)), "concepts": has_concepts(n)},
        "concepts": [{"name": name, "weak": False} for name in ("odd", "small")],
        "features": [{"index": feature} for feature in range(sae.n_features)],
    }
    page = {"about": about, "histories": [[3, 1]], "aligned": [[0, 1, 2], [1]], "p99": [P99] * sae.n_features}
    return as_block({**described, **page}, tensors)


def ids(rec, items):
    return rec.recommender.vocabulary.decode(np.asarray(items)).tolist()


def steer_of(rec):
    return rec.steer_of(AMOUNTS, op="add")


def same_list(rows, scores, own, k):
    """A list has the best items, in order, but for scores that are equal up to rounding."""
    best = [item for item in np.lexsort((np.arange(len(scores)), -scores)) if item not in own][:k]
    items = [row["item"] for row in rows]
    assert len(set(items) - set(own)) == len(items) == len(best)
    np.testing.assert_allclose([row["score"] for row in rows], scores[items], atol=1e-4)
    np.testing.assert_allclose(scores[items], scores[best], atol=1e-4)
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))


@CASES
def test_scores_and_lists_of_200_histories_are_pythons(ask, models, codes, case):
    """Lists as long as the catalogue hold all scores."""
    rec = models[case]
    requests = [{"history": row, "settings": SETTINGS, "reasons": False} for row in codes]
    answers = ask(block_of(rec, k=len(rec.recommender.vocabulary)), "run", requests)
    histories = rec.recommender.histories([ids(rec, row) for row in codes])
    plain = rec.score(histories).numpy()
    with rec.steer(steer_of(rec)):
        steered = rec.score(histories).numpy()
    assert len(codes) == USERS
    assert np.abs(steered - plain).max(axis=1).min() > 1e-3
    for answer, row, before, after in zip(answers, codes, plain, steered, strict=True):
        same_list(answer["before"], before, row, len(before))
        same_list(answer["after"], after, row, len(before))


@BLOCKS
def test_short_lists_say_what_moved_and_what_they_hold(ask, models, codes, case):
    rec, some = models[case], codes[:20]
    requests = [{"history": row, "settings": SETTINGS, "boosts": {"1": 0.5}, "reasons": False} for row in some]
    has = np.zeros(len(rec.recommender.vocabulary), dtype=bool)
    has[:30] = True
    moved = 0
    for row, answer in zip(some, ask(block_of(rec), "run", requests), strict=True):
        histories = rec.recommender.histories([ids(rec, row)])
        plain = rec.score(histories)
        with rec.steer(steer_of(rec)):
            steered = rec.score(histories)
        for rows, other, move in ((answer["before"], steered, "leaves"), (answer["after"], plain, "enters")):
            for entry in rows:
                rank = int(item_ranks(other, entry["item"], histories, False)[0])
                assert (entry["other"], entry["move"]) == (rank, move if rank > K else None)
                moved += rank > K
        same_list(answer["after"], steered[0].numpy(), row, K)
        (expected,) = boosted(plain, histories, Raise(has, [0.5]), K)[0]
        assert [entry["item"] for entry in answer["boosted"]] == expected.tolist()
        for name in ("before", "after", "boosted"):
            items = np.array([entry["item"] for entry in answer[name]])
            np.testing.assert_allclose(answer["shares"][name], [(items % 2).mean(), (items < 30).mean()])
    assert moved > 20
    (answer,) = ask(block_of(rec, keep_seen=True), "run", [{"history": some[0]}])
    same_list(answer["before"], rec.score(rec.recommender.histories([ids(rec, some[0])]))[0].numpy(), [], K)
    assert answer["boosted"] is None


def test_features_of_every_kind_of_dictionary_are_pythons(ask, recommender, every_kind, codes):
    row = codes[0][-20:]
    for sae in every_kind.values():
        rec = RecommenderEnvoy(recommender, sae)
        (lights,) = ask(block_of(rec), "lights", [{"history": row}], lit=sae.n_features)
        hidden = rec.hidden(recommender.histories([ids(rec, row)]), sae.provenance.site)[0]
        expected = sae.encode(hidden).numpy()
        values = np.zeros_like(expected)
        for step, light in enumerate(lights):
            assert light["item"] == row[step]
            for feature, activation in light["features"]:
                values[step, feature] = activation
        assert (expected > 0).any()
        np.testing.assert_allclose(values, expected, atol=1e-4)
    (lights,) = ask(block_of(rec), "lights", [{"history": [0] * 100}])
    longest = recommender.model.config.max_history
    assert [bool(light["features"]) for light in lights] == [step >= 100 - longest for step in range(100)]
    assert all(len(light["features"]) <= 5 for light in lights)


@BLOCKS
def test_reasons_are_pythons(ask, models, codes, case):
    rec, some, counted = models[case], codes[:4], 0
    requests = [{"history": row, "settings": SETTINGS} for row in some]
    for row, answer in zip(some, ask(block_of(rec), "run", requests), strict=True):
        moved = {
            entry["item"]: 1 if entry["move"] == "enters" else -1
            for entry in answer["before"] + answer["after"]
            if entry["move"]
        }
        assert {int(item) for item in answer["reasons"]} <= set(moved)
        if not moved:
            continue
        table = feature_contributions(rec, [ids(rec, row)], ids(rec, [*moved]), steer_of(rec))
        hidden = rec.hidden(rec.recommender.histories([ids(rec, row)]), case[1])[0]
        activations = rec.saes[case[1]].encode(hidden).numpy()
        for item, sign in moved.items():
            changes = table[table["item"] == ids(rec, [item])[0]]
            right = changes[sign * changes["change"] > 0]
            if right.empty:
                assert str(item) not in answer["reasons"]
                continue
            reason = answer["reasons"][str(item)]
            assert reason["total"] == pytest.approx(changes["change"].sum(), abs=1e-4)
            assert [part["feature"] for part in reason["features"]] == right["feature"].head(3).tolist()
            assert [part["change"] for part in reason["features"]] == pytest.approx(right["change"].head(3), abs=1e-4)
            for part in reason["features"]:
                read = row[-rec.recommender.model.config.max_history :]
                own = activations[: len(read), part["feature"]]
                order = [read[step] for step in np.argsort(-own, kind="stable") if own[step] > 0]
                assert part["items"] == list(dict.fromkeys(order))[:2]
            counted += 1
    assert counted >= 4


@BLOCKS
def test_explanations_are_pythons(ask, models, codes, case):
    rec, some, item = models[case], codes[:3], 7
    requests = [{"history": row, "settings": SETTINGS, "item": item} for row in some]
    for row, answer in zip(some, ask(block_of(rec), "explain", requests, links=1000), strict=True):
        with rec.steer(steer_of(rec)):
            expected = why(rec, [ids(rec, row)], ids(rec, [item])[0], top=6)
        parts = expected.features.set_index("feature")["attribution"].to_dict()
        assert {part["feature"]: part["part"] for part in answer["features"]} == pytest.approx(parts, abs=1e-4)
        assert answer["total"] == pytest.approx(expected.score, abs=1e-4)
        assert answer["explained"] == pytest.approx(sum(parts.values()), abs=1e-4)
        unread = max(len(row) - rec.recommender.model.config.max_history, 0)
        steps = expected.steps[expected.steps["item"].notna() & (expected.steps["attribution"].abs() > 1e-6)]
        links = {(link["feature"], link["step"] - unread): link["part"] for link in answer["links"]}
        hidden = rec.hidden(rec.recommender.histories([ids(rec, row)]), case[1])[0]
        plain = rec.saes[case[1]].encode(hidden).numpy()  # without the sliders: what the history lights
        for step in steps.itertuples():
            own = step.attribution * plain[step.step, step.feature] / step.activation
            assert links.get((step.feature, step.step), 0) == pytest.approx(own, abs=1e-4)
        sliders = {part["feature"]: part["part"] for part in answer["sliders"]}
        of_sliders = expected.steps["attribution"] * (
            1 - plain[expected.steps["step"], expected.steps["feature"]] / expected.steps["activation"]
        )
        for feature, part in of_sliders.groupby(expected.steps["feature"]).sum().items():
            assert sliders.get(feature, 0) == pytest.approx(part, abs=1e-4)
        assert any(abs(part) > 1e-3 for part in sliders.values())


def test_wrong_requests_are_refused_in_one_line(ask, models):
    rec = models["gptrec", "blocks.0"]
    far = [{"kind": "feature", "index": 0, "value": 5}]
    answers = ask(
        block_of(rec),
        "run",
        [{"history": []}, {"history": [10_000]}, {"history": [1], "settings": far}, {"history": [1]}],
    )
    assert answers[0] == "there is no history yet: choose a test user, or add items"
    assert answers[1].startswith("there is no item 10000: give 0 to ")
    assert answers[2] == "feature 0 is 5: give a number from -4 to 4"
    assert len(answers[3]["before"]) == K


def test_a_page_without_its_recommender_says_why(chromium, study, recommender, steerable):
    script = "const [done] = arguments; engine.about().catch((error) => done(error.message))"
    message = chromium.execute_async_script(script)
    assert message == page_model(study).why
    assert "recommender" in message
    sae = steerable["gptrec"].saes["embedding"]
    with pytest.raises(InputError, match='after a block or at "final", and this dictionary reads at embedding'):
        model_tensors(recommender.model, sae)
    with pytest.raises(InputError, match="runs GPTRec and BERT4Rec, and this recommender is a Other"):
        model_tensors(type("Other", (torch.nn.Module,), {})(), steerable["gptrec"].saes["final"])
