# Everything this project does, as targets; `make help` explains them.
SHELL := bash
PYTHON ?= python3
HOME_DIR ?= demo
BIN := .venv/bin
FINOPS := $(BIN)/finops --home $(HOME_DIR)

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint conformance metrics mutations bench spark notebooks lab docs lock clean

help: ## Explain every target
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

setup: .venv/.ready ## Make the environment in .venv from the hashed lock file

.venv/.ready: requirements.lock pyproject.toml
.venv-spark/.ready: requirements-spark.lock pyproject.toml

%/.ready:
	@echo "setup: installing the packages of $< into $* (a few minutes with a cold cache)"
	@test -x $*/bin/python || $(PYTHON) -m venv $*
	@$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## Sample company from exports to report, in $(HOME_DIR)/
	@echo "demo 1 of 6: write the sample company's exports"
	@$(BIN)/finops samples --out $(HOME_DIR)
	@echo "demo 2 of 6: ingest them, then the correction that came later"
	@$(FINOPS) ingest $(HOME_DIR)/inbox $(HOME_DIR)/plan
	@$(FINOPS) ingest $(HOME_DIR)/corrections
	@echo "demo 3 of 6: build the marts"
	@$(FINOPS) build
	@echo "demo 4 of 6: forecast"
	@$(FINOPS) forecast
	@echo "demo 5 of 6: run the gates (a sample company has faults: some are meant to fail)"
	@$(FINOPS) check || true
	@echo "demo 6 of 6: write the report"
	@$(FINOPS) report

test: setup ## Run the tests
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: setup ## Style, types and SQL style
	@$(BIN)/ruff check finops_lib tests notebooks
	@$(BIN)/ruff format --check finops_lib tests notebooks
	@$(BIN)/mypy
	@cd dbt_project && FINOPS_WAREHOUSE=:memory: ../$(BIN)/sqlfluff lint --processes 2 models tests

conformance: setup ## Run the official FOCUS validator on every adapter's golden rows (Python 3.12)
	@$(BIN)/python tests/conformance/official.py

metrics: setup ## Ask MetricFlow itself of $(HOME_DIR)/: no currencies added, the figures of the marts
	@test -e $(HOME_DIR)/warehouse.duckdb || $(MAKE) demo
	@$(BIN)/python tests/metrics/metricflow.py $(HOME_DIR)

mutations: setup ## Spoil the samples in 3,000 ways and say what ingestion makes of each (half an hour)
	@$(BIN)/python tests/mutations/exports.py 3000

bench: setup ## Measure speed and memory against DuckDB alone, focus-converter and the official validator (half an hour)
	@$(BIN)/python tests/bench/speed.py $(BENCH)

spark: setup .venv-spark/.ready ## Build the marts of $(HOME_DIR)/ on a Spark cluster too, and compare every row (Java 17)
	@test -e $(HOME_DIR)/warehouse.duckdb || $(MAKE) demo
	@.venv-spark/bin/python tests/spark/compare.py $(HOME_DIR)

notebooks: setup ## Run the four notebooks on $(HOME_DIR)/ and write them as HTML
	@test -e $(HOME_DIR)/warehouse.duckdb || $(MAKE) demo
	@for n in notebooks/[0-9]*.py; do \
		echo "notebook $$n"; \
		out=$(HOME_DIR)/reports/notebooks/$$(basename $$n .py).ipynb; mkdir -p $$(dirname $$out); \
		$(BIN)/jupytext --quiet --to ipynb --output $$out $$n || exit 1; \
		FINOPS_HOME=$(abspath $(HOME_DIR)) $(BIN)/jupyter nbconvert --log-level WARN --to notebook --inplace --execute $$out \
			2> >(grep -v 'TCP without encryption' >&2) || exit 1; \
		$(BIN)/jupyter nbconvert --log-level ERROR --to html --HTMLExporter.mathjax_url= --HTMLExporter.require_js_url= \
			--HTMLExporter.jquery_url= --HTMLExporter.widget_renderer_url= $$out || exit 1; \
	done
	@echo "notebooks: $(HOME_DIR)/reports/notebooks/"

lab: setup ## Open JupyterLab on the notebooks
	@FINOPS_HOME=$(abspath $(HOME_DIR)) JUPYTER_CONFIG_DIR=$(abspath notebooks/.jupyter) $(BIN)/jupyter lab --notebook-dir notebooks

docs: setup ## Write docs/sources.md, and the dbt docs of $(HOME_DIR)/ as one page that opens offline
	@$(FINOPS) sources --markdown > docs/sources.md
	@test -e $(HOME_DIR)/warehouse.duckdb || $(MAKE) demo
	@FINOPS_WAREHOUSE=$(abspath $(HOME_DIR))/warehouse.duckdb $(BIN)/dbt --quiet docs generate --static \
		--project-dir dbt_project --profiles-dir dbt_project \
		--target-path $(abspath $(HOME_DIR))/.dbt/docs --log-path $(abspath $(HOME_DIR))/.dbt/logs
	@echo "dbt docs: $(HOME_DIR)/.dbt/docs/static_index.html"

UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-strip-extras --no-header --python-version 3.11

lock: ## Resolve the dependencies again and write requirements.lock and requirements-spark.lock
	@$(UV_COMPILE) pyproject.toml --group dev --output-file requirements.lock
	@$(UV_COMPILE) pyproject.toml --group build --extra spark --constraint requirements.lock --output-file requirements-spark.lock

clean: ## Remove the environment and the demo
	@rm -rf .venv .venv-spark $(HOME_DIR) dbt_project/target dbt_project/logs
