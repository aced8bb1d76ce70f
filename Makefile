# make book | pdf | test | lint | test-full | test-browser | clean    (no activation needed)
# make audit | licences | sbom: of the packages in the lock; audit asks PyPI
PYTHON ?= python3
# For small CPU wheels of PyTorch:
#   make book PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
PIP_ARGS ?=
LOCK ?= constraints.txt
JOBS ?= 2
PYTEST_ARGS ?=

BIN := .venv/bin
AUDIT := .venv/audit/bin
INSTALL = $(BIN)/python -m pip install --quiet $(PIP_ARGS) -c $(LOCK)
PYTEST = $(BIN)/python -m pytest -q
# One thread per process: small models gain nothing from more and lose much.
export OMP_NUM_THREADS = 1
# Else a warning of every program of Jupyter's.
export JUPYTER_PLATFORM_DIRS = 1
# A backend set from outside would make every figure vanish from the notebooks.
unexport MPLBACKEND

.PHONY: book pdf test lint test-full test-browser audit licences sbom clean
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

# Not --strict, a package that PyPI does not answer for would pass unseen.
audit: .venv/.audit
	@$(AUDIT)/pip-audit --strict --no-deps --disable-pip --progress-spinner off \
	  -r $(LOCK) || { echo "make audit: NOT CLEAN. A package has a known hole, or PyPI \
	could not be asked about one: see above."; exit 1; }

licences: .venv/.audit .venv/.cluster .venv/.browser
	mkdir -p build
	$(AUDIT)/pip-licenses --python $(BIN)/python --from mixed --with-system \
	  --ignore-packages pip scaling-core --format csv --output-file build/licences.csv
	sed 's/+[a-z0-9][a-z0-9]*"/"/' build/licences.csv > licences.csv  # torch 2.13.0, not +cpu

sbom: .venv/.audit .venv/.cluster .venv/.browser
	mkdir -p build
	$(AUDIT)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
	  --output-file build/sbom.json $(BIN)/python

clean:
	rm -rf build _build book/chapters book/generated book/_static/vendor

.venv/.installed: pyproject.toml $(LOCK)
	@$(PYTHON) -c "import sys; v = sys.version.split()[0]; sys.exit( \
	  f'Python {v}; the lock needs 3.11.5 or newer; name one, as PYTHON=python3.13' \
	  if sys.version_info < (3, 11, 5) else 0)"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) -e ".[book,test]"
	touch $@

.venv/.cluster .venv/.browser: .venv/.%: .venv/.installed
	$(INSTALL) -e ".[$*]"
	touch $@

.venv/.audit: constraints-audit.txt $(LOCK)
	$(PYTHON) -m venv .venv/audit
	$(AUDIT)/python -m pip install --quiet -c $(LOCK) -r constraints-audit.txt
	touch $@
