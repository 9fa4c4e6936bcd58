# `make help` lists the targets. Everything runs in .venv, which the first target makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HARNESS := $(BIN)/python -m harness

.DEFAULT_GOAL := help
.PHONY: help demo install test lint smoke results agreement bench docs clean

help: ## List the targets
	@grep -hE '^[a-z0-9_-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

install: $(VENV)/installed ## Make the virtual environment and install the harness

demo: install ## Correlate proxies with accuracies on the bundled digits, no download
	$(HARNESS) task=digits n=100 seed=0..1 results=results/demo

test: install lint ## Format, lint, types and tests
	$(BIN)/python -m pytest

lint: install ## Format check, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

smoke: install ## The command line on a tiny sample, as CI runs it
	$(HARNESS) task=digits n=6 seed=0..1 batch_size=16 results=$(or $(SMOKE_RESULTS),results/smoke)

results: install ## The committed results: 1000 architectures, seeds 0 to 4 (about an hour on 2 cores)
	$(HARNESS) space=nb201 task=cifar100 seed=0..4
	$(HARNESS) space=nb201 task=cifar10 seed=0..4

agreement: install ## Our scores against the published ones, cell by cell
	$(HARNESS) job=agreement space=nb201 task=cifar10 proxies=suite_zero n=1000 seed=0

bench: install ## Speed as ratios, measured in one run (leave the machine alone meanwhile)
	$(BIN)/python -m benchmarks

docs: install ## Make docs/proxies.md and docs/truth.md from the code
	$(HARNESS) job=document

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
