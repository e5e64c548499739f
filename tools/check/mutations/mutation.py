# SPDX-License-Identifier: GPL-2.0
"""How the module would break one of its promises, and what must see it."""

from dataclasses import dataclass


@dataclass
class Mutation:
    promise: str
    file: str
    edits: list  # (text that is there once, text in its place)
    program: str
    test: str
