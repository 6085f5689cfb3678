"""All tables of a study: each analysis computes its own, spread over ranks where there are several."""

from collections.abc import Callable, Mapping
from functools import partial

from interp.pipeline.inputs import TABLES, Inputs
from interp.pipeline.trained_baselines import outputs
from interp.store.analysis import Analysis, table_of
from interp.store.registry import owner
from interp.store.table_files import write_tables
from interp.store.timings import Stages
from recmodels import ranks

CHOICE = "dictionaries"  # the table that says which dictionary all further analyses are about
BASELINES = "baselines"
FEATURES = {"train_features": "sae", "validation_features": "sae_validation", "test_features": "test"}


def analyse_all(todo: list[Analysis], inputs: Inputs, stages: Stages) -> None:
    """Compute the tables of some analyses; those that are there already stay.

    Args:
        todo: the analyses, each after those whose tables it needs.
        inputs: what they read.
        stages: takes the times.
    """
    needs, work = _tasks(todo, inputs, stages)
    before_choice = _closure(owner(CHOICE).name, needs)
    for name in ranks.share_in_order(needs):
        if name not in before_choice:
            _ = inputs.sae  # attaches the dictionary to the recommender
        work[name]()
    stages.merge()


def _tasks(
    todo: list[Analysis], inputs: Inputs, stages: Stages
) -> tuple[dict[str, list[str]], dict[str, Callable[[], object]]]:
    """The tasks in order: which others each needs, and what it does.

    A matrix of features is made by the analysis that needs it; several ranks make it before, as none waits for another
    within a task.
    """
    spread = ranks.count() > 1
    choice = owner(CHOICE).name
    tables = {analysis.name: _owners(analysis) for analysis in todo}
    before_choice = _closure(choice, tables)
    needs: dict[str, list[str]] = {}
    work: dict[str, Callable[[], object]] = {}
    for analysis in sorted(todo, key=lambda analysis: analysis.name not in before_choice):
        others = list(tables[analysis.name])
        if analysis.name not in before_choice:
            others.append(choice)
        for need in analysis.needs:
            if need == BASELINES and inputs.config.baselines == "all":
                others.append(BASELINES)
                if BASELINES not in work:
                    needs[BASELINES], work[BASELINES] = [choice], partial(_train_baselines, inputs, stages)
            for part in ("sae",) if need == BASELINES else (FEATURES.get(need),):
                if spread and part is not None:
                    others.append(task := f"features of {part}")
                    if task not in work:
                        needs[task], work[task] = [choice], partial(_make_features, inputs, part)
        needs[analysis.name], work[analysis.name] = others, partial(_analyse, analysis, inputs, stages)
    return needs, work


def _owners(analysis: Analysis) -> list[str]:
    """The analyses whose tables it reads."""
    return [owner(table).name for need in analysis.needs if (table := table_of(need)) is not None]


def _closure(name: str, needs: Mapping[str, list[str]]) -> set[str]:
    """A task, and all that it needs, directly or not."""
    return {name}.union(*(_closure(other, needs) for other in needs.get(name, [])))


def _train_baselines(inputs: Inputs, stages: Stages) -> None:
    with stages.stage(BASELINES, *outputs(inputs.folder)):
        inputs.train_baselines()


def _make_features(inputs: Inputs, part: str) -> None:
    inputs.features(part).make()


def _analyse(analysis: Analysis, inputs: Inputs, stages: Stages) -> None:
    """Compute the tables of an analysis, unless those of the same key are there."""
    folder = inputs.folder / TABLES / analysis.name
    with stages.stage(analysis.name, folder):
        write_tables(
            folder,
            analysis.tables,
            inputs.analysis_key(analysis),
            lambda: analysis.compute(**{name: inputs[name] for name in analysis.needs}),
        )
