# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Reads the report of kbfix from the result of the command module. If there is no report, the message says why.

Of what a program wrote instead of a report, the message quotes only findings of kbfix, the line of a refused command line, and the place of
a crash, because another program may have repeated a secret spec.
"""

from __future__ import annotations

import json
import re
import typing as t

from .command import Call
from .failure import KbfixFailure
from .report_types import Report

REPORT_VERSION = 1
INSTALL_HINT = "install it with the role kbfix.windows.install, or give its path in binary_path"
UPDATE_HINT = "update it with the role kbfix.windows.install"

Raw = t.Mapping[str, t.Any]

# Codes of CreateProcess: Microsoft, "System Error Codes".
_NOT_STARTED_WINDOWS = {
    2: "does not exist",
    3: "does not exist, and neither does its folder",
    5: "may not be run by this user",
    193: "is not a program for this Windows",
    216: "is built for another processor than that of this machine",
    225: "was stopped by the virus scanner",
    740: "needs an elevated session",
    1260: "is blocked by a group policy (AppLocker or software restriction)",
}
# The messages of the command module if it could not start a program or write to it: of ansible-core 2.19 and later, and of earlier
# versions.
_POSIX_GAVE_UP = ("Error executing command", "[Errno ")
_PIPE = 32
_NOT_STARTED_POSIX = {
    2: "does not exist",
    8: "is not a program for this system",
    13: "may not be run by this user",
    _PIPE: "ended before it read its input, so it is not kbfix, or is too old for an option of this task",
}
# NTSTATUS codes with which Windows ends a process that could not be loaded; 53 is the code of Wine.
_NOT_LOADED = {
    53: "a library that it needs is missing",
    0xC0000135: "a library that it needs is missing",
    0xC0000139: "this Windows is too old for it: a library lacks a function",
    0xC000007B: "it is built for another kind of processor than its libraries",
    0xC0000142: "a library that it needs did not start",
}
_PANIC = 101
_COMMAND_LINE_REFUSED = re.compile(
    r"^error: (unexpected argument|unrecognized subcommand|invalid value|the argument|the following required).*", re.MULTILINE
)


def read_report(raw: Raw, call: Call, windows: bool) -> Report:
    """Returns the report, after checking its version, its command and its exit code."""
    text = (raw.get("stdout") or "").strip()
    document = _parse(text)
    if document is None:
        raise KbfixFailure(_why_no_report(raw, text, call, windows))
    _check_version(document, call)
    if document.get("command") != call.command:
        raise KbfixFailure(
            f"{call.binary} was called with the command {call.command}, but reported {document.get('command')}; {UPDATE_HINT}"
        )
    if raw.get("rc", 0) != document.get("exit_code"):
        raise KbfixFailure(
            f"{call.binary} reported the exit code {document.get('exit_code')}, but ended with {_code(raw)}; "
            "check with `kbfix journal list` on the host whether something was changed"
        )
    return t.cast(Report, document)


def read_snapshot(raw: Raw, call: Call, windows: bool) -> str:
    """Returns the complete text of the snapshot that ``kbfix snapshot`` wrote."""
    text = str(raw.get("stdout") or "")
    document = _parse(text.strip(), "kbfix_snapshot")
    if raw.get("rc") == 0 and document is not None:
        return text
    # Only findings of kbfix itself are quoted, because they hide sensitive data.
    findings = re.findall(r"^error\[[a-z0-9-]+\]: .*", str(raw.get("stderr") or ""), re.MULTILINE)
    raise KbfixFailure("\n".join(findings) or _why_no_report(raw, text, call, windows))


def ended_before_it_read(raw: Raw, windows: bool) -> bool:
    """Returns whether the program closed its standard input early, so that the command module failed (EPIPE)."""
    return not windows and raw.get("rc") == _PIPE and str(raw.get("msg") or "").startswith(_POSIX_GAVE_UP)


def _parse(text: str, member: str = "kbfix_report") -> dict[str, t.Any] | None:
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) and member in document else None


def _check_version(document: Raw, call: Call) -> None:
    version = document["kbfix_report"]
    if version == REPORT_VERSION:
        return
    what = f"{call.binary} (kbfix {document.get('kbfix_version', 'of unknown version')}) writes reports of version {version}"
    newer = isinstance(version, int) and version > REPORT_VERSION
    hint = "update the collection kbfix.windows" if newer else UPDATE_HINT
    raise KbfixFailure(f"{what}, but this collection reads version {REPORT_VERSION}; {hint}")


def _why_no_report(raw: Raw, text: str, call: Call, windows: bool) -> str:
    return (
        _not_started(raw, call, windows)
        or _command_line_refused(raw, call)
        or _crashed(raw, call, windows)
        or _cut_off(text, call)
        or f"{call.binary} is not kbfix, or too old: it ended with exit code {_code(raw)} and wrote no report; {INSTALL_HINT}"
    )


def _not_started(raw: Raw, call: Call, windows: bool) -> str | None:
    message = str(raw.get("msg") or "")
    if "cmd" not in raw:  # the command module itself did not run, for example without Python or a temporary folder
        detail = str(raw.get("module_stderr") or "").strip().partition("\n")[0]
        return "; ".join(text for text in ("the host could not run the command module", message, detail) if text)
    if windows:
        if not message.startswith("Failed to run:"):
            return None
        code, reasons = raw.get("rc"), _NOT_STARTED_WINDOWS
    else:
        if not message.startswith(_POSIX_GAVE_UP):
            return None
        code, reasons = raw.get("rc"), _NOT_STARTED_POSIX
    reason = reasons.get(code) if isinstance(code, int) else None
    if reason is None:
        return f"the kbfix binary {call.binary} could not be started: {message}"
    return f"the kbfix binary {call.binary} {reason}; {INSTALL_HINT}"


def _command_line_refused(raw: Raw, call: Call) -> str | None:
    found = _COMMAND_LINE_REFUSED.search(str(raw.get("stderr") or ""))
    if raw.get("rc") != 2 or not found:
        return None
    return f"{call.binary} is too old for this task, or is not kbfix: it refused its command line ({found[0]}); {UPDATE_HINT}"


def _crashed(raw: Raw, call: Call, windows: bool) -> str | None:
    code = raw.get("rc")
    if not isinstance(code, int):
        return None
    code = code + (1 << 32) if windows and code < 0 else code
    if code in _NOT_LOADED and (windows or code != 53):
        return f"{call.binary} could not be loaded ({_hex(code)}): {_NOT_LOADED[code]}"
    signal = _signal(code, windows)
    panic = re.search(r"panicked at [^\n]*", str(raw.get("stderr") or ""))
    if not signal and not (code == _PANIC and panic):
        return None
    how = signal or f"exit code {code}, {panic[0] if panic else 'panicked'}"
    return f"{call.binary} crashed: {how}{_advice(call)}"


def _advice(call: Call) -> str:
    """Returns what to do if something may have been written; an empty string after a dry run or a command that writes nothing."""
    if call.command in ("diff", "snapshot") or "--check" in call.argv:
        return ""
    return "; `kbfix journal list` on the host shows whether changes were begun, and kb_rollback undoes them"


def _signal(code: int, windows: bool) -> str | None:
    if windows:
        return f"status {_hex(code)}" if code >= 0xC0000000 else None
    if code < 0:
        return f"signal {-code}"
    return f"signal {code - 128}" if 128 < code < 160 else None


def _cut_off(text: str, call: Call) -> str | None:
    if not text.startswith("{") or "kbfix_report" not in text[:100]:
        return None
    return f"the report of {call.binary} is cut off after {len(text)} characters{_advice(call)}"


def _code(raw: Raw) -> str:
    code = raw.get("rc")
    return _hex(code) if isinstance(code, int) and code >= 1 << 31 else str(code)


def _hex(code: int) -> str:
    return f"0x{code:08X}" if code > 255 else str(code)
