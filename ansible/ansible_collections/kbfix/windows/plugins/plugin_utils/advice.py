# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Rewrites the findings of a report for the user of a task: with the place in the task and the options of the module."""

from __future__ import annotations

import typing as t

from . import options
from .command import Call
from .report_types import Diagnostic, NamedOption

# Options of kbfix that are mappings in the modules, with the names that they have there.
_MAPPINGS = {"set": "parameters", "drive": "drives", "package": "packages"}
# Options of kbfix that the modules replace with something else.
_OTHERS = {"out": "kb_info with with_plan: true", "specs": "src"}
_KNOWN: dict[str, dict[str, t.Any]] = {**options.KB["argument_spec"], **options.KB_RETIRE["argument_spec"]}


def in_the_task(diagnostic: Diagnostic, call: Call) -> Diagnostic:
    """Returns the finding for the user of the task. Its hint names the options of the module.

    If the spec is in the task itself, file and line are those of the text that was sent. The place in the task is added to them.
    """
    shown = t.cast(Diagnostic, {**diagnostic})
    place = diagnostic.get("place")
    paths = call.paths.get(place["file"]) if place else None
    in_task = place is not None and paths is not None and 0 < place["line"] <= len(paths)
    if place and paths and in_task:
        # This member is not in the schema: the place in the task from which the line of the sent text was made.
        shown["place"] = t.cast(t.Any, {**place, "path": paths[place["line"] - 1]})
    hint = diagnostic.get("hint")
    if in_task and diagnostic.get("fix") == "quote":
        # The user's text is not known any more, only what YAML 1.1 made of it. So the hint cannot quote the text.
        hint = "quote it in your play"
    if hint:
        shown["hint"] = hint + spelled(diagnostic.get("options") or [])
    return shown


def spelled(named: list[NamedOption]) -> str:
    """Returns the options as a task spells them, in parentheses; an empty string if there are none."""
    return f" ({', '.join(_spelled(one) for one in named)})" if named else ""


def _spelled(option: NamedOption) -> str:
    name, value = option["name"], option.get("value")
    if name in _OTHERS:
        return _OTHERS[name]
    if name in _MAPPINGS:
        key, _separator, data = (value or "").partition("=")
        return f"{_MAPPINGS[name]}: {{{key}: {data}}}" if value else _MAPPINGS[name]
    own = name.replace("-", "_")
    if own not in _KNOWN:
        return f"--{name}" if value is None else f"--{name} {value}"
    if value is not None:
        return f"{own}: {value}"
    return f"{own}: true" if _KNOWN[own]["type"] == "bool" else own
