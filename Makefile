# Needs Python 3.11 or newer, make and git. Everything it makes stays in this folder; `make clean` takes it away.

PYTHON ?= python3
PYENV_ROOT ?= $(HOME)/.pyenv

# Interpreters of pyenv that its shims hide; behind PATH, so that they only fill gaps.
empty :=
interpreters := $(subst $(empty) $(empty),:,$(strip $(wildcard $(PYENV_ROOT)/versions/3.1[1-3]*/bin)))
tox = PATH="$$PATH$(if $(interpreters),:$(interpreters))" .tox-venv/bin/tox
# A laptop may lack an interpreter, CI may not.
tox_run = $(tox) run $(if $(filter true,$(CI)),--skip-missing-interpreters false)
pip_install = -m pip install --quiet --disable-pip-version-check --no-input

sources := $(shell find opsmail -type f ! -path '*/__pycache__/*')

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint site bench soak messages lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\): .*## /\1	/p' $(MAKEFILE_LIST) | while IFS='	' read -r target text; do printf '  make %-8s %s\n' "$$target" "$$text"; done

demo: .venv/.opsmail ## install opsmail in .venv, then show the whole way from a YAML file to a sent message
	@.venv/bin/opsmail demo

test: .tox/.installed ## run everything: lint, workflows, the tests on each Python, coverage
	@bash tests/servers/install-debian.sh
	@bash tests/servers/install-node.sh
	@$(tox_run)

lint: .tox-venv/.installed ## run only what needs no test: ruff, mypy, import-linter, codespell, zizmor, actionlint, hadolint
	@$(tox_run) -e lint,workflows

site: .tox-venv/.installed ## build the documents' site in build/site
	@$(tox_run) -e site

bench: .tox-venv/.installed ## measure; ARGS="…" goes to the benchmarks
	@$(tox_run) -e bench -- $(ARGS)

soak: .tox-venv/.installed ## what may befall a publish, for long: writes benchmarks/RELIABILITY.md; ARGS="--minutes N" ends it earlier
	@bash tests/servers/install-debian.sh
	@$(tox_run) -e soak -- $(ARGS)

messages: .tox-venv/.installed ## bring the catalogues of translations in line with what the program says
	@$(tox_run) -e messages

lock: .lock-venv/.installed ## bring requirements/*.txt in line with pyproject.toml; UPGRADE=1 takes the newest versions
	@$(call compile,runtime) pyproject.toml
	@$(call compile,demo) pyproject.toml --extra demo --constraint requirements/runtime.txt
	@$(call compile,test) pyproject.toml --group test --constraint requirements/demo.txt
	@$(call compile,lint) pyproject.toml --group test --group lint --constraint requirements/test.txt
	@$(call compile,bench) pyproject.toml --group bench --constraint requirements/test.txt
	@$(call compile,site) pyproject.toml --group site --constraint requirements/runtime.txt
	@$(call compile,coverage) --group coverage --constraint requirements/test.txt
	@$(call compile,build) --group build --constraint requirements/lint.txt
	@$(call compile,workflows) --group workflows
	@$(call compile,release) --group release --constraint requirements/build.txt
	@$(call compile,tox) --group tox
	@$(call compile,lock) --group lock
	@! grep -nE '://|^-' requirements/*.txt || { echo "A lock holds names, versions and hashes only." >&2; exit 1; }

clean: ## remove what these targets and the tools made
	rm -rf .venv .tox .tox-venv .lock-venv build dist .cache docs/reference docs/rules
	rm -rf .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find opsmail tests benchmarks -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# One lock for every Python from 3.11 on and every platform.
compile = echo "Locking requirements/$(1).txt"; .lock-venv/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate --no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) \
	--output-file requirements/$(1).txt

# $(call environment,FOLDER): a new, empty virtual environment, or one sentence that says what is missing.
define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "opsmail needs Python 3.11 or newer, but $(PYTHON) is $$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo missing); name another one: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu the package python3-venv adds that." >&2; exit 1; }
	@echo "Making $(1) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(1)
endef

.venv/.dependencies: requirements/demo.txt requirements/build.txt
	$(call environment,.venv)
	@echo "Installing what opsmail needs"
	@.venv/bin/python $(pip_install) --require-hashes -r requirements/demo.txt -r requirements/build.txt
	@touch $@

.venv/.opsmail: .venv/.dependencies pyproject.toml README.md LICENSE $(sources)
	@echo "Installing opsmail"
	@.venv/bin/python $(pip_install) --no-deps --no-build-isolation --force-reinstall .
	@problems=$$(.venv/bin/python -m pip check) || { echo "$$problems"; echo "The locks do not fit pyproject.toml: run make lock." >&2; exit 1; }
	@touch $@

.tox-venv/.installed .lock-venv/.installed: %-venv/.installed:
	$(call environment,$*-venv)
	@$*-venv/bin/python $(pip_install) --require-hashes -r requirements/$(subst .,,$*).txt
	@touch $@

.tox-venv/.installed: requirements/tox.txt
.lock-venv/.installed: requirements/lock.txt

# Installing waits more than it computes, so the environments are filled two at a time; the tests then have all cores.
.tox/.installed: .tox-venv/.installed tox.ini requirements/test.txt requirements/lint.txt requirements/workflows.txt requirements/site.txt requirements/build.txt requirements/coverage.txt
	@echo "Installing what the tests need"
	@$(tox) run-parallel --notest --parallel 2 --parallel-no-spinner --quiet
	@touch $@
