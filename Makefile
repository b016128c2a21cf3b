# The programs of Nexus. `make build` leaves release binaries in bin/; tests and CI use the debug ones in .build/debug.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
CC := cc
JAIL_FLAGS := -std=gnu11 -O2 -static -Wall -Wextra -Werror
JAIL_SOURCES := $(wildcard Sources/Sandbox/JailHelper/*.c)
JAIL_HEADERS := $(wildcard Sources/Sandbox/JailHelper/*.h) $(wildcard Sources/Sandbox/CJail/include/*.h)
DEBUG := .build/debug
PLUGIN := Plugins/crypto-bot/bin/crypto-bot
PRODUCTS := nexus nexusd crypto-bot exchange-simulator

.PHONY: build debug test demo demo-debug bench lint bootstrap clean

build: bootstrap
	swift build -c release --static-swift-stdlib $(foreach p,$(PRODUCTS),--product $(p))
	mkdir -p bin $(dir $(PLUGIN))
	install -m 755 -s $(foreach p,nexus nexusd exchange-simulator,.build/release/$(p)) bin/
	install -m 755 -s .build/release/crypto-bot $(PLUGIN)
	$(CC) $(JAIL_FLAGS) -s -o bin/nexus-jail $(JAIL_SOURCES)
	@ls -sh bin

bootstrap:
	@scripts/bootstrap
