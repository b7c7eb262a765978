# Every target makes .venv by itself, once, with the versions of constraints.txt; it is made again
# only when pyproject.toml or constraints.txt changes.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.ready
OLDEST := .venv-oldest
OLDEST_PYTHON ?= $(PYTHON)
OPPONENTS := .venv-bench
FOLDER ?= runs/quick
BASE ?= main
BENCH ?= --quick
export PYTHONUNBUFFERED := 1

.PHONY: compare test test-fast test-avx2 test-oldest test-gpu bench browser lint types format hooks docs \
  docs-serve tensorboard clean

compare: $(SETUP)
	$(BIN)/coordconv-rl compare quick --folder $(FOLDER)

test: $(SETUP)
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal
	$(MAKE) test-avx2

# The rules of the layout, and the tests of the modules that differ from $(BASE).
test-fast: $(SETUP)
	$(BIN)/python tests/helpers/changed.py $(BASE) | xargs $(BIN)/python -m pytest

# The fast path once more, as on a processor without AVX-512 and bfloat16 (AMD Zen 3).
test-avx2: $(SETUP)
	ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 $(BIN)/python -m pytest tests/fast \
	  tests/sb3/test_algorithms.py tests/sb3/test_rollout_buffer.py \
	  --numprocesses auto --dist worksteal

# With the lowest versions that pyproject.toml allows; tests/whole/test_package.py is about files.
test-oldest: $(OLDEST)/.ready
	$(OLDEST)/bin/python -m pytest --numprocesses auto --dist worksteal

# What needs a CUDA GPU, with a torch build for CUDA (pip's usual one on Linux): all such tests, then
# the table of part g, against stock SB3 and, after `make bench`, CleanRL on the same GPU.
test-gpu: $(SETUP)
	@$(BIN)/python -c "import sys, torch; sys.exit(not torch.cuda.is_available())" \
	  || { echo "torch sees no CUDA GPU here: nothing was tested"; exit 1; }
	$(BIN)/python -m pytest -m gpu
	if [ -e $(OPPONENTS)/.ready ]; then bin=$(OPPONENTS)/bin; else bin=$(BIN); fi; \
	  $$bin/python -m benchmarks.throughput --device cuda --parts g --arms coordconv \
	    --rounds 3 --seconds 5 --json gpu.json

# The main table of benchmarks/README.md, in ten minutes, against whoever can be installed here.
bench: $(OPPONENTS)/.ready
	$(OPPONENTS)/bin/python -m benchmarks.throughput $(BENCH)

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

hooks: $(SETUP)
	$(BIN)/python -m pip install --quiet pre-commit
	$(BIN)/pre-commit install

# The documentation, into site/; a link that leads nowhere fails.
docs: $(SETUP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "site/index.html"

# The same at http://127.0.0.1:8000, with its search, built again whenever a page changes.
docs-serve: $(SETUP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

tensorboard: $(SETUP)
	$(BIN)/coordconv-rl tensorboard $(FOLDER)

clean:
	rm -rf $(VENV) $(OLDEST) $(OPPONENTS) build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache

$(SETUP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

$(OLDEST)/.ready: pyproject.toml constraints-oldest.txt
	$(OLDEST_PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --constraint constraints-oldest.txt --editable '.[test]'
	touch $@

# The opponents live in a venv of their own, with gym, which speaks up in every process that has it.
# RL Zoo needs older versions than ours of what computes nothing; the rest stays the same. CleanRL's
# scripts are a package for Python 3.10 whose dependencies are years old: they come alone.
$(OPPONENTS)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(OPPONENTS)
	$(OPPONENTS)/bin/python -m pip install --quiet --constraint constraints.txt --editable .
	grep -E '^(torch|numpy|gymnasium|ale-py|opencv|stable.baselines3|sb3)' constraints.txt >$(OPPONENTS)/same.txt
	-$(OPPONENTS)/bin/python -m pip install --quiet --constraint $(OPPONENTS)/same.txt --editable '.[bench]'
	-$(OPPONENTS)/bin/python -m pip install --quiet --no-deps --ignore-requires-python cleanrl==1.2.0
	touch $@
