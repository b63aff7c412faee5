# One command each; all of them set up .venv first.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: help setup test check bench soak demo live screens clean
help: ## show the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

setup: $(STAMP) ## create .venv and install warroom into it

$(STAMP): pyproject.toml constraints.txt $(wildcard subagents/logs/native/*.[ch])
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m orchestrator.journal.secret_scanner
	@$(BIN)/python -m subagents.logs.native
	@touch $(STAMP)

# What assertions compare is told of those that fail, in a second run: to prepare it for all costs each worker a quarter of a minute.
# Where Python keeps no compiled code, each process that a test starts would compile it anew: a tenth of the time and more.
test: setup ## run the tests
	@$(BIN)/python -m compileall -q -j 0 orchestrator subagents tui tests
	$(BIN)/python -m pytest -n 3 --dist loadgroup --assert=plain \
	  || { $(BIN)/python -m pytest --last-failed --last-failed-no-failures none; exit 1; }

check: setup ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## benchmarks, side by side with what a user would pick instead
	$(BIN)/python -m benchmarks

soak: setup ## the long counts of the fault matrix
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m soak --timeout 3600 -o addopts="-ra --strict-markers --import-mode=importlib"

demo: setup ## open the war room on the bundled incident; installs bubblewrap where it can
	@command -v bwrap >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing bubblewrap, in which the tests of a fix are run"; \
	    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends bubblewrap; } >/dev/null \
	      || echo "bubblewrap could not be installed: the fix will be drafted, but not tested"; \
	  elif command -v apt-get >/dev/null; then \
	    echo "to have the fix tested: sudo apt-get install bubblewrap (without it the demo ends with an untested draft)"; \
	  else \
	    echo "to have the fix tested, install bubblewrap (without it the demo ends with an untested draft that says so)"; \
	  fi; }
	@$(BIN)/warroom demo

live: setup ## the bundled incident on Claude Managed Agents: needs a key, costs money, asks first
	@$(BIN)/python -m tests.live

screens: setup ## export the README's pictures from the real screens
	$(BIN)/python -m tests.tui.screens

clean: ## remove what make made
	rm -rf .venv .venv-bench build *.egg-info
