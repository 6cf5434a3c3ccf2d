# SPDX-License-Identifier: BSD-2-Clause
# make help tells what there is.

O ?= build
V ?= 0
WERROR ?= 0
SAN ?=
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= gcc
CLANG ?= clang
BPFTOOL ?= $(or $(shell command -v bpftool),/usr/sbin/bpftool)
PROTOC_C ?= protoc-c
PKG_CONFIG ?= pkg-config
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
VERSION := 0.1.0
HOST := $(shell uname -m)
ARCH ?= $(HOST)
BPF_ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(ARCH)))

# For another machine: Debian's cross compiler, and the libraries of that architecture (tools/install arm64).
ifneq ($(ARCH),$(HOST))
CC := $(ARCH)-linux-gnu-gcc
AR := $(ARCH)-linux-gnu-ar
PKG_CONFIG := PKG_CONFIG_LIBDIR=/usr/lib/$(ARCH)-linux-gnu/pkgconfig:/usr/share/pkgconfig pkg-config
endif

# What a caller sets in CFLAGS comes last and wins.
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' '$(1)' '$(2)')

LIBS_PKG := libelf zlib libprotobuf-c jansson libseccomp libcap-ng
DWELL_CPPFLAGS := -Iuser -I. -I$(O)/gen -D_GNU_SOURCE -DDWELL_VERSION='"$(VERSION)"' \
	$(shell $(PKG_CONFIG) --cflags $(LIBS_PKG))
DWELL_CFLAGS := -std=gnu17 -g -O2 -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes \
	-Wshadow -Wundef -Wvla -Wno-unused-parameter -fno-omit-frame-pointer \
	-fstack-protector-strong -fPIE -fstack-clash-protection \
	$(if $(filter x86_64,$(ARCH)),-fcf-protection) $(if $(filter aarch64,$(ARCH)),-mbranch-protection=standard)
DWELL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
# libbpf and libiberty are linked in, so that the binary behaves alike everywhere
DWELL_LIBS := -Wl,-Bstatic -lbpf -liberty -Wl,-Bdynamic $(shell $(PKG_CONFIG) --libs $(LIBS_PKG)) -lm
ifeq ($(WERROR),1)
DWELL_CFLAGS += -Werror
endif
ifneq ($(SAN),)
DWELL_CFLAGS += -fsanitize=$(SAN) -fno-sanitize-recover=all -DDWELL_SANITIZED
DWELL_LDFLAGS += -fsanitize=$(SAN)
else
DWELL_CPPFLAGS += -D_FORTIFY_SOURCE=2
endif
BPF_CFLAGS := -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -g -O2 -mcpu=v3 -Wall -Wextra \
	-Wno-unused-parameter -Wno-unknown-attributes -Wno-missing-declarations -Ivmlinux/$(ARCH) -I. \
	$(if $(filter 1,$(WERROR)),-Werror) $(BPF_EXTRA)

ROOMS := $(shell sed -n 's/^\([a-z]*\):.*/\1/p' user/ROOMS)
SRC := $(foreach r,$(ROOMS),$(wildcard user/$(r)/*.c))
LIB_SRC := $(filter-out user/cmd/main.c,$(SRC))
HEADERS := $(foreach r,$(ROOMS),$(wildcard user/$(r)/*.h)) bpf/wire.h
BPF_SRC := $(wildcard bpf/*.bpf.c)
PROTO := $(wildcard user/format/*.proto)

LIB_OBJ := $(LIB_SRC:%.c=$(O)/%.o)
MAIN_OBJ := $(O)/user/cmd/main.o
BPF_SKEL := $(BPF_SRC:bpf/%.bpf.c=$(O)/gen/%.skel.h)
PROTO_SRC := $(PROTO:user/format/%.proto=$(O)/gen/%.pb-c.c)
PROTO_OBJ := $(PROTO_SRC:.c=.o)
GEN := $(BPF_SKEL) $(PROTO_SRC)

UNIT_SRC := $(wildcard tests/unit/*.c)
UNIT := $(UNIT_SRC:%.c=$(O)/%)
FIXTURE_SRC := $(wildcard tests/fixtures/*.c)
LIVE_SRC := $(wildcard tests/live/*.c)
FIXTURE := $(FIXTURE_SRC:%.c=$(O)/%) $(LIVE_SRC:tests/live/%.c=$(O)/tests/fixtures/%)
FUZZ_SRC := $(wildcard tests/fuzz/*.c)
FUZZ := $(FUZZ_SRC:%.c=$(O)/%)
ORACLE_SRC := $(wildcard tests/oracle/*.c)
ORACLE := $(ORACLE_SRC:%.c=$(O)/%)

all: $(O)/dwell ## build dwell (the default)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort -u | \
		awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'
	@echo '  O=DIR build folder   V=1 show commands   SAN=address|undefined   WERROR=1   CLANG=clang-19   ARCH=aarch64'

$(O)/dwell: $(MAIN_OBJ) $(O)/libdwell.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(DWELL_CFLAGS) $(CFLAGS) $(DWELL_LDFLAGS) $(LDFLAGS) -o $@ $^ $(DWELL_LIBS)

$(O)/libdwell.a: $(LIB_OBJ) $(PROTO_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/%.o: %.c $(O)/flags | $(GEN)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(DWELL_CPPFLAGS) $(DWELL_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/gen/%.pb-c.o: $(O)/gen/%.pb-c.c $(O)/flags
	$(call say,CC,$<)
	$(Q)$(CC) $(DWELL_CPPFLAGS) $(DWELL_CFLAGS) $(CFLAGS) -w -MMD -MP -c -o $@ $<

$(O)/gen/%.pb-c.c: user/format/%.proto
	$(call say,PROTO,$<)
	$(Q)mkdir -p $(@D) && $(PROTOC_C) --proto_path=user/format --c_out=$(O)/gen $<

$(O)/bpf/%.bpf.o: bpf/%.bpf.c $(O)/flags
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c -o $@.tmp $<
	$(Q)$(BPFTOOL) gen object $@ $@.tmp && rm -f $@.tmp

$(O)/gen/%.skel.h: $(O)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)mkdir -p $(@D) && $(BPFTOOL) gen skeleton $< name $*_bpf >$@.tmp && mv $@.tmp $@

# A change of flags rebuilds; the file is touched only then.
$(O)/flags: FORCE
	$(Q)mkdir -p $(O) && echo '$(CC) $(DWELL_CPPFLAGS) $(DWELL_CFLAGS) $(CFLAGS) $(CLANG) $(BPF_CFLAGS)' | \
		cmp -s - $@ || echo '$(CC) $(DWELL_CPPFLAGS) $(DWELL_CFLAGS) $(CFLAGS) $(CLANG) $(BPF_CFLAGS)' >$@

$(O)/tests/unit/%: tests/unit/%.c $(O)/libdwell.a
	$(call say,UNIT,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(DWELL_CPPFLAGS) $(DWELL_CFLAGS) $(CFLAGS) -MMD -MP -MT $@ -MF $@.d \
		$(DWELL_LDFLAGS) -o $@ $< $(O)/libdwell.a -lcmocka $(DWELL_LIBS)

# Fixtures are programs of known truth: each names its own flags in a line "FLAGS: ...".
$(O)/tests/fixtures/%: tests/fixtures/%.c
	$(call say,FIXTURE,$@)
	$(Q)mkdir -p $(@D) && $(CC) -std=gnu17 -D_GNU_SOURCE -g -O1 -Wall -MMD -MP -MT $@ -MF $@.d -o $@ $< \
		$$(sed -n 's/^.*FLAGS: \(.*[^ */]\)[ */]*$$/\1/p' $<)

# Programs of the live tests that look into dwell itself; they lie beside the fixtures.
$(O)/tests/fixtures/%: tests/live/%.c $(O)/libdwell.a
	$(call say,LIVE,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(DWELL_CPPFLAGS) $(DWELL_CFLAGS) $(CFLAGS) -MMD -MP -MT $@ -MF $@.d \
		$(DWELL_LDFLAGS) -o $@ $< $(O)/libdwell.a $(DWELL_LIBS)

# Our code beside another's that does the same.
$(O)/tests/oracle/%: tests/oracle/%.c $(O)/libdwell.a
	$(call say,ORACLE,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(DWELL_CPPFLAGS) $(DWELL_CFLAGS) $(CFLAGS) -MMD -MP -MT $@ -MF $@.d \
		$(DWELL_LDFLAGS) -o $@ $< $(O)/libdwell.a -ldw $(DWELL_LIBS)

$(O)/tests/bench/%: tests/bench/%.c $(O)/libdwell.a
	$(call say,BENCH,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(DWELL_CPPFLAGS) $(DWELL_CFLAGS) $(CFLAGS) -MMD -MP -MT $@ -MF $@.d \
		$(DWELL_LDFLAGS) -o $@ $< $(O)/libdwell.a $(DWELL_LIBS)

# The parsers under libFuzzer, with the sanitizers.
$(O)/tests/fuzz/%: tests/fuzz/%.c $(LIB_SRC) $(HEADERS) | $(GEN)
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D) && $(CLANG) $(DWELL_CPPFLAGS) -U_FORTIFY_SOURCE -std=gnu17 -g -O1 \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -w -o $@ $< \
		$(filter-out user/cmd/% user/capture/%,$(LIB_SRC)) $(PROTO_SRC) $(DWELL_LIBS)

unit: $(UNIT)
fixtures: $(FIXTURE)
oracle: $(ORACLE) ## build what compares our tables with libdw's: then tests/oracle/run
fuzz: $(FUZZ) ## build the fuzz targets (clang's libFuzzer)

check: all unit fixtures ## tests without root: units, commands as data, structure (seconds)
	$(Q)O=$(O) tools/check

lint: export TIDY_FLAGS = $(DWELL_CPPFLAGS) -std=gnu17
lint: $(GEN) ## clang-tidy, shellcheck, rooms, sizes, headers that compile alone
	$(Q)O=$(O) CLANG_TIDY=$(CLANG_TIDY) tools/lint

format: ## rewrite all C files in the project's style
	$(Q)$(CLANG_FORMAT) -i $(SRC) $(HEADERS) $(BPF_SRC) $(wildcard bpf/*.h) $(UNIT_SRC) $(FIXTURE_SRC) $(LIVE_SRC) $(FUZZ_SRC) $(ORACLE_SRC)

vmlinux: ## make vmlinux/$(ARCH)/vmlinux.h anew from this kernel's BTF (or from BTF=FILE)
	$(Q)MACHINE=$(ARCH) BPFTOOL=$(BPFTOOL) tools/trim-vmlinux bpf/vmlinux.types vmlinux/$(ARCH)/vmlinux.h

install: all ## install into DESTDIR and PREFIX
	install -D -m 755 $(O)/dwell $(DESTDIR)$(PREFIX)/bin/dwell

clean: ## remove the build folder
	rm -rf $(O)

FORCE:
.PHONY: all help unit fixtures oracle fuzz check lint format vmlinux install clean FORCE
.SECONDARY:
-include $(LIB_OBJ:.o=.d) $(MAIN_OBJ:.o=.d) $(PROTO_OBJ:.o=.d) $(UNIT:=.d) $(FIXTURE:=.d) $(ORACLE:=.d) $(BPF_SRC:bpf/%.bpf.c=$(O)/bpf/%.bpf.d)
