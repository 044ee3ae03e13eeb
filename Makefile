# make audit   audits the bundled plant and names the report
# make test    every test, Rust and Python
# make lint    every check
# All set-up is done here, without root: Python 3.11 or newer and a Rust toolchain are all that is needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLANT := pcaps/waterworks
RESULT := build/waterworks
ENGINE := $(shell find dissectors -name '*.rs' -o -name '*.toml') Cargo.toml Cargo.lock pyproject.toml

# An editable install builds without optimisation unless told; the audit is to be fast from the first run.
export SETUPTOOLS_RUST_CARGO_PROFILE := release

.PHONY: audit test lint bench clean tools

audit: $(VENV)/.ready
	@$(BIN)/zonewatch audit $(PLANT)/waterworks.pcap --policy $(PLANT)/policy.yaml --assets $(PLANT)/assets.csv --out $(RESULT)

test: $(VENV)/.dev
	cargo test --workspace --quiet
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest zonewatch.dissectors._native
	$(BIN)/lint-imports
	cargo fmt --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings

bench: $(VENV)/.dev
	$(BIN)/python bench/bench.py

clean:
	rm -rf build target $(VENV) dissectors/*.so

tools:
	@command -v $(PYTHON) > /dev/null || { echo "zonewatch needs Python 3.11 or newer: install it, or name one with make PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "zonewatch needs Python 3.11 or newer; $(PYTHON) is older: name one with make PYTHON=…"; exit 1; }
	@command -v cargo > /dev/null || { echo "zonewatch needs a Rust toolchain (cargo, 1.85 or newer) to build its engine"; exit 1; }

$(VENV)/bin/pip: | tools
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: $(ENGINE) requirements/constraints.txt | $(VENV)/bin/pip
	@echo "setting up: building the engine takes a minute or two the first time"
	$(BIN)/pip install --quiet --disable-pip-version-check -c requirements/constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.ready
	$(BIN)/pip install --quiet --disable-pip-version-check -c requirements/constraints.txt -e '.[dev]'
	@touch $@
