# Needs make and Python 3.11 or newer, nothing else: the first target that is run sets up .venv.
#
#   make demo     compile examples/graph.catnn and train it on small graphs
#   make test     all tests           (make test ARGS="-m 'not slow'" for the quick ones, ARGS="-k name" for some)
#   make bench    the benchmarks
#   make docs     write the generated pages and run every snippet
#   make lint     style               (make format puts right what can be)
#   make types    strict types
#   make fuzz     look for crashes    (FUZZ=20000 for longer)
#   make clean    remove what the targets made, .venv included

PYTHON ?= python3
JOBS   ?= 2
FUZZ   ?= 2000
ARGS   ?=

VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.complete
PIP    := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test bench docs lint format types fuzz clean setup
.DELETE_ON_ERROR:

# The stamp says for which folder the environment was completed. An environment that was interrupted, whose Python is
# gone or that was moved has no valid stamp, and is made again from nothing.
ifneq ($(shell test -f $(STAMP) && test "$$(cat $(STAMP))" = "$(CURDIR)" && $(BIN)/python -c "import pip" 2>/dev/null && echo fine),fine)
$(shell rm -f $(STAMP))
endif

help:
	@sed -n 's/^#   //p' Makefile

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "catnn needs Python 3.11 or newer; try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@test -f $@ || { echo "Setting up $(VENV), once (torch is large)"; $(PYTHON) -m venv --clear $(VENV); }
	@rm -f $@
	$(PIP) install --constraint constraints.txt torch
	$(PIP) install --constraint constraints.txt hatchling
	$(PIP) install --constraint constraints.txt --no-build-isolation --editable '.[dev]'
	@$(BIN)/python -m compileall -q catnn
	@printf '%s\n' "$(CURDIR)" > $@

demo: $(STAMP)
	$(BIN)/python examples/demo.py $(ARGS)

# One thread a worker: two torch pools on two busy cores stall each other.
test: export OMP_NUM_THREADS := 1
test: $(STAMP)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

bench: $(STAMP)
	$(BIN)/python -m tests.benchmarks $(ARGS)

docs: export OMP_NUM_THREADS := 1
docs: $(STAMP)
	$(BIN)/python docs/generate.py
	$(BIN)/python -m pytest tests/test_docs.py $(ARGS)

lint: $(STAMP)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

format: $(STAMP)
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

types: $(STAMP)
	$(BIN)/python -m mypy

fuzz: $(STAMP)
	$(BIN)/python -m tests.fuzz $(FUZZ)

clean:
	rm -rf $(VENV) build dist .pytest_cache .hypothesis .mypy_cache .ruff_cache demo_out
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
