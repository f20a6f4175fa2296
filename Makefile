SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test test-long hold lint format messages status-css lock licences screenshots bench bench-workbooks bench-load clean venv venv-dev

# make run PORT=8001
PORT ?= 8000
# make test PYTEST_ARGS="tests/plan -x"
PYTEST_ARGS ?=
export PYTEST_ARGS

PY := .venv/bin/python
ASIDE := PMQA_ENV_FILE= SECRET_KEY=only-for-this-command

help: ## List the commands
	@echo "PMQA tracker: make …"
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile | expand -t 12

run: venv ## Set up, then serve the demonstration on http://127.0.0.1:8000/ (PORT=8001 for another port)
	@scripts/env-file .env
	@scripts/serve $(PORT)

test: venv-dev ## Set up, then run every check and test, the database tests on PostgreSQL too (PYTEST_ARGS="tests/plan -x" for some)
	@scripts/test

test-long: venv-dev ## The same with ten times the random input and a new seed (PMQA_TEST_SEED=7 repeats a run)
	@PMQA_TEST_SCALE=1 PMQA_TEST_SEED=$${PMQA_TEST_SEED:-$$((RANDOM + 1))} scripts/test

hold: venv-dev ## Keep every promise of a running site at full size, and print one line for each
	@scripts/hold

lint: venv-dev ## Check the code, the templates, the migrations and the settings
	@scripts/lint

format: venv-dev ## Format code and templates
	@$(PY) -m ruff check --fix --quiet . && $(PY) -m ruff format --quiet .
	@scripts/templates | xargs -0 .venv/bin/djade --target-version 5.2 || true # it fails if it changes a file

# locale/libraries is edited by hand; it is only compiled.
messages: venv-dev ## Collect the texts into locale/th and compile the translations (needs gettext)
	@$(ASIDE) $(PY) manage.py makemessages --locale th --no-obsolete --no-location --no-wrap \
		--ignore .venv --ignore var --ignore staticfiles --ignore tests
	@sed -i '/^"\(POT-Creation-Date\|Report-Msgid-Bugs-To\)/d' locale/th/LC_MESSAGES/django.po # they would change on every run
	@$(ASIDE) $(PY) manage.py compilemessages --locale th --ignore .venv

status-css: venv-dev ## Write static/css/status.css from the table of statuses in plan/models
	@$(ASIDE) $(PY) manage.py status_css

lock: ## Pin the packages of requirements*.in and their dependencies (needs uv or pip-compile)
	@scripts/lock requirements.in requirements-dev.in requirements-ldap.in

licences: venv ## List the licence of every package in docs/licences.md
	@$(PY) scripts/licences.py > docs/licences.md.new && mv docs/licences.md.new docs/licences.md

screenshots: venv-dev ## Take the screenshots in docs/ and those of the manual again (needs chromium)
	@$(PY) scripts/screenshots.py

bench: venv-dev ## Measure the pages beside a bare Django app on the same tables (QUICK=1 in two minutes; docs/performance.md)
	@scripts/bench $(QUICK)

bench-load: venv-dev ## Measure 200 users at once on one plan (LOAD_ARGS="--clients 50 --pause 5"; docs/performance.md)
	@PMQA_ENV_FILE='' SECRET_KEY=only-for-this-command scripts/static-files
	@$(PY) -m bench.load $(LOAD_ARGS)

bench-workbooks: venv-dev ## Measure the exports beside a library, and an import beside people at work
	@$(PY) -m bench.workbooks

clean: ## Remove generated files; .env and the data in var/ stay
	@rm -rf .venv staticfiles .ruff_cache .pytest_cache .hypothesis test-results
	@find . -name __pycache__ -prune -exec rm -rf {} +

venv:
	@scripts/venv requirements.txt

venv-dev:
	@scripts/venv requirements-dev.txt
