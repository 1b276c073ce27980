# Needs Python >= 3.11 and make; everything else is installed into .venv, and again only when the lock or pyproject.toml changed.
PYTHON ?= python3
DATA ?= var
ARGS ?=
BIN := .venv/bin
STAMP := .venv/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# What is imported is compiled once and not by each process: without bytecode a process needs seconds more to start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo up embedded test chaos fuzz check types rules bench bench-latency bench-peers bench-ui rebuild-scale real-targets retrain-kills calibration conformance services clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## Install everything into .venv, as locked

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Watchkeeper needs Python >= 3.11, this is " + sys.version)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv; the first time takes a minute or two."
	@$(PIP) install --quiet --no-compile --require-hashes --requirement requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## Watch two models over a year of real flights; prints the address to open
	@$(BIN)/watchkeeper demo $(ARGS)

up: $(STAMP) ## Run a whole cluster and its servers on this machine, with its data in DATA (var)
	@$(BIN)/python -m compose.up --data $(DATA) $(ARGS)

embedded: $(STAMP) ## Run everything in one process, with its data in DATA (var)
	@$(BIN)/watchkeeper up --data $(DATA) $(ARGS)

test: $(STAMP) ## Run all tests, on several workers unless ARGS (pytest's) name some of them
	@$(BIN)/pytest $(if $(filter-out -%,$(ARGS)),,-n auto) $(ARGS)

chaos: $(STAMP) ## Kill and freeze a cluster for half an hour (WATCHKEEPER_CHAOS_MINUTES), evaluate and deliver 100 times (WATCHKEEPER_CHAOS_KILLS); prints a table of faults
	@WATCHKEEPER_CHAOS_MINUTES=$${WATCHKEEPER_CHAOS_MINUTES:-30} WATCHKEEPER_CHAOS_KILLS=$${WATCHKEEPER_CHAOS_KILLS:-100} $(BIN)/pytest tests/chaos/chaos.py $(ARGS)

fuzz: $(STAMP) ## Send generated input to API, events, definitions and files, ten minutes each (WATCHKEEPER_FUZZ_SECONDS)
	@WATCHKEEPER_FUZZ_SECONDS=$${WATCHKEEPER_FUZZ_SECONDS:-600} $(BIN)/pytest -s -m fuzz tests/fuzz $(ARGS)

check: types rules ## Check format, lint, types, layers and house rules

types: $(STAMP) ## Check types: a part of check
	@$(BIN)/mypy

rules: $(STAMP) ## Check format, lint, layers and house rules: the rest of check
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q -o verbosity_assertions=2 tests/house

bench: $(STAMP) ## Run the benchmarks; each prints a table
	@for script in benchmarks/*.py; do echo "$$script"; $(BIN)/python $$script || exit 1; done

bench-latency: $(STAMP) ## Measure the way from an event to its webhook, embedded and as a cluster
	@$(BIN)/python benchmarks/latency.py $(ARGS)

bench-ui: $(STAMP) ## Measure all pages and panels with 50 million events while events come (ARGS="--events 1000000")
	@$(BIN)/python benchmarks/ui.py $(ARGS)

rebuild-scale: $(STAMP) ## Rebuild the panes of many events while events come, killed once (ARGS="--rows 10000000")
	@$(BIN)/python benchmarks/rebuild.py $(ARGS)

bench-peers: $(STAMP) ## Compare the speed of drift with that of Evidently, whylogs and NannyML, which get an environment of their own
	@$(BIN)/python benchmarks/peers/compare.py $(ARGS)

calibration: $(STAMP) ## Measure false alarms, coverage, power and the default watch; writes two pages of docs (ARGS=--quick to try it)
	@$(BIN)/python -m validation.calibration $(ARGS)
	@$(BIN)/python -m validation.default_watch

conformance: $(STAMP) ## Compare measures with the results of other libraries on public data, where these are beside the checkout
	@$(BIN)/python -m validation.conformance $(ARGS)

real-targets: $(STAMP) ## Ask Airflow and Prefect themselves for runs, as a hook does; each gets an environment of its own
	@$(BIN)/pytest tests/alerts/retrain/real/airflow_server.py tests/alerts/retrain/real/prefect_server.py $(ARGS)

retrain-kills: $(STAMP) ## Kill processes at random while models are retrained, in both worlds (WATCHKEEPER_KILLS)
	@$(BIN)/pytest -s tests/acceptance/retrain_kills.py $(ARGS)

services: $(STAMP) ## Download the real servers that tests and `make up` start
	@$(BIN)/python -m compose.servers

clean: ## Remove .venv, caches and builds; var stays
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
