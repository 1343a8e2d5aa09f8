# check-invariants: everything a developer or a CI runs. `make help` lists the targets.
# Needs python3 (3.11 or newer) and PyPI; all that is installed goes to .venv.

PYTHON  ?= python3
WORKERS ?= auto
ARGS    ?=

VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed

# pyright would otherwise ask the npm registry for its newest version on every run.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := check
.PHONY: check setup test test-full mutation lint format bench dist clean help

check: setup ## Check every model against its expected verdict (the default; ARGS="..." is passed on)
	$(BIN)/check-invariants $(ARGS)

setup: $(STAMP) ## Make .venv and install the project with its development tools

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; name one: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

test: setup ## Run the tests, without the slow ones (ARGS="-k name" narrows them)
	$(BIN)/pytest -n $(WORKERS) --maxprocesses 8 --dist worksteal $(ARGS)

test-full: setup ## Run all tests, the slow ones too
	$(BIN)/pytest -n $(WORKERS) --maxprocesses 8 --dist worksteal -m "" $(ARGS)

mutation: setup ## Make lines of the model and of the core wrong, and see which net catches each (ARGS="--seed 7")
	$(BIN)/python -m tests.mutation model $(ARGS)
	$(BIN)/python -m tests.mutation core $(ARGS)

lint: setup ## Check style and types: ruff, mypy, pyright
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

format: setup ## Rewrite the sources in the project's layout
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: setup ## Measure the matrix of revisions and scenarios
	$(BIN)/python benchmarks/matrix.py $(ARGS)

dist: setup ## Build the sdist and the wheel into dist/
	$(BIN)/python -m build

clean: ## Remove everything these targets make, .venv included
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -type d -name __pycache__ -prune -exec rm -rf {} +

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
