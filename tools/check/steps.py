# SPDX-License-Identifier: GPL-2.0
"""What "make check" does: one step a line, in the order in which they are begun."""

from dataclasses import dataclass, field

import results

VM = "tools/vm/run --log {dir}/{name}.kernel-log"
GUEST = "--file tools/check/guest:/opt/guest -- /opt/guest"
SELFTESTS = "/opt/ipcbox/selftests /opt/ipcbox/selftests32"
WERROR = "'CFLAGS=-O2 -g -Werror' 'CXXFLAGS=-O2 -g -Werror'"


@dataclass
class Step:
    """A shell command, run at the top of the repository.

    {dir} is where logs go, {name} the step's name, {source} a kernel source tree.
    """

    name: str
    command: str
    after: list = field(default_factory=list)
    read: object = results.read_status
    quick: bool = False  # belongs to "make check-quick" too


def module(kernel):
    return f"make module KERNEL={kernel} MODULE_FLAGS=KCFLAGS=-Werror"


# They end what hangs, and nothing else: the longest program takes 25 s on the emulated
# debug kernel and 5 s on the others, but ten times that on a busy machine. A test that
# hangs ends after 150 s of itself.
PROGRAM_LIMIT = 400
SELFTESTS_LIMIT = 1800
# They make allocations fail, which stock kernels cannot do.
ON_STOCK = "--skip alloc_fail --skip alloc_fail_region --skip alloc_fail_ring"
# About as long as on a stock kernel.
ON_DEBUG = "--arguments 'stress_kill=4000 16' --arguments fuzz_ioctl=10000"


def selftests(kernel, options):
    return (
        f"{VM} --kernel {kernel} --time-limit {SELFTESTS_LIMIT}"
        f" --file build/selftests32:/opt/ipcbox/selftests32 {GUEST} {options} {PROGRAM_LIMIT} {SELFTESTS}"
    )


def queue_tests(output, options):
    """Them, and what they are preloaded with."""
    return (
        f"make -C userlib $PWD/build/{output}/libipcbox-mq.so mq-tests {options}"
        f" OUTPUT=$PWD/build/{output} VERSION=$(cat VERSION)"
    )


# Of each, what it is called, what it runs of which build, and where.
QUEUES = [
    ("", "64", "queue tests", "6.12"),
    (" on 6.1", "64", "queue tests", "6.1"),
    (" on debug", "64", "queue tests", "debug"),
    (", 32 bits", "32", "32-bit queue tests", "6.12"),
    (", sanitized", "sanitized", "queue tests, sanitized", "6.12"),
]

STEPS = [
    Step("fetch kernels", "for k in 6.1 6.12; do tools/vm/kernel headers $k; done", quick=True),
    Step("fetch kernel source", "tools/vm/kernel source", quick=True),
    Step("build debug kernel", "tools/vm/debug-kernel", ["fetch kernel source"]),
    Step("build library and command", f"make lib tools {WERROR}", quick=True),
    Step("build selftests", "make tests", ["fetch kernel source"], quick=True),
    Step("build 32-bit selftests", "make tests BITS=32", ["fetch kernel source"], quick=True),
    Step("build module for 6.12", module("6.12"), ["fetch kernels"], quick=True),
    Step("build module for debug", module("debug"), ["build debug kernel"]),
    Step("build module for 6.1", module("6.1"), ["fetch kernels"]),
    Step(
        "selftests on debug",
        selftests("debug", ON_DEBUG),
        ["build module for debug", "build selftests", "build 32-bit selftests", "build library and command"],
        results.read_tap,
    ),
    Step(
        "selftests on 6.12",
        selftests("6.12", ON_STOCK),
        ["build module for 6.12", "build selftests", "build 32-bit selftests", "build library and command"],
        results.read_tap,
        quick=True,
    ),
    Step(
        "selftests on 6.1",
        selftests("6.1", ON_STOCK),
        ["build module for 6.1", "build selftests", "build 32-bit selftests", "build library and command"],
        results.read_tap,
    ),
    Step(
        "KUnit",
        f"{VM} --kernel debug -- sh -c 'dmesg -c >/dev/null; insmod /opt/ipcbox/modules/ipcbox-kunit.ko; dmesg'"
        " >{dir}/kunit.raw && PYTHONDONTWRITEBYTECODE=1"
        " {source}/tools/testing/kunit/kunit.py parse $PWD/{dir}/kunit.raw",
        ["build module for debug"],
        results.read_kunit,
    ),
    Step(
        "build library tests, sanitized",
        "make -C userlib tests SANITIZE=address,undefined OUTPUT=$PWD/build/userlib-asan"
        " VERSION=$(cat VERSION)",
    ),
    Step(
        "library and command tests",
        f"{VM} --kernel 6.12 --time-limit {SELFTESTS_LIMIT}"
        " --file /usr/bin/script --file build/userlib-asan/tests:/opt/ipcbox/library"
        f" --file tools/ipcbox/tests:/opt/ipcbox/command {GUEST} {PROGRAM_LIMIT}"
        " /opt/ipcbox/library/host /opt/ipcbox/library/module /opt/ipcbox/command",
        ["build library tests, sanitized", "build library and command", "build module for 6.12"],
        results.read_tap,
    ),
    Step("build queue tests", queue_tests("userlib", WERROR), ["build library and command"]),
    Step("build 32-bit queue tests", queue_tests("userlib32", f"BITS=32 {WERROR}")),
    Step(
        "build queue tests, sanitized",
        queue_tests("userlib-asan", "SANITIZE=address,undefined"),
        ["build library tests, sanitized"],
    ),
    *(
        Step(
            f"POSIX and System V queues{name}",
            f"userlib/tests/mq/in-vm {build} --kernel {kernel} --log {{dir}}/{{name}}.kernel-log"
            f" --time-limit {SELFTESTS_LIMIT}",
            [f"build {tests}", f"build module for {kernel}"],
            results.read_tap,
        )
        for name, build, tests, kernel in QUEUES
    ),
    Step(
        "symbols of queues",
        "userlib/tests/mq-symbols build/userlib/libipcbox-mq.so build/userlib32/libipcbox-mq.so",
        ["build library and command", "build 32-bit queue tests"],
        results.read_tap,
    ),
    Step(
        "programs with queues",
        "userlib/tests/programs/in-vm --log {dir}/{name}.kernel-log --time-limit 600",
        ["build library and command", "build module for 6.12"],
        results.read_tap,
    ),
    Step(
        "symbol map",
        "userlib/tests/symbols build/userlib/libipcbox.so",
        ["build library and command"],
        results.read_tap,
    ),
    Step(
        "installed consumer",
        "rm -rf build/installed && make install KERNEL=6.12 DESTDIR=$PWD/build/installed PREFIX=/usr"
        " && userlib/tests/installed $PWD/build/installed /usr/lib $(cat VERSION)",
        ["build library and command", "build module for 6.12", "selftests on 6.12", "library and command tests"],
        results.read_tap,
    ),
    Step(
        "bench",
        "make -s -C tools/bench OUTPUT=$PWD/build/bench/program USERLIB=$PWD/build/userlib"
        " 'CFLAGS=-O2 -g -Werror' && tools/bench/tests/smoke",
        ["build library and command", "build module for 6.12"],
        results.read_tap,
    ),
    Step("bench, figures", "tools/bench/tests/figures", read=results.read_tap),
    Step("manual pages", "userlib/tests/pages", read=results.read_tap),
    Step(
        "manual pages, formatting",
        "mandoc -T lint -W error build/userlib/man/*.[1-9] build/tools/*.1",
        ["build library and command"],
    ),
    # On 6.12 only: what it reads is the same for each, but for compat.h.
    Step(
        "sparse",
        "make module KERNEL=6.12 MODULE_FLAGS='KCFLAGS=-Werror C=2' 2>&1 | tee {dir}/sparse.raw"
        r" && ! grep -E '/(module|uapi)/.*: (warning|error):' {dir}/sparse.raw",
        ["selftests on 6.12", "library and command tests", "installed consumer"],
    ),
    Step("channel, every state", "tools/check/model/run", read=results.read_tap),
    # Addresses that are not random, as not every version of the sanitizer can do with all.
    Step(
        "channel under ThreadSanitizer",
        "make -s -C userlib $PWD/build/userlib-tsan/tests/host/ring SANITIZE=thread"
        " OUTPUT=$PWD/build/userlib-tsan VERSION=$(cat VERSION)"
        " && setarch -R build/userlib-tsan/tests/host/ring",
        read=results.read_tap,
    ),
    Step("kernel style", "tools/check/style {source}", ["fetch kernel source"]),
    Step("mutations match", "tools/check/mutations/run --match", quick=True),
    Step("readers of logs", "tools/check/tests/run", read=results.read_tap, quick=True),
    Step("planted faults", "tools/check/tests/planted/run", ["build module for debug"], results.read_tap),
    Step("shell scripts", "git grep -lE '^#!/bin/(ba)?sh' | xargs shellcheck -x"),
]
