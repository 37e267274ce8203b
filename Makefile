# Two commands for a newcomer: `make demo` and `make test`. Both set up their own .venv first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup check test demo bench clean

setup: .venv/.done

.venv/.done: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	touch $@

# mypy wants a directory with the package's name.
.mypy/maniple:
	mkdir -p .mypy && ln -sfn .. $@

check: setup .mypy/maniple
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	cd .mypy && ../$(BIN)/mypy -p maniple

test: check
	$(BIN)/pytest -q

demo: setup
	$(BIN)/maniple demo

bench: setup
	$(BIN)/maniple bench

clean:
	rm -rf .venv .mypy .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
