# make audit   audits the bundled plant and names the report
# make test    every test, Rust and Python
# make test-integration   tests with real servers (installs them where it may: Debian packages as root, Maven's by Maven)
# make lint    every check
# make bench   the engine and the audit against tshark
# make instructions   the engine's instructions a packet against the figures kept (valgrind)
# make fuzz    every fuzz target for at most FUZZ_SECONDS of CPU time (nightly Rust and cargo-fuzz)
# make deb     a Debian package with all that it needs; make wheelhouse the same without Debian
# make deps    licences and origins of the Rust packages (cargo-deny)
# make lock    newest allowed versions and their hashes into requirements/
# make clean   removes all that was made here
# All set-up is done here, without root: Python 3.11 or newer and a Rust toolchain are all that is needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PLANT := pcaps/waterworks
RESULT := build/waterworks
ENGINE := $(shell find dissectors -name fuzz -prune -o \( -name '*.rs' -o -name '*.toml' \) -print) Cargo.toml Cargo.lock
CACHES := __pycache__ .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

FUZZ_SECONDS ?= 60
FUZZ_TARGETS := $(basename $(notdir $(wildcard dissectors/fuzz/targets/*.rs)))

LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --strip-extras --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
BUILD_REQUIRES := import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")

# An editable install builds without optimisation unless told; the audit is to be fast from the first run.
export SETUPTOOLS_RUST_CARGO_PROFILE := release
# Otherwise the first Python on the path decides, and every change of it builds the extension anew.
export PYO3_PYTHON := $(abspath $(BIN)/python)
# Empty is unset: the tests start some hundred processes, and each would compile every module that it imports.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: audit test test-integration lint lint-python lint-rust bench instructions fuzz deb wheelhouse deps lock clean tools

audit: $(VENV)/.ready
	@$(BIN)/zonewatch audit $(PLANT)/waterworks.pcap --policy $(PLANT)/policy.yaml --assets $(PLANT)/assets.csv --tags $(PLANT)/tags.csv --out $(RESULT)

# The examples are compiled by `make lint`. For those of the documentation the engine need not be fast.
test: $(VENV)/.ready $(VENV)/.dev
	cargo test --workspace --tests --locked --quiet
	cargo test --workspace --doc --locked --quiet --config 'profile.dev.package.zonewatch-dissectors.opt-level=0'
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-integration: $(VENV)/.ready $(VENV)/.dev
	@tests/servers/install.sh
	$(BIN)/python -m pytest -n 2 --dist loadscope -m integration -rs tests/integration

# mypy takes one core, and clippy has a long end on one: side by side they take the time of one of them.
lint: $(VENV)/.ready $(VENV)/.dev
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint-python lint-rust

lint-python: $(VENV)/.ready $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest zonewatch.dissectors._native
	$(BIN)/lint-imports

lint-rust: $(VENV)/.ready
	cargo fmt --check
	cargo fmt --check --manifest-path dissectors/fuzz/Cargo.toml
	cargo clippy --workspace --all-targets --features extension-module --locked --quiet -- -D warnings

bench: $(VENV)/.ready $(VENV)/.dev
	$(BIN)/python bench/bench.py --table build/performance.md

instructions: | tools
	@$(PYTHON) bench/instructions.py

fuzz:
	@cargo +nightly fuzz --version > /dev/null 2>&1 || { echo "make fuzz needs nightly Rust (rustup toolchain install nightly) and cargo-fuzz (cargo install cargo-fuzz)"; exit 1; }
	cargo run --quiet --locked --manifest-path dissectors/fuzz/Cargo.toml --target-dir target/fuzz --example seeds -- pcaps build/fuzz
	cargo +nightly fuzz build --fuzz-dir dissectors/fuzz --target-dir target/fuzz
	$(PYTHON) dissectors/fuzz/campaign.py $(FUZZ_TARGETS) --corpora build/fuzz \
	    --binaries target/fuzz/$$(rustc +nightly --print host-tuple)/release --most $(FUZZ_SECONDS)

deb: $(VENV)/.ready
	$(BIN)/python packaging/build.py deb

wheelhouse: $(VENV)/.ready
	$(BIN)/python packaging/build.py wheelhouse

deps:
	@cargo deny --version > /dev/null 2>&1 || { echo "make deps needs cargo-deny (cargo install cargo-deny --locked)"; exit 1; }
	cargo deny --locked check licenses bans sources

lock: | $(VENV)/bin/pip
	$(PIP) install uv
	$(BIN)/python -c '$(BUILD_REQUIRES)' | $(LOCK) - --output-file requirements/build.txt
	$(LOCK) pyproject.toml --extra dev --output-file requirements/dev.txt
	$(LOCK) pyproject.toml --constraint requirements/dev.txt --output-file requirements/runtime.txt
	$(LOCK) pyproject.toml --extra appliance --extra reports --constraint requirements/dev.txt --output-file requirements/appliance.txt

clean:
	rm -rf build dist target $(VENV) *.egg-info dissectors/*.so dissectors/*.pyd
	find . -name .git -prune -o -type d \( -false $(CACHES:%=-o -name %) \) -prune -exec rm -rf {} +

tools:
	@command -v $(PYTHON) > /dev/null || { echo "zonewatch needs Python 3.11 or newer: install it, or name one with make PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "zonewatch needs Python 3.11 or newer; $(PYTHON) is older: name one with make PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo "$(PYTHON) lacks venv or ensurepip: install them (on Debian and Ubuntu the package python3-venv), or name another Python with make PYTHON=…"; exit 1; }
	@command -v cargo > /dev/null || { echo "zonewatch needs a Rust toolchain (cargo, 1.85 or newer) to build its engine"; exit 1; }

$(VENV)/bin/pip: | tools
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements/build.txt requirements/runtime.txt | $(VENV)/bin/pip
	@echo "setting up: Python packages"
	@$(PIP) install --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	@touch $@

$(VENV)/.ready: $(ENGINE) pyproject.toml $(VENV)/.runtime
	@echo "setting up: building the engine takes a minute or two the first time"
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo "setting up: packages for tests and checks"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@
