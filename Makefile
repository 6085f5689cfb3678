# Two commands are enough: `make demo` and `make test`. Both create .venv on first use.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: help demo test lint studies clean

help:
	@echo "make demo     install, then train, interpret and steer a recommender on MovieLens-100K"
	@echo "make test     lint, type checks and the whole test suite"
	@echo "make studies  the longer tests, on the data sets under INTERP_DATA"
	@echo "make clean    remove .venv and what runs wrote under artifacts/"

demo: $(READY)
	$(BIN)/interp demo

test: lint
	$(BIN)/python -m pytest -m "not study"

studies: $(READY)
	$(BIN)/python -m pytest -m study

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
