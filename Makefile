# The one face of the project: each target does all of its own set-up.
# Needs make, Python >= 3.11 and a package index; everything is kept in .venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check install

# One stamp a set of packages, so that `make demo` does not wait for the type checkers.
USE    := $(VENV)/.ready-use
TEST   := $(VENV)/.ready-test
DEV    := $(VENV)/.ready-dev
BENCH  := $(VENV)/.ready-bench

FAST   := $(wildcard tests/unit tests/conformance tests/docs tests/canaries tests/examples)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check crash crash-disks soak bench docs format clean

help: ## show this list
	@echo "holdfast: make TARGET [PYTHON=/path/to/python3]"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

demo: $(USE) ## what it does, on your own disk, in under 30 seconds
	@$(BIN)/holdfast demo

test: $(TEST) ## every test, and what was skipped and why (under 15 minutes)
	@$(BIN)/python -m pytest --numprocesses=auto --dist=loadgroup tests

check: $(DEV) ## format, lint, floors, house rules, types, fast tests (about a minute on two idle cores)
	@echo "== format";  $(BIN)/ruff format --check --quiet --output-format concise . || { echo "remedy: make format"; exit 1; }
	@echo "== lint";    $(BIN)/ruff check --quiet --output-format concise .
	@echo "== floors";  $(BIN)/lint-imports --no-logo > $(VENV)/floors.txt 2>&1 || { cat $(VENV)/floors.txt; exit 1; }
	@echo "== mypy";    $(BIN)/mypy --no-error-summary
	@echo "== pyright"; $(BIN)/pyright > $(VENV)/pyright.txt 2>&1 || { cat $(VENV)/pyright.txt; exit 1; }
	@echo "== tests";   HOLDFAST_PROFILE=fast $(BIN)/python -m pytest -q --no-header --numprocesses=auto \
	    -m "not slow and not root" tests/tidy $(FAST)
	@echo "== all is well"

crash: $(TEST) ## prove every operation: crashes, faults, kills; writes docs/reference/crash-results.md (about five minutes)
	@$(BIN)/python -m tests.crash --write docs/reference/crash-results.md $(ARGS)

crash-disks: $(TEST) ## the same on ext4, xfs and btrfs, and the model against them (root; about eight minutes)
	@$(BIN)/python -m holdfast.crash.disks $(ARGS) --write docs/reference/crash-results-disks.md \
	    --workloads tests.disks.operations:WORKLOADS holdfast.crash.disks.controls:CONTROLS

soak: $(TEST) ## many processes for a long time (HOLDFAST_SOAK_S=600)
	@HOLDFAST_SOAK_S=$${HOLDFAST_SOAK_S:-600} HOLDFAST_SCALE=$${HOLDFAST_SCALE:-20} \
	    $(BIN)/python -m pytest --timeout=7200 tests/processes tests/examples

bench: $(BENCH) ## time and memory beside peers and raw calls (ARGS="--quick --filesystems")
	@$(BIN)/python -m benchmarks $(ARGS)

docs: $(TEST) ## every link of the pages resolves, every example on them runs
	@$(BIN)/python -m pytest -q --no-header tests/docs tests/tidy/test_docs.py

format: $(DEV) ## format the code, sort the imports
	@$(BIN)/ruff check --quiet --select I --fix .
	@$(BIN)/ruff format .

clean: ## remove .venv, caches and build results
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@command -v $(PYTHON) > /dev/null || { \
	    echo "$(PYTHON): not found. Nothing was set up."; \
	    echo "Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3"; exit 1; } >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "$(PYTHON) is $$($(PYTHON) --version 2>&1), holdfast needs 3.11 or newer. Nothing was set up."; \
	    echo "Name a newer one: make PYTHON=/path/to/python3"; exit 1; } >&2
	@$(PYTHON) -c 'import venv, ensurepip' 2> /dev/null || { \
	    echo "$(PYTHON) has no venv module. Nothing was set up."; \
	    echo "Install it (Debian, Ubuntu: apt install python3-venv) and run make again."; exit 1; } >&2
	@echo "setting up $(VENV) with $$($(PYTHON) --version 2>&1), once ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	@$(PIP) --upgrade 'pip>=25.1' || { rm -rf $(VENV); exit 1; }

$(USE): pyproject.toml | $(BIN)/python
	@echo "installing holdfast and its extras ..."
	@$(PIP) --editable '.[all]'
	@touch $@

$(TEST): $(USE)
	@echo "installing what the tests need ..."
	@$(PIP) --group test
	@touch $@

$(DEV): $(TEST)
	@echo "installing the linter and the type checkers ..."
	@$(PIP) --group dev
	@touch $@

$(BENCH): $(USE)
	@echo "installing the peers to compare with ..."
	@$(PIP) --group bench
	@touch $@
