"""Compares kbfix's dump of a hive with what independent readers read in the file.

Usage: compare.py DUMP HIVE [READER...]

DUMP has one JSON document for each key, one on each line: the path, time, class and values with type and data, as kbfix read them.
READER is one of registry (python-registry), libregf (libregf-python), regipy, hivexml and reged. The default is all that are
installed. Prints differences, at most ten lines for each reader, and exits with 1 if there are any.

Some readers have known faults. A comment below marks each exception for them. In short:
- regipy reads compressed names as ASCII: 6.5.0, registry.py, NKRecord: `key_name_string.decode("ascii", errors="replace")`. A
  compressed name is Latin-1 (kbfix, python-registry, libregf and hivex agree), so regipy has one name for all siblings that
  differ in such letters only; they are counted, and not compared. It gives no raw data for most types, and skips values of
  type 0x200000;
- python-registry and regipy cut off the upper bits of a type (device properties have 0xffff0011). The first gives no data
  for a REG_MULTI_SZ of up to 4 bytes, and bytes of the type for a short big-endian number, though the record has the data;
- hivexml converts text, and writes what it cannot convert as base64 of the raw bytes; it has times in whole seconds;
- libregf gives no data (None) where the size is 0, ends text at its first NUL, and reads 1 to 3 bytes of data in the
  record wrongly (it reads all four bytes as a big-endian number would lie; python-registry and regipy agree with kbfix);
- reged prints names in the code page of the console: only its number of keys is compared. It aborts on a value with a UTF-16
  name and leaves out keys with a surrogate pair in their names: a hive with names beyond Latin-1 is not given to it.
"""

import base64
import calendar
import collections
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

TYPES = ["REG_NONE", "REG_SZ", "REG_EXPAND_SZ", "REG_BINARY", "REG_DWORD", "REG_DWORD_BIG_ENDIAN", "REG_LINK",
         "REG_MULTI_SZ", "REG_RESOURCE_LIST", "REG_FULL_RESOURCE_DESCRIPTOR", "REG_RESOURCE_REQUIREMENTS_LIST", "REG_QWORD"]
UNKNOWN = object()  # what a reader does not tell


def dump(path):
    keys = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            key = json.loads(line)
            values = [(n, t, bytes.fromhex(d)) for n, t, d in key["values"]]
            keys[tuple(key["path"])] = (key["time"], bytes.fromhex(key["class"] or ""), values)
    return keys


def registry(path):
    """python-registry: records are read with its structures; names with its own decoding."""
    from Registry import Registry

    def walk(key, names):
        nk = key._nkrecord
        time = nk.unpack_qword(4)
        class_name = UNKNOWN
        if nk.unpack_word(74) == 0:
            class_name = b""
        elif nk.has_classname():
            class_name = nk.classname().encode("utf-16-le")
        values = []
        for value in key.values():
            vk = value._vkrecord
            name = vk.name() if vk.has_name() else ""
            data = vk.raw_data()
            if vk.data_length() == 0 or vk.raw_data_length() >= 0x80000000:
                data = data[:vk.raw_data_length() & 0x7FFFFFFF]
            values.append((name, vk.data_type(), data[:vk.raw_data_length() & 0x7FFFFFFF]))
        yield names, (time, class_name, values)
        for below in key.subkeys():
            yield from walk(below, names + (below.name(),))

    yield from walk(Registry.Registry(path).root(), ())


def libregf(path):
    import pyregf

    file = pyregf.file()
    # Compressed names are Latin-1; of its code pages this is the one that agrees with it for letters.
    file.set_ascii_codepage("windows-1252")
    file.open(path)

    def walk(key, names):
        values = [(v.name or "", v.type, v.data or b"") for v in key.values]
        yield names, (key.get_last_written_time_as_integer(), (key.class_name or "").encode("utf-16-le"), values)
        for below in key.sub_keys:
            yield from walk(below, names + (below.name,))

    yield from walk(file.get_root_key(), ())


def regipy(path):
    import logging

    from regipy.registry import RegistryHive

    logging.disable(logging.CRITICAL)

    def walk(key, names):
        class_name = key.get_class_name().encode("utf-16-le") if key.header.class_name_size else b""
        values = []
        for value in list(key.iter_values(as_json=False, trim_values=False) or []):
            name = "" if value.name == "(default)" else value.name
            kind = TYPES.index(value.value_type) if value.value_type in TYPES else UNKNOWN
            data = value.value if kind == 3 and isinstance(value.value, bytes) else UNKNOWN
            values.append((name, kind, data))
        yield names, (key.header.last_modified, class_name, values)
        for below in list(key.iter_subkeys() or []):
            yield from walk(below, names + (below.name,))

    yield from walk(RegistryHive(path).root, ())


def hivexml(path):
    text = subprocess.run(["hivexml", path], stdout=subprocess.PIPE, check=True).stdout
    kinds = {"none": 0, "string": 1, "expand": 2, "binary": 3, "int32": 4, "int32be": 5, "link": 6, "string-list": 7,
             "resource-list": 8, "full-resource-description": 9, "resource-requirements-list": 10, "int64": 11}

    def name_of(element, plain, encoding):
        name = element.get(plain, "")
        return base64.b64decode(name).decode("utf-8") if element.get(encoding) == "base64" else name

    def walk(node, names):
        mtime = node.find("mtime")
        seconds = None if mtime is None else calendar.timegm(time.strptime(mtime.text, "%Y-%m-%dT%H:%M:%SZ"))
        values = []
        for value in node.findall("value"):
            kind = kinds.get(value.get("type"), UNKNOWN)
            data = UNKNOWN
            if value.get("encoding") == "base64" and kind not in (1, 2, 6, 7):
                data = base64.b64decode(value.get("value", ""))
            elif kind == 4 and value.get("value") is not None:
                data = (int(value.get("value")) & 0xFFFFFFFF).to_bytes(4, "little")
            elif kind == 11 and value.get("value") is not None:
                data = (int(value.get("value")) & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little")
            name = "" if value.get("default") == "1" else name_of(value, "key", "key_encoding")
            values.append((name, kind, data))
        yield names, (("seconds", seconds), UNKNOWN, values)
        for below in node.findall("node"):
            yield from walk(below, names + (name_of(below, "name", "name_encoding"),))

    yield from walk(ElementTree.fromstring(text).find("node"), ())


def time_agrees(wanted, found):
    if isinstance(found, tuple):
        # hivexml omits times that it considers invalid.
        return found[1] is None or wanted // 10_000_000 - 11_644_473_600 == found[1]
    return wanted == found


def value_agrees(reader, wanted, found):
    name, kind, data = wanted
    found_name, found_kind, found_data = found
    if reader == "regipy":
        found_name = found_name.replace("\N{REPLACEMENT CHARACTER}", "?")
        name = "".join(c if ord(c) < 128 or any(ord(d) > 255 for d in name) else "?" for c in name)
    if name != found_name:
        return False
    if found_kind is not UNKNOWN and kind != found_kind:
        # hivexml says "unknown" or nothing of types above 11; DEVPROP types are mapped by regipy.
        # Both cut types off; hivexml calls all of them unknown.
        if not (kind > 11 and (reader == "regipy" or (reader == "registry" and kind & 0xFFF == found_kind & 0xFFF))):
            return False
    if reader == "libregf" and kind in (1, 2, 6, 7) and found_data == data[:len(found_data)]:
        ends = len(found_data) >= 2 and found_data[-2:] == b"\0\0"
        return ends or not data[len(found_data):].strip(b"\0")
    if reader == "registry" and kind & 0xFFF == 7 and len(data) <= 4:
        return found_data == b""
    if reader == "registry" and kind & 0xFFF == 5 and len(data) < 4:
        return len(found_data) == len(data)
    if reader == "libregf" and 1 <= len(data) <= 3:
        return len(found_data) == len(data)
    return found_data is UNKNOWN or data == found_data


def compare(reader, read, wanted, path):
    differ = []
    seen = set()
    values_read = 0
    ascii_names = reader == "regipy"

    def plain(names):
        if not ascii_names:
            return names
        return tuple("".join(c if ord(c) < 128 or any(ord(d) > 255 for d in n) else "?" for c in n) for n in names)

    by_name = {plain(names): key for names, key in wanted.items()}
    # Names that a reader does not tell apart cannot be compared; nor can what is below them.
    times = collections.Counter(plain(names) for names in wanted)
    alike = {names for names, count in times.items() if count > 1}
    lost = 0
    for names, (time, class_name, values) in read(path):
        names = plain(tuple(n.replace("\N{REPLACEMENT CHARACTER}", "?") for n in names)) if ascii_names else names
        if alike and any(names[:end] in alike for end in range(1, len(names) + 1)):
            seen.add(names)
            lost += 1
            continue
        key = by_name.get(names)
        if key is None:
            differ.append(f"key {names}: kbfix has none")
            continue
        seen.add(names)
        if not time_agrees(key[0], time):
            differ.append(f"key {names}: time {time}, kbfix {key[0]}")
        if class_name is not UNKNOWN and class_name != key[1]:
            differ.append(f"key {names}: class {class_name!r}, kbfix {key[1]!r}")
        mine = key[2]
        if reader == "regipy":
            mine = [v for v in mine if v[1] != 0x200000]
        values_read += len(values)
        if len(values) != len(mine):
            differ.append(f"key {names}: {len(values)} values, kbfix {len(mine)}")
            continue
        for value, found in zip(mine, values):
            if not value_agrees(reader, value, found):
                shown = [(n, t, (len(d), d[:24]) if isinstance(d, bytes) else "?") for n, t, d in (found, value)]
                differ.append(f"value of {names}: {shown[0]}, kbfix {shown[1]}")
    differ += [f"key {names}: not read" for names in by_name if names not in seen]
    return differ, len(seen), values_read, lost


def reged(wanted, path):
    with tempfile.NamedTemporaryFile(suffix=".reg") as out:
        run = subprocess.run(["reged", "-x", path, "ROOT", "\\", out.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = open(out.name, "rb").read()
    keys = len(re.findall(rb"^\[", text, re.MULTILINE))
    differ = []
    if keys != len(wanted):
        differ.append(f"{keys} keys, kbfix {len(wanted)} (exit {run.returncode}: {run.stdout[-200:]!r})")
    return differ, keys, 0, 0


def main():
    dump_path, path, *wanted_readers = sys.argv[1:]
    sys.setrecursionlimit(10_000)
    wanted = dump(dump_path)
    failed = False
    for reader, read in (("registry", registry), ("libregf", libregf), ("regipy", regipy), ("hivexml", hivexml), ("reged", None)):
        if wanted_readers and reader not in wanted_readers:
            continue
        if reader in ("hivexml", "reged") and not shutil.which(reader):
            print(f"SKIPPED: {reader} is not installed")
            continue
        if reader == "reged" and any(ord(c) > 255 for names, key in wanted.items() for n in names + tuple(v[0] for v in key[2]) for c in n):
            print("reged: not asked, since it stops at names beyond Latin-1")
            continue
        begun = time.time()
        try:
            differ, keys, values, lost = reged(wanted, path) if read is None else compare(reader, read, wanted, path)
        except ImportError as error:
            print(f"SKIPPED: {reader}: {error}")
            continue
        alike = f", {lost} keys with or below names that it does not tell apart" if lost else ""
        print(f"{reader}: {keys} keys, {values} values, {len(differ)} differences, {time.time() - begun:.1f} s{alike}")
        for line in differ[:10]:
            print("  " + line)
        failed |= bool(differ)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
