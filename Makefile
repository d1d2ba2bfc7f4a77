# The two commands of a newcomer are `make demo` and `make test`; each sets up all it needs.
PYTHON ?= $(shell command -v python3.13 || command -v python3.12 || command -v python3.11 || echo python3)
VENV := .venv/bin
OUT ?= demo-output

.PHONY: demo test test-all window ready ready-tests lint types sample-data bench clean

demo: ready
	$(VENV)/python -m surgiplan demo --out $(OUT) $(if $(DISPLAY)$(WAYLAND_DISPLAY),--window)

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

ready:
	@$(PYTHON) packaging/setup_environment.py

ready-tests:
	@$(PYTHON) packaging/setup_environment.py --tests

clean:
	rm -rf .venv $(OUT) .mypy_cache .ruff_cache
