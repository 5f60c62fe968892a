# Needs Python 3.11+, make and a shell. Everything else is installed into .venv from uv.lock.
SHELL := /bin/sh
PYTHON := $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info < (3,14))' 2>/dev/null && echo $$p && break; done)
UV_VERSION := 0.9.30
BIN := .venv/bin
READY := .venv/.ready
DATACONTRACT_VERSION := 1.2.8
DATACONTRACT := .tools/datacontract/bin/datacontract
DATACONTRACT_READY := .tools/datacontract/.ready-$(DATACONTRACT_VERSION)
# Compiled modules are written once and kept: without them every process compiles some 2,500 again, six seconds.
unexport PYTHONDONTWRITEBYTECODE
export GX_ANALYTICS_ENABLED := false
export AIRFLOW__USAGE_DATA_COLLECTION__ENABLED := False
export AIRFLOW__CORE__LOAD_EXAMPLES := False

.PHONY: help report test test-quick test-all cluster check bench bench-quick bench-scheduled bench-rounds bench-pull bench-old-files bench-history fuzz up docs clean
help:            ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/'

$(READY): pyproject.toml uv.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed and was not found."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "$(PYTHON) has no ensurepip; on Debian: apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/uv --version 2>/dev/null | grep -q '^uv $(UV_VERSION)' || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv==$(UV_VERSION)'
	@echo "Installing the locked packages into .venv ..."
	@UV_PROJECT_ENVIRONMENT=.venv $(BIN)/uv sync --frozen --inexact --quiet --compile-bytecode
	@touch $(READY)

$(DATACONTRACT_READY): | $(READY)
	@echo "Installing datacontract-cli into its own environment ..."
	@$(BIN)/uv venv --quiet --python $(BIN)/python --clear .tools/datacontract
	@$(BIN)/uv pip install --quiet --python .tools/datacontract/bin/python 'datacontract-cli==$(DATACONTRACT_VERSION)'
	@touch $@

MESH_READY := .tools/mesh/.ready
$(MESH_READY): | $(READY)
	@echo "Installing the MESH sandbox into its own environment ..."
	@$(BIN)/uv venv --quiet --python $(BIN)/python --clear .tools/mesh
	@$(BIN)/uv pip install --quiet --python .tools/mesh/bin/python 'mesh-sandbox==1.0.137'
	@touch $@

NODE_READY := tests/browser/node_modules/.ready
$(NODE_READY): tests/browser/package-lock.json | $(READY)
	@echo "Installing axe-core and html-validate for the browser tests ..."
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --prefix tests/browser --no-fund --no-audit --silent
	@touch $@

CLUSTER_READY := .venv/.ready-cluster
$(CLUSTER_READY): $(READY)
	@UV_PROJECT_ENVIRONMENT=.venv $(BIN)/uv sync --frozen --inexact --quiet --extra cluster
	@touch $@

report: $(READY) ## run the embedded real strikes through the three DAGs and say where the report is
	@$(BIN)/python scripts/report.py

test: $(READY) $(MESH_READY) $(NODE_READY) ## run the tests
	@$(BIN)/python -m pytest -n auto --dist loadfile

test-quick: $(READY) ## run the quick tests of single rooms and of rounds by hand: for the inner loop
	@$(BIN)/python -m pytest -n auto --dist worksteal tests/unit tests/oracle/test_by_hand.py -m "not exhaustive and not slow"

test-all: $(READY) $(MESH_READY) $(NODE_READY) $(CLUSTER_READY) ## run every test, also those that take minutes
	@$(BIN)/python -m pytest -n auto --dist loadfile -m "exhaustive or not exhaustive"

cluster: $(CLUSTER_READY) ## run the Celery stack of docker-compose.yaml by hand, with workers killed
	@$(BIN)/python -m pytest tests/cluster -m "exhaustive or not exhaustive" --durations=0

check: $(READY) $(DATACONTRACT_READY) ## lint, types, generated docs, contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/strikes docs --check
	@for c in include/strike_reporting/extracts/*/contract.yaml; do $(DATACONTRACT) lint $$c || exit 1; done

bench: $(CLUSTER_READY)  ## time the compute path against a plain DuckDB script (SIZES="1 10" for less), a scheduled round, history
	@$(BIN)/python bench/run.py
	@$(BIN)/python bench/scheduled.py
	@$(BIN)/python bench/history.py

bench-quick: $(READY)  ## the same on some trusts, against the stored ratio: fails on a loss of a third
	@$(BIN)/python bench/run.py --quick

bench-scheduled: $(CLUSTER_READY) ## a national round under a real scheduler, task by task
	@$(BIN)/python bench/scheduled.py

bench-rounds: $(READY) ## an idle day and a strike day on a real scheduler; all actions replayed (ON=replay: only that)
	@$(BIN)/python bench/rounds.py $(ON)

bench-history: $(READY) ## what a round costs after 1, 10 and 100 past actions, in seconds and in requests to S3
	@$(BIN)/python bench/history.py

bench-pull: $(READY) ## pull 200 feeds over SFTP and HTTPS, side by side and one after another
	@$(BIN)/python bench/pull.py

bench-old-files: $(READY) ## what a pull costs where 50,000 files have long been landed
	@$(BIN)/python bench/old_files.py

SECONDS := 300
fuzz: $(READY)   ## fuzz the readers for SECONDS=300 (coverage-guided)
	@UV_PROJECT_ENVIRONMENT=.venv $(BIN)/uv sync --frozen --inexact --quiet --group fuzz
	@cd $$(mktemp -d) && $(CURDIR)/$(BIN)/python $(CURDIR)/tests/fuzz/fuzz_readers.py -max_total_time=$(SECONDS)

docs: $(READY)   ## regenerate the data dictionary, the templates and the DAG pages
	@$(BIN)/strikes docs

up: $(READY)     ## start Airflow on http://127.0.0.1:8080 (its log shows the password)
	@mkdir -p .strikes-home/airflow
	@$(BIN)/strikes examples
	@AIRFLOW_HOME=$(CURDIR)/.strikes-home/airflow AIRFLOW__CORE__DAGS_FOLDER=$(CURDIR)/dags \
	AIRFLOW__CORE__PLUGINS_FOLDER=$(CURDIR)/plugins AIRFLOW__CORE__PARALLELISM=8 AIRFLOW__API__HOST=127.0.0.1 \
	AIRFLOW__CORE__EXECUTOR=LocalExecutor AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME=0.25 \
	AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION=False PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/airflow standalone

clean:           ## remove what the targets installed (never .strikes-home)
	rm -rf .venv .tools tests/browser/node_modules .pytest_cache .mypy_cache .ruff_cache
