# Two commands for a newcomer: `make demo` and `make test`. Both set up their own .venv first; nothing else is touched.
PYTHON ?= python3
BIN := .venv/bin
# Processes that `make test` runs the tests in; 0: all in one. With 2 it is quicker on two cores.
WORKERS ?= 0
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help setup check test demo bench clean

help:
	@echo 'make demo    three small servers, maniple in front of them, and requests to look at (Ctrl-C ends it)'
	@echo 'make test    ruff, mypy and the tests'
	@echo 'make check   ruff and mypy only'
	@echo 'make bench   CPU, rate and latency beside haproxy and nginx'
	@echo 'make clean   removes all that these made'

# A machine may have python3 without the module that makes environments (Debian parts them), or one that is too old.
# A half-made .venv (an interrupted run) is made again.
.venv/.made:
	@command -v $(PYTHON) >/dev/null || { echo 'maniple needs Python 3.11 or later; on Debian: apt-get install python3 python3-venv' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "maniple needs Python 3.11 or later, and $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo 'Python is here without its venv module; on Debian: apt-get install python3-venv' >&2; exit 1; }
	@rm -rf .venv
	@echo 'Setting up .venv (once) ...'
	@$(PYTHON) -m venv .venv
	@touch $@

# What maniple itself needs: enough to run it. Its byte code halves the time of a start, and not every environment lets
# Python keep it by itself.
.venv/.run: .venv/.made pyproject.toml constraints.txt
	@$(PIP) -e .
	@$(BIN)/python -m compileall -q cli core groups perf pools __init__.py
	@touch $@

# And what its tests need.
.venv/.dev: .venv/.run
	@$(PIP) -e '.[dev]'
	@touch $@

setup: .venv/.dev

# mypy wants a folder with the package's name: a link in a hidden folder gives it one.
.mypy/maniple:
	@mkdir -p .mypy && ln -sfn .. $@

check: .venv/.dev .mypy/maniple
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	cd .mypy && ../$(BIN)/mypy --config-file ../pyproject.toml -p maniple

test: check
	$(BIN)/pytest -q -n $(WORKERS) --dist loadfile -m 'not alone'
	$(BIN)/pytest -q -m alone $$(grep -rl --include='test_*.py' 'mark\.alone' tests)

demo: .venv/.run
	@$(BIN)/maniple demo

bench: .venv/.run
	@$(BIN)/maniple bench

clean:
	rm -rf .venv .mypy .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
