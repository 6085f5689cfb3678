"""Tables for a paper: the numbers are the study's, and LaTeX takes whatever is in a cell."""

import io
import re
import shutil
import subprocess

import pandas as pd
import pytest
from pages import HOSTILE, handmade_study

from interp.pages.file_names import file_name
from interp.pages.latex import escape, floating
from interp.pages.table_export import csv_text, in_order, write_tables
from interp.plots.blocks import Column, table


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return handmade_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def folder(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    write_tables(source, folder)
    return folder


def cells(text):
    """The cells between a tabular's rules, row by row: no cell has a bare & or a line's end in it."""
    body = re.search(r"\\toprule\n(.*)\\bottomrule", text, re.S)[1]
    rows = [line.strip() for line in body.splitlines() if line.strip() not in ("", r"\midrule")]
    assert all(row.endswith(r" \\") for row in rows)
    return [[cell.strip() for cell in re.split(r"(?<!\\)&", row[: -len(r"\\")])] for row in rows]


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("Drama & 'co' 50%", r"Drama \& ’co’ 50\%"),
        (r"a\b_{c}^$#~", r"a\textbackslash{}b\_\{c\}\textasciicircum{}\$\#\textasciitilde{}"),
        ("[x] <b>|", r"{[}x{]} \textless{}b\textgreater{}\textbar{}"),
        ("λ ‖h‖ −1 → 2", r"$\lambda$ $\|$h$\|$ $-$1 $\to$ 2"),
        ("Amélie, Łódź – “Š”", "Amélie, Łódź – “Š”"),
        ("Ame\u0301lie", "Amélie"),
        ("\u202eab\u200d\n", "ab"),
        ("千と 🎬", r"{\ifdefined\Umathchar 千と\else ?\fi} {\ifdefined\Umathchar 🎬\else ?\fi}"),
        ("", ""),
    ],
)
def test_text_is_escaped(text, latex):
    assert escape(text) == latex


def test_tables_of_the_paper_come_first_and_all_are_shown(source, folder):
    numbers = [exhibit["number"] for exhibit, _ in in_order(source)]
    first = [number for number in numbers if number.startswith("Table")]
    assert numbers[: len(first)] == first
    assert list(dict.fromkeys(first)) == ["Table 1", "Table 2", "Table 3", "Table 6"]
    shown = re.findall(r"\\input\{(.*)\}", (folder / "all.tex").read_text())
    assert sorted(f"{name}.tex" for name in [*shown, "all"]) == sorted(path.name for path in folder.glob("*.tex"))
    assert len(shown) == len(numbers) == len(list(folder.glob("*.csv")))


def test_a_table_is_rounded_as_latex_and_not_as_csv(source, folder):
    frame = pd.read_csv(folder / "table-2-top-features-of-the-concepts.csv")
    concepts = source.table("concepts")
    assert frame["correlation"].tolist()[:-1] == concepts["correlation"].tolist()
    head, *rows = cells((folder / "table-2-top-features-of-the-concepts.tex").read_text())
    assert head == ["Concept", "Feature", "Correlation", "ROC AUC", "Sensitivity", "Popularity"]
    assert rows[0][:3] == [r"\textless{}b\textgreater{}Noir\textless{}/b\textgreater{}", "7", "0.990"]
    assert rows[-1][0] == r"\textbf{Mean}"
    assert rows[-1][2] == rf"\textbf{{{concepts['correlation'].mean():.3f}}}"


def test_every_table_has_caption_label_and_full_rows(folder):
    labels = []
    for path in folder.glob("*.tex"):
        if path.name == "all.tex":
            continue
        text = path.read_text(encoding="utf-8")
        bare = re.sub(r"\\.", "", text)
        assert bare.count("{") == bare.count("}")
        assert re.search(r"\\caption\{.+\}\n  \\label", text)
        labels.append(re.search(r"\\label\{(.+)\}", text)[1])
        assert labels[-1] == f"tab:{path.stem}"
        rows = cells(text)
        assert len(rows) > 1
        assert len({len(row) for row in rows}) == 1


def test_wide_tables_go_across_the_page():
    one = table(pd.DataFrame({"a": [0.5], "b": ["short"]}), [Column("a", "A"), Column("b", "B", None)])
    text = floating(one, "Two columns.", "tab:two")
    assert r"\begin{table}" in text
    assert r"\begin{tabular}{@{}rl@{}}" in text
    names = [f"column {place}" for place in range(15)]
    many = table(pd.DataFrame([[0.5] * 15], columns=names), [Column(name, name) for name in names])
    assert r"\begin{table*}" in floating(many, "", "x")
    assert r"\resizebox{\linewidth}{!}{" in floating(many, "", "x")
    long = table(pd.DataFrame({"a": ["word " * 30]}), [Column("a", "A", None)])
    assert re.search(r"p\{0\.\d\d\\linewidth\}", floating(long, "", "x"))


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs pdflatex: apt-get install texlive-latex-recommended")
def test_latex_compiles_whatever_titles_are(folder, tmp_path):
    hostile = [text[:300] for text in HOSTILE.values()] + ["\\", "%", "#1", "$", "~^_{}", "\\end{table}", "千と🎬"]
    frame = pd.DataFrame({"title": hostile, "x": 0.5})
    text = floating(table(frame, [Column("title", "T & T", None), Column("x", "x")]), " ".join(hostile), "tab:hostile")
    (folder / "hostile.tex").write_text(text, encoding="utf-8")
    every = (folder / "all.tex").read_text().replace("\\end{document}", "\\input{hostile}\n\\end{document}")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"-output-directory={tmp_path}"]
    (folder / "checked.tex").write_text(every, encoding="utf-8")
    done = subprocess.run([*command, "checked.tex"], cwd=folder, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Output written" in done.stdout


@pytest.mark.parametrize(
    ("number", "title", "part", "name"),
    [
        ("Figure 9(b–d)", "What it costs", "(b) NDCG@10", "figure-9b-ndcg-10"),
        ("Figure 9(a)", "What steering does", "Horror: feature 623", "figure-9a-horror-feature-623"),
        ("Figure 4", "Features beside neurons", "", "figure-4-features-beside-neurons"),
        ("Figure 3", "Against the dictionary’s settings", "(a)", "figure-3a-against-the-dictionarys-settings"),
        ("", "What sparsity costs, by kind", "(a)", "what-sparsity-costs-a"),
        ("", "What it costs", "λ", "what-it-costs-lambda"),
        ("", "../..", "", "unnamed"),
        ("", "<script>", "千と千尋", "script"),
    ],
)
def test_names_say_what_is_in_a_file(number, title, part, name):
    taken = set()
    exhibit = {"number": number, "title": title}
    assert file_name(exhibit, part, taken) == name
    assert file_name(exhibit, part, taken) == f"{name}-2"
    assert len(file_name({"number": "", "title": "long word " * 40}, "", taken)) <= 72


def test_a_spreadsheet_runs_no_cell():
    formulas = ['=HYPERLINK("http://evil")', "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "Film\r=1"]
    frame = pd.DataFrame({"=name": formulas, "plain": ["Horror"] * 8, "number": [-1.5] * 8})
    safe = pd.read_csv(io.StringIO(csv_text(frame, True)), keep_default_na=False)
    assert safe.columns.tolist() == ["'=name", "plain", "number"]
    assert all(cell.startswith("'") for cell in safe["'=name"][:-1])
    assert safe["'=name"].iloc[-1] == "Film =1"
    assert safe["number"].tolist() == [-1.5] * 8
    assert safe["plain"].tolist() == ["Horror"] * 8
    assert csv_text(frame, False) == frame.to_csv(index=False, lineterminator="\n")
