# The only doors. Each target is a thin call of a script in tools/; `make help` lists them.
PYTHON ?= python3
VENV := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run test coverage check bench bench-peers verify screenshots lock bootstrap clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 - \2/p' Makefile

run: ## a board on screen with demo orders [PLATFORM=vnc|offscreen|xcb] [SCREENSHOT=file.png]
	@$(PYTHON) tools/run.py --platform "$(PLATFORM)" --screenshot "$(SCREENSHOT)"

test: bootstrap ## all tests, headless [ARGS="tests/guards -k layers"]
	@$(VENV) tools/test.py $(ARGS)

coverage: bootstrap ## every branch of the contract, outbox, rebase, protocol and hub from unit tests alone
	@$(VENV) tools/coverage.py

check: bootstrap ## format, lint, types, layers, spelling, wheel [ONLY=mypy]
	@$(VENV) tools/check.py $(ONLY)

bench: bootstrap ## measure into build/bench.json [ONLY=board]
	@$(VENV) bench/run.py $(ONLY)

bench-peers: bootstrap ## our board beside web boards in Chromium, into build/bench.json [ONLY=virtual]
	@PYTHONPATH=tests $(VENV) -m bench.peers.run $(if $(ONLY),--only $(ONLY))

verify: bootstrap ## prove that sync loses nothing [SEEDS=20] [FIRST=7] [ONLY=simulation] [FULL=1]
	@$(VENV) tools/verify.py --seeds $(or $(SEEDS),20) --first $(or $(FIRST),1) --only "$(ONLY)" $(if $(FULL),--full)

screenshots: bootstrap ## pictures of scenes with a fixed clock, font and seed [ONLY=board-dark]
	@LC_ALL=C.UTF-8 $(VENV) tools/screenshots.py $(ONLY)

lock: bootstrap ## resolve requirements/*.txt again [UPGRADE=1]
	@$(VENV) tools/lock.py

bootstrap:
	@$(PYTHON) tools/bootstrap.py --dev

clean: ## remove what was built; .venv and your data stay
	@rm -rf build dist .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -path ./.venv -prune -o -name __pycache__ -prune -exec rm -rf {} +
