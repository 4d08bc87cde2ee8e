# `make` prints this help. Each target sets up .venv by itself; it needs Python 3.11+ and nothing else.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test test-slow check format bench screens lock clean

# The first Python that is new enough and really runs (a pyenv shim may be there and not work).
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
ARGS ?=
# Two test processes: each brings its own PostgreSQL and Redis.
JOBS ?= 2

help: ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | \
	awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

.venv/.made:
	@test -n "$(PYTHON)" || { echo "error: Journey needs Python 3.11 or newer; install it first"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.runtime: .venv/.made requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: .venv/.runtime ## A clinic with a few patients and a clock you can turn (ARGS="--once": without a browser)
	$(BIN)/journey demo $(ARGS)

test: .venv/.dev ## The whole suite on SQLite, PostgreSQL and Redis, under 5 minutes
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow" $(ARGS)

test-slow: .venv/.dev ## The long fault and simulation runs
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m slow --timeout 600 $(ARGS)

check: .venv/.dev ## Lint, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.dev ## Write the code in its format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.dev ## Ratios against a bare loop and a naive design (ARGS="--quick"); writes benchmarks/
	$(BIN)/python -m benchmarks.run $(ARGS)

screens: .venv/.dev ## A picture of each page into docs/screens (needs Chromium)
	$(BIN)/python -m tests.browser.screens

lock: ## Write the lock files anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
		pyproject.toml --extra oidc --group build -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
		pyproject.toml --extra oidc --group dev -c requirements.lock -o requirements-dev.lock

clean: ## Remove what make made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
