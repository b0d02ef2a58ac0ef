# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Tests plays on the live registry of Wine: the real kbfix.exe, called through the payload of the real win_command."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import typing as t

import pytest
from conftest import Site

EXE = os.environ.get("KBFIX_WINDOWS_BINARY")
WINE = os.environ.get("KBFIX_WINE")
PREFIX = os.environ.get("WINEPREFIX")
pytestmark = pytest.mark.skipif(not (EXE and WINE and PREFIX), reason="no kbfix.exe or no Wine")

KEY = r"HKLM\SOFTWARE\kbfix-test-ansible"
SPEC = """kbfix: 1
id: T1
title: A test
registry:
  - key: HKLM\\SOFTWARE\\kbfix-test-ansible\\Größe
    values:
      Number: { type: REG_DWORD, data: 7 }
      Text ü: { type: REG_SZ, data: 'Ünïcödé 雪 "q" \\ 100% $HOME' }
restart: { computer: required, services: [LanmanServer] }
"""
BLOCKED = (
    SPEC
    + """prerequisites:
  - title: A service pack
    registry: { key: HKLM\\SOFTWARE\\kbfix-test-ansible, name: Pack, at_least: 2 }
"""
)
DIFF = r"""--- before: [HKEY_LOCAL_MACHINE\SOFTWARE\kbfix-test-ansible\Größe]
+++ after: [HKEY_LOCAL_MACHINE\SOFTWARE\kbfix-test-ansible\Größe]
@@ -0,0 +1,3 @@
+[HKEY_LOCAL_MACHINE\SOFTWARE\kbfix-test-ansible\Größe]
+"Number"=dword:00000007
+"Text ü"="Ünïcödé 雪 \"q\" \\ 100% $HOME"
"""


def reg(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Runs reg.exe of Wine, an independent reader and writer."""
    return subprocess.run([str(WINE), "reg", *arguments], capture_output=True, check=False, timeout=300)


@pytest.fixture
def windows(site: Site) -> t.Iterator[Site]:
    program = pathlib.Path(str(PREFIX)) / "drive_c/Program Files/kbfix/kbfix.exe"
    assert reg("query", "HKLM").returncode == 0  # makes the prefix
    program.parent.mkdir(exist_ok=True)
    shutil.copy(str(EXE), program)
    site.environment["ANSIBLE_PIPELINING"] = "1"
    site.host("wine1", ansible_connection="wine", ansible_shell_type="powershell")
    site.spec("T1.yaml", SPEC)
    site.spec("blocked.yaml", BLOCKED)
    reg("delete", KEY, "/f")
    yield site
    reg("delete", KEY, "/f")


def test_from_check_to_rollback_on_the_live_registry(windows: Site) -> None:
    options = {"src": ["T1.yaml"]}
    assert windows.task(options, module="kb_info").counts("wine1") == (0, 0)
    check = windows.task(options, "--check", "--diff")
    assert check.counts("wine1") == (1, 0), check.output
    assert DIFF in check.output
    assert reg("query", KEY).returncode != 0

    run = windows.task(options, "--diff", "-v")
    assert run.counts("wine1") == (1, 0), run.output
    assert DIFF in run.output
    assert '"reboot_required": true' in run.output
    found = reg("query", KEY, "/s").stdout.decode(errors="replace")
    assert "Number    REG_DWORD    0x7" in found, found
    assert windows.task(options).counts("wine1") == (0, 0)

    assert reg("add", KEY + "\\Größe", "/v", "Number", "/t", "REG_DWORD", "/d", "8", "/f").returncode == 0
    kept = windows.task({"last": True}, module="kb_rollback")
    assert kept.counts("wine1") == (0, 1) and "Number" in kept.output
    forced = windows.task({"last": True, "force": True}, "--diff", module="kb_rollback")
    assert forced.counts("wine1") == (1, 0), forced.output
    assert reg("query", KEY).returncode != 0


def test_blocked_then_done(windows: Site) -> None:
    blocked = windows.task({"src": ["blocked.yaml"]})
    assert blocked.counts("wine1") == (0, 1)
    assert "A service pack" in blocked.output and "wanted 2 or higher" in blocked.output
    reg("add", KEY, "/v", "Pack", "/t", "REG_DWORD", "/d", "2", "/f")
    assert windows.task({"src": ["blocked.yaml"]}).counts("wine1") == (1, 0)


def test_a_plan_is_made_reviewed_and_carried_out(windows: Site) -> None:
    reports = windows.folder / "reports"
    src = ["-e", f'{{"kbfix_src": ["{windows.folder}/files/T1.yaml"], "kbfix_reports": "{reports}"}}']
    assert windows.play("kbfix.windows.audit", *src).code == 0
    assert "Text ü" in (reports / "wine1.md").read_text(encoding="utf-8")
    options = {"plan": str(reports / "wine1.plan.json")}
    assert windows.task(options, "--check").counts("wine1") == (1, 0)
    assert windows.task(options).counts("wine1") == (1, 0)
    again = windows.task(options, "-v")
    assert again.counts("wine1") == (0, 0) and "the plan was already applied" in again.output, again.output
    assert reg("add", KEY + "\\Größe", "/v", "Number", "/t", "REG_DWORD", "/d", "8", "/f").returncode == 0
    stale = windows.task(options)
    assert stale.counts("wine1") == (0, 1) and "[plan-stale]" in stale.output


def test_spec_errors_and_parameters(windows: Site) -> None:
    windows.spec("broken.yaml", SPEC.replace("data: 7", "dta: 7"))
    broken = windows.task({"src": ["T1.yaml", "broken.yaml"]})
    assert "broken.yaml:7:" in broken.output, broken.output
    bad = windows.task({"src": ["T1.yaml"], "parameters": {"nope": "ü"}})
    assert bad.counts("wine1") == (0, 1) and "nope" in bad.output


def test_binaries_that_cannot_start(windows: Site) -> None:
    missing = windows.task({"src": ["T1.yaml"], "binary_path": r"C:\nowhere\kbfix.exe"})
    assert r"C:\nowhere\kbfix.exe does not exist; install it with the role kbfix.windows.install" in missing.output, missing.output
    text = pathlib.Path(str(PREFIX)) / "drive_c/text.exe"
    text.write_text("no program")
    assert "is not a program for this Windows" in windows.task({"src": ["T1.yaml"], "binary_path": r"C:\text.exe"}).output
    foreign = windows.task({"src": ["T1.yaml"], "binary_path": r"C:\windows\system32\reg.exe"})
    assert "is not kbfix, or too old" in foreign.output, foreign.output
