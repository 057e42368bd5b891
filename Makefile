PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
USABLE := -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))'

.PHONY: help demo test bench results lint docs-test format clean

help:
	@echo 'make demo       compare learning apart with learning together on 160 schools'
	@echo 'make test       run all tests'
	@echo 'make bench      time every step beside what else one could run (20 minutes), and write docs/performance.md'
	@echo 'make results    make the tables and figures of the papers again from their records, and docs/results.md'
	@echo 'make lint       check style, types, and who imports whom'
	@echo 'make docs-test  run the examples of the README and the documentation'
	@echo 'make format     lay out the code as `make lint` wants it'
	@echo 'make clean      remove .venv and caches'
	@echo
	@echo 'Each of them first sets up .venv with $(PYTHON); choose another by PYTHON=python3.12.'

demo: $(INSTALLED)
	$(BIN)/softshare compare schools --methods ridge pooled-ridge shared-plus-own auto --preset quick --seeds 3 --steps 60

test: $(INSTALLED)
	$(BIN)/pytest --numprocesses auto --dist worksteal

bench: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	KINETO_LOG_LEVEL=6 TORCH_CPP_LOG_LEVEL=ERROR $(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.page

results: $(INSTALLED)
	$(BIN)/softshare reproduce --page

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m benchmarks.house

docs-test: $(INSTALLED)
	$(BIN)/pytest README.md $(wildcard docs)

format: $(INSTALLED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist

# A .venv without a working pip (its making was interrupted) is made anew; a working one is only brought up to date.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'softshare needs Python 3.11 or newer, and $(PYTHON) is not: name one with make PYTHON=python3.12'; exit 1; }
	@$(BIN)/python $(USABLE) 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@echo 'Installing softshare and what it needs into .venv (PyTorch is large: this can take a few minutes) ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
