"""The equalizer as a Jupyter widget: `study.equalizer()`. `interp.study.equalizer_backend` answers it."""

from html import escape
from typing import Any

from interp.optional import needing
from interp.study.equalizer import equalize
from interp.study.equalizer_backend import EqualizerBackend
from interp.study.equalizer_bundle import equalizer_script, equalizer_style
from interp.study.study_steering import StudySteering

with needing("anywidget"):
    import anywidget
    import traitlets

PLAIN = (
    "This is a still picture of the equalizer: its sliders need Jupyter with widgets and a running kernel. Without "
    "them, interp.study.equalizer.equalize(study, history, {concept: value}) gives the same lists."
)


class EqualizerWidget(anywidget.AnyWidget):
    """Sliders for concepts and features, and one history's list before and after.

    Args:
        backend: what answers.
    """

    _esm = equalizer_script("remote", "jupyter")
    _css = equalizer_style(".eq") + "\n.eq { background: var(--page); padding: .6rem; border-radius: 10px; }"
    about = traitlets.Dict().tag(sync=True)

    def __init__(self, backend: EqualizerBackend) -> None:
        super().__init__(about=backend.about)
        self._backend = backend
        self.on_msg(self._answer)

    def _answer(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict):
            self.send({"id": content.get("id"), **self._backend.answer(content.get("message"))})

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The widget, and plain HTML for what does not show widgets."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, "text/html": self._plain(), "text/plain": repr(self)}, metadata

    def _plain(self) -> str:
        """The first test user's list, with the concept that is followed best turned up."""
        study, users = self._backend.study, self._backend.users
        if users is None:
            return f"<p>{escape(PLAIN)}</p>"
        concepts = study.table("concepts").sort_values("correlation")["concept"].tolist()[-1:]
        result = equalize(study, users.select(slice(0, 1)), dict.fromkeys(concepts, 1.0), self._backend.k)
        turned = "".join(f"{concept} turned up by 1" for concept in concepts)
        return f"<p>{escape(PLAIN)}</p><p>{escape(f'User {users.users[0]}, {turned}')}</p>{result._repr_html_()}"

    def __repr__(self) -> str:
        return f"The equalizer of {self.about['title']}"


def equalizer(study: StudySteering, k: int = 10) -> EqualizerWidget:
    """The widget of a finished study.

    Args:
        study: whose recommender and features.
        k: list length.

    Raises:
        InputError: k is not a positive integer.
    """
    return EqualizerWidget(EqualizerBackend(study, k))
