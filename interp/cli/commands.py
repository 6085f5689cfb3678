"""The commands, each a function; what they need is imported when they run, so that `interp --help` answers at once."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.extras import SubcommandApp

from interp.cli.opening import open_study
from interp.config import StudyConfig
from interp.optional import Image
from interp.presets import PRESETS
from interp.steering.vocabulary import Reconstruct, Unit, Verb
from recmodels import ranks
from recmodels.errors import InputError
from recmodels.paths import as_path
from recmodels.wording import wrapped

if TYPE_CHECKING:
    from interp.control.doses import Dose
    from interp.control.mix_doses import MixDose
    from interp.control.user_doses import UserDoses
    from interp.steering.edits import Steer
    from interp.study.study import Study

app = SubcommandApp()


@app.command
def demo(data: Path | None = None, out: Path = Path("artifacts/ml-100k")) -> None:
    """Train, interpret and steer a recommender on MovieLens-100K, and write its dashboard, in minutes.

    Args:
        data: A folder or archive with your copy of MovieLens-100K; without it, it is downloaded.
        out: Where everything is written.
    """
    _, config = PRESETS["ml-100k"]
    run_and_report(replace(config, data=data, out=out))


@app.command
def study(config: StudyConfig) -> None:
    """Run one configuration to all its tables, its dashboard and its report: `interp study ml-1m --data FOLDER`.

    A study that was interrupted goes on where it was; steps whose result is already there are skipped.
    """
    run_and_report(config)


@app.command
def dashboard(folder: tyro.conf.Positional[Path], onnx: bool = False, onnxruntime_web: Path | None = None) -> None:
    """Write the dashboard of a finished study again: `interp dashboard artifacts/ml-100k`.

    Its section "Try it" runs GPTRec and BERT4Rec; with --onnx also other recommenders that torch can export, such as an
    adapted SASRec. That makes the page 5 MB larger. To write it, `pip install '.[onnx]'` and `npm install
    onnxruntime-web` are needed; to open it, nothing.

    Args:
        folder: The study's folder, such as artifacts/ml-100k.
        onnx: Put the recommender into the page as ONNX, with ONNX Runtime Web, if the page cannot run it otherwise.
        onnxruntime_web: Where npm installed onnxruntime-web, for --onnx; by default node_modules/onnxruntime-web here.
    """
    if onnxruntime_web is not None and not onnx:
        raise InputError("--onnxruntime-web is for --onnx: also give --onnx")
    finished_study = open_study(folder)
    from interp.pages.dashboard import write_dashboard
    from interp.pages.onnx_runtime import read_runtime

    print(write_dashboard(finished_study, read_runtime(onnxruntime_web) if onnx else None))


@app.command
def report(folder: tyro.conf.Positional[Path]) -> None:
    """Write the report of a finished study again.

    Args:
        folder: The study's folder, such as artifacts/ml-1m.
    """
    finished_study = open_study(folder)
    from interp.pages.report import write_report

    print(write_report(finished_study))


@app.command
def tables(folder: tyro.conf.Positional[Path | None] = None) -> None:
    """List the tables that `study.table` reads, and what each holds: `interp tables artifacts/ml-100k`.

    Args:
        folder: A study's folder, to see the number of rows of each table as well.
    """
    from interp.store.registry import analyses

    entries = [table for analysis in analyses() for table in analysis.tables]
    rows = [""] * len(entries) if folder is None else _row_counts(open_study(folder), [table.name for table in entries])
    width, digits = max(len(table.name) for table in entries), max(map(len, rows))
    columns = max(shutil.get_terminal_size().columns, 60)
    for table, count in zip(entries, rows, strict=True):
        head = f"{table.name:<{width}}  {count:>{digits}}{'  ' if digits else ''}"
        print(wrapped(table.about, columns, head, " " * len(head)))


def _row_counts(finished_study: "Study", names: list[str]) -> list[str]:
    """The number of rows of each table; a dash for a table that this study does not have."""

    def count(name: str) -> str:
        try:
            return f"{len(finished_study.table(name)):,}"
        except InputError:
            return "–"

    return [count(name) for name in names]


@app.command
def export(
    folder: tyro.conf.Positional[Path],
    to: Path,
    site: bool = False,
    figures: Annotated[tuple[Image, ...] | None, tyro.conf.arg(metavar="[{svg,pdf,png} ...]")] = None,
    tables: bool = False,
    spreadsheet_safe: bool = False,
) -> None:
    """Write feature pages for the web, figures and tables for a paper: `interp export artifacts/ml-100k --to out`.

    Without --site, --figures or --tables, all three are written: out/site, out/figures and out/tables. A folder that an
    earlier export wrote is replaced as a whole; one that holds anything else is left alone.

    Args:
        folder: The study's folder.
        to: Where the folders site, figures and tables go.
        site: A static site with a page for every feature. Put it on any web server, below any address, such as GitHub
            Pages, or open its index.html. It shows histories of the test users under their ids.
        figures: Every figure as plotly's .json, sized for a column of a paper; `--figures svg pdf png` writes images as
            well, which needs Chrome or Chromium and `pip install kaleido`.
        tables: Every table as .tex (booktabs) and as .csv; all.tex shows them all.
        spreadsheet_safe: In the .csv files, put a ' before text that begins with = + - @ or a tab, which a spreadsheet
            would run as a formula. Concepts and titles come from the data: use it for data of strangers.
    """
    finished_study = open_study(folder)
    from interp.pages.export import export

    for written in export(
        finished_study, as_path(to), site=site, figures=figures, tables=tables, spreadsheet_safe=spreadsheet_safe
    ):
        print(written)


@app.command
def steer(
    folder: tyro.conf.Positional[Path],
    edits: Annotated[tyro.conf.Positional[list[str]], tyro.conf.arg(metavar="EDIT [EDIT ...]")],
    op: Verb = "set",
    unit: Unit | None = None,
    at: Literal["last", "all"] = "last",
    reconstruct: Reconstruct = "none",
    save: Path | None = None,
    history: tuple[str, ...] = (),
) -> None:
    """Steer the lists of a study's test users, and print what changed: `interp steer artifacts/ml-100k Horror=1`.

    With --history, a bundle without users can be steered too: `interp steer ml-1m.zip Horror=1 --history 1193 661 914`.

    Args:
        folder: The study's folder.
        edits: What to do: FEATURE=VALUE, where a feature is a number or a concept (all its aligned features); with
            --op ablate FEATURE alone, with --op clamp FEATURE=FLOOR:CAP; or one .json file that --save wrote. Where a
            concept is called 12, say feature:12 or concept:12.
        op: What to do with the value.
        unit: The unit of values; by default each feature's own 99th percentile (p99).
        at: Steer the last step, which is scored, or all steps.
        reconstruct: Keep the dictionary's error, or replace the layer by its reconstruction as the paper does.
        save: A .json file to write the steer to, for `rec.steer(load_steer(FILE))` and for this command.
        history: Item ids, oldest first: the list after this history is printed, without the steer and with it, in place
            of what changes for the test users.
    """
    check_name(save)
    finished_study = open_study(folder)
    from interp.steering.feature_names import CONCEPT
    from interp.steering.parsing import read_edits
    from interp.steering.serialization import load_steer
    from recmodels.id_files import ids_like

    if not history and finished_study.left_out("users"):
        raise InputError(f"{folder} is a bundle without users: give --history ITEM [ITEM ...], whose list is steered")
    rec, concepts = finished_study.recommender, finished_study.recommender.meanings[finished_study.site].concepts
    if len(edits) == 1 and edits[0].endswith(".json") and not edits[0].startswith(CONCEPT):
        if edits[0] in concepts:
            raise InputError(f"{edits[0]} is a concept: write {CONCEPT}{edits[0]}, or ./{edits[0]} for a file")
        if (op, unit, at, reconstruct) != ("set", None, "last", "none"):
            raise InputError(f"{edits[0]} already says its op, unit, at and reconstruct: give it alone")
        plan = rec.steer_of(load_steer(edits[0]))
    else:
        usual: Unit = "activation" if op in ("scale", "ablate") else "p99"
        plan = rec.steer_of(read_edits(edits, op, concepts), op=op, unit=unit or usual, at=at, reconstruct=reconstruct)
    if history:
        items = [ids_like(history, rec.recommender.vocabulary.ids)]
        print(finished_study.recommend(items))
        with rec.steer(plan):
            print(f"\nsteered\n{finished_study.recommend(items)}")
    else:
        print(finished_study.receipt(plan))
    keep(plan, save)


@app.command
def dose(
    folder: tyro.conf.Positional[Path],
    goals: Annotated[tyro.conf.Positional[list[str]], tyro.conf.arg(metavar="CONCEPT SHARE")],
    at_most: bool = False,
    each: bool = False,
    cost: str | None = None,
    save: Path | None = None,
) -> None:
    """Find the steer that gives a concept a share of the lists: `interp dose artifacts/ml-100k Horror 0.3`.

    Several concepts at once: `interp dose artifacts/ml-100k Horror=0.3 "Drama<=0.2"`. The search uses users held out
    from the dictionary; the receipt is about test users.

    Args:
        folder: The study's folder.
        goals: The concept, such as Horror or concept:Horror, and its mean share of the top 10, such as 0.3; or a word
            for each of several concepts: CONCEPT=SHARE for at least, "CONCEPT<=SHARE" for at most.
        at_most: Ask for at most this share, rather than at least.
        each: A dose for each test user, for their own list.
        cost: The metric that the dose keeps as high as it can: overlap, a registered one, or, without --each, ndcg.
        save: A .json file to write the steer to, for `rec.steer(load_steer(FILE))` and `interp steer`.
    """
    check_name(save)
    finished_study = open_study(folder)
    from interp.control.mix_doses import read_goals, single_share

    single = single_share(goals)
    answer: Dose | UserDoses | MixDose
    if single is None:
        if at_most or each or cost:
            raise InputError("--at-most, --each and --cost are for one concept: write limits like 'Drama<=0.2'")
        answer = finished_study.dose(read_goals(goals))
    elif each:
        answer = finished_study.user_doses(goals[0], single, at_most=at_most, cost=cost)
    else:
        answer = finished_study.dose(goals[0], single, at_most=at_most, cost=cost)
    print(answer)
    keep(answer.steer, save)


@app.command
def calibrate(folder: tyro.conf.Positional[Path], by: float = 0.5, save: Path | None = None) -> None:
    """Steer each test user's list towards the mix of their own past: `interp calibrate artifacts/ml-100k`.

    Args:
        folder: The study's folder.
        by: The part of the mean miscalibration that is to go.
        save: A .json file to write the steer to, for `rec.steer(load_steer(FILE))` and `interp steer`.
    """
    check_name(save)
    calibration = open_study(folder).calibrate(by=by)
    print(calibration)
    keep(calibration.steer, save)


@app.command
def equalizer(
    folder: tyro.conf.Positional[Path],
    port: int = 8050,
    browser: Annotated[bool, tyro.conf.arg(help_behavior_hint="")] = True,
) -> None:
    """Turn concepts and features up and down in your browser: `interp equalizer artifacts/ml-100k`.

    Only this machine can reach it.

    Args:
        folder: The study's folder.
        port: The port; 0 for any free one.
        browser: Do not open the page in the browser.
    """
    finished_study = open_study(folder)
    from interp.pages.equalizer_server import serve

    serve(finished_study, port, browser)


def check_name(path: Path | None, suffix: str = ".json") -> None:
    """Refuse a name that nothing can be written to, before the work is done.

    Raises:
        InputError: the name does not end as it should.
    """
    if path and path.suffix != suffix:
        raise InputError(f"cannot write {path}: give a name that ends in {suffix}")


def keep(steer: "Steer", path: Path | None) -> None:
    """Write a steer, if a file was named."""
    from interp.steering.serialization import save_steer

    if path:
        save_steer(steer, path)
        print(f"written to {path}")


def run_and_report(config: StudyConfig) -> None:
    """Run a study and print what it found."""
    if config.out is not None and str(config.out).startswith("~"):
        config = replace(config, out=as_path(config.out))
    # Imported here so that `interp --help` and a mistake are answered at once.
    from interp.store.early_checks import check_early

    with ranks.joined():
        check_early(config)
        from interp import run
        from interp.pages.summary import summary

        study = run(config)
        if ranks.prints():
            print(summary(study))
