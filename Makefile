# The programs of Nexus. `make build` leaves release binaries in bin/; tests and CI use the debug ones in .build/debug.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

CC := cc
JAIL_FLAGS := -std=gnu11 -O2 -static -Wall -Wextra -Werror
JAIL_SOURCES := $(wildcard Sources/Sandbox/JailHelper/*.c)
JAIL_HEADERS := $(wildcard Sources/Sandbox/JailHelper/*.h Sources/Sandbox/CJail/include/*.h)
PROBE_SOURCES := $(wildcard sdk/conformance/probe/*.c)
PROBE_HEADERS := $(wildcard sdk/conformance/probe/*.h)
ESCAPE_SOURCES := $(wildcard Sources/Sandbox/Probe/*.c)
HOSTILE_SOURCES := $(wildcard Tests/Fixtures/hostile/*.c)
WEAK_SOURCE := Tests/Fixtures/canary/leave_out.c
WRAPPED := confine_own_counts confine_landlock_enforce access write_text prctl syscall
DEBUG := .build/debug
PLUGIN := Plugins/crypto-bot/bin/crypto-bot
PRODUCTS := nexus nexusd exchange-simulator
# Which binaries the demo runs on: bin (release) or .build/debug.
BIN ?= bin

# How long `make test` and `make fuzz` feed each decoder.
FUZZ_TEST_SECONDS := 15
# How many tests run at once: with all of them started together, the peers that tests play miss their hosts' deadlines.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH := 6
FUZZ_SECONDS ?= 3600

.PHONY: help build debug test demo bench bench-quick fuzz lint bootstrap clean

help:
	@echo 'make demo    install what is missing, build, run the main job end to end'
	@echo 'make test    install what is missing, build, run every test'
	@echo 'make build   release binaries in bin/'
	@echo 'make bench   compare with bwrap, go-plugin and a raw socketpair; writes .build/bench.json (SOAK=600: soaks too)'
	@echo 'make bench-quick   the calls of it, in two minutes'
	@echo 'make fuzz    feed each decoder for an hour (FUZZ_SECONDS=3600); the corpus in .build/fuzz grows'
	@echo 'make lint    check the formatting'

bootstrap:
	@scripts/bootstrap

build: bootstrap
	@for p in $(PRODUCTS) crypto-bot; do swift build -c release --static-swift-stdlib --product $$p; done
	@mkdir -p bin $(dir $(PLUGIN))
	@for p in $(PRODUCTS); do install -m 755 -s .build/release/$$p bin/$$p; done
	@install -m 755 -s .build/release/crypto-bot $(PLUGIN)
	@$(CC) $(JAIL_FLAGS) -s -o bin/nexus-jail $(JAIL_SOURCES)
	@$(CC) $(JAIL_FLAGS) -s -o bin/nexus-probe $(PROBE_SOURCES)
	@$(CC) $(JAIL_FLAGS) -s -o bin/nexus-sandbox-probe $(ESCAPE_SOURCES)
	@ls -sh1 bin

# Everything that the tests need, in one build.
debug: bootstrap
	@swift build --build-tests
# After the build, which makes .build/debug: a folder of ours in its place would be thrown away.
	@$(MAKE) -s $(DEBUG)/nexus-jail $(DEBUG)/nexus-probe $(DEBUG)/nexus-sandbox-probe $(DEBUG)/hostile \
	    $(DEBUG)/nexus-jail-weak
	@$(MAKE) -s -C Tests/Fixtures/plugins OUT=$(CURDIR)/.build/fixture-plugins
	@mkdir -p $(dir $(PLUGIN))
	@install -m 755 -s $(DEBUG)/crypto-bot $(PLUGIN)

$(DEBUG)/nexus-jail: $(JAIL_SOURCES) $(JAIL_HEADERS)
	@$(CC) $(JAIL_FLAGS) -o $@ $(JAIL_SOURCES)

# For tests only: one layer of it says yes and does nothing.
$(DEBUG)/nexus-jail-weak: $(JAIL_SOURCES) $(JAIL_HEADERS) $(WEAK_SOURCE)
	@$(CC) $(JAIL_FLAGS) -ISources/Sandbox/JailHelper $(WRAPPED:%=-Wl,--wrap=%) -o $@ $(JAIL_SOURCES) $(WEAK_SOURCE)

$(DEBUG)/nexus-probe: $(PROBE_SOURCES) $(PROBE_HEADERS)
	@$(CC) $(JAIL_FLAGS) -o $@ $(PROBE_SOURCES)

$(DEBUG)/nexus-sandbox-probe: $(ESCAPE_SOURCES) Sources/Sandbox/Probe/probe.h
	@$(CC) $(JAIL_FLAGS) -o $@ $(ESCAPE_SOURCES)

$(DEBUG)/hostile: $(HOSTILE_SOURCES)
	@$(CC) -O2 -static -Wall -Wextra -Werror -o $@ $(HOSTILE_SOURCES)

test: debug
	@scripts/mcp-venv >/dev/null
	@scripts/spec-check
	@scripts/release-check
	sdk/python/run-tests .build/python-sdk
# Each in a process of its own: MasterKeyTests change the environment, which others hand to programs that they start;
# HTTPFetchLiveTests wait for clients with timeouts, which the many tests that block threads would let run out.
	swift test --skip-build --disable-xctest --filter MasterKeyTests
	swift test --skip-build --disable-xctest --filter HTTPFetchLiveTests
	swift test --skip-build --disable-xctest \
	    --skip MasterKeyTests --skip HTTPFetchLiveTests --skip EndToEndTests
	swift test --skip-build --disable-xctest --filter EndToEndTests
	/usr/bin/python3 Plugins/crypto-bot/Simulator/checks/real_clients.py --venvs .build/venvs-exchange
	Tests/Fuzz/run $(FUZZ_TEST_SECONDS) --seed 1

demo: $(if $(filter bin,$(BIN)),build,debug)
	@scripts/mcp-venv >/dev/null
	@BIN=$(BIN) scripts/demo

bench: build
	@Tests/Bench/run .build/bench.json $(if $(SOAK),--soak $(SOAK))

bench-quick: build
	@Tests/Bench/run .build/bench-quick.json --quick

fuzz: bootstrap
	Tests/Fuzz/run $(FUZZ_SECONDS)

lint:
	swift format lint --strict --recursive Package.swift Sources sdk Plugins Tests

clean:
	rm -rf .build bin $(dir $(PLUGIN))
