# SPDX-License-Identifier: GPL-2.0
#
# ipcbox: what people type. "make help" lists it. Objects are listed in the Kbuild
# and Makefiles of the parts; everything is written below build/ and the cache.

VERSION := $(file <VERSION)
BUILD := $(CURDIR)/build

## KERNEL=6.12|6.1|debug  build for, or start, that kernel from the cache; it is fetched first
## KDIR=DIR               build the module for the kernel in this directory (the running one's)
## PREFIX=DIR             where "install" puts things (/usr/local)
## LIBDIR=DIR             where it puts the library (PREFIX/lib)
## DESTDIR=DIR            a directory to install below, for packagers
## BITS=32                build the selftests that have one as 32-bit programs
## HOST=1                 for "demo" and "bench": on this machine, without a virtual one
## SMP=1                  for "bench": two processors, and wall time
## BENCH="NAME:POINT ..."  for "bench", "bench-profile": these workloads only, see build/bench/program/bench -l
## BASE=REVISION          for "bench-compare": what to compare with
## TRANSPORTS="NAME ..."  for "bench", "bench-profile": these transports only
## IPCBOX_CACHE=DIR       where kernels are kept (~/.cache/ipcbox)
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
export PREFIX LIBDIR DESTDIR

# Looked up when a recipe needs it: fetching a kernel takes a while.
ifdef KERNEL
KDIR ?= $(shell tools/vm/kernel headers $(KERNEL))
else
KDIR ?= $(wildcard /lib/modules/$(shell uname -r)/build)
endif
kdir_error = no headers of a kernel to build for: run "make deps" for those of the running kernel, \
	or choose one with KERNEL=6.12 or KDIR=

AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo)
USERLIB = $(MAKE) -C userlib OUTPUT=$(BUILD)/userlib VERSION=$(VERSION)
TOOLS = $(MAKE) -C tools/ipcbox OUTPUT=$(BUILD)/tools USERLIB=$(BUILD)/userlib VERSION=$(VERSION)
MODULE = $(MAKE) -C $(kdir) M=$(farm) IPCBOX_VERSION=$(VERSION)

.PHONY: all module lib tools tests install uninstall deps vm demo
.PHONY: bench bench-native bench-compare bench-profile
.PHONY: check check-quick check-mutations clean distclean help

all: module lib tools tests ## build everything

module: ## build the module
	$(eval kdir := $(KDIR))
	$(if $(kdir),,$(error $(kdir_error)))
	$(eval farm := $(BUILD)/module-$(shell tools/vm/kernel release $(kdir)))
	@mk/link-sources $(farm)
	+$(MODULE) W=1 $(MODULE_FLAGS) modules

lib: ## build the library and its examples
	+$(USERLIB) all

tools: lib ## build the command
	+$(TOOLS) all

tests: ## build the selftests
	+$(MAKE) -C selftests OUTPUT=$(BUILD)/selftests$(BITS) $(if $(BITS),BITS=$(BITS)) \
		KSELFTEST=$(shell tools/vm/kernel source)/tools/testing/selftests all

install: module lib tools ## install module, library, headers, command and manual pages
	# The key that Debian signs with is not here to sign with.
	+$(MODULE) CONFIG_MODULE_SIG_ALL= INSTALL_MOD_PATH=$(DESTDIR) modules_install
	+$(USERLIB) install
	+$(TOOLS) install

uninstall: ## remove what "install" installed
	rm -f $(DESTDIR)/lib/modules/*/*/module/ipcbox.ko* \
		$(DESTDIR)/lib/modules/*/*/module/tests/ipcbox-kunit.ko*
	+$(USERLIB) uninstall
	+$(TOOLS) uninstall

deps: ## install the Debian packages that building and testing need
	@mk/deps

vm: KERNEL ?= 6.12
vm: ## a shell on another kernel, with the module loaded (KERNEL=)
	+@$(MAKE) -s all KERNEL=$(KERNEL)
	@tools/vm/run --kernel $(KERNEL) --shell || [ $$? -lt 240 ] # the last command may have failed

demo: KERNEL ?= 6.12
demo: deps ## show what ipcbox does, in a virtual machine or here (HOST=1)
ifeq ($(HOST),1)
	+@$(MAKE) -s module tools
	@[ -c /dev/ipcbox ] || $(AS_ROOT) insmod "$$(find $(BUILD)/module-$$(uname -r) -name ipcbox.ko)"
	@$(AS_ROOT) env PATH="$(BUILD)/tools:$$PATH" DEMO_EXAMPLES="$(BUILD)/userlib/examples" tools/demo/demo
else
	+@$(MAKE) -s module tools KERNEL=$(KERNEL)
	@tools/vm/run --kernel $(KERNEL) -- /opt/ipcbox/demo
endif

bench: KERNEL ?= 6.12
bench: ## measure ipcbox beside its peers, in instructions (SMP=1, HOST=1: in time)
	+@$(MAKE) -s module lib $(if $(HOST),,KERNEL=$(KERNEL))
	+@$(MAKE) -s -C tools/bench OUTPUT=$(BUILD)/bench/program USERLIB=$(BUILD)/userlib
	@$(if $(HOST),$(AS_ROOT)) tools/bench/run $(if $(HOST),--host,$(if $(SMP),--smp,--icount)) \
		$(if $(HOST),,--kernel $(KERNEL)) --workloads "$(BENCH)" --transports "$(TRANSPORTS)"

bench-native: lib ## measure what a channel does in user space, beside memcpy
	+@$(MAKE) -s -C tools/bench OUTPUT=$(BUILD)/bench/program USERLIB=$(BUILD)/userlib
	@tools/bench/run --native

bench-compare: KERNEL ?= 6.12
bench-compare: ## tell what became slower since a revision (BASE=)
	$(if $(BASE),,$(error BASE is not set: make bench-compare BASE=REVISION))
	@tools/bench/compare --kernel $(KERNEL) $(if $(BENCH),--workloads "$(BENCH)") $(BASE)

bench-profile: KERNEL ?= 6.12
bench-profile: ## show where the instructions of one row go (BENCH=, TRANSPORTS=)
	$(if $(BENCH),,$(error BENCH is not set: make bench-profile BENCH=oneway:64 TRANSPORTS=ipcbox))
	+@$(MAKE) -s module lib KERNEL=$(KERNEL)
	+@$(MAKE) -s -C tools/bench OUTPUT=$(BUILD)/bench/program USERLIB=$(BUILD)/userlib
	@tools/bench/profile --kernel $(KERNEL) $(BENCH) $(or $(TRANSPORTS),ipcbox)

check: deps ## run every test; the debug kernel is built first, once
	@tools/check/check

check-quick: deps ## build, and run the selftests on one stock kernel
	@tools/check/check --quick

check-mutations: deps ## break each promise in turn, and see a selftest fail; takes half an hour
	+@$(MAKE) -s module tests KERNEL=6.12
	+@$(MAKE) -s tests BITS=32
	@tools/check/mutations/run

clean: ## remove the build
	rm -rf $(BUILD)

distclean: clean ## remove the build and the cache of kernels
	rm -rf $(or $(IPCBOX_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ipcbox)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | \
		while IFS='|' read -r target text; do printf '  make %-15s %s\n' "$$target" "$$text"; done
	@echo
	@sed -n 's/^## /  /p' Makefile
