# Two commands are enough: `make demo` and `make test`. Both create .venv on first use.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# Where ml-1m, lastfm-2k and ml-latest-small lie for the longer runs: folders with the official archives' contents.
INTERP_DATA ?= ../shared/data
export INTERP_DATA

FUZZ_INPUTS ?= 100000
VERSION_TESTS ?= tests/recmodels tests/interp --ignore tests/recmodels/test_metrics.py --ignore tests/recmodels/test_splits.py \
  --ignore tests/interp/pages/test_equalizer_app.py --ignore tests/interp/pages/dashboard

PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not study and not peer and not jupyter" --numprocesses auto \
  --maxprocesses 4 --dist loadfile
STUDIES := ml-100k planted ml-1m ml-1m-bert4rec lastfm-2k ml-latest-small

.PHONY: help demo test docs fuzz kill ranks faults lint oldest newest peers jupyter onnx benchmarks benchmarks-small studies \
  reference notebooks types clean

help:
	@echo "make demo     install, then train, interpret and steer a recommender on MovieLens-100K"
	@echo "make test     lint, type checks and the tests"
	@echo "make docs     the documentation as a site in build/docs, to open at build/docs/index.html; runs its code and the"
	@echo "              notebooks first"
	@echo "make fuzz     100,000 odd inputs, and a table of what they led to (FUZZ_INPUTS for another number)"
	@echo "make oldest   tests with the oldest allowed version of each dependency; make newest, with the newest"
	@echo "make peers    the packages that we exchange models and dictionaries with, each in an environment of its own,"
	@echo "              and the tests that compare with them; 11 GB and a quarter of an hour, so no part of CI"
	@echo "make jupyter  the equalizer's widget in a real JupyterLab and Notebook, which it installs; needs chromium"
	@echo "make onnx     recommenders of other programs as ONNX, in a page and for a service; needs chromium and onnxruntime-web"
	@echo "make benchmarks  how fast it is beside what one would use instead; writes benchmarks/RESULTS.md"
	@echo "make benchmarks-small  the same in seconds, to see whether results are right"
	@echo "make kill     kill a small study 200 times in all its stages, and compare what it ends in"
	@echo "make ranks    a small study on 2 and on 4 ranks, some of them killed, compared byte by byte with one rank"
	@echo "make faults   lose, cut and flip every file of a study, and fill the disk"
	@echo "make studies  the figures that the project promises, measured on real data (INTERP_DATA, hours)"
	@echo "make reference  the same runs, and their tables copied to artifacts/reference"
	@echo "make notebooks  execute the notebooks on artifacts/ml-100k, and write them with what came out"
	@echo "make types    the types of the pages' scripts (npm installs TypeScript, a tool for development alone)"
	@echo "make clean    remove .venv and what runs wrote under artifacts/"

demo: $(READY)
	$(BIN)/interp demo

# Several tests at a time, the models of each on one core.
test: lint
	$(PYTEST) --ignore tests/docs --ignore tests/notebooks

# All code that pages and notebooks show is run. A warning, such as a link that leads nowhere, fails the build.
docs: $(READY)
	$(PYTEST) tests/docs tests/notebooks
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

fuzz: $(READY)
	OMP_NUM_THREADS=1 FUZZ_INPUTS=$(FUZZ_INPUTS) $(BIN)/python -m pytest tests/fuzz

# An environment of its own beside .venv, and the tests that need neither a browser nor RePlay.
oldest newest:
	test -d .venv-$@ || $(PYTHON) -m venv .venv-$@
	.venv-$@/bin/python tests/versions.py $@ > .venv-$@/requirements.txt
	.venv-$@/bin/pip install --quiet --disable-pip-version-check --upgrade $(TORCH_INDEX) $$(grep ^torch== constraints.txt)
	.venv-$@/bin/pip install --quiet --disable-pip-version-check --upgrade $$(grep ^torch== constraints.txt) \
	  --requirement .venv-$@/requirements.txt
	.venv-$@/bin/pip install --quiet --disable-pip-version-check --no-deps dictionary-learning==0.1.0
	OMP_NUM_THREADS=1 .venv-$@/bin/python -m pytest -m "not study and not fuzz and not peer and not jupyter" $(VERSION_TESTS)

# Tests against the real packages; a test whose environment cannot be built is skipped, and says so.
peers: $(READY)
	$(BIN)/python tests/peers/environments.py build $(TORCH_INDEX)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m peer -rs

# The widget as people see it, in a browser.
jupyter: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[jupyter]" || \
	  echo "JupyterLab could not be installed"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m jupyter -rs

# Other recommenders in the page, as ONNX, in a browser with npm's onnxruntime-web; and exports for a service.
onnx: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[onnx]" || \
	  echo "onnx could not be installed"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -rs --show-capture=no tests/interp/deployment tests/interp/pages/test_onnx_page.py \
	  tests/interp/pipeline/test_onnx_dashboard.py

# A library whose environment cannot be built is left out, and the table says so.
benchmarks: $(READY)
	$(BIN)/python tests/peers/environments.py build $(TORCH_INDEX) saelens dictionary-learning sparsify
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks

benchmarks-small: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks --small

# Kills in all stages of a small study, each taken up again; the result is compared byte by byte.
kill: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python tests/kill/harness.py

# A small study on 2 and on 4 ranks, undisturbed and with ranks that are killed; all files are compared byte by byte.
ranks: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python tests/kill/ranks.py --ranks 2 --kills 4
	OMP_NUM_THREADS=1 $(BIN)/python tests/kill/ranks.py --ranks 4 --kills 4

# Lost, cut and flipped files of every kind, and full disks: all of them, of which `make test` tries a few.
faults: $(READY)
	OMP_NUM_THREADS=1 INTERP_FAULTS=all $(BIN)/python -m pytest tests/interp/pipeline/test_faults.py

studies: $(READY)
	$(BIN)/python -m pytest -m study

reference: $(READY)
	$(BIN)/interp study ml-100k
	$(BIN)/interp study planted
	$(BIN)/interp study ml-1m --data $(INTERP_DATA)/ml-1m
	$(BIN)/interp study ml-1m-bert4rec --data $(INTERP_DATA)/ml-1m
	$(BIN)/interp study lastfm-2k --data $(INTERP_DATA)/lastfm-2k
	$(BIN)/interp study ml-latest-small --data $(INTERP_DATA)/ml-latest-small
	for study in $(STUDIES); do \
	  rm -rf artifacts/reference/$$study && mkdir -p artifacts/reference/$$study && \
	  cp artifacts/$$study/tables/*/*.csv artifacts/$$study/timings.json artifacts/reference/$$study/ || exit 1; \
	done
	$(BIN)/python -m benchmarks.growth table artifacts/reference ml-100k ml-1m > artifacts/reference/growth.csv
	$(BIN)/python benchmarks/studies/scorecard.py artifacts/ml-1m artifacts/reference/ml-1m --steps 2000
	$(BIN)/python benchmarks/studies/planted.py artifacts/planted-40 artifacts/reference/planted-40

notebooks: $(READY)
	$(BIN)/python notebooks/execute.py artifacts/ml-100k

# The types of the pages' scripts, by TypeScript's checker, which npm installs; nothing is built.
types:
	npm install --no-audit --no-fund --no-package-lock
	npm run types

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# dictionary-learning pins nnsight<0.4 in its metadata although it runs with 0.8:
# it is installed by itself, without letting the resolver see that pin.
$(READY): pyproject.toml constraints.txt
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt $(TORCH_INDEX) torch
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps dictionary-learning==0.1.0
	touch $@

clean:
	rm -rf $(VENV) .venv-oldest .venv-newest .venv-peer-* build *.egg-info
	find artifacts -mindepth 1 -maxdepth 1 ! -name README.md ! -name reference -exec rm -rf {} +
