#!/usr/bin/env python3
"""Writes the first policy files for the fuzzer into a folder: one for each edit, with every kind of entry."""

import pathlib
import struct
import sys

ENTRIES = [
    ("Software\\A", "B", 4, b"\1\0\0\0"),
    ("Software\\A", "**del.B", 1, " \0"),
    ("Software\\A", "**delvals.", 1, " \0"),
    ("Software\\A", "**DeleteValues", 1, "B;C\0"),
    ("Software", "**DeleteKeys", 1, "A;D\0"),
    ("Software\\A", "**soft.B", 1, "x\0"),
    ("Software\\A", "**SecureKey", 4, b"\1\0\0\0"),
    ("Software\\A", "**Comment:c", 1, "\0"),
    ("Software\\A", "", 0, b""),
]


def entry(key: str, name: str, kind: int, data: "str | bytes") -> bytes:
    text = lambda text: text.encode("utf-16-le")
    data = text(data) if isinstance(data, str) else data
    numbers = struct.pack("<I", kind) + text(";") + struct.pack("<I", len(data)) + text(";")
    return text(f"[{key}\0;{name}\0;") + numbers + data + text("]")


folder = pathlib.Path(sys.argv[1])
for edit in range(4):
    for count in range(len(ENTRIES) + 1):
        body = b"".join(entry(*one) for one in ENTRIES[:count])
        (folder / f"{edit}-{count}").write_bytes(bytes([edit]) + b"PReg\1\0\0\0" + body)
(folder / "ini").write_bytes(b"\0[General]\r\ngPCMachineExtensionNames=[{A}{B}]\r\nVersion=65537\r\n")
