# Needs python3 >= 3.11, make and a package index; everything else is brought by the lock files.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export TANDEM_VAR ?= var
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test check bench openapi lint-openapi clients acceptance lock format

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

$(VENV)/bin/uv: requirements/bootstrap.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tandem needs Python 3.11 or newer (PYTHON=... chooses one)." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	@touch $@

$(VENV)/.ready: $(VENV)/bin/uv requirements/dev.lock pyproject.toml
	@# uv takes 3 s where pip takes 72; pip knows a package index that only its own settings name.
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements/dev.lock || \
	  $(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.lock
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

run: $(VENV)/.ready ## Migrate, make a demonstration cluster if the database is empty, and serve (PORT=8000)
	@export TANDEM_PORT=$${PORT:-$${TANDEM_PORT:-8000}} TANDEM_PASSWORD_GRANT=$${TANDEM_PASSWORD_GRANT:-true}; \
	$(BIN)/tandem demonstrate && exec $(BIN)/tandem serve

test: $(VENV)/.ready ## Run every test on SQLite and PostgreSQL (ARGS='...' goes to pytest)
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.ready ## Check format, lint, types and the floors of the house
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n0 tests/test_house.py

bench: $(VENV)/.ready ## Measure against a raw server on both databases; prints ratios
	$(BIN)/python -m bench $(ARGS)

openapi: $(VENV)/.ready ## Write openapi/openapi.json and openapi.yaml
	$(BIN)/tandem openapi

lint-openapi: ## Lint openapi/openapi.json with spectral and redocly (needs node)
	cd openapi/tools && npm ci --ignore-scripts --no-audit --no-fund --silent
	openapi/tools/node_modules/.bin/spectral lint openapi/openapi.json --ruleset .spectral.yaml --fail-severity hint
	REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true openapi/tools/node_modules/.bin/redocly lint openapi/openapi.json --config redocly.yaml

build/clients/venv/.ready: $(VENV)/bin/uv requirements/clients.lock
	@# An environment of its own, as an integrator has one: the generator and Tandem disagree about typer.
	$(PYTHON) -m venv build/clients/venv
	VIRTUAL_ENV=build/clients/venv $(BIN)/uv pip sync --quiet --require-hashes requirements/clients.lock || \
	  build/clients/venv/bin/python -m pip install --quiet --require-hashes -r requirements/clients.lock
	@touch $@

TYPESCRIPT := openapi/clients/typescript
$(TYPESCRIPT)/node_modules/.package-lock.json: $(TYPESCRIPT)/package-lock.json
	cd $(TYPESCRIPT) && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

CLIENTS_READY := $(VENV)/.ready build/clients/venv/.ready $(TYPESCRIPT)/node_modules/.package-lock.json

clients: $(CLIENTS_READY) ## Generate clients from the document and drive them (needs node)
	$(BIN)/python -m pytest -n0 tests/acceptance/generated_clients.py $(ARGS)

acceptance: $(CLIENTS_READY) ## Run what is too long, or needs too much, for every test run (needs node)
	$(BIN)/python -m pytest -n0 tests/acceptance/generated_clients.py tests/acceptance/standard_clients.py $(ARGS)
	@# Longer than in every test run, with other seeds: FUZZ_SECONDS for each database.
	TANDEM_FUZZ_SECONDS=$${FUZZ_SECONDS:-600} $(BIN)/python -m pytest -n 2 -s tests/fuzz/test_fuzz.py $(ARGS)

format: $(VENV)/.ready ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/bin/uv ## Pin the dependencies again, with hashes
	cd requirements && for name in bootstrap:bootstrap.in clients:clients.in app:'../pyproject.toml --extra redis' dev:'../pyproject.toml --extra redis --group ../pyproject.toml:dev'; do \
	  ../$(BIN)/uv pip compile $${name#*:} --output-file $${name%%:*}.lock --universal --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-annotate --no-header --python-version 3.11 --quiet; done
