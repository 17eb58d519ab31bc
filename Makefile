# What a newcomer types: `make demo`. What is run before a commit: `make check`. What is run before a merge: `make test`.

PYTHON ?= python3
BIN := .venv/bin
# The command alone, for the demo; with the tools and the SDKs that tests need, for everything else.
COMMAND := .venv/.command
INSTALLED := .venv/.installed
# What runs a system on this machine, apart from .venv: tests there show that the compiler needs none of it.
LOCAL_VENV := .venv-local
LOCAL := $(LOCAL_VENV)/.installed
PYTEST := $(BIN)/python -m pytest
# What runs inside Ray has large libraries of its own, in an environment in the cache folder.
RUNTIME := .venv/.runtime
RUNTIME_REQUIREMENTS := runtime/modelyard_runtime/requirements.txt tests/runtime/requirements.txt
# Tests whose programs load the SDKs of clouds.
MOCKED := tests/stacks/aws tests/stacks/gcp tests/stacks/azure tests/stacks/test_mocks.py tests/stacks/test_own_pools.py \
	tests/benchmarks/test_by_hand.py
UNIT := $(PYTEST) -n 2 --dist worksteal --ignore=tests/real --ignore=tests/runtime $(MOCKED:%=--ignore=%)
# Part of `make coverage`, and of `make unit` in CI.
COVERED := --cov=modelyard --cov=modelyard_targets --cov-report=term:skip-covered
# Real servers, engines, containers and Ray can miss a deadline on a busy machine: tests of $(2) that fail with $(1) run once
# more, without another beside them, and fail the run if they fail again. Both runs are in the output.
repeated = $(1) $(3) $(call kept,$(2)) $(2) || { [ $$? -eq 1 ] && echo "Once more, one at a time:" && \
	$(1) $(call kept,$(2)) --last-failed --last-failed-no-failures=none $(2); }
kept = -o cache_dir=.pytest_cache/$(notdir $(1))
# What one machine can carry only once stays with one worker. Tests of real parts wait a third of their time, so three of them
# keep two cores busy.
REAL := $(call repeated,$(PYTEST),tests/real,-n 3)
# What needs no real parts.
CHECKS := style imports unit runtime pyright mypy
BENCH := $(PYTEST) -o python_files='bench_*.py' -o python_functions='bench_*'
BUDGETS := tests/benchmarks/bench_budgets.py tests/benchmarks/bench_sites.py tests/benchmarks/bench_by_hand.py
# Start-up, validate and a compile that changes nothing: a minute in all. The others take minutes each, and compare with a
# disk or with other libraries, which says little on a busy machine; tests/test_work.py counts instructions instead.
SHORT := bench_start or bench_validate_reference or bench_validate_one or bench_recompile

# Tests start many programs; each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE
# Tests run beside each other, and threads of OpenMP that wait for a core spin: with two busy cores, scikit-learn's boosting
# took fifteen times as long as with one thread.
check runtime real test: export OMP_NUM_THREADS := 1
# Go's compiler, API servers and engines collect garbage less often: a test with all of them took 68 s of processor time
# instead of 90, and a build 7 percent less. The limit keeps a large program from taking five times its memory.
testbed real test: export GOGC := 400
testbed real test: export GOMEMLIMIT := 2GiB

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo compiled check style types mypy pyright imports unit coverage clouds runtime test real testbed packages \
	budgets bench clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1|/' | column -t -s '|'

.venv/bin/python:
	@echo "Making a virtual environment in .venv ..."
	@$(PYTHON) -m testbed venv .venv

$(COMMAND): pyproject.toml | .venv/bin/python
	@echo "Installing modelyard and its four dependencies ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(INSTALLED): pyproject.toml | .venv/bin/python
	@echo "Installing modelyard, the SDKs of clouds and the tools of development ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1' # knows dependency groups
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[aws,gcp,azure]' --group dev
	@touch $@ $(COMMAND)

$(RUNTIME): $(INSTALLED) $(RUNTIME_REQUIREMENTS)
	$(BIN)/python -m testbed environment $(RUNTIME_REQUIREMENTS) > $@

$(LOCAL): pyproject.toml
	@echo "Making a virtual environment in $(LOCAL_VENV) ..."
	@$(PYTHON) -m venv $(LOCAL_VENV)
	@echo "Installing modelyard with Ray, MLflow and libraries of models: about 2 GB, once ..."
	@$(LOCAL_VENV)/bin/python -m pip install --disable-pip-version-check --editable '.[local]'
	@touch $@

demo: $(LOCAL) ## a system with real data on this machine, from its first training to a prediction
	$(LOCAL_VENV)/bin/modelyard try --once

compiled: $(COMMAND) ## compile the reference system, and show what came out and why
	$(BIN)/modelyard compile examples/fraud-detection --env on-prem
	@echo
	$(BIN)/modelyard explain inference.scorer examples/fraud-detection --env on-prem
	@echo
	@cd examples/fraud-detection && find build/on-prem/main \( -name modelyard_runtime -prune -o -type f \) -print | sort
	@echo
	@echo "Next: read examples/fraud-detection/build/on-prem/main/README.md,"
	@echo "then on a cluster of your own: cd examples/fraud-detection/build/on-prem/main/workloads && pulumi up"

check: $(INSTALLED) $(RUNTIME) ## everything that needs no real parts: twenty minutes on two cores
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target $(CHECKS)

style: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

imports: $(INSTALLED)
	$(BIN)/lint-imports --no-logo

types: mypy pyright

mypy: $(INSTALLED) $(RUNTIME)
	$(BIN)/mypy
	$(BIN)/mypy --python-executable "$$(cat $(RUNTIME))" --cache-dir .mypy_cache/runtime runtime

pyright: $(INSTALLED) $(RUNTIME)
	$(BIN)/pyright
	$(BIN)/pyright --project runtime/pyrightconfig.json --pythonpath "$$(cat $(RUNTIME))"

unit: $(INSTALLED)
	$(UNIT) $(if $(CI),$(COVERED))

coverage: $(INSTALLED) ## the unit tests, and the files that they do not run whole: a third slower than `make unit`
	$(UNIT) $(COVERED)

clouds: $(INSTALLED) ## programs and components under Pulumi's mocks: each run loads a large SDK
	$(PYTEST) -n 2 --dist worksteal $(MOCKED)

runtime: $(RUNTIME) packages
	$(call repeated,"$$(cat $(RUNTIME))" -m pytest,tests/runtime,-n 2 --dist loadfile)

testbed: packages ## build the real parts into the cache folder, once
	nice $(BIN)/python -m testbed build

packages: $(INSTALLED)
	@$(BIN)/python -m testbed packages

real: testbed
	$(REAL)

# The build leaves cores idle while it downloads and links, and has a low priority, so it hardly slows the tests down.
test: packages ## everything: check and clouds while the real parts are built, tests that use them, and short budgets
	@echo "Building the real parts beside the tests that need none. The output of each appears when it ends."
	@$(MAKE) --no-print-directory --jobs=4 --output-sync=target testbed $(CHECKS) clouds
	$(REAL)
	$(BENCH) $(BUDGETS) -k "$(SHORT)"

budgets: $(INSTALLED) ## the compiler's budgets of speed and memory, as ratios in one run: a few minutes
	$(BENCH) $(BUDGETS)

bench: $(INSTALLED) ## all budgets, with ten thousand models and inside of Ray
	$(BENCH) tests/benchmarks

clean: ## remove the environments, caches of tools and compiled examples; the real parts stay in the cache folder
	rm -rf .venv $(LOCAL_VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist examples/*/build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
