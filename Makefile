# `make` lists what there is. Everything below works from a clean clone; what is missing is built or installed first.
.DEFAULT_GOAL := help
SHELL := /bin/sh
# Ctrl-C and a failed step leave no half-written target.
.DELETE_ON_ERROR:
# The prerequisites are steps in order, and cargo uses all cores by itself.
.NOTPARALLEL:
.PHONY: help prepare v8 build demo test test-long bench lint modules bench-modules bundles frameworks frameworks-long packages-long plugin conformance

help: ## List the targets
	@awk -F ': .*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

v8: ## Make sure that cargo can link V8 (FROM_SOURCE=1 builds it from the crate's source)
	@js-runtime/v8/ensure $(if $(FROM_SOURCE),--from-source)

build: prepare v8 ## Build both binaries, optimized, into target/release
	cargo build --release --workspace --bins --locked

# Where the packed plugin goes.
PLUGIN_DIR ?= target

plugin: ## Pack the Vite plugin into target/vite-plugin-vitrine-VERSION.tgz, for `npm i -D` in an app
	@mkdir -p "$(PLUGIN_DIR)" && cd packages/vite-plugin-vitrine && npm pack --silent --pack-destination "$(abspath $(PLUGIN_DIR))"

demo: prepare v8 ## Deploy the example, flip and roll back on a host of its own (ONCE=1 ends there; else Ctrl-C)
	@node examples/demo.mjs $(if $(ONCE),--once)

test: prepare-test v8 modules bundles frameworks ## Run every test suite
	@node tests/run.mjs

test-long: prepare-test v8 modules bundles frameworks frameworks-long packages-long target/locust/.installed ## The same with the tests that take minutes, and more cases of each property
	@node tests/run.mjs --long

bench: build bench-modules ## Render pages with this host and its rivals, side by side (ARGS="--help" lists what can be picked)
	cargo build --release --workspace --example render_loop --example isolate_boot --locked
	cd benches && node bench.mjs $(ARGS)

conformance: build tests/conformance/node_modules/.package-lock.json ## Run web platform tests, ECMA-429 and HTTP corpora here, in Node.js and Deno (ARGS="--suite http")
	@node tests/conformance/conformance.mjs --bin-dir target/release $(ARGS)

lint: lint-js v8 ## JavaScript and its types, formatting, clippy without warnings, dependencies (where cargo-deny is installed)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --all-features check bans licenses sources; \
	else echo "SKIPPED: cargo deny (cargo install cargo-deny --locked)"; fi

# Both programs are packages of packages/; what the benches import has to be there for its types.
.PHONY: lint-js
lint-js: prepare packages/node_modules/.package-lock.json benches/node_modules/.package-lock.json
	packages/node_modules/.bin/biome lint --error-on-warnings
	packages/node_modules/.bin/tsc --project .

prepare:
	@.ci/prepare build

.PHONY: prepare-test
prepare-test:
	@.ci/prepare test

bench-modules: benches/node_modules/.package-lock.json benches/rivals/node_modules/.package-lock.json \
  benches/rivals/next/node_modules/.package-lock.json benches/rivals/rari/node_modules/.package-lock.json

modules: packages/node_modules/.package-lock.json examples/catalog/node_modules/.package-lock.json \
  tests/browser/node_modules/.package-lock.json benches/node_modules/.package-lock.json

# What Vite makes of the example: tests of the worker render it.
bundles: examples/catalog/dist/v2/vitrine.json

examples/catalog/dist/v2/vitrine.json: examples/catalog/node_modules/.package-lock.json \
  examples/catalog/build.mjs examples/catalog/vite.config.js $(shell find examples/catalog/src examples/catalog/public -type f)
	@echo "building the example" >&2
	@cd examples/catalog && node build.mjs >&2
	@touch $@

# What the frameworks' own tools make of the fixtures: built once for each change of them.
frameworks: tests/frameworks/node_modules/.built

tests/frameworks/node_modules/.built: tests/frameworks/node_modules/.package-lock.json \
  $(shell find tests/frameworks/apps \( -name node_modules -o -name dist -o -name build -o -name '.[a-z]*' \) -prune -o -type f ! -name '*.gen.ts' -print)
	@echo "building the frameworks' fixtures" >&2
	@cd tests/frameworks && ASTRO_TELEMETRY_DISABLED=1 npm run build --workspaces --if-present --silent >node_modules/.build.log 2>&1 || { cat node_modules/.build.log >&2; exit 1; }
	@touch $@

# The packages of these take hundreds of megabytes and their installation more than a minute: only the long tests use them.
LONG = tests/frameworks/long
frameworks-long: $(patsubst %,$(LONG)/%/node_modules/.built,nuxt next cloudflare vite angular solid waku qwik)

.SECONDEXPANSION:
$(LONG)/%/node_modules/.built: $(LONG)/%/node_modules/.package-lock.json \
  $$(shell find $(LONG)/$$* \( -name node_modules -o -name dist -o -name build -o -name '.[a-z]*' -o -path '*/cloudflare/*/src' \
  -o -path '*/cloudflare/*/app' -o -path '*/qwik/server' \) -prune -o -type f ! -name next-env.d.ts -print)
	@echo "building the fixtures in $(LONG)/$*" >&2
	@cd $(LONG)/$* && NEXT_TELEMETRY_DISABLED=1 ASTRO_TELEMETRY_DISABLED=1 WRANGLER_SEND_METRICS=false \
	npm run $(if $(filter next,$*),cloudflare,build) --silent >node_modules/.build.log 2>&1 || { cat node_modules/.build.log >&2; exit 1; }
	@touch $@

# The packages of the board: more than 1 GB that only the long tests use.
packages-long: tests/packages/node_modules/.package-lock.json

# npm ci insists on binaries for every system, and not every registry has them all. Without these two the bench says so and goes on.
benches/rivals/next/node_modules/.package-lock.json benches/rivals/rari/node_modules/.package-lock.json: \
  %/node_modules/.package-lock.json: %/package-lock.json
	@echo "npm install in $*" >&2
	@cd $* && npm install --no-save --no-audit --no-fund --no-progress --loglevel=error >&2 || echo "that could not be installed" >&2

# What only one long test uses, which says so where it is missing.
target/locust/.installed: tests/data_cache/requirements.txt
	@echo "installing Locust" >&2
	@python3 -m venv target/locust && target/locust/bin/pip install --quiet --requirement $< && touch $@ || echo "that could not be installed" >&2

# npm writes this file last.
packages/node_modules/.package-lock.json: packages/package-lock.json
	$(call npm-ci,packages)

# The plugin is copied into each of the other folders that use it, so a change of it counts too.
%/node_modules/.package-lock.json: %/package-lock.json $(wildcard packages/vite-plugin-vitrine/package.json packages/vite-plugin-vitrine/src/*)
	$(call npm-ci,$*)

define npm-ci
@echo "npm ci in $(1)" >&2
@cd $(1) && npm ci --no-audit --no-fund --no-progress --loglevel=error >&2
@touch $@
endef
