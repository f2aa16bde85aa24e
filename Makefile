# make setup | demo | test | check
PYTHON ?= python3
export REGIE_HOME ?= $(CURDIR)/.regie
REGIE = .venv/bin/regie

.PHONY: setup demo test check clean
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

test: setup
	@$(REGIE) sync base --extra test --extra dev
	@$(REGIE) sync scenes tracking --extra test
	@$(REGIE) sync audio --engine pyannote --extra test
	@.venv/bin/python tests/run.py

check:
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

clean:
	rm -rf .venv .regie demo
