"""Reads and writes the registry of another machine over MS-RRP, through Samba's Python bindings, for kbfix's `smb:`.

Input: one line of JSON on standard input, `Request` in protocol.rs. Output: one JSON document, `Document` there.
The caller keeps standard input open. When it ends, the caller is gone, and nothing more is written.

Source: Microsoft, [MS-RRP] "Windows Remote Registry Protocol".
"""

import json
import select
import sys

MAXIMUM_ALLOWED = 0x02000000
KEY_QUERY_VALUE, KEY_SET_VALUE, KEY_CREATE_SUB_KEY, KEY_ENUMERATE_SUB_KEYS = 0x1, 0x2, 0x4, 0x8
READ_CONTROL = 0x00020000
# Owner, group and DACL; reading the audit entries requires a privilege.
SECURITY_PARTS = 0x1 | 0x2 | 0x4
INSUFFICIENT_BUFFER = 122
# Only used for the 32-bit view: the default is the machine's own view, and systems without views refuse the flag.
KEY_WOW64_32KEY = 0x0200
FILE_NOT_FOUND, MORE_DATA, NO_MORE_ITEMS = 2, 234, 259
ALREADY_EXISTS = 183
# Opens a link itself; its value holds the target.
REG_OPTION_OPEN_LINK, REG_LINK, LINK_VALUE = 8, 6, "SymbolicLinkValue"
NOT_SUPPORTED = 50
CREATED_NEW_KEY = 1
# The longest names in the registry, in bytes with their NUL.
KEY_NAME, VALUE_NAME = 512, 32768
# A key with few values is listed as a whole, because only a listing shows how a name is spelled. A listing needs one
# call for each value, so in a key with more values, the names are returned as the caller spells them.
FEW = 64
ROOTS = {"HKLM": "OpenHKLM", "HKU": "OpenHKU", "HKCC": "OpenHKCC"}


def main():
    request = json.loads(sys.stdin.readline())
    try:
        from samba import NTSTATUSError, WERRORError
    except ImportError as error:
        return {"failed": {"stage": "bindings", "code": 0, "text": str(error)}}
    failed = lambda stage, error: {"failed": {"stage": stage, "code": error.args[0] & 0xFFFFFFFF, "text": str(error.args[1])}}
    try:
        registry = Registry(request, WERRORError)
    except NTSTATUSError as error:
        return failed("connect", error)
    try:
        if request["write"]:
            return registry.write(request["write"])
        return {"answers": [registry.read(question) for question in request["read"]]}
    except NTSTATUSError as error:
        document = failed("call", error)
        document["failed"]["begun"] = registry.begun
        return document


class Link(Exception):
    """The requested key is a link that Windows did not make, or is below one."""

    def __init__(self, root, path, target):
        self.fault = {"code": NOT_SUPPORTED, "text": "a link", "link": {"root": root, "path": path, "to": target.hex()}}


class Registry:
    # The number of changes that may have been made.
    begun = 0

    def __init__(self, request, error):
        from samba import credentials, param
        from samba.dcerpc import winreg

        settings = param.LoadParm()
        for name, value in request["settings"].items():
            settings.set(name, value)
        account = credentials.Credentials()
        account.guess(settings)
        if request["auth_file"] is not None:
            account.parse_file(request["auth_file"], credentials.SPECIFIED)
        if request["user"] is not None:
            account.set_username(request["user"], credentials.SPECIFIED)
        if request["domain"] is not None:
            account.set_domain(request["domain"], credentials.SPECIFIED)
        if request["kerberos"]:
            account.set_kerberos_state(credentials.MUST_USE_KERBEROS)
        self.winreg, self.error, self.roots = winreg, error, {}
        # The paths that are known not to be links.
        self.no_links = set()
        self.pipe = winreg.winreg(f"ncacn_np:{request['host']}", settings, account)

    def string(self, text):
        string = self.winreg.String()
        string.name = text
        return string

    def buffer(self, kind, size):
        buffer = kind()
        buffer.name, buffer.size = "", size
        return buffer

    def root(self, name):
        if name not in self.roots:
            self.roots[name] = getattr(self.pipe, ROOTS[name])(None, MAXIMUM_ALLOWED)
        return self.roots[name]

    def open(self, place, access, options=0):
        if place["view"] == 32:
            access |= KEY_WOW64_32KEY
        return self.pipe.OpenKey(self.root(place["root"]), self.string(place["path"]), options, access)

    def refuse_links(self, place):
        """Checks each key on the way for links, because the protocol does not tell the real path of an opened key."""
        for root, path in place["way"]:
            if (root, path.casefold()) in self.no_links:
                continue
            try:
                key = self.pipe.OpenKey(self.root(root), self.string(path), REG_OPTION_OPEN_LINK, KEY_QUERY_VALUE)
            except self.error as error:
                if error.args[0] == FILE_NOT_FOUND:
                    return
                # Whether a key that the account may not read is a link is not known.
                continue
            value = self.value(key, LINK_VALUE, 1024)
            self.pipe.CloseKey(key)
            if value and value["type"] == REG_LINK:
                raise Link(root, path, bytes.fromhex(value["bytes"]))
            self.no_links.add((root, path.casefold()))

    def read(self, question):
        try:
            self.refuse_links(question)
            access = KEY_QUERY_VALUE | (KEY_ENUMERATE_SUB_KEYS if question["subkeys"] else 0)
            # Everything that would be lost with a key is read together with all of its values.
            whole = question["names"] is None
            options = REG_OPTION_OPEN_LINK if question["itself"] else 0
            key = self.open(question, access | (READ_CONTROL if whole else 0), options)
            found = {"values": [], "subkeys": None, "properties": None}
            if whole:
                found["properties"] = self.properties(key)
            if question["names"] != []:
                found["values"] = self.values(key, question["names"])
            if question["subkeys"]:
                found["subkeys"] = self.subkeys(key)
            self.pipe.CloseKey(key)
            return found
        except Link as link:
            return {"error": link.fault}
        except self.error as error:
            return {"error": fault(error)}

    def values(self, key, names):
        # An empty buffer for the key's class, which is not needed: with a larger one, a class that does not fit would
        # be an error.
        info = self.pipe.QueryInfoKey(key, self.winreg.String())
        count, size = info[4], info[6]
        if names is None or count <= FEW + 2 * len(names):
            return list(self.each(lambda index: self.value_at(key, index, size)))
        return [value for value in (self.value(key, name, size) for name in names) if value]

    def each(self, at):
        index = 0
        while True:
            try:
                yield at(index)
            except self.error as error:
                if error.args[0] == NO_MORE_ITEMS:
                    return
                raise
            index += 1

    def value_at(self, key, index, size):
        def call(size):
            name = self.buffer(self.winreg.ValNameBuf, VALUE_NAME)
            return self.pipe.EnumValue(key, index, name, 0, [], size, 0)

        name, kind, data, *_ = self.with_room(call, size)
        return {"name": name.name or "", "type": kind, "bytes": bytes(data).hex()}

    def value(self, key, name, size):
        try:
            kind, data, *_ = self.with_room(lambda size: self.pipe.QueryValue(key, self.string(name), 0, [], size, 0), size)
            return {"name": name, "type": kind, "bytes": bytes(data).hex()}
        except self.error as error:
            if error.args[0] == FILE_NOT_FOUND:
                return None
            return {"name": name, "type": 0, "bytes": "", "error": fault(error)}

    def with_room(self, call, size):
        """Calls with a growing buffer: data can have grown since the key reported the size of its longest value."""
        while True:
            try:
                return call(size)
            except self.error as error:
                if error.args[0] != MORE_DATA or size > 1 << 30:
                    raise
                size = max(2 * size, 1024)

    def properties(self, key):
        try:
            return {"class": self.class_of(key), "security": self.security(key).hex()}
        except self.error as error:
            return {"error": fault(error)}

    def class_of(self, key):
        units = 256
        while True:
            try:
                # The buffer for the answer has the length of the string that is sent.
                return self.pipe.QueryInfoKey(key, self.string(units * "x"))[0].name or ""
            except self.error as error:
                if error.args[0] != MORE_DATA or units > 1 << 14:
                    raise
                units *= 2

    def security(self, key):
        room = self.winreg.KeySecurityData()
        room.size = 4096
        while True:
            try:
                found = self.pipe.GetKeySecurity(key, SECURITY_PARTS, room)
                return bytes(found.data[:found.len])
            except self.error as error:
                if error.args[0] not in (INSUFFICIENT_BUFFER, MORE_DATA) or room.size > 1 << 20:
                    raise
                room.size *= 2

    def subkeys(self, key):
        def at(index):
            name = self.buffer(self.winreg.StringBuf, KEY_NAME)
            kind = self.buffer(self.winreg.StringBuf, KEY_NAME)
            return self.pipe.EnumKey(key, index, name, kind, 0)[0].name

        return list(self.each(at))

    def write(self, changes):
        # The change that is being made, and the name of the value in it.
        self.at, self.name = 0, None
        failed = lambda fault: {"failed": {"stage": "write", "at": self.at, "name": self.name, "begun": self.begun, **fault}}
        try:
            self.make(changes)
        except Link as link:
            return failed(link.fault)
        except self.error as error:
            return failed(fault(error))
        return {}

    def make(self, changes):
        # Created keys whose security descriptors are not set yet. A descriptor can forbid creating subkeys, so it is
        # set after them.
        unsecured = []
        for index, change in enumerate(changes):
            self.secure(unsecured, change)
            self.at = index
            self.refuse_links(change)
            alone()
            self.begun = index + 1
            key = self.prepared(change)
            for value in change["values"]:
                self.name = value["name"]
                alone()
                self.set(key, value)
            self.name = None
            if key is not None and change["properties"]:
                unsecured.append((index, change, key))
            elif key is not None:
                self.pipe.CloseKey(key)
        self.secure(unsecured, None)
        self.flush(changes)

    def flush(self, changes):
        """Flushes the hives of the changes to disk. Keys with the same first three names are in one hive."""
        hives = {}
        for index, change in enumerate(changes):
            hives[(change["root"], *change["path"].casefold().split("\\")[:3])] = (index, change)
        for self.at, change in hives.values():
            path = change["path"]
            while True:
                try:
                    key = self.open({**change, "path": path}, KEY_QUERY_VALUE)
                    break
                except self.error as error:
                    # A deleted key is in the hive of the key above it.
                    if error.args[0] != FILE_NOT_FOUND or "\\" not in path:
                        raise
                    path = path.rpartition("\\")[0]
            self.pipe.FlushKey(key)
            self.pipe.CloseKey(key)

    def prepared(self, change):
        """Makes the change of the key itself; returns the open key, or None where it was deleted."""
        if change["action"] == "update":
            return self.open(change, KEY_SET_VALUE)
        above, _, last = change["path"].rpartition("\\")
        parent = self.open({**change, "path": above}, KEY_CREATE_SUB_KEY)
        if change["action"] == "delete":
            self.pipe.DeleteKey(parent, self.string(last))
            self.pipe.CloseKey(parent)
            return None
        access = MAXIMUM_ALLOWED | (KEY_WOW64_32KEY if change["view"] == 32 else 0)
        class_name = (change["properties"] or {}).get("class") or ""
        key, action = self.pipe.CreateKey(parent, self.string(last), self.string(class_name), 0, access, None, 0)
        self.pipe.CloseKey(parent)
        if action != CREATED_NEW_KEY:
            # This change did not create the key.
            self.begun -= 1
            raise self.error(ALREADY_EXISTS, "the key is there already")
        return key

    def secure(self, unsecured, following):
        """Sets the descriptors of the keys that the following change is not below, the lowest first."""
        above = lambda change: following and (following["path"].casefold() + "\\").startswith(change["path"].casefold() + "\\")
        while unsecured and not above(unsecured[-1][1]):
            self.at, change, key = unsecured.pop()
            alone()
            data = self.winreg.KeySecurityData()
            descriptor = bytes.fromhex(change["properties"]["security"])
            data.data, data.size, data.len = list(descriptor), len(descriptor), len(descriptor)
            self.pipe.SetKeySecurity(key, SECURITY_PARTS, data)
            self.pipe.CloseKey(key)

    def set(self, key, value):
        if value["bytes"] is None:
            self.pipe.DeleteValue(key, self.string(value["name"]))
        else:
            data = list(bytes.fromhex(value["bytes"]))
            self.pipe.SetValue(key, self.string(value["name"]), value["type"], data)


def fault(error):
    return {"code": error.args[0] & 0xFFFFFFFF, "text": str(error.args[1])}


def alone():
    """Ends the program if the caller no longer waits for it."""
    if select.select([sys.stdin], [], [], 0)[0]:
        sys.exit(1)


if __name__ == "__main__":
    json.dump(main(), sys.stdout)
