# `make` lists the targets. Everything a newcomer's machine lacks, `make setup` installs where it may.
.DEFAULT_GOAL := help
SHELL := /bin/bash
CARGO ?= cargo

.PHONY: help setup browser demo chaos test screenshots schemathesis client deploy advisories sbom fuzz bench lint fmt check serve prepare

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## finds PostgreSQL's programs, or installs them (Debian, as root), or says what to install
	@scripts/setup.sh

demo: setup ## a played day with a live view and a verdict; ARGS="--exit --faults some --orders 60"
	$(CARGO) run --quiet -- demo $(ARGS)

chaos: setup ## the real program under load while everything around it breaks; ARGS="--passes 3 --seed 7"
	$(CARGO) run --quiet -- prove $(ARGS)

browser: setup
	@scripts/setup.sh browser

test: browser ## builds and passes every test, the browser's included
	$(CARGO) test --quiet $(ARGS)

screenshots: browser ## a picture of every page, full, empty, broken, dark and narrow, in target/screenshots
	SILTA_SCREENSHOTS=$(CURDIR)/target/screenshots $(CARGO) test --quiet --test it browser::pages

schemathesis: setup ## the admin API held to openapi.yaml by requests that nobody thought of
	scripts/schemathesis.sh $(ARGS)

fuzz: setup ## each fuzz target for ARGS seconds, from kept seeds (30 unless said)
	scripts/fuzz.sh $(ARGS)

client: setup ## a client generated from openapi.yaml by a public generator, at work beside a demo
	scripts/client.sh

deploy: ## what of deploy/ can be run here is: rules, unit, proxy, manifests; ARGS=image for the image's last stage too
	scripts/deploy.sh $(ARGS)

advisories: ## the advisory database asked about every crate (needs a network that reaches it)
	scripts/deny.sh advisories

sbom: ## the software bill of materials, CycloneDX, in target/sbom
	scripts/sbom.sh

bench: setup ## everything docs/performance.md claims, beside its references; ARGS="ingest drain --rounds 5" for some of it
	$(CARGO) build --quiet --release
	$(CARGO) run --quiet --release --manifest-path bench/Cargo.toml -- $(ARGS)
ifeq ($(ARGS),)
	$(CARGO) bench --quiet --bench compare
	$(CARGO) bench --quiet --bench burden
	$(CARGO) bench --quiet --manifest-path bench/Cargo.toml --bench pure
endif

lint: ## lock files, rustfmt, clippy (all and pedantic), rustdoc, licences and sources of every crate
	$(CARGO) fmt --all --check
	for at in . bench fuzz; do $(CARGO) metadata --locked --format-version 1 --manifest-path $$at/Cargo.toml >/dev/null || exit 1; done
	$(CARGO) clippy --all-targets --quiet -- -D warnings
	$(CARGO) fmt --manifest-path bench/Cargo.toml --check
	$(CARGO) clippy --manifest-path bench/Cargo.toml --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --quiet
	scripts/deny.sh bans licenses sources

fmt: ## formats
	$(CARGO) fmt --all

check: lint test ## what must pass before a change lands
	scripts/prepare.sh --check

serve: setup ## the service with ./silta.toml; ARGS="--config FILE"
	$(CARGO) run --quiet -- serve $(ARGS)

prepare: setup ## checks every query against this tree's migrations and rewrites .sqlx
	scripts/prepare.sh
