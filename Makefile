# Everything a person does with a checkout. `make` alone lists it.
#   PYTHON=python3.13 make install    another Python (3.11 or newer)

PYTHON      ?= python3
VENV        := .venv
BIN         := $(VENV)/bin
PIP         := $(BIN)/python -m pip --disable-pip-version-check --quiet --retries 10
LOCKED      := --require-hashes --only-binary=:all: --no-deps
COMPILE     := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --only-binary :all: --generate-hashes \
               --no-header --no-annotate --no-emit-index-url --no-emit-find-links
UPGRADE     ?=
PYTEST      := $(BIN)/python -m pytest
PYTEST_ARGS ?=
COVERAGE    ?= 85

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install dev demo test unit lint format bench docs proof lock wheel clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.run-stamp ## put smsbridge and its locked packages into .venv; starts nothing

dev: $(VENV)/.dev-stamp ## the same and everything that tests and checks need

demo: install ## bridge, pretend provider and console on loopback (SMTP 2525, pages 8025)
	$(BIN)/smsbridge demo

test: lint $(VENV)/.apt-stamp ## every check and every test but the slow proofs
	$(PYTEST) -n 2 --dist loadfile --cov --cov-report=term --cov-fail-under=$(COVERAGE) $(PYTEST_ARGS)

unit: dev ## the fast tests alone
	$(PYTEST) tests/unit $(PYTEST_ARGS)

lint: dev ## ruff, mypy, import contracts, dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry bridge

format: dev ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: dev ## the figures, each a ratio against something named
	$(BIN)/python -m bench

docs: dev ## write the generated reference pages, check every link
	$(BIN)/python -m tools.docs

proof: dev $(VENV)/.apt-stamp ## slow proofs: many kills, long searches
	$(PYTEST) -m proof --timeout=3600 --hypothesis-profile=search $(PYTEST_ARGS)

lock: dev ## write requirements/*.txt anew (UPGRADE=--upgrade takes newer versions)
	$(COMPILE) $(UPGRADE) pyproject.toml -o requirements/run.txt
	$(COMPILE) $(UPGRADE) --group pyproject.toml:build -o requirements/build.txt
	$(COMPILE) $(UPGRADE) -c requirements/run.txt -c requirements/build.txt pyproject.toml --group dev -o requirements/dev.txt
	$(COMPILE) $(UPGRADE) --no-emit-package typing requirements/peers.in -o requirements/peers.txt

wheel: dev ## dist/smsbridge-*.whl
	$(BIN)/hatchling build -t wheel

clean: ## take away everything that was made, .venv too
	rm -rf $(VENV) dist build demo-data .coverage .coverage.* htmlcov .hypothesis
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	tools/make-venv "$(PYTHON)" "$(VENV)"

# The program is installed as a pointer to this checkout: after a pull there is nothing to install but changed packages.
$(VENV)/.run-stamp: requirements/run.txt requirements/build.txt pyproject.toml | $(BIN)/python
	$(PIP) install $(LOCKED) -r requirements/run.txt -r requirements/build.txt
	$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/.dev-stamp: requirements/dev.txt $(VENV)/.run-stamp
	$(PIP) install $(LOCKED) -r requirements/dev.txt
	$(PIP) check
	@touch $@

$(VENV)/.apt-stamp: tools/test-setup requirements/peers.txt | $(BIN)/python
	tools/test-setup
	@touch $@
