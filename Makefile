# make setup | demo | test | test-all | check
PYTHON ?= python3
export REGIE_HOME ?= $(CURDIR)/.regie
REGIE = .venv/bin/regie

.PHONY: setup demo test test-all tools check clean
setup: .venv/.made
	@$(REGIE) sync

.venv/.made: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Régie needs Python 3.11: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --editable '.[base]'
	@touch $@

demo: setup
	@$(REGIE) demo
	@$(REGIE) demo offers

# The other environments are installed beside the tests that do not need them.
test: tools
	@.venv/bin/python tests/run.py --sync

# Besides, those that take half a minute or more each.
test-all: export ALL_TESTS = 1
test-all: test

tools: .venv/.made
	@$(REGIE) sync base --extra test --extra dev

check:
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

clean:
	rm -rf .venv .regie demo
