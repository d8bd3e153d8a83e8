# `make` lists the targets. Each of them brings what it needs into .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Its name holds where the checkout is: a moved one installs anew.
STAMP := $(VENV)/.installed-$(shell printf %s '$(CURDIR)' | cksum | cut -d' ' -f1)
UV := $(BIN)/uv
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes

# uv knows neither pip's settings nor, unless told, the authorities that the machine trusts: a
# mirror or a proxy that pip gets through is one for uv too.
AS_PIP := \
	mirror="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null)}}"; \
	if [ -n "$$mirror" ]; then UV_DEFAULT_INDEX="$$mirror"; export UV_DEFAULT_INDEX; fi; \
	if [ -n "$$PIP_CERT" ] && [ -z "$$SSL_CERT_FILE" ]; then SSL_CERT_FILE="$$PIP_CERT"; export SSL_CERT_FILE; fi; \
	for store in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do \
		if [ -s "$$store" ]; then UV_SYSTEM_CERTS="$${UV_SYSTEM_CERTS:-true}"; export UV_SYSTEM_CERTS; fi; done;

# Without bytecode on disk every start of a service compiles its packages again: seconds.
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help run demo test test-unit test-stories test-contract test-integration test-e2e test-browser \
	test-performance chromium check lint types \
	format protos protos-check bench lock clean

help:  ## List the targets.
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(STAMP)  ## Start the whole stack on this machine; Ctrl-C stops it.
	@exec $(BIN)/python -m deploy.local run --end-with-parent

demo: $(STAMP)  ## Buy, refund, renew, dispute and forge against the running stack, and show what became of it.
	@$(BIN)/python -m deploy.local.demo

test: check chromium  ## Check everything and run every test.
	$(BIN)/python -m pytest $(ARGS)

chromium: $(STAMP)  ## Bring the browser that tests drive, or say what to install.
	@$(BIN)/python -m tests.browser.chromium

test-unit: $(STAMP)  ## Run the unit tests only.
	$(BIN)/python -m pytest tests/unit $(ARGS)

test-stories: $(STAMP)  ## Tell 50,000 stories of payments and hold them against the oracle: half an hour.
	SYNAPTYX_TEST_EXAMPLES=50000 $(BIN)/python -m pytest --timeout 7200 tests/unit/attribution/flows/test_stories.py $(ARGS)

test-contract: $(STAMP)  ## Run the contract tests only.
	$(BIN)/python -m pytest tests/contract $(ARGS)

test-integration: $(STAMP)  ## Run the integration tests only (real PostgreSQL, OpenBao and gRPC).
	$(BIN)/python -m pytest tests/integration $(ARGS)

test-e2e: $(STAMP)  ## Run the end-to-end tests only (the whole stack as processes).
	$(BIN)/python -m pytest tests/e2e $(ARGS)

test-browser: chromium  ## Run the tests in a real browser only.
	$(BIN)/python -m pytest tests/browser $(ARGS)

test-performance: $(STAMP)  ## Measure lists and reports on a million rows (takes some minutes).
	$(BIN)/python -m pytest tests/performance -m performance $(ARGS)

check: lint types protos-check  ## Run every check that is not a test.

lint: $(STAMP)  ## Look for faults of style, of imports and in the protos.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python protos/generate.py --lint

types: $(STAMP)  ## Check the types.
	$(BIN)/mypy

format: $(STAMP)  ## Write every file in the one style.
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

protos: $(STAMP)  ## Generate the stubs from the protos.
	$(BIN)/python protos/generate.py

protos-check: $(STAMP)  ## Fail if the committed stubs are not those of the protos.
	$(BIN)/python protos/generate.py --check

bench: $(STAMP)  ## Measure webhooks beside PostgreSQL alone, and redirects beside bare ones, in one run.
	$(BIN)/python -m tests.bench

lock: $(STAMP)  ## Choose the newest versions that pyproject.toml allows, with their hashes.
	$(AS_PIP) $(COMPILE) --upgrade pyproject.toml -o requirements/runtime.txt
	$(AS_PIP) $(COMPILE) --upgrade --extra dev pyproject.toml -c requirements/runtime.txt -o requirements/dev.txt
	$(AS_PIP) $(COMPILE) requirements/bootstrap.in -o requirements/bootstrap.txt

clean:  ## Remove what was installed here; the data in .local stays.
	rm -rf $(VENV)

$(STAMP): pyproject.toml requirements/bootstrap.txt requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "This needs Python 3.11 or newer, and '$(PYTHON)' is not: name another one, as in 'make PYTHON=python3.12 $(MAKECMDGOALS)'." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv module is missing: install it (Debian and Ubuntu: apt-get install python3-venv) and run make again." >&2; exit 1; }
	@echo "Installing into $(VENV)"
	@for stamp in $(VENV)/.installed-*; do \
		if [ -e "$$stamp" ] && [ "$$stamp" != "$@" ]; then rm -rf $(VENV); fi; done
	@rm -f $(VENV)/.installed-*
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@$(AS_PIP) $(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt && \
		$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
