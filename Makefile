# `make help` lists the targets. PYTHON chooses the interpreter that .venv is made with.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
# Which tests, how many processes at once, the seed of what is random, and how much the long ones try.
TESTS ?=
JOBS ?= 2
SEED ?=
KILLS ?= 10
WALKS ?= 200
REQUESTS ?= 200
STEPS ?= 250
FUZZ_S ?= 60
BIN := .venv/bin
CLIENTS := .venv/clients
PYTEST = pytest -rsfE -n $(JOBS) --dist worksteal $(if $(SEED),--hypothesis-seed=$(SEED))
# 1: with spaCy and its English model; 0: without, names are then found by rules alone.
ENTITIES ?= 1
# Extras stay: pip before 24.1 takes `coverage` for another package than the `coverage[toml]` that one needs.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
  --no-header --no-emit-index-url --no-emit-find-links
# A PYTHON that was chosen makes .venv anew where that is another one's.
INSTALL := $(PYTHON) .ci/install.py $(if $(filter file,$(origin PYTHON)),,--exactly)

.DEFAULT_GOAL := help
.PHONY: help install clients serve test check check-long format lint types imports migrations audit fuzz bench soak load-test image-test goldens lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## Make .venv with everything in it
	@$(INSTALL) develop

serve: export BROADSHEET_SOURCE ?= Arab News
serve: ## Load the seeds and serve the API on 127.0.0.1:8000
	@$(INSTALL) serve --entities=$(ENTITIES)
	$(BIN)/broadsheet load seeds
	$(BIN)/broadsheet serve --host $(HOST) --port $(PORT)

test: install ## Run the tests but for the long ones; COVER=1 holds their coverage to the floor
	$(if $(COVER),rm -f .coverage .coverage.*)
	$(BIN)/$(if $(COVER),coverage run,python) -m $(PYTEST) -m "not long" $(TESTS)
	$(if $(COVER),$(BIN)/coverage combine --quiet && $(BIN)/coverage report)

check: install format lint types imports migrations audit ## Everything that must hold before a commit
	$(MAKE) test COVER=1

check-long: install clients ## Soaks, walks, proxies, browser, retrieval sets, fuzzing: before a release
	KILLS=$(KILLS) WALKS=$(WALKS) REQUESTS=$(REQUESTS) STEPS=$(STEPS) $(BIN)/python -m $(PYTEST) -m long
	$(MAKE) fuzz

format: install
	$(BIN)/ruff format --check .

lint: install
	$(BIN)/ruff check .

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports --no-cache

migrations: install
	$(BIN)/python -m pytest -q tests/store/test_migrations.py

audit: install ## Ask an advisory source about every locked package
	@test -x .venv/audit/bin/pip-audit || { $(PYTHON) -m venv .venv/audit && .venv/audit/bin/python -m pip \
	  install --quiet --no-deps --require-hashes -r requirements-audit.txt; } || true
	@tests/audit.sh .venv/audit/bin/pip-audit

clients: install ## Install the generators of clients that the tests use, for TypeScript where npm is
	@$(MAKE) --no-print-directory $(CLIENTS)/bin/openapi-python-client \
	  $(if $(shell command -v npm),$(CLIENTS)/node_modules)

$(CLIENTS)/bin/openapi-python-client: requirements-clients.txt
	$(PYTHON) -m venv $(CLIENTS)
	$(CLIENTS)/bin/python -m pip install --quiet --no-deps --require-hashes -r $<
	@touch $@

$(CLIENTS)/node_modules: tests/clients/package-lock.json
	@mkdir -p $(CLIENTS)
	cp tests/clients/package.json tests/clients/package-lock.json $(CLIENTS)
	npm ci --prefix $(CLIENTS) --ignore-scripts --no-audit --no-fund
	@touch $@

fuzz: install ## Feed random bytes to readers, query parser and cursors for FUZZ_S seconds each
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements-fuzz.txt
	cd $$(mktemp -d) && for target in readers queries cursors; do \
	  PYTHONPATH=$(CURDIR) $(CURDIR)/$(BIN)/python -m tests.fuzz $$target -max_total_time=$(FUZZ_S) -print_final_stats=1 || exit 1; done

bench: install ## Measure speed and memory, print JSON (needs the benchmark's news data)
	@$(BIN)/python -m tests.bench

soak: KILLS := 50
soak: install ## Kill commands at random moments, KILLS=50 times each, and prove the store (an hour)
	$(BIN)/python -m tests.faults.soak --kills $(KILLS) $(if $(SEED),--seed $(SEED))

load-test: install ## Ask a server for two minutes, print JSON (needs the benchmark's news data)
	@$(BIN)/python -m tests.load

image-test: ## Build the image, bring it up, query it, stop it (needs a Docker engine)
	tests/image/run

goldens: install ## Write the expected JSON of seeds and API anew; read the difference before a commit
	$(BIN)/python -m tests.ingest.regenerate
	$(BIN)/python -m tests.api.examples

lock: install ## Resolve the dependencies anew
	$(COMPILE) pyproject.toml -o requirements.txt
	for extra in entities otel dev; do \
	  $(COMPILE) --extra $$extra pyproject.toml -o requirements-$$extra.txt || exit 1; done
	for use in build audit fuzz clients; do \
	  $(COMPILE) requirements-$$use.in -o requirements-$$use.txt || exit 1; done
	npm install --prefix tests/clients --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

clean: ## Remove what make has made; your data folder stays
	rm -rf .venv .mypy_cache .ruff_cache .coverage .coverage.* broadsheet.egg-info
