"""The Jupyter widget in Python: what it answers, and what shows where no widget does."""

import json

import pytest
from pages import HOSTILE

import interp
from recmodels.errors import InputError

pytest.importorskip("anywidget", reason="needs anywidget: pip install '.[app]'")


@pytest.fixture(scope="module")
def hostile(study):
    """The small study, all of whose titles are hostile."""
    other = interp.Study(study.folder, study.record)
    titles = [[*HOSTILE.values()][place % len(HOSTILE)] for place in range(len(study.items))]
    other.__dict__.update(items=study.items.assign(title=titles), recommender=study.recommender)
    return other


@pytest.fixture
def answers(hostile):
    """A widget and the list of what it sends."""
    widget, sent = hostile.equalizer(k=5), []
    widget.send = sent.append
    return widget, sent


def test_messages_are_answered_with_their_ids(answers, hostile):
    widget, sent = answers
    widget._handle_custom_msg({"id": "a-1", "message": {"method": "user", "args": [0]}}, [])
    widget._handle_custom_msg({"id": "a-2", "message": {"method": "nothing", "args": []}}, [])
    assert sent[0] == {"id": "a-1", "result": {"history": hostile.users()[0].tolist()}}
    assert sent[1]["id"] == "a-2"
    assert "no method 'nothing'" in sent[1]["error"]
    assert json.loads(json.dumps(widget.about))["k"] == 5


@pytest.mark.parametrize("content", [None, 7, [], "x", {}, {"id": 1}, {"message": []}])
def test_what_is_no_message_is_survived(answers, content):
    widget, sent = answers
    widget._handle_custom_msg(content, [])
    assert all("error" in answer for answer in sent)


def test_plain_html_is_there_where_no_widget_is_shown(answers):
    widget, _ = answers
    bundle = widget._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "interp.study.equalizer.equalize" in data["text/html"]
    assert data["text/html"].count("<table") == 1
    assert "<script" not in data["text/html"]
    assert "<img" not in data["text/html"]
    assert "&lt;script&gt;" in data["text/html"]
    assert data["text/plain"] == repr(widget) == f"The equalizer of {widget.about['title']}"


@pytest.mark.parametrize("k", [0, -1, "x"])
def test_what_is_no_list_length_is_refused_at_once(study, k):
    with pytest.raises(InputError, match=f"^k is {k!r}: "):
        study.equalizer(k)
