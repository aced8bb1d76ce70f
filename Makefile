# make book | pdf | test | lint | test-full | test-browser | clean    (no activation needed)
PYTHON ?= python3
# For small CPU wheels of PyTorch:
#   make book PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
PIP_ARGS ?=
LOCK ?= constraints.txt
JOBS ?= 2
PYTEST_ARGS ?=

BIN := .venv/bin
INSTALL = $(BIN)/python -m pip install --quiet $(PIP_ARGS) -c $(LOCK)
PYTEST = $(BIN)/python -m pytest -q
# One thread per process: small models gain nothing from more and lose much.
export OMP_NUM_THREADS = 1
# Else a warning of every program of Jupyter's.
export JUPYTER_PLATFORM_DIRS = 1
# A backend set from outside would make every figure vanish from the notebooks.
unexport MPLBACKEND

.PHONY: book pdf test lint test-full test-browser clean
.DELETE_ON_ERROR:

book: .venv/.installed
	$(BIN)/scaling run --jobs $(JOBS)
	$(BIN)/scaling render

pdf: .venv/.browser  # of the pages that `make book` built; needs Chromium
	$(BIN)/scaling pdf

lint: .venv/.installed
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/basedpyright --warnings

test: lint
	$(PYTEST) $(PYTEST_ARGS)
	SCALING_RECORDS=$(CURDIR)/build/records/nbval \
	  $(PYTEST) --nbval-lax --nbval-current-env --nbval-cell-timeout=300 tests/reference
	@for room in scaling_core studies scaling_book; do \
	  echo "$$room: $$(find $$room -name '*.py' -exec cat {} + | wc -l) lines"; done

test-full: .venv/.cluster
	$(PYTEST) -m full $(PYTEST_ARGS)

test-browser: .venv/.browser
	$(PYTEST) -m browser $(PYTEST_ARGS)

clean:
	rm -rf build _build book/chapters book/generated book/_static/vendor

.venv/.installed: pyproject.toml $(LOCK)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) -e ".[book,test]"
	touch $@

.venv/.cluster .venv/.browser: .venv/.%: .venv/.installed
	$(INSTALL) -e ".[$*]"
	touch $@
