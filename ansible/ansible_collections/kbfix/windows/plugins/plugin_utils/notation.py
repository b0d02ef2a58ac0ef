# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""The changes of a report as diffs in .reg notation: one before and after for each key."""

from __future__ import annotations

import typing as t
import unicodedata

Change = t.Mapping[str, t.Any]
Data = t.Mapping[str, str]

_ROOTS = {
    "HKCR": "HKEY_CLASSES_ROOT",
    "HKCU": "HKEY_CURRENT_USER",
    "HKLM": "HKEY_LOCAL_MACHINE",
    "HKU": "HKEY_USERS",
    "HKCC": "HKEY_CURRENT_CONFIG",
}
# Longer data is shown by its beginning, its end and its length.
_LONGEST = 400


def diffs(changes: t.Iterable[Change]) -> list[dict[str, str]]:
    """What Ansible's diff mode prints: one before and after for each key."""
    return [_diff(change) for change in changes]


def _diff(change: Change) -> dict[str, str]:
    key = f"[{long_key(change['key'])}]\n"
    header = _header(change)
    values = change["values"]
    before = "".join(_line(value["name"], value["before"]) for value in values)
    after = "".join(_line(value["name"], _other(value)) for value in values)
    before = "" if change["action"] == "create" else key + before if change["action"] == "delete" else before
    after = "" if change["action"] == "delete" else key + after if change["action"] == "create" else after
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def _other(value: t.Mapping[str, t.Any]) -> Data | None:
    """The data after; of hidden data that takes the place of hidden data it says that it is other data, which else looked the same."""
    before, after = value["before"], value["after"]
    if before and after and before.get("hidden") and after.get("hidden"):
        return {**after, "text": f"{after['text'].removesuffix(')')}, other data)"}
    return after


def _header(change: Change) -> str:
    return f"[{long_key(change['key'])}]" + (" 32-bit view" if change.get("view") == "32" else "")


def long_key(key: str) -> str:
    """``HKLM\\a`` as a .reg file writes it."""
    root, separator, rest = key.partition("\\")
    return one_line(_ROOTS.get(root, root) + separator + rest)


def value_name(name: str) -> str:
    """A value name as a .reg file writes it; ``@`` for the default value."""
    return _quoted(name) if name else "@"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{one_line(escaped)}"'


def _line(name: str, data: Data | None) -> str:
    if data is None:
        return ""
    comment = readable(data)
    return f"{value_name(name)}={_shortened(data['text'])}\n" + (f"; {comment}\n" if comment else "")


def _shortened(text: str) -> str:
    text = one_line(text)
    if len(text) <= _LONGEST:
        return text
    return f"{text[:100]}…{text[-50:]} ({len(text)} characters)"


def readable(data: Data) -> str | None:
    """What hex digits mean, where .reg notation hides it; none where it does not."""
    if "bytes" not in data or not data["text"].startswith("hex("):
        return None
    raw = bytes.fromhex(data["bytes"])
    if data["type"] == "REG_QWORD" and len(raw) == 8:
        return f"REG_QWORD 0x{int.from_bytes(raw, 'little'):x}"
    if data["type"] in ("REG_SZ", "REG_EXPAND_SZ", "REG_MULTI_SZ") and len(raw) % 2 == 0:
        texts = raw.decode("utf-16-le", errors="replace").split("\0")
        if data["type"] == "REG_MULTI_SZ":
            return _shortened(f"REG_MULTI_SZ [{', '.join(_quoted(text) for text in texts[:-2])}]")
        return _shortened(f"{data['type']} {_quoted(texts[0])}")
    return None


def one_line(text: str) -> str:
    """Without characters that would fake a line of the diff or steer the terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"\\u{{{ord(c):x}}}" if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") else c for c in text)
