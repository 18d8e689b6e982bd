# SPDX-License-Identifier: Apache-2.0
# The front of the house: Meson does the work, in build/. Every target first installs what it needs and lacks.

PREFIX ?= /usr/local
DESTDIR ?=
BUILD := build
STAGE := $(BUILD)/stage
# How many compilers run at once.
JOBS ?= $(shell nproc)

.PHONY: all build stage run test soak bench lint fuzz install clean help

all: stage

help:
	@echo 'make                 build into build/ and stage an install tree in build/stage'
	@echo 'make run             build, then run a container as a job and print what it says'
	@echo 'make test            all tests, as CI runs them; SUITES="unit docs" picks'
	@echo 'make soak            the random and long tests at full count'
	@echo 'make bench           the table of ratios against the runtimes by hand'
	@echo 'make lint            formatting, warnings, static analysis, spelling, scripts'
	@echo 'make install         PREFIX=/usr/local DESTDIR=; the tree works from any prefix'
	@echo 'make clean           remove build/'

build:
	@tools/install-deps build
	@test -f $(BUILD)/build.ninja || meson setup $$(test -d $(BUILD)/meson-info && echo --reconfigure) $(BUILD) --prefix=/
	@ninja -C $(BUILD) -j $(JOBS) --quiet

# Nothing that is built depends on the prefix, so the tree is installed below "/" of wherever it is wanted.
stage: build
	@DESTDIR="$(CURDIR)/$(STAGE)" meson install -C $(BUILD) --no-rebuild --only-changed --quiet

run: stage
	@tools/install-deps run
	@tools/demo $(STAGE)

test:
	@tools/install-deps build run test lint
	@test -d $(BUILD)/tests/unit || rm -f $(BUILD)/build.ninja # was set up before the test libraries were there
	@$(MAKE) --no-print-directory stage
	@tests/run $(SUITES)

soak:
	@tools/install-deps build run test lint fuzz
	@$(MAKE) --no-print-directory stage
	@tests/soak

bench: stage
	@tools/install-deps run bench
	@bench/run $(STAGE)

lint:
	@tools/install-deps build test lint
	@tools/lint

install: build
	@DESTDIR="$(abspath $(DESTDIR)/$(PREFIX))" meson install -C $(BUILD) --no-rebuild --quiet
	@echo "installed below $(abspath $(DESTDIR)/$(PREFIX))"

clean:
	rm -rf $(BUILD)
