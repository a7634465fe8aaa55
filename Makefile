# The verbs of this project; .ci/run calls the same ones.
# On a fresh machine with CPython 3.11+ and make, each verb does its own set-up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test check fix docs bench lock lint types contracts generated coverage

help: ## this list
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

setup: $(READY) ## a .venv with everything in it

$(READY): requirements/dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Ohmstead needs CPython 3.11 or newer: make PYTHON=python3.x") if sys.version_info < (3, 11) else None'
	@echo "setting up $(VENV), once; this takes about half a minute"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $(READY)

demo: $(READY) ## a simulated house, live in the terminal: make demo ARGS="--speed 600"
	@$(BIN)/ohmstead demo $(ARGS)

test: $(READY) ## all tests: make test ARGS="tests/control -k soc"
	$(BIN)/python -m pytest -n 2 $(ARGS)

check: lint types contracts generated coverage ## all that CI runs

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports

generated: $(READY) ## generated files are what their sources say
	$(BIN)/python tools/generate.py --check

# Whole days, peers, processes that are killed, thousands of plans: under coverage they take too long.
UNMEASURED := tests/days tests/peers tests/cli/test_kill.py tests/backtest/test_closed_loop.py \
	tests/backtest/test_cluster.py tests/planner/test_properties.py tests/planner/test_oracle.py \
	tests/planner/test_ways.py

coverage: $(READY) ## tests under coverage, with the floors
	rm -f .coverage .coverage.*
	$(BIN)/python -m coverage run -m pytest -n 2 -q $(addprefix --ignore=,$(UNMEASURED)) $(ARGS)
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report --fail-under=95
	$(BIN)/python -m coverage report --fail-under=100 --include='*/ohmstead/model/*,*/ohmstead/registers/*,*/ohmstead/control/*'

fix: $(READY) ## format and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY) ## write the generated pages and files again
	$(BIN)/python tools/generate.py

bench: $(READY) ## benchmarks, each a table: make bench ARGS=frames
	$(BIN)/python bench/run.py $(ARGS)

lock: $(READY) ## lock the dependencies anew, with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra notify pyproject.toml -o requirements/container.txt
	echo hatchling | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header - -o requirements/build.txt
