# SPDX-License-Identifier: Apache-2.0
# The front door. The build itself is meson's (meson.build).
#
#   make demo     install what is missing, build, run the reference story on loopback
#   make check    the same, then every test
#   make build    programs and module in build/
#   make bench    figures against the same nginx without licet (LONG=1: the large runs)
#   make nightly  the long forms of fuzzing and killing
#   make install  programs, module and man pages (DESTDIR, PREFIX)

BUILD ?= build
JOBS ?= 2
PREFIX ?= /usr/local

.PHONY: help demo check build bench nightly install clean deps

help:
	@sed -n 's/^#   //p' Makefile

deps:
	@tools/deps.sh run

$(BUILD)/build.ninja: | deps
	meson setup $(BUILD) --buildtype=release --prefix=$(PREFIX)

build: deps $(BUILD)/build.ninja
	ninja -C $(BUILD) -j $(JOBS)

demo: build
	$(BUILD)/licet demo $(DEMO)

check:
	@tools/deps.sh check
	@tools/check.sh

nightly:
	@tools/deps.sh check
	@tools/check.sh nightly

bench: build
	@tools/deps.sh bench
	@bench/run.sh $(if $(LONG),long)

install: build
	meson install -C $(BUILD)

clean:
	rm -rf build build-asan build-fuzz build-tsan
