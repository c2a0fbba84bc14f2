# make        set up, run the default analysis, build its report
# make help   print this
# make test   set up, run all tests but those on a cluster
# make test-slurm  set up, install SLURM (root on Debian), run the tests on a cluster of this machine;
#             SLURM=possible skips them, with the reason, where no cluster can be started
# make lint   set up, check style, types and rules
# make bench  set up, measure speed against other ways
# make fuzz   set up, read damaged files for as long as EXAMPLES=N per reader takes
# make site   set up, build the documentation site into site/; a warning is an error
# make publish  set up, make the folder published/ of the results, for HEPData, Zenodo and other repositories
# SCALE=standard (or gpu, jetnet30, ...) puts configs/$(SCALE).yaml over config.yaml: the studies at that scale.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCALE ?=
COMMA := ,
SPACE := $(subst ,, )
SCALES := $(sort $(basename $(notdir $(wildcard configs/*.yaml))))
ifneq ($(filter-out default $(SCALES),$(SCALE)),)
$(error no scale $(SCALE); there are: $(subst $(SPACE),$(COMMA)$(SPACE),default $(SCALES)))
endif
OVERLAY := $(if $(filter-out default,$(SCALE)),--configfile configs/$(SCALE).yaml)
# The folder of the results as the settings name it; before Python is set up, in a plan of make, only this word.
RESULTS = $(shell if test -x $(BIN)/python; then $(BIN)/python -c \
	'from cloudchamber.analysis import results_folder; print(results_folder("$(SCALE)"))'; else echo RESULTS; fi)
CORES ?= all
# One thread per process: workers share the cores, and more threads only get in each other's way.
export OMP_NUM_THREADS := 1
# Each job starts Python anew: without stored bytecode that takes ten seconds a time.
unexport PYTHONDONTWRITEBYTECODE
# Constraints hold for the packages and for what builds them.
# Packages without a pyproject.toml are built like the others, as later versions of pip do: else it warns of them.
INSTALL := PIP_CONSTRAINT=requirements.lock $(BIN)/python -m pip install --quiet --disable-pip-version-check --use-pep517

.PHONY: all help setup run test test-slurm fuzz lint bench docs site publish clean
.DELETE_ON_ERROR:

all: run

help:
	@sed -n '/^#/!q; s/^# //p' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11")'
	@echo "installing the pinned packages into $(VENV) (a few minutes, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) --no-compile --editable '.[simulation,slurm,test]'
	@touch $@

run: setup
	$(BIN)/snakemake --cores $(CORES) $(OVERLAY)
	$(BIN)/snakemake --cores 1 --report $(RESULTS)/report.html $(OVERLAY)
	@echo "done: open $(RESULTS)/report.html"

# A file of tests stays in one process, since its tests share what takes long to make. The order is that of conftest.py.
TEST_PROCESSES ?= 2
test: setup
	$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

test-slurm: setup
	tests/slurm/install
	CLOUDCHAMBER_SLURM=$(or $(SLURM),required) $(BIN)/python -m pytest tests/slurm

# New examples in each run; what breaks a reader is printed by Hypothesis.
EXAMPLES ?= 2000
fuzz: setup
	CLOUDCHAMBER_FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/fuzz --timeout 0

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

bench: setup
	$(BIN)/python -m benchmarks --output $(RESULTS)/benchmarks.csv

docs: setup
	$(BIN)/python -m cloudchamber.settings_reference

# Its packages come with the extra and are of no use to tests.
site: setup
	@$(INSTALL) --no-compile --editable '.[site]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "done: open site/index.html"

# ABOUT names a file with what only the authors know: docs/publishing.md.
publish: setup
	$(BIN)/cloudchamber publish $(RESULTS) $(if $(ABOUT),--about $(ABOUT)) --output published

# Outputs are never touched: remove results by hand.
clean:
	rm -rf $(VENV) build site src/*.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
