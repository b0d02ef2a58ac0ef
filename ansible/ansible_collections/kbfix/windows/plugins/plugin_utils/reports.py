# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a look leaves in a folder of the controller for each host: report and plan, or a snapshot."""

from __future__ import annotations

import json
import os
import pathlib
import tempfile

from .failure import KbfixFailure
from .report_types import Report

_JSON, _MARKDOWN, _PLAN = "json", "md", "plan.json"


def clear(folder: str, host: str) -> None:
    """Removes what an earlier look left, so that no old plan stands where nothing is to change or the host cannot be read."""
    for end in (_JSON, _MARKDOWN, _PLAN):
        _remove(_path(folder, host, end))


def clear_snapshot(folder: str, host: str) -> None:
    """Removes the snapshot of an earlier run, so that none stands for a host that cannot be read now."""
    _remove(_path(folder, host, _JSON))


def write_snapshot(folder: str, host: str, text: str) -> str:
    """Writes the snapshot, whole or not at all, and returns its path. It is for its owner only, as `kbfix snapshot` does it."""
    return _write(_path(folder, host, _JSON), text, private=True)


def _remove(path: pathlib.Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise KbfixFailure(f"{path} cannot be removed: {error.strerror}") from error


def write(folder: str, host: str, report: Report) -> dict[str, str]:
    """Writes the files, each whole or not at all, and returns their paths; there is a plan where something is to change.

    As `kbfix diff --out` does it, the plan is for the owner of the file only, since it holds sensitive data too.
    """
    rest = {name: data for name, data in report.items() if name not in ("plan", "markdown")}
    texts = {_JSON: json.dumps(rest, ensure_ascii=False, indent=2) + "\n", _MARKDOWN: report.get("markdown") or ""}
    if any(spec.get("changes") for spec in report["specs"] if spec["outcome"] == "changes_pending"):
        texts[_PLAN] = report.get("plan") or ""
    return {end: _write(_path(folder, host, end), text, private=end == _PLAN) for end, text in texts.items()}


def _path(folder: str, host: str, end: str) -> pathlib.Path:
    if "/" in host or os.sep in host:
        raise KbfixFailure(f"the host {host} cannot name a file; give it another name in the inventory")
    if taken := _taken(host):
        raise KbfixFailure(f"the host {host} would take the name of {taken}; give it another name in the inventory")
    return pathlib.Path(folder, f"{host}.{end}")


def _taken(host: str) -> str | None:
    """The file of another host or of the playbook audit that a file of this host would replace; not every system tells cases apart."""
    name = host.lower()
    if name == "index":
        return f"index.{_MARKDOWN}"
    return f"{host[:-5]}.{_PLAN}" if name.endswith(".plan") else None


def _write(path: pathlib.Path, text: str, private: bool) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", dir=path.parent, delete=False) as file:
            file.write(text)
        # The temporary file is private already.
        if not private:
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(file.name, 0o666 & ~mask)
        os.replace(file.name, path)
    except OSError as error:
        raise KbfixFailure(f"{path} cannot be written: {error.strerror}") from error
    return str(path)
