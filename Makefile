# Everything a contributor or a build machine runs. `make` prints this list; each target's own comment is its help.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# A run of tests starts hundreds of Pythons: what one of them has compiled, all use.
unexport PYTHONDONTWRITEBYTECODE
# The machines we promise times for have 2 cores. Tests wait a third of their time, so 3 workers keep the cores busy; proofs, which start real
# processes and load them, get 2, and a file of them stays on one; the long ones begin first.
PYTEST := $(BIN)/python -m pytest
PARALLEL ?= -n 3 --dist worksteal
PROVING ?= -v -n 2 --dist loadfile --no-loadscope-reorder --maxfail 3
# $(call within,MINUTES): nothing may hang. After that time every stack is shown and all is ended; in any case the CPU it cost is printed.
within = $(PYTHON) tests/limit.py $(1)
GATES := tests/cost tests/replay tests/doors
# `make test GATES_DONE=1` leaves out what `make check` has just run.
GATES_DONE ?=
PICTURED := .tools/pictures
UV := .tools/uv/bin/uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --no-annotate
PROTOS = $(shell cd proto && find oms -name '*.proto' | sort)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup proto proto-release fmt lint doors types proto-check deploy-check gates check test prove programs bench demo up down pictures \
	migration lock audit-deps clean

help: ## Print this list
	@echo "make <target>"; echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '  %-14s %s\n' "$$name" "$$text"; done

# ---------------------------------------------------------------------------------------------------------------- set up

setup: $(READY) ## Build .venv from requirements/dev.lock; needs only python3 3.11 or newer

$(READY): requirements/dev.lock
	@echo "Setting up, once: Python, an environment in .venv, then the packages that requirements/dev.lock pins."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "OMS needs Python 3.11 or newer and '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Install one, then: make setup PYTHON=python3.12"; \
		exit 1; }
	@PYTHON=$(PYTHON) requirements/programs.sh venv
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "'$(PYTHON)' cannot make virtual environments."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing $$(grep -c '==' requirements/dev.lock) packages; this takes a minute or more, most of it for downloads ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(BIN)/python -c 'import pathlib, sysconfig; root = pathlib.Path.cwd(); \
		pathlib.Path(sysconfig.get_path("purelib"), "oms.pth").write_text(f"{root}\n{root}/proto/gen\n")'
	@printf '#!/bin/sh\nexec "%s/$(BIN)/python" -m cli "$$@"\n' "$(CURDIR)" > $(BIN)/oms && chmod +x $(BIN)/oms
	@touch $@
	@echo "Set up."

# ------------------------------------------------------------------------------------------------------------- static gates

fmt: $(READY) ## Format Python and proto files, and sort imports
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	cd proto && ../$(BIN)/buf format -w

lint: $(READY) ## Style: ruff's rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --diff --quiet .; echo "Run: make fmt"; exit 1; }

doors: $(READY) ## Architecture: who may import whom
	$(BIN)/lint-imports

types: $(READY) ## Types: mypy --strict
	$(BIN)/mypy

proto: $(READY) ## Regenerate proto/gen from proto/oms
	find proto/gen -name '*_pb2*' -delete
	$(call generate,gen)

# $(call generate,FOLDER): stubs of every proto file into FOLDER (a path as seen from proto/).
define generate
	@cd proto && ../$(BIN)/python -m grpc_tools.protoc -I. --python_out=$(1) --grpc_python_out=$(1) \
		--plugin=protoc-gen-mypy=../$(BIN)/protoc-gen-mypy --plugin=protoc-gen-mypy_grpc=../$(BIN)/protoc-gen-mypy_grpc \
		--mypy_out=quiet:$(1) --mypy_grpc_out=quiet:$(1) $(PROTOS)
endef

proto-check: $(READY) ## Protos: lint, format, no breaking change, stubs fresh
	cd proto && ../$(BIN)/buf lint && ../$(BIN)/buf format -d --exit-code
	@if test -f proto/released.binpb; then echo "buf breaking"; cd proto && ../$(BIN)/buf breaking --against released.binpb; fi
	@rm -rf .tools/stubs && mkdir -p .tools/stubs
	$(call generate,../.tools/stubs)
	@diff -r -x __pycache__ .tools/stubs proto/gen > .tools/stubs.diff || { \
		head -40 .tools/stubs.diff; echo "proto/gen is not what proto/oms says. Run: make proto"; exit 1; }
	@rm -rf .tools/stubs .tools/stubs.diff

proto-release: $(READY) ## Store today's protos as the contract that later ones may not break
	cd proto && ../$(BIN)/buf build -o released.binpb

deploy-check: $(READY) ## Deployment: compose file valid, no secret with a default, Dockerfile sound
	@deploy/check.sh $(BIN)

# ------------------------------------------------------------------------------------------------------------------ proofs

gates: $(READY) ## Cost budgets, replay of stored histories, and planted violations of every door
	$(call within,20) $(PYTEST) $(PARALLEL) $(GATES)

check: lint doors types proto-check deploy-check gates ## Every static gate, the cost budgets, replay and the doors

test: $(READY) programs ## Every test but the full-size proofs
	$(call within,45) $(PYTEST) $(PARALLEL) $(if $(GATES_DONE),$(addprefix --ignore=,$(GATES)))

prove: $(READY) programs ## The proofs: kills, races, bad input, load, at full size; SLICE=1: one of each kind, as a build machine runs them
	$(call within,$(if $(SLICE),30,90)) $(PYTEST) -m "prove and $(if $(SLICE),slice,not quiet)" $(PROVING) --timeout 1200
	$(if $(SLICE),,$(call within,30) $(PYTEST) -m "prove and quiet" --timeout 1200)

programs: # what tests need and pip cannot install
	@requirements/programs.sh git chromium libatomic1

bench: $(READY) ## Measure an order's CPU beside its frame, latency, start-up, memory, growth, restarts; tables and JSON
	$(BIN)/python -m bench

audit-deps: $(READY) ## Known vulnerabilities in pinned packages (asks a public database, so not part of check)
	$(BIN)/pip-audit --require-hashes --disable-pip -r requirements/dev.lock

# --------------------------------------------------------------------------------------------------------------------- run

demo: $(READY) ## Set up, start the system, load samples and play 17 orders, from captured to paid
	$(BIN)/oms demo $(ARGS)

up: $(READY) ## Start the system here and stay with it until Ctrl-C
	$(BIN)/oms up $(ARGS)

down: $(READY) ## Stop the system started here
	$(BIN)/oms down $(ARGS)

pictures: $(READY) programs ## Take the pictures of README again, from a demo of its own
	@$(BIN)/oms demo --keep --var $(PICTURED) --port-offset 1900 && $(BIN)/python -m samples.pictures --var $(PICTURED); \
		code=$$?; $(BIN)/oms down --var $(PICTURED) && rm -rf $(PICTURED); exit $$code

# ------------------------------------------------------------------------------------------------------------------ upkeep

migration: $(READY) ## Draft a schema change: make migration SERVICE=inventory MESSAGE="count by bin"
	@test -n "$(SERVICE)" -a -n "$(MESSAGE)" || { \
		echo 'Say which service and what changes: make migration SERVICE=inventory MESSAGE="count by bin"'; exit 1; }
	$(BIN)/python -m services.runtime.migrations $(SERVICE) "$(MESSAGE)"

lock: $(UV) ## Pin requirements/*.in into requirements/*.lock, with hashes and without hosts
	$(COMPILE) requirements/runtime.in -o requirements/runtime.lock
	$(COMPILE) requirements/dev.in -c requirements/runtime.lock -o requirements/dev.lock

$(UV):
	@mkdir -p .tools && $(PYTHON) -m venv .tools/uv
	.tools/uv/bin/python -m pip install --quiet --disable-pip-version-check uv

clean: ## Remove caches and what tools left behind; keeps .venv and var
	rm -rf .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
