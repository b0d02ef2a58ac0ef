# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a report advises, as the user of a task reads it: places in the task, and options of the module."""

from __future__ import annotations

import typing as t

from . import options
from .command import Call
from .report_types import Diagnostic, NamedOption

# The modules' names of options whose values are mappings there.
_MAPPINGS = {"set": "parameters", "drive": "drives", "package": "packages"}
# A plan is not written to a file of the host here.
_OTHERS = {"out": "kb_info with with_plan: true", "specs": "src"}
_KNOWN: dict[str, dict[str, t.Any]] = {**options.KB["argument_spec"], **options.KB_RETIRE["argument_spec"]}


def in_the_task(diagnostic: Diagnostic, call: Call) -> Diagnostic:
    """The finding whose hint names options as the module spells them. Of a spec that the task holds, the file and the line are those of
    the text that was sent; the place in the task takes that of the text."""
    shown = t.cast(Diagnostic, {**diagnostic})
    place = diagnostic.get("place")
    paths = call.paths.get(place["file"]) if place else None
    in_task = place is not None and paths is not None and 0 < place["line"] <= len(paths)
    if place and paths and in_task:
        # Not in the schema: what of the spec in the task the line of the sent text holds.
        shown["place"] = t.cast(t.Any, {**place, "path": paths[place["line"] - 1]})
    hint = diagnostic.get("hint")
    if in_task and diagnostic.get("fix") == "quote":
        # The text that would have to stand in quotes is what YAML 1.1 made of the user's.
        hint = "quote it in your play"
    if hint:
        shown["hint"] = hint + spelled(diagnostic.get("options") or [])
    return shown


def spelled(named: list[NamedOption]) -> str:
    """Options as a task has them, in parentheses; nothing where there are none."""
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
