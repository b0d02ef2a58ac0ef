# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes the files of each host into a folder on the controller: report and plan, or a snapshot."""

from __future__ import annotations

import json
import os
import pathlib
import tempfile

from .failure import KbfixFailure
from .report_types import Report

_JSON, _MARKDOWN, _PLAN = "json", "md", "plan.json"
_RENAME = "give the host another name in the inventory"


def clear(folder: str, host: str) -> None:
    """Removes the files of an earlier task, so that no old plan remains if nothing must be changed or the host cannot be read."""
    for end in (_JSON, _MARKDOWN, _PLAN):
        _remove(_path(folder, host, end))


def clear_snapshot(folder: str, host: str) -> None:
    """Removes the snapshot of an earlier task, so that no old snapshot remains for a host that cannot be read now."""
    _remove(_path(folder, host, _JSON))


def write_snapshot(folder: str, host: str, text: str) -> str:
    """Writes the snapshot completely or not at all, and returns its path. Only its owner can read it, as with `kbfix snapshot`."""
    return _write(_path(folder, host, _JSON), text, private=True)


def _remove(path: pathlib.Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise KbfixFailure(f"{path} cannot be removed: {error.strerror}") from error


def write(folder: str, host: str, report: Report) -> dict[str, str]:
    """Writes the files, each completely or not at all, and returns their paths. There is a plan only if something must be changed.

    Only its owner can read the plan, as with `kbfix diff --out`, because it contains sensitive data too.
    """
    rest = {name: data for name, data in report.items() if name not in ("plan", "markdown")}
    texts = {_JSON: json.dumps(rest, ensure_ascii=False, indent=2) + "\n", _MARKDOWN: report.get("markdown") or ""}
    if any(spec.get("changes") for spec in report["specs"] if spec["outcome"] == "changes_pending"):
        texts[_PLAN] = report.get("plan") or ""
    return {end: _write(_path(folder, host, end), text, private=end == _PLAN) for end, text in texts.items()}


def _path(folder: str, host: str, end: str) -> pathlib.Path:
    if "/" in host or os.sep in host:
        raise KbfixFailure(f"the name of the host {host} cannot be part of a file name; {_RENAME}")
    if taken := _taken(host):
        raise KbfixFailure(f"the host name {host} is reserved, because a report of this host could replace {taken}; {_RENAME}")
    return pathlib.Path(folder, f"{host}.{end}")


def _taken(host: str) -> str | None:
    """Returns the file of another host, or of the playbook audit, that a report of this host could replace, in any letter case."""
    name = host.lower()
    if name == "index":
        return f"index.{_MARKDOWN}"
    return f"{host[:-5]}.{_PLAN}" if name.endswith(".plan") else None


def _write(path: pathlib.Path, text: str, private: bool) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", dir=path.parent, delete=False) as file:
            file.write(text)
        # Only the owner can read the temporary file.
        if not private:
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(file.name, 0o666 & ~mask)
        os.replace(file.name, path)
    except OSError as error:
        raise KbfixFailure(f"{path} cannot be written: {error.strerror}") from error
    return str(path)
