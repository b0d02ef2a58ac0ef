# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Specs given in a task: the text that is sent of each, and which place in the task a line of that text comes from.

Ansible has read the task as YAML 1.1 by then. What that made of a name or of data cannot always be told from what was written, so
what is not surely the same is refused, never sent as something else. Ansible fills templates in data and never in names of a mapping,
so `values` may be a list here; the language itself has the mapping only, since in a file there is nothing to fill in.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import json
import math
import re
import typing as t

from .failure import KbfixFailure


@dataclasses.dataclass(frozen=True)
class Inline:
    """One spec."""

    name: str
    text: str
    # For each line of the text, what of the spec it holds; none where the text is the user's own.
    paths: list[str] | None = None


def inline_specs(spec: t.Any) -> list[Inline]:
    """Specs given in the task: mappings, or texts of YAML, one or a list."""
    specs = spec if isinstance(spec, list) else [] if spec is None else [spec]
    return [_inline(one, _name(one, index, len(specs))) for index, one in enumerate(specs)]


def described(data: t.Any) -> str:
    """What YAML 1.1 made of something, in the user's words."""
    if isinstance(data, bool):
        return f"the boolean {str(bool(data)).lower()} to YAML 1.1, as on, off, yes and no are booleans"
    if data is None:
        return "nothing (null) to YAML 1.1"
    if isinstance(data, int):
        return f"the number {int(data)} to YAML 1.1, which reads 010, 0x8 and 1_0 as numbers too"
    for kinds, words in _KINDS:
        if isinstance(data, kinds):
            return words
    return "of no kind that YAML and JSON share"


_KINDS: list[tuple[t.Any, str]] = [
    (str, "a text"),
    (float, "a number with a fraction to YAML 1.1"),
    (datetime.datetime, "a time to YAML 1.1"),
    (datetime.date, "a date to YAML 1.1"),
    (bytes, "bytes"),
    (collections.abc.Mapping, "a mapping"),
    ((list, tuple), "a list"),
]


def _name(spec: t.Any, index: int, count: int) -> str:
    which = f"spec[{index}]" if count > 1 else "spec"
    ident = spec.get("id") if isinstance(spec, dict) else None
    return f"{which} ({ident})" if isinstance(ident, str) else which


def _inline(spec: t.Any, name: str) -> Inline:
    if isinstance(spec, str):
        if re.match(r"\s*\{'.*\bdatetime\.date", spec, re.DOTALL):
            # What ansible-core before 2.19 makes of a template whose mapping holds a date.
            raise KbfixFailure(
                f"{name} is the text that Ansible makes of a mapping with a date in it; quote the date, or name the file in src"
            )
        return Inline(name, str(spec))
    if not isinstance(spec, dict):
        raise KbfixFailure(f"{name} is {described(spec)}; give a mapping, a text of YAML, or a list of these")
    # JSON is YAML; one member on each line, so that an error's line tells the member that it is about.
    lines = list(_Writer(name).lines(spec, "", "", "", ""))
    return Inline(name, "\n".join(line for line, _path in lines), [path for _line, path in lines])


class _Writer:
    """Writes data as JSON with one member on each line, each with its place."""

    def __init__(self, name: str) -> None:
        self.name = name

    def lines(self, data: t.Any, path: str, indent: str, before: str, after: str) -> t.Iterator[tuple[str, str]]:
        if _is_values(path) and isinstance(data, (list, tuple)):
            members = [self.value(one, f"{path}[{index}]") for index, one in enumerate(data)]
            brackets = "{}"
        elif isinstance(data, dict):
            members = [(_start(self.key(key, data, path)), one, member(path, key)) for key, one in data.items()]
            brackets = "{}"
        elif isinstance(data, (list, tuple)):
            members = [("", one, f"{path}[{index}]") for index, one in enumerate(data)]
            brackets = "[]"
        else:
            yield f"{indent}{before}{self.scalar(data, path)}{after}", path
            return
        if not members:
            yield f"{indent}{before}{brackets}{after}", path
            return
        yield f"{indent}{before}{brackets[0]}", path
        for at, (start, one, place) in enumerate(members, 1):
            yield from self.lines(one, place, indent + "  ", start, "," if at < len(members) else "")
        yield f"{indent}{brackets[1]}{after}", path

    def value(self, one: t.Any, path: str) -> tuple[str, t.Any, str]:
        """A member of `values` given as a list, whose name is data, so that Ansible fills templates in it."""
        if not isinstance(one, dict):
            raise KbfixFailure(f"{self.name}: {path} is {described(one)}; give a mapping with `name` and what the value is to be")
        if "name" not in one:
            raise KbfixFailure(f'{self.name}: {path} has no `name`; give the value name, or "" for the default value')
        name = one["name"]
        if not isinstance(name, str):
            raise KbfixFailure(f"{self.name}: {path}.name is {described(name)}; quote it in your play")
        return _start(str(name)), {key: data for key, data in one.items() if key != "name"}, path

    def key(self, key: t.Any, beside: dict[t.Any, t.Any], path: str) -> str:
        where = f"{self.name}: {path}" if path else self.name
        if isinstance(key, str):
            if is_template(key):
                raise KbfixFailure(f"{where}: the name {json.dumps(str(key), ensure_ascii=False)} is a template. {_advice(path)}")
            return str(key)
        if re.fullmatch(r"parameters\.[^.\[]+\.allowed", path) and all(_whole(one) for one in beside):
            # There a number stands for itself, however it was written.
            return str(int(key))
        raise KbfixFailure(f"{where}: a name is {described(key)}; quote it in your play")

    def scalar(self, data: t.Any, path: str) -> str:
        if isinstance(data, str):
            return json.dumps(str(data), ensure_ascii=False)
        if isinstance(data, datetime.date):
            return json.dumps(data.isoformat())
        if isinstance(data, bool) or data is None or isinstance(data, int) or (isinstance(data, float) and math.isfinite(data)):
            return json.dumps(data)
        raise KbfixFailure(f"{self.name}: {path} is {described(data)}; quote it in your play")


def is_template(name: str) -> bool:
    """Whether a name of a mapping is a template that Ansible left as it is, since it fills none in names."""
    return "{{" in name or "{%" in name


def _advice(path: str) -> str:
    told = "Ansible fills templates in data, never in the names of a mapping"
    if _is_values(path):
        return f"{told}; give `values` as a list: `- {{name: …, type: …, data: …}}`"
    return f"{told}; build the mapping in an expression, or give the spec as text"


def _is_values(path: str) -> bool:
    """Whether the place is that of a key's values."""
    return re.fullmatch(r"registry\[\d+\]\.values", path) is not None


def _start(name: str) -> str:
    return f"{json.dumps(name, ensure_ascii=False)}: "


def _whole(data: t.Any) -> bool:
    return isinstance(data, int) and not isinstance(data, bool)


def member(path: str, key: t.Any) -> str:
    """The place of a member; one whose name has blanks, dots or the like is quoted."""
    name = str(key)
    if re.fullmatch(r"[\w-]+", name):
        return f"{path}.{name}" if path else name
    return f"{path}[{json.dumps(name, ensure_ascii=False)}]"
