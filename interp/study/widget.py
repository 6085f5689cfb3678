"""The equalizer as a Jupyter widget: `study.equalizer()`. `interp.study.equalizer` computes what it shows."""

from typing import Any

from interp.optional import needing
from interp.study.equalizer import (
    CONCEPT_REACH,
    FEATURE_REACH,
    STEP,
    equalize,
    feature_choices,
    feature_name,
    read_history,
    steer_of,
)
from interp.study.headline import weak_concepts
from interp.study.study_steering import StudySteering
from recmodels.errors import InputError
from recmodels.ranking import check_length

with needing("ipywidgets"):
    import ipywidgets as widgets


LAYOUT = {"width": "26rem"}
STYLE = {"description_width": "9rem"}


def equalizer(study: StudySteering, k: int = 10) -> widgets.VBox:
    """Sliders, a history, and its list before and after, which follow every change; and a receipt, when asked for.

    Args:
        study: a finished study.
        k: list length.

    Raises:
        InputError: k is not a positive integer.
    """
    k = check_length(k)
    users = study.users()
    vocabulary = study.recommender.recommender.vocabulary
    names, weak = study.table("concepts")["concept"].sort_values(), weak_concepts(study)
    sliders: dict[str | int, widgets.FloatSlider] = {
        name: _slider(f"{name} (weak)" if name in weak else name, CONCEPT_REACH) for name in names
    }

    options = [("choose one", None), *((f"{user}", place) for place, user in enumerate(users.users))]
    user = widgets.Dropdown(options=options, description="test user", style=STYLE, layout=LAYOUT)
    ids = widgets.Textarea(
        description="or item ids", placeholder="200, 219, 183", continuous_update=False, style=STYLE, layout=LAYOUT
    )
    choices = [(feature_name(study, number), number) for number in feature_choices(study)]
    feature = widgets.Dropdown(options=choices, description="feature", style=STYLE, layout={"width": "20rem"})
    add = widgets.Button(description="Add feature")
    reset = widgets.Button(description="All to 0")
    measure = widgets.Button(description="Receipt on the test users", layout={"width": "15rem"})
    rows = widgets.VBox(list(sliders.values()))
    note, lists, receipt, code = (
        widgets.Label(),
        widgets.HTML(),
        widgets.HTML(),
        widgets.Textarea(disabled=True, rows=9, layout={"width": "95%"}),
    )

    def slider_values() -> dict[str | int, float]:
        return {key: slider.value for key, slider in sliders.items()}

    def show(_change: Any = None) -> None:
        note.value = lists.value = receipt.value = code.value = ""
        if not ids.value.strip():
            note.value = "Choose a test user or paste item ids."
            return
        try:
            history = read_history(study, ids.value)
            result = equalize(study, history, slider_values(), k)
        except InputError as error:
            note.value = str(error)
            return
        lists.value, code.value = result._repr_html_(), result.python

    def choose(change: dict[str, Any]) -> None:
        if change["new"] is not None:
            ids.value = ", ".join(map(str, vocabulary.decode(users[change["new"]])))

    def add_feature(_button: Any) -> None:
        number = feature.value
        if number is not None and number not in sliders:
            sliders[number] = _slider(feature_name(study, number), FEATURE_REACH)
            sliders[number].observe(show, "value")
            rows.children = tuple(sliders.values())

    def all_to_zero(_button: Any) -> None:
        for slider in sliders.values():
            slider.value = 0.0

    def make_receipt(_button: Any) -> None:
        receipt.value = "… some seconds …"
        receipt.value = study.receipt(steer_of(study, slider_values()), k=k)._repr_html_()

    user.observe(choose, "value")
    for slider in (ids, *sliders.values()):
        slider.observe(show, "value")
    add.on_click(add_feature)
    reset.on_click(all_to_zero)
    measure.on_click(make_receipt)
    show()
    controls = widgets.VBox([user, ids, rows, widgets.HBox([feature, add]), widgets.HBox([reset, measure])])
    return widgets.VBox([note, widgets.HBox([controls, widgets.VBox([lists, receipt])]), code])


def _slider(name: str, reach: float) -> widgets.FloatSlider:
    return widgets.FloatSlider(
        0, min=-reach, max=reach, step=STEP, description=name, continuous_update=False, style=STYLE, layout=LAYOUT
    )
