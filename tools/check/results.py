# SPDX-License-Identifier: GPL-2.0
"""Turns the logs of test steps into cases. Each reader takes (log, exit status)."""

import re
from dataclasses import dataclass

# From here on, tools/vm/run speaks of the virtual machine, not of the command.
VM_FAILED = 240


@dataclass
class Case:
    name: str
    verdict: str  # "passed", "failed" or "skipped"
    detail: str = ""  # why it was skipped, or what was printed before it failed
    step: str = ""  # of which it is part, when it was run as part of one


def last_lines(text, count):
    return "\n".join(text.rstrip().splitlines()[-count:])


def read_status(log, status):
    """A step that is one case."""
    if status == 0:
        return [Case("", "passed")]
    return [Case("", "failed", last_lines(log, 30))]


def read_kunit(log, status):
    """The summary of kunit.py, whose own report is the detail."""
    summary = re.search(r"Ran (\d+) tests:(.*)", log)
    if not summary:
        return [Case("", "failed", last_lines(log, 30))]
    counts = {word: int(n) for word, n in re.findall(r"(\w+): (\d+)", summary[2])}
    passed = counts.pop("passed", 0)
    skipped = counts.pop("skipped", 0)
    cases = [Case("case", "passed")] * passed + [Case("case", "skipped", "see the log")] * skipped
    cases += [Case("case", "failed", last_lines(log, 40))] * sum(counts.values())
    if status != 0 and not sum(counts.values()):
        cases.append(Case("", "failed", last_lines(log, 30)))
    return cases


class Program:
    """The part of a log that one test program wrote."""

    RESULT = re.compile(r"(ok|not ok)\b *\d* *(?:- )?(.*)")
    PLAN = re.compile(r"1\.\.(\d+)(?:\s*# *SKIP\b *(.*))?")

    def __init__(self, name):
        self.name = name
        self.cases = []
        self.planned = None
        self.recent = []

    def add_line(self, line):
        result = self.RESULT.match(line)
        plan = self.PLAN.match(line)
        if plan:
            self.planned = int(plan[1])
            if self.planned == 0:
                self.cases.append(Case(self.name, "skipped", plan[2] or "no reason given"))
        if not result:
            self.recent.append(line)
            return
        title, _, directive = result[2].partition(" # ")
        name = f"{self.name} {title}".strip()
        if re.match(r"SKIP\b", directive, re.I):
            reason = directive[4:].strip() or last_lines("\n".join(self.recent), 1)
            self.cases.append(Case(name, "skipped", reason))
        elif result[1] == "ok":
            self.cases.append(Case(name, "passed"))
        else:
            self.cases.append(Case(name, "failed", last_lines("\n".join(self.recent), 15)))
        self.recent = []

    def end(self, status):
        """STATUS is None when the log ends before the program does."""
        if self.planned == 0:
            return self.cases
        complaint = None
        failed = any(case.verdict == "failed" for case in self.cases)
        if status is None:
            complaint = "did not end"
        elif status == 137:
            complaint = "was killed, or reached its time limit"
        elif status not in (0, 4) and not failed:
            complaint = f"ended with {status}"
        elif not self.cases:
            complaint = "ran no test"
        elif self.planned is not None and len(self.cases) < self.planned:
            complaint = f"ran {len(self.cases)} of {self.planned} tests"
        if complaint:
            detail = last_lines("\n".join(self.recent), 15)
            self.cases.append(Case(f"{self.name} {complaint}".strip(), "failed", detail))
        return self.cases


def read_tap(log, status):
    """TAP or KTAP of one program, or of several with the marks of tools/check/guest."""
    cases = []
    outer = Program("")
    program = outer
    for line in log.splitlines():
        begun = re.match(r"# program (\S+)$", line)
        ended = re.match(r"# ended (\S+) with (\d+) after \d+ s$", line)
        if begun:
            program = Program(begun[1])
        elif ended:
            cases += program.end(int(ended[2]))
            program = outer
        else:
            program.add_line(line)
    if program is not outer:
        cases += program.end(None)
    if outer.cases or not cases:
        cases += outer.end(status)
    if status >= VM_FAILED:
        cases.append(Case("virtual machine", "failed", last_lines(log, 40)))
    elif status != 0 and not any(case.verdict == "failed" for case in cases):
        cases.append(Case("", "failed", last_lines(log, 30)))
    return cases
