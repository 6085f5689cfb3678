"""The equalizer's Python backend: its answers against the study's own, and what it refuses."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from interp.control.baselines import Raise, boosted_lists
from interp.steering.serialization import from_json
from interp.study import equalizer
from interp.study.equalizer import equalize, steer_of
from interp.study.equalizer_backend import EqualizerBackend
from recmodels.errors import InputError


@pytest.fixture(scope="module")
def backend(study):
    return EqualizerBackend(study, k=5)


@pytest.fixture(scope="module")
def ask(backend):
    """The answer's result, after a journey through JSON."""

    def ask(method, *args):
        answer = json.loads(json.dumps(backend.answer(json.loads(json.dumps({"method": method, "args": args})))))
        assert set(answer) == {"result"}, answer
        return answer["result"]

    return ask


@pytest.fixture(scope="module")
def about(ask):
    return ask("about")


@pytest.fixture(scope="module")
def history(ask):
    return ask("user", 2)["history"]


@pytest.fixture(scope="module")
def place(about, study):
    """The position of the concept that is followed best."""
    best = study.table("concepts").sort_values("correlation")["concept"].iloc[-1]
    return [concept["name"] for concept in about["concepts"]].index(best)


def ids(study, codes):
    return study.recommender.recommender.vocabulary.decode(np.array(codes)).tolist()


def test_about_names_everything_by_position(study, about, history):
    items, names = about["items"], [concept["name"] for concept in about["concepts"]]
    assert items["id"] == study.recommender.recommender.vocabulary.ids.tolist()
    assert items["title"] == study.items.loc[items["id"], "title"].tolist()
    for item, own in zip(items["id"], items["concepts"], strict=True):
        assert sorted(names[place] for place in own) == sorted(study.items.at[item, "concepts"])
    features = study.table("features").set_index("feature")
    assert {row["index"] for row in about["features"]} == set(features.index[features["density"] > 0])
    for row in about["features"]:
        assert (row["name"], row["grade"]) == (study.names[row["index"]].text, study.names[row["index"]].grade)
        assert row["max"] == features.at[row["index"], "max"]
    users = study.users()
    assert about["users"][2] == {"name": str(users.users[2]), "n": len(history)}
    assert history == users[2].tolist()


def test_lists_are_those_of_equalize(study, ask, about, history, place):
    feature = about["features"][0]["index"]
    settings = [{"kind": "concept", "index": place, "value": 2}, {"kind": "feature", "index": 0, "value": -0.5}]
    answer = ask("run", {"history": history, "settings": settings, "boosts": {}})
    sliders = {about["concepts"][place]["name"]: 2.0, feature: -0.5}
    result = equalize(study, ids(study, history), sliders, 5)
    for rows, expected in ((answer["before"], result.before), (answer["after"], result.after)):
        assert ids(study, [row["item"] for row in rows]) == expected["item"].tolist()
        for name, column in (("score", "score"), ("rank", "rank"), ("other", "other_rank")):
            np.testing.assert_allclose([row[name] for row in rows], expected[column])
        assert [row["move"] is not None for row in rows] == expected["moved"].tolist()
    assert {row["move"] for row in answer["before"]} == {None, "leaves"}
    assert {row["move"] for row in answer["after"]} == {None, "enters"}
    assert answer["boosted"] is None
    assert answer["python"] == result.python
    assert from_json(answer["json"]) == result.steer
    assert {ids(study, [int(item)])[0] for item in answer["reasons"]} == set(result.reasons["item"])
    for item, reason in answer["reasons"].items():
        rows = result.reasons[result.reasons["item"] == ids(study, [int(item)])[0]]
        assert reason["total"] == rows["total"].iloc[0]
        assert [about["features"][part["feature"]]["index"] for part in reason["features"]] == rows["feature"].tolist()
        assert [part["change"] for part in reason["features"]] == rows["change"].tolist()


def test_lists_without_reasons_are_the_same_and_compute_none(ask, history, place, monkeypatch):
    request = {"history": history, "settings": [{"kind": "concept", "index": place, "value": 2}], "boosts": {}}
    whole = ask("run", request)
    assert whole["reasons"]
    contributions, asked = equalizer.feature_contributions, []
    monkeypatch.setattr(
        equalizer, "feature_contributions", lambda *parts: (asked.append(parts[2]), contributions(*parts))[1]
    )
    assert ask("run", request | {"reasons": False}) == whole | {"reasons": {}}
    assert not any(asked)  # no item was explained
    assert ask("run", request | {"reasons": True}) == whole
    assert any(asked)


def test_shares_are_counted_in_the_lists(ask, about, history, place):
    settings = [{"kind": "concept", "index": place, "value": 2}]
    answer = ask("run", {"history": history, "settings": settings, "boosts": {str(place): 1.5}})
    for name in ("before", "after", "boosted"):
        own = [about["items"]["concepts"][row["item"]] for row in answer[name]]
        expected = [sum(concept in one for one in own) / 5 for concept in range(len(about["concepts"]))]
        assert answer["shares"][name] == pytest.approx(expected)
    assert answer["shares"]["after"][place] > answer["shares"]["before"][place]


def test_a_boosted_list_is_that_of_the_baseline(study, ask, about, history, place):
    rec, name = study.recommender, about["concepts"][place]["name"]
    own = rec.recommender.histories(ids(study, history))
    has = study.concepts.matrix[study.concepts.items.get_indexer(about["items"]["id"])][:, study.concepts.index(name)]
    for boost in (0.3, 1.5, -1.0):
        answer = ask("run", {"history": history, "settings": [], "boosts": {str(place): boost}})
        (lists,) = boosted_lists(rec, own, [Raise(has, [boost])], 5)
        assert [row["item"] for row in answer["boosted"]] == lists[0, 0].tolist()
        before = {row["item"] for row in answer["before"]}
        assert all((row["move"] == "enters") == (row["item"] not in before) for row in answer["boosted"])
        assert answer["before"] == answer["after"]


def test_boosts_of_several_concepts_add_up(study, ask, about, history):
    answer = ask("run", {"history": history, "settings": [], "boosts": {"0": 0.5, "1": 0.25}})
    scores = study.recommender.score(study.recommender.recommender.histories(ids(study, history)))[0]
    for row in answer["boosted"]:
        own = about["items"]["concepts"][row["item"]]
        amount = 0.5 * (0 in own) + 0.25 * (1 in own)
        assert row["score"] == pytest.approx(float(scores[row["item"]] + amount * scores.std()), abs=1e-4)


def test_lights_are_the_activations_of_a_trace(study, ask, about, history):
    rec = study.recommender
    with rec.trace(ids(study, history)):
        features = rec.site(study.site).features.save()
    lights = ask("lights", {"history": history})
    assert [step["item"] for step in lights] == history
    for step, row in zip(lights, features[0, -len(history) :], strict=True):
        numbers = [about["features"][place]["index"] for place, _ in step["features"]]
        values = [value for _, value in step["features"]]
        assert 0 < len(values) <= 5
        assert values == sorted(values, reverse=True)
        np.testing.assert_allclose(values, row[numbers], atol=1e-4)
        assert min(values) >= row.topk(5).values[-1] - 1e-4


def test_items_that_the_model_does_not_read_are_dark(study, ask, about):
    most = study.recommender.recommender.model.config.max_history
    long = [*range(len(about["items"]["id"])), *range(20)][-most - 7 :]
    lights = ask("lights", {"history": long})
    assert [bool(step["features"]) for step in lights] == [False] * 7 + [True] * most
    links = ask("explain", {"history": long, "settings": [], "item": 0})["links"]
    assert all(7 <= link["step"] < len(long) for link in links)


def test_the_items_of_a_reason_light_its_feature_most(study, ask, about, history, place):
    rec = study.recommender
    with rec.trace(ids(study, history)):
        features = rec.site(study.site).features.save()
    settings = [{"kind": "concept", "index": place, "value": 2}]
    reasons = ask("run", {"history": history, "settings": settings, "boosts": {}})["reasons"]
    parts = [part for reason in reasons.values() for part in reason["features"]]
    assert parts
    for part in parts:
        lit = features[0, -len(history) :, about["features"][part["feature"]]["index"]].tolist()
        order = sorted((step for step in range(len(lit)) if lit[step] > 0), key=lambda step: -lit[step])
        assert part["items"] == [history[step] for step in order[:2]]  # each item is in this history once


@pytest.mark.parametrize("value", [0, 2])
def test_an_explanation_is_that_of_why_under_the_steer(study, ask, about, history, place, value):
    settings = [{"kind": "concept", "index": place, "value": value}]
    item = ask("run", {"history": history, "settings": settings, "boosts": {}})["after"][0]["item"]
    answer = ask("explain", {"history": history, "settings": settings, "item": item})
    with study.recommender.steer(steer_of(study, {about["concepts"][place]["name"]: value})):
        why = study.why(ids(study, history), ids(study, [item])[0], top=6)
    assert answer["total"] == pytest.approx(why.score, abs=1e-4)
    number = {part["feature"]: about["features"][part["feature"]]["index"] for part in answer["features"]}
    parts = {number[part["feature"]]: part["part"] for part in answer["features"]}
    expected = why.features.set_index("feature")["attribution"]
    alive = [feature for feature in expected.index if feature in {row["index"] for row in about["features"]}]
    assert parts == pytest.approx(expected[alive].to_dict(), abs=1e-3)
    assert answer["explained"] == pytest.approx(sum(parts.values()))
    steps = why.steps.set_index(["feature", "step"])
    hidden = study.recommender.hidden([ids(study, history)], study.site)[0]
    plain = study.sae.encode(hidden).numpy()  # what the history lights, without the slider
    for link in answer["links"]:
        key = number[link["feature"]], link["step"]
        own = steps.at[key, "attribution"] * plain[key[1], key[0]] / steps.at[key, "activation"]
        assert link["part"] == pytest.approx(own, abs=1e-3)
    sliders = {number[part["feature"]]: part["part"] for part in answer["sliders"]}
    assert bool(sliders) == bool(value)
    history_parts = dict.fromkeys(parts, 0.0)
    for link in answer["links"]:
        history_parts[number[link["feature"]]] += link["part"]
    if len(answer["links"]) < 12:  # none is left out
        for feature, part in parts.items():
            assert history_parts[feature] + sliders.get(feature, 0) == pytest.approx(part, abs=1e-3)


def test_a_receipt_is_the_studys(study, ask, about, place):
    settings = [{"kind": "concept", "index": place, "value": 1}]
    receipt = study.receipt({about["concepts"][place]["name"]: 1.0}, op="add", unit="p99", k=5)
    assert ask("measure", {"settings": settings}) == {
        "html": receipt._repr_html_().replace(" style='text-align:left'", "")
    }


def test_many_threads_get_what_one_gets(backend, about, place):
    messages = [
        {
            "method": "run",
            "args": [
                {
                    "history": backend.answer({"method": "user", "args": [user]})["result"]["history"],
                    "settings": [{"kind": "concept", "index": place, "value": user - 2}],
                    "boosts": None,
                }
            ],
        }
        for user in range(5)
    ]
    alone = [backend.answer(message) for message in messages]
    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(backend.answer, messages)) == alone


def test_a_default_of_another_type_changes_nothing(backend, about, history):
    message = {"method": "lights", "args": [{"history": history}]}
    expected = backend.answer(message)
    torch.set_default_dtype(torch.float64)
    try:
        assert backend.answer(message) == expected
    finally:
        torch.set_default_dtype(torch.float32)


RUN = {"history": [1, 2], "settings": [], "boosts": {}}
ODD = [
    *((message, "not a message") for message in (None, 7, "run", [], {}, {"method": "run"})),
    ({"method": "run", "args": 3}, "not a message"),
    *(({"method": name, "args": []}, "no method") for name in ("nothing", "__init__", "answer", 7, None, [], {})),
    *(({"method": "run", "args": args}, "wrong args") for args in ([], [RUN, RUN], [7], [{**RUN, "more": 1}], [None])),
    ({"method": "about", "args": [1]}, "wrong args"),
    *(({"method": "user", "args": [user]}, "no test user") for user in (-1, 10**6, None, "0", True, 1.0, [0], 10**400)),
    *((("history", value), "give a list") for value in (7, None, {}, "12")),
    (("history", []), "there is no history yet"),
    (("history", [0] * 50_001), "at most 50,000"),
    *((("history", [value]), "there is no item") for value in (-1, 10**6, None, True, 1.0, "1", [1], {}, 10**30)),
    *((("settings", value), "a list of at most") for value in (None, 7, {}, "x")),
    *(
        (("settings", [value]), "no setting")
        for value in (None, 7, {}, {"kind": "concept"}, {"kind": [], "index": 0, "value": 1})
    ),
    (("settings", [{"kind": "x", "index": 0, "value": 1}]), "no setting"),
    *((("settings", [{"kind": "concept", "index": i, "value": 1}]), "no concept") for i in (-1, 99, None, "0", True)),
    (("settings", [{"kind": "feature", "index": 99, "value": 1}]), "no feature"),
    *(
        (("settings", [{"kind": "concept", "index": 0, "value": value}]), "give a number from -2 to 2")
        for value in (2.01, -3, 1e999, float("nan"), 10**400, None, "1", True, [1])
    ),
    (("settings", [{"kind": "feature", "index": 0, "value": 4.5}]), "give a number from -4 to 4"),
    (("settings", [{"kind": "feature", "index": 0, "value": value} for value in (1, 0)]), "two settings"),
    *((("boosts", value), "give an object") for value in (7, [], "x", True)),
    *((("boosts", {key: 1}), "no concept") for key in ("x", "-1", "99", "", "1.0", "9" * 9)),
    *((("boosts", {"0": value}), "a number from -100 to 100") for value in (101, float("nan"), None, "1", 10**400)),
]  # fmt: skip


@pytest.mark.parametrize(("message", "says"), ODD, ids=range(len(ODD)))
def test_what_no_page_sends_is_answered_in_one_line(backend, caplog, message, says):
    if isinstance(message, tuple):
        message = {"method": "run", "args": [{**RUN, message[0]: message[1]}]}
    answer = backend.answer(message)
    assert set(answer) == {"error"}
    assert says in answer["error"]
    assert "\n" not in answer["error"]
    assert caplog.messages == []


def test_nothing_moved_is_nothing_to_measure(backend):
    settings = [{"kind": "concept", "index": 0, "value": 0}]
    assert "every slider is at 0" in backend.answer({"method": "measure", "args": [{"settings": settings}]})["error"]


def test_an_error_of_the_package_is_one_line_and_logged_once(backend, history, caplog, monkeypatch):
    def broken(_message):
        raise RuntimeError("a\nfault")

    monkeypatch.setattr(backend, "_run", broken)
    message = {"method": "run", "args": [{**RUN, "history": history}]}
    answers = [backend.answer(message) for _ in range(3)]
    assert all(answer == {"error": "this cannot be computed (RuntimeError): please report it"} for answer in answers)
    assert caplog.messages == ["the equalizer failed: RuntimeError: a fault"]


@pytest.mark.parametrize("k", [0, -1, "x"])
def test_what_is_no_list_length_is_refused_at_once(study, k):
    with pytest.raises(InputError, match=f"^k is {k!r}: "):
        EqualizerBackend(study, k)
