# Every target does its own set-up: a machine with Python 3.11+, pip and make is enough.
# The first that runs and is new enough: a name on the path may be only a version manager's.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
OUT ?= replay-out

unexport PYTHONDONTWRITEBYTECODE  # modules are compiled once, not by each process

.PHONY: setup demo unit test lint faults bench crash replay lock clean

setup: .venv/.run

.venv/.run: requirements.lock deploy/build.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Avisa needs Python 3.11 or newer, and none was found." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --require-hashes -r deploy/build.lock  # what builds Avisa, or pip would fetch any
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .  # of the folder and its other name
	@mkdir -p .venv/import && ln -sfn ../../service .venv/import/avisa  # for mypy, which reads no import hooks
	@touch $@

.venv/.test: .venv/.run tests/requirements.lock tests/axe.lock
	$(BIN)/pip install --quiet --require-hashes -r tests/requirements.lock
	$(BIN)/pip install --quiet --require-hashes --no-deps -r tests/axe.lock
	@touch $@

demo: setup
	$(BIN)/avisa demo $(DEMO)

lint: .venv/.test
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports

# What needs no server. One process more than cores, for some tests wait; each more would collect all the tests again.
# pytest's own record of log lines costs each test half a millisecond, and nothing asks for it.
UNIT := $(BIN)/pytest --quiet -p no:logging --numprocesses 3 --dist worksteal -m unit tests

# The inner loop: what uses chance or has dear variants tries a tenth of what `make test` tries.
unit: .venv/.test
	$(UNIT) --hypothesis-profile inner

# A failure in the first part hides none in the second.
test: lint
	$(UNIT); unit=$$?; $(BIN)/pytest --quiet -m "not unit and not long" tests && exit $$unit

# Kills, freezes and outages under load, with the oracle as judge.
faults: .venv/.test
	$(BIN)/pytest --quiet -m long tests

bench: .venv/.test
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.feeds

crash: .venv/.test
	$(BIN)/python -m tests.crash

replay: .venv/.test
	$(BIN)/python -m tests.replay $(ORDERS) $(OUT)

# Pins and hashes, without naming an index; run it after changing dependencies in pyproject.toml.
lock: .venv/.test
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --no-emit-index-url --no-emit-find-links --no-header \
		--no-annotate --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --no-emit-index-url --no-emit-find-links --no-header \
		--no-annotate --allow-unsafe --extra plot --extra test --constraint requirements.lock --output-file tests/requirements.lock pyproject.toml

clean:
	rm -rf .venv .tools .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist *.egg-info
