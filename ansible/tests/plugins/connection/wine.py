# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Test only: a Windows host made of Wine.

Wine has no PowerShell. So the manifest that Ansible sends to a Windows host, made by the real win_command from ansible.windows, is
decoded here, and what win_command would do with it is done natively: start the program with its arguments and standard input. Any
other module fails. Ansible's pipelining must be on, since without it the payload is copied to a file first.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: wine
short_description: Carry out ansible.windows.win_command payloads under Wine
description: Test only.
author: The kbfix authors
extends_documentation_fragment: [connection_pipelining]
"""

WIN_COMMAND = "ansible.windows.plugins.modules.win_command.ps1"
OPTIONS = {"argv", "stdin", "output_encoding_override"}
ERROR_FILE_NOT_FOUND, ERROR_BAD_EXE_FORMAT = 2, 193
Reply = tuple[int, bytes, bytes]


class Connection(ConnectionBase):
    transport = "wine"
    module_implementation_preferences = (".ps1", ".exe", "")
    allow_executable = False
    has_pipelining = True

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        self._shell_type = "powershell"
        super().__init__(*args, **kwargs)

    def _connect(self) -> Connection:
        self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> Reply:
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        if not in_data:
            raise AnsibleConnectionFailure("only pipelined modules can run under Wine: " + cmd[:80])
        _log_size(in_data)
        params = json.loads(in_data.split(b"\n\0\0\0\0\n")[1])["actions"][-1]["params"]
        if not params["Script"].endswith(WIN_COMMAND):
            return _reply(failed=True, msg=f"{params['Script']} cannot run under Wine")
        return _win_command(next(v["Value"] for v in params["Variables"] if v["Name"] == "complex_args"))

    def put_file(self, in_path: str, out_path: str) -> None:
        raise AnsibleConnectionFailure("files are not copied under Wine")

    def fetch_file(self, in_path: str, out_path: str) -> None:
        raise AnsibleConnectionFailure("files are not copied under Wine")

    def close(self) -> None:
        self._connected = False


def _log_size(payload: bytes) -> None:
    """Records, for the benchmark and the tests, how many bytes were sent to the host and in how many calls."""
    log = os.environ.get("KBFIX_PAYLOAD_LOG")
    if log:
        with open(log, "a", encoding="ascii") as file:
            file.write(f"{len(payload)}\n")


def _win_command(options: dict[str, t.Any]) -> Reply:
    given = {name for name, value in options.items() if not name.startswith("_") and value is not None}
    if given - OPTIONS:
        return _reply(failed=True, msg=f"not imitated here: {sorted(given - OPTIONS)}")
    if options.get("_ansible_check_mode"):
        return _reply(changed=False, skipped=True, msg="remote module does not support check mode")
    if not options.get("_ansible_no_log"):
        return _reply(failed=True, msg="the real module would write its input to the event log")
    argv = options["argv"]
    program = _unix_path(argv[0])
    if not program.is_file():
        return _not_started(argv, ERROR_FILE_NOT_FOUND, "The system cannot find the file specified")
    if program.read_bytes()[:2] != b"MZ":
        return _not_started(argv, ERROR_BAD_EXE_FORMAT, "The specified executable is not a valid application for this OS platform.")
    stdin = (options.get("stdin") or "").encode()
    process = subprocess.run([_wine(), *argv], input=stdin, capture_output=True, check=False)
    answer = {"changed": True, "rc": process.returncode, "cmd": " ".join(argv)}
    answer |= {"stdout": process.stdout.decode(), "stderr": process.stderr.decode()}
    if process.returncode:
        answer |= {"failed": True, "msg": "non-zero return code"}
    return _reply(**answer)


def _not_started(argv: list[str], code: int, why: str) -> Reply:
    msg = f'Failed to run: \'{" ".join(argv)}\': Exception calling "CreateProcess": "{why}"'
    return _reply(failed=True, changed=False, rc=code, cmd=" ".join(argv), msg=msg)


def _reply(**answer: t.Any) -> Reply:
    return 0, json.dumps(answer).encode(), b""


def _wine() -> str:
    return os.environ.get("KBFIX_WINE", "wine")


def _unix_path(path: str) -> pathlib.Path:
    """Returns the path of a file on drive C of the prefix on this machine. Ignores case."""
    drive, _separator, rest = path.replace("\\", "/").partition(":/")
    here = pathlib.Path(os.environ["WINEPREFIX"], "dosdevices", drive.lower() + ":")
    for part in pathlib.PurePosixPath(rest).parts:
        names = {p.name.lower(): p for p in here.iterdir()} if here.is_dir() else {}
        here = names.get(part.lower(), here / part)
    return here
