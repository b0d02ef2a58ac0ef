# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Turns specs in a task into text for kbfix, and records from which place in the task each line of the text was made.

Ansible has already read the task as YAML 1.1, and the original text is not known any more. So a value name that YAML 1.1 turns into
something else is refused. Data is not: `010` is already the number 8 here. Ansible expands templates in data, but not in the names of a
mapping. So `values` may also be a list here; in a spec file it is always a mapping.
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
    # For each line of the text, the place in the spec from which it was made; None if the user gave the text.
    paths: list[str] | None = None


def inline_specs(spec: t.Any) -> list[Inline]:
    """Returns the specs in the task. `spec` is a mapping, a string of YAML, or a list of these."""
    specs = spec if isinstance(spec, list) else [] if spec is None else [spec]
    return [_inline(one, _name(one, index, len(specs))) for index, one in enumerate(specs)]


def described(data: t.Any) -> str:
    """Describes for the user what YAML 1.1 made of the text in the task."""
    if isinstance(data, bool):
        return f"the boolean {str(bool(data)).lower()} to YAML 1.1, as on, off, yes and no are booleans"
    if data is None:
        return "nothing (null) to YAML 1.1"
    if isinstance(data, int):
        return f"the number {int(data)} to YAML 1.1, which reads 010, 0x8 and 1_0 as numbers too"
    for kinds, words in _KINDS:
        if isinstance(data, kinds):
            return words
    return "of a kind that JSON does not have"


_KINDS: list[tuple[t.Any, str]] = [
    (str, "a string"),
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
            # ansible-core before 2.19 turns a template with a mapping that contains a date into such a string.
            raise KbfixFailure(
                f"{name} is a string that Ansible made of a mapping with a date in it; write the date in quotes, or name the file in src"
            )
        return Inline(name, str(spec))
    if not isinstance(spec, dict):
        raise KbfixFailure(f"{name} is {described(spec)}; give a mapping, a string of YAML, or a list of these")
    # Every JSON text is also YAML. Each member is on its own line, so that the line of an error shows which member it is about.
    lines = list(_Writer(name).lines(spec, "", "", "", ""))
    return Inline(name, "\n".join(line for line, _path in lines), [path for _line, path in lines])


class _Writer:
    """Writes data as JSON, with one member on each line. Each line has the place of its member."""

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
        """Returns a member of `values`, if `values` is a list. There, the value name is data, so that Ansible expands templates in it."""
        if not isinstance(one, dict):
            raise KbfixFailure(f"{self.name}: {path} is {described(one)}; give a mapping with `name` and the fields of the value")
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
            # Under `allowed`, a number means the same in every notation.
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
    """Returns whether a name of a mapping is a template. Ansible does not expand templates in names."""
    return "{{" in name or "{%" in name


def _advice(path: str) -> str:
    told = "Ansible expands templates in data, but not in the names of a mapping"
    if _is_values(path):
        return f"{told}; give `values` as a list: `- {{name: …, type: …, data: …}}`"
    return f"{told}; build the mapping in an expression, or give the spec as a string"


def _is_values(path: str) -> bool:
    """Returns whether the path leads to the `values` of a rule."""
    return re.fullmatch(r"registry\[\d+\]\.values", path) is not None


def _start(name: str) -> str:
    return f"{json.dumps(name, ensure_ascii=False)}: "


def _whole(data: t.Any) -> bool:
    return isinstance(data, int) and not isinstance(data, bool)


def member(path: str, key: t.Any) -> str:
    """Returns the path of a member. A name with spaces, dots or similar characters is written in quotes."""
    name = str(key)
    if re.fullmatch(r"[\w-]+", name):
        return f"{path}.{name}" if path else name
    return f"{path}[{json.dumps(name, ensure_ascii=False)}]"
