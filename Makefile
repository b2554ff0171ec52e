# The front door. `make help` says what there is.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

export MONSTRUM_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/monstrum
export CARGO_TARGET_DIR ?= $(MONSTRUM_CACHE)/target
IMAGE_TARGET := $(MONSTRUM_CACHE)/target-image
# What is built for: this machine, unless MONSTRUM_TARGET names another (aarch64-unknown-linux-gnu).
export MONSTRUM_TARGET ?= $(shell e2e/target.sh)
BINARIES := $(IMAGE_TARGET)/$(MONSTRUM_TARGET)/image
CLUSTER := e2e/cluster/cluster
# The product's own command line, as the tests and the demo use it.
export MONSTRUM_BIN ?= $(BINARIES)/monstrum
CARGO_DENY := $(MONSTRUM_CACHE)/tools/cargo-deny-0.20.2

.PHONY: help demo test check gen cluster-up cluster-down images dockerfile install bench bench-peers bench-agentdojo unit sdk-check gitops-check deny advisories prove fuzz fuzz-briefly

help: ## What there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: install ## A cluster, a governed bot, and what it may and may not do: told in a page
	@eval "$$($(CLUSTER) env)"
	bash e2e/demo/demo.sh

test: check fuzz-briefly sdk-check gitops-check install ## Every test, on a real cluster
	@eval "$$($(CLUSTER) env)"
	cargo test --workspace --locked --no-fail-fast

unit: ## The tests that need no cluster
	@cargo test --workspace --locked --no-fail-fast --exclude monstrum-e2e

sdk-check: ## The providers' own Python clients read what the scripted model says
	@bash e2e/sdk/run.sh

gitops-check: ## Argo CD's Lua engine and kstatus read our objects' status as it is meant
	@cd e2e/gitops && go test ./...

prove: ## The engine's laws, at length: PROPTEST_CASES=100000 cases of each
	@PROPTEST_CASES=$${PROPTEST_CASES:-100000} cargo test --locked -p monstrum-guardian --test 'laws_*'

fuzz: ## The engine's fuzz targets, at length: FUZZ_SECONDS=600 for each
	@bash core/guardian/fuzz/fuzz.sh "$${FUZZ_SECONDS:-600}"

fuzz-briefly: ## The same for a few seconds each, from the corpora and what was learnt before
	@bash core/guardian/fuzz/fuzz.sh 10

check: deny ## Formatting, lints, generated files, dependencies
	@cargo fmt --all --check
	cargo fmt --manifest-path core/guardian/fuzz/Cargo.toml --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	# As the tests are built, so that nothing is built twice with other features.
	cargo test --workspace --locked --quiet --no-run
	$(CARGO_TARGET_DIR)/debug/xtask gen --check

deny: $(CARGO_DENY)/bin/cargo-deny ## Licences, sources and banned crates of the dependency tree
	@cargo fetch --quiet --locked
	$< --offline check licenses bans sources

advisories: $(CARGO_DENY)/bin/cargo-deny ## Known vulnerabilities of the dependency tree; fetches the RustSec database with git
	@$< check advisories

$(CARGO_DENY)/bin/cargo-deny:
	@cargo install --quiet --locked --root $(CARGO_DENY) --target-dir $(CARGO_DENY)/target cargo-deny@0.20.2
	rm -rf $(CARGO_DENY)/target

gen: ## Writes what is generated from the custom resources' Rust types
	@cargo xtask gen

cluster-up: ## A real Kubernetes on this machine (or checks the one of KUBECONFIG, with E2E_CLUSTER=external)
	@$(CLUSTER) up

cluster-down: ## Ends it, leaving nothing behind
	@$(CLUSTER) down

images: ## Static binaries and the OCI archives around them
	@bash e2e/images.sh

dockerfile: images ## Builds the Dockerfile, without Docker, and compares its images with those of `make images`
	@bash e2e/dockerfile.sh

install: cluster-up images ## Loads the images, installs the charts and the tests' servers
	@bash e2e/install.sh

bench: bench-peers ## The engine's benchmarks and the installation's costs; docs/benchmarks.md says how to read them
	@cargo bench --locked -p monstrum-guardian --bench policy
	cargo bench --locked -p monstrum-gateway --bench guardian
	$(MAKE) install
	eval "$$($(CLUSTER) env)"
	$(BINARIES)/monstrum-measure

bench-peers: ## Other engines beside Guardian; writes the measured part of docs/benchmarks.md
	@bash core/guardian/peers/run.sh

bench-agentdojo: ## AgentDojo's tasks and attacks through the engine; docs/agentdojo.md says how to read it
	@bash e2e/agentdojo/run.sh
