# Two commands are enough: `make demo` and `make test`. Both create .venv on first use.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# Where ml-1m lies for the longer runs: a folder with the official archives' contents.
INTERP_DATA ?= ../shared/data
export INTERP_DATA

.PHONY: help demo test lint studies reference clean

help:
	@echo "make demo     install, then train, interpret and steer a recommender on MovieLens-100K"
	@echo "make test     lint, type checks and the whole test suite"
	@echo "make studies  the figures that the project promises, measured on real data (INTERP_DATA, half an hour)"
	@echo "make reference  the same runs, and their tables copied to artifacts/reference"
	@echo "make clean    remove .venv and what runs wrote under artifacts/"

demo: $(READY)
	$(BIN)/interp demo

test: lint
	$(BIN)/python -m pytest -m "not study"

studies: $(READY)
	$(BIN)/python -m pytest -m study

reference: $(READY)
	$(BIN)/interp study ml-100k
	$(BIN)/interp study planted
	$(BIN)/interp study ml-1m --data $(INTERP_DATA)/ml-1m
	for study in ml-100k planted ml-1m; do \
	  mkdir -p artifacts/reference/$$study && \
	  cp artifacts/$$study/tables/*/*.csv artifacts/$$study/timings.json artifacts/reference/$$study/ || exit 1; \
	done

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
	rm -rf $(VENV) build *.egg-info
	find artifacts -mindepth 1 -maxdepth 1 ! -name README.md ! -name reference -exec rm -rf {} +
