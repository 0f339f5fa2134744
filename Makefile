# Two commands: `make demo` and `make test`. Each makes the virtual environment and installs what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATASET ?= demo
PORT ?= 8501

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow check screenshots benchmarks clean

help:  ## show these lines
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /: /'

demo: $(VENV)/.installed  ## embed the built-in images (or DATASET=folder), print the leaderboard, open the dashboard
	@$(BIN)/python -m core embed --dataset "$(DATASET)" --models all --labels --offline
	@echo
	@$(BIN)/python -m core evaluate --offline
	@$(BIN)/python -m core project --offline > /dev/null
	@echo
	@$(BIN)/streamlit run dashboard/app.py --server.port $(PORT)

test: $(VENV)/.installed-dev  ## run the tests, less the slow ones and those in a browser
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

test-slow: $(VENV)/.installed-dev  ## run the slow tests, and those in a real browser (needs Chromium)
	$(BIN)/python -m pytest -m "slow or e2e"

check: $(VENV)/.installed-dev  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

screenshots: $(VENV)/.installed-dev  ## make the pictures of the README (needs Chromium)
	$(BIN)/python -m tests.e2e.screenshots

benchmarks: $(VENV)/.installed-dev  ## measure the speed claims (PHOTOS=folder WEIGHTS=folder)
	( $(BIN)/python benchmarks/embed.py $(if $(PHOTOS),--dataset "$(PHOTOS)") $(if $(WEIGHTS),--weights "$(WEIGHTS)"); \
		for name in verification retrieval_metrics projection interval_coverage startup page_rerun; do echo; $(BIN)/python benchmarks/$$name.py; done; \
		echo; $(BIN)/python benchmarks/page_rerun.py --count 100000 ) \
		| tee docs/benchmarks.txt

clean:  ## remove the virtual environment; the cache stays
	rm -rf $(VENV)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
