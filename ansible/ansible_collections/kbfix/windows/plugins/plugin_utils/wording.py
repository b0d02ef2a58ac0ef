# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""A report as the user of a task reads it: places in the task, and options of the module in place of those of the command line."""

from __future__ import annotations

import re
import typing as t

from .command import Call

Report = dict[str, t.Any]
Replacement = str | t.Callable[[re.Match[str]], str]


def _true(found: re.Match[str]) -> str:
    return found[1].replace("-", "_") + ": true"


# Where the text is of kbfix alone, and nothing of it can be a machine's data.
_EVERYWHERE: list[tuple[str, Replacement]] = [
    (r"--set (\S+?)=…", r"parameters: {\1: …}"),
    (r"--max-changes (\d+)", r"max_changes: \1"),
    (r"--package (\S+)=(\S+)", r"packages: {\1: \2}"),
    (r"`kbfix diff --out FILE`", "kb_info and with_plan: true"),
    (r"`kbfix rollback`", "kb_rollback"),
    (r"--(force|install-hotfix|restart-services|allow-dirty)\b", _true),
    (r"--drive\b", "drives"),
    (r"--package\b", "packages"),
    (r"--set\b", "parameters"),
    (r"--(target|files|state-dir|code-page|max-changes|plan|digest)\b", lambda found: found[1].replace("-", "_")),
]
# Whole phrases, where data may stand beside them.
_PHRASES: list[tuple[str, Replacement]] = [
    (r"(give (?:the drive's|drive \w:) with) --files DIR", r"\1 files: DIR"),
    (r"(give (?:the drive's|drive \w:) with) --drive (\w)=DIR", r"\1 drives: {\2: DIR}"),
    (r"give --code-page N", "give code_page: N"),
]


def in_words_of_the_task(report: Report, call: Call) -> Report:
    """The report with the places and the advice of a task."""
    diagnostics = [_diagnostic(one, call) for one in report.get("diagnostics", [])]
    specs = [{**spec, "reasons": _reasons(spec)} for spec in report.get("specs", [])]
    return {**report, "diagnostics": diagnostics, "specs": specs}


def _reasons(spec: Report) -> list[str]:
    # That a parameter is not set says nothing of the machine.
    everywhere = _EVERYWHERE if spec.get("outcome") == "needs_parameter" else []
    return [_replaced(reason, [*_PHRASES, *everywhere]) for reason in spec.get("reasons") or []]


def _diagnostic(diagnostic: Report, call: Call) -> Report:
    shown = dict(diagnostic)
    of_kbfix = diagnostic["code"] in ("usage", "package-usage", "target-missing")
    shown["message"] = _replaced(diagnostic["message"], [*_PHRASES, *(_EVERYWHERE if of_kbfix else [])])
    if diagnostic.get("hint"):
        shown["hint"] = _replaced(diagnostic["hint"], [*_PHRASES, *_EVERYWHERE])
    place = diagnostic.get("place")
    paths = call.paths.get(place["file"]) if place else None
    if place and paths and 0 < place["line"] <= len(paths):
        shown["place"] = {**place, "path": paths[place["line"] - 1]}
        # The text that would have to stand in quotes is what YAML 1.1 made of the user's.
        if (shown.get("hint") or "").startswith("write it in quotes"):
            shown["hint"] = "quote it in your play"
    return shown


def _replaced(text: str, table: list[tuple[str, Replacement]]) -> str:
    for pattern, replacement in table:
        text = re.sub(pattern, replacement, text)
    return text
