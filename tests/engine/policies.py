"""Reads policy files with Samba's preg, and prints the effect of each on every value. Standard input: one file on each line, in
hexadecimal digits.

Standard output, a line for each file: a JSON object. Keys are `KEY\\0NAME` in upper case.
"""

import json
import sys

from samba.dcerpc import preg
from samba.ndr import ndr_pack, ndr_unpack


def raw(bytes_, entries):
    """Returns the data of each entry as in the file. Samba returns text and numbers in the types of Python."""
    at, out = 8, []
    for entry in entries:
        names = len((entry.keyname + "\0;" + entry.valuename + "\0;").encode("utf-16-le")) + 2
        data = at + names + 4 + 2 + 4 + 2
        out.append(bytes_[data : data + entry.size].hex())
        at = data + entry.size + 2
    assert at == len(bytes_), (at, len(bytes_))
    return out


def model(entries, data):
    """Returns the effect of the entries on each value, in their order."""
    values, cleared = {}, set()
    for entry, bytes_ in zip(entries, data):
        key, name = entry.keyname.upper(), entry.valuename.upper()
        state = [entry.type, bytes_]

        def now(name):
            return values.get((key, name), "deleted" if key in cleared else None)

        if name.startswith("**SOFT."):
            name = name[7:]
            if now(name) is None:
                values[key, name] = ["soft", *state]
            elif now(name) == "deleted":
                values[key, name] = state
        elif name.startswith("**DEL."):
            values[key, name[6:]] = "deleted"
        elif name.startswith("**DELVALS"):
            cleared.add(key)
            values = {at: state for at, state in values.items() if at[0] != key}
        elif name.startswith("**DELETEVALUES"):
            for one in bytes.fromhex(bytes_).decode("utf-16-le").rstrip("\0").upper().split(";"):
                values[key, one] = "deleted"
        elif name.startswith("**COMMENT:"):
            pass
        else:
            values[key, name] = state
    return {"values": {"\0".join(at): state for at, state in values.items()}, "cleared": sorted(cleared)}


for line in sys.stdin:
    bytes_ = bytes.fromhex(line)
    file = ndr_unpack(preg.file, bytes_)
    answer = model(file.entries, raw(bytes_, file.entries))
    answer["same"] = ndr_pack(file) == bytes_
    print(json.dumps(answer))
