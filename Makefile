# `make` lists the targets. `make setup` installs what a new machine lacks where it may, or names it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
CARGO ?= cargo

.PHONY: help setup browser demo afternoon chaos test mutants screenshots openapi pages schemathesis client deploy advisories sbom fuzz bench lint fmt check serve prepare

help: ## lists the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## finds or installs PostgreSQL and a C compiler (Debian, as root), or says what to install
	@scripts/setup.sh

demo: setup ## a sandbox shop and warehouse at work, with a live view and a verdict; ARGS="--exit --faults some --orders 60"
	$(CARGO) run -- demo $(ARGS)

chaos: setup ## the real program under load while everything around it breaks; ARGS="--passes 3 --seed 7"
	$(CARGO) run -- chaos $(ARGS)

browser: setup
	@scripts/setup.sh browser

afternoon: setup ## a new person's first afternoon, mistakes included, from an empty folder: what is typed and what is printed
	$(CARGO) test --test it -- --exact ops::afternoon::first_afternoon_goes_as_the_documents_say --nocapture

test: browser ## builds and passes every test, the browser's included; ARGS="claim" for tests with that name
	scripts/test.sh $(ARGS)

mutants: setup ## removes each guard from a copy of the source: its tests must fail (an hour or two); ARGS="NAME..." for some
	scripts/mutants.sh $(ARGS)

screenshots: browser ## pictures of every page of a realistic, an empty and a broken shop in target/screenshots, and docs/images/overview.png
	SILTA_SCREENSHOTS=$(CURDIR)/target/screenshots $(CARGO) test --test it browser::pictures
	mkdir -p docs/images && cp target/screenshots/overview-full-wide-light-en.png docs/images/overview.png

schemathesis: setup ## checks the admin API against openapi.yaml with generated requests
	scripts/schemathesis.sh $(ARGS)

pages: browser ## runs the W3C's validator over every page of the dashboard
	scripts/pages.sh

openapi: ## checks that openapi.yaml is valid OpenAPI
	scripts/openapi.sh

fuzz: setup ## runs each fuzz target for ARGS seconds (30 by default) from the kept seeds
	scripts/fuzz.sh $(ARGS)

client: setup ## generates a client from openapi.yaml and runs it against a demo
	scripts/client.sh

deploy: ## checks deploy/: rules, unit, proxy, manifests; ARGS=image also the image's last stage
	scripts/deploy.sh $(ARGS)

advisories: ## checks every crate against the advisory database (needs the network)
	scripts/deny.sh advisories

sbom: ## the software bill of materials, CycloneDX, in target/sbom
	scripts/sbom.sh

bench: setup ## measures everything in docs/performance.md beside its references; ARGS="ingest drain --rounds 5" for some
	$(CARGO) build --release
	$(CARGO) run --release --manifest-path bench/Cargo.toml -- $(ARGS)
ifeq ($(ARGS),)
	$(CARGO) bench --manifest-path bench/Cargo.toml --bench pure
endif

lint: ## lock files, rustfmt, clippy (all and pedantic), rustdoc, licences and sources of every crate
	$(CARGO) fmt --all --check
	for dir in . bench fuzz; do $(CARGO) metadata --locked --format-version 1 --manifest-path $$dir/Cargo.toml >/dev/null || exit 1; done
	$(CARGO) clippy --all-targets --quiet -- -D warnings
	$(CARGO) fmt --manifest-path bench/Cargo.toml --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy --manifest-path bench/Cargo.toml --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --quiet
	scripts/deny.sh bans licenses sources

fmt: ## formats the code
	for dir in . bench fuzz; do $(CARGO) fmt --all --manifest-path $$dir/Cargo.toml || exit 1; done

check: ## everything that must pass before a change is merged; .ci/run does the same
	time $(MAKE) lint
	time $(MAKE) test
	time scripts/prepare.sh --check
	time $(MAKE) fuzz ARGS=3
	time $(MAKE) openapi
	time $(MAKE) pages
	time $(MAKE) schemathesis ARGS="--seed 1"
	time $(MAKE) client
	time $(MAKE) deploy

serve: setup ## the service with ./silta.toml; ARGS="--config FILE"
	$(CARGO) run -- serve $(ARGS)

prepare: setup ## checks every query against the migrations and rewrites .sqlx
	scripts/prepare.sh
