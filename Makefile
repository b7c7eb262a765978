# Every target makes .venv by itself, once; it is made again only when pyproject.toml changes.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.ready
FOLDER ?= runs/quick
export PYTHONUNBUFFERED := 1

.PHONY: compare test lint types format tensorboard clean

compare: $(SETUP)
	$(BIN)/coordconv-rl compare quick --folder $(FOLDER)

test: $(SETUP)
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

lint: $(SETUP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(SETUP)
	$(BIN)/mypy

format: $(SETUP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

tensorboard: $(SETUP)
	$(BIN)/coordconv-rl tensorboard $(FOLDER)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache

$(SETUP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@
