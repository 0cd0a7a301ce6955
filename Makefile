# Everything starts here: `make help` lists the targets. The lab's state is in LAB_DIR (.lab).
PYTHON ?= python3
BIN := .venv/bin
PREPARE := $(PYTHON) -m bridge.lab.prepare

.PHONY: help demo lab lab-down lint test test-docker chaos soak

help: ## show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 20

demo: ## set everything up, call a telephone of the lab, and show what comes of it
	@$(PREPARE) lab
	@$(BIN)/python -m bridge.lab demo

lab: ## start what is not running of the lab, in the background
	@$(PREPARE) lab
	@$(BIN)/python -m bridge.lab up

lab-down: ## stop the lab; its files are left
	@$(BIN)/python -m bridge.lab down

lint: ## check style, types and the arrows between the rooms
	@$(PREPARE) lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

test: ## run every check and every test against real parts, and tell how long each part took
	@$(PYTHON) -m tests.run

chaos: ## kill, cut and fill everything while 1,000 messages are called, again and again
	@$(PREPARE) test
	CHAOS=long $(BIN)/pytest -s tests/chaos

soak: ## call at 10 a second for SOAK_SECONDS (an hour); fail when anything grows or is stuck
	@$(PREPARE) test
	$(BIN)/python -m tests.soak

test-docker: ## build the images, bring them up with compose and place a call, on a real Docker engine
	@PYTHONPATH=. $(PYTHON) docker/test.py
