# Every target makes .venv by itself, once; it is made again only when pyproject.toml changes.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.ready
FOLDER ?= runs/quick
export PYTHONUNBUFFERED := 1

.PHONY: compare test browser lint types format tensorboard clean

compare: $(SETUP)
	$(BIN)/coordconv-rl compare quick --folder $(FOLDER)

test: $(SETUP)
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

# Chromium for the tests in a browser, from Debian if this is root there; without it they skip.
browser:
	@{ command -v chromium && command -v chromedriver; } >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get && apt-get -qq update \
	    && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
	      -o Acquire::Retries=0 -o Acquire::http::Timeout=30 install chromium chromium-driver; \
	    } >/dev/null 2>&1 </dev/null \
	  || echo "Chromium cannot be installed here: the tests in a browser will skip."

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
