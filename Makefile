# The two commands of a newcomer are `make demo` and `make test`; each sets up all it needs.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv/bin
OUT ?=

.PHONY: python demo test test-all window ready ready-tests ready-judges lint types sample-data bench clean

demo: ready
	$(VENV)/python -m surgiplan demo $(if $(OUT),--out $(OUT)) $(if $(DISPLAY)$(WAYLAND_DISPLAY),--window)

window: ready
	$(VENV)/python -m surgiplan

test: ready-tests
	$(VENV)/python packaging/run_tests.py -m "not slow"

test-all: ready-tests
	$(VENV)/python packaging/run_tests.py

lint: ready
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .

types: ready
	$(VENV)/mypy

sample-data: ready
	$(VENV)/python -m surgiplan.phantoms.sample sample_data

ready: python
	@$(PYTHON) packaging/setup_environment.py

python:
	@test -n "$(PYTHON)" || { echo "surgiplan needs Python 3.11 or newer: install it and try again" >&2; exit 1; }

ready-tests: python
	@$(PYTHON) packaging/setup_environment.py --tests

# Programs of others that some tests ask for a second opinion; those tests skip without them.
ready-judges: python
	@$(PYTHON) packaging/setup_environment.py --tests --judges

clean:
	rm -rf .venv demo-output demo-output-* .mypy_cache .ruff_cache
