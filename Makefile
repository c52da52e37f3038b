.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help run test check lint types imports evaluate bench browser lock clean
help: ## this list
	@grep -hE '^[a-z.]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/' | expand -t 20

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

run: $(READY) ## the sandbox: local Slack, local Google Cloud, the bot, a web console; ARGS="--port 9000" passes options on
	$(BIN)/python -m bot sandbox $(ARGS)

# Half of a run is waiting (for looks, leases, watches), so two cores carry four workers.
test: $(READY) ## every test, SQLite and PostgreSQL, over the wire
	$(BIN)/python -m pytest -n 4 --dist loadgroup

check: lint types imports test ## what CI runs

lint: $(READY) ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy, strict
	$(BIN)/mypy

imports: $(READY) ## which way imports point
	$(BIN)/lint-imports

evaluate: $(READY) ## how well attribution tells causes apart; ARGS="--seeds 50" passes options on
	$(BIN)/python -m tests.evaluation $(ARGS)

bench: $(READY) ## speed, beside others on the same lines; ARGS="fingerprints" runs one
	$(BIN)/python -m tests.bench $(ARGS)

browser: ## a Chromium for the browser test
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || command -v chromium-browser >/dev/null || \
	  { $$( [ "$$(id -u)" = 0 ] || echo sudo ) apt-get update -qq && $$( [ "$$(id -u)" = 0 ] || echo sudo ) apt-get install -y -qq chromium fonts-noto-color-emoji; }

lock: $(READY) ## choose versions anew
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-emit-index-url --no-emit-find-links --no-header --no-annotate -o constraints.txt pyproject.toml

requirements.txt: constraints.txt ## what App Engine's build installs; not kept in the repository
	printf '%s\n' '-c constraints.txt' '.' > $@

clean: ## forget the environment and the local database
	rm -rf $(VENV) .venv-bench .mypy_cache .ruff_cache .hypothesis requirements.txt reliability.sqlite3*
