# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Tests the play for Windows Server 2003 on a Samba server that, like Server 2003, supports only SMB 1."""

from __future__ import annotations

import collections.abc
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

import pytest
from conftest import EXPORT, ROOT, Site, binary

PLAY = ROOT / "ansible/ansible_collections/kbfix/windows/examples/server2003.yml"
PASSWORD = "correct-horse-battery"  # noqa: S105
KEYS = ("Microsoft\\Cryptography]", "Exchange\\Setup]", "\\ComputerName]", "Services\\MSExchangeWEB")
NEEDED = [program for program in ("smbd", "pdbedit", "net", "smbclient") if shutil.which(program) is None]

pytestmark = pytest.mark.skipif(bool(NEEDED), reason=f"not installed: {', '.join(NEEDED)}")


@pytest.fixture
def server(tmp_path: pathlib.Path) -> collections.abc.Iterator[tuple[pathlib.Path, int]]:
    """Returns the folder and the port of a running server with the registry and the drive of the example machine."""
    folder = tmp_path / "smbd"
    names = ["private", "state", "cache", "lock", "pid", "ncalrpc", "share", "log"]
    for name in names:
        (folder / name).mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = ["private dir", "state directory", "cache directory", "lock directory", "pid directory", "ncalrpc dir"]
    lines = ["[global]", "server role = standalone server", "interfaces = 127.0.0.1/8", "bind interfaces only = yes"]
    lines += [f"smb ports = {port}", "disable netbios = yes", "server min protocol = NT1", "server max protocol = NT1"]
    lines += [f"{name} = {folder}/{name.split()[0]}" for name in own]
    lines += [f"log file = {folder}/log/%m", "passdb backend = tdbsam", "load printers = no", "disable spoolss = yes"]
    lines += ["[C$]", f"path = {folder}/share", "read only = no"]
    configuration = folder / "smb.conf"
    configuration.write_text("\n".join(lines) + "\n")
    user = pwd.getpwuid(os.getuid()).pw_name
    told = f"{PASSWORD}\n{PASSWORD}\n"
    subprocess.run(["pdbedit", "-s", configuration, "-a", "-t", "-u", user], input=told, text=True, check=True, capture_output=True)
    auth = folder / "auth"
    auth.write_text(f"username = {user}\npassword = {PASSWORD}\n")
    auth.chmod(0o600)
    with open(folder / "out", "wb") as out:
        smbd = subprocess.Popen(["smbd", "-s", configuration, "-F"], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        seed(folder, port)
        yield folder, port
    finally:
        smbd.terminate()
        smbd.wait()
        pid = folder / "pid/samba-dcerpcd.pid"
        if pid.exists():
            os.kill(int(pid.read_text()), signal.SIGTERM)


def net(folder: pathlib.Path, port: int, *arguments: str | pathlib.Path) -> subprocess.CompletedProcess[str]:
    start = ["net", "rpc", "registry", "-s", "/dev/null", "--option=client min protocol=NT1", "-S", "127.0.0.1"]
    return subprocess.run(
        [*start, "-p", str(port), "-A", folder / "auth", *arguments],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "LC_ALL": "C"},
    )


def seed(folder: pathlib.Path, port: int) -> None:
    sections = EXPORT.read_text(encoding="utf-8-sig").replace("\r\n", "\n").split("\n\n")
    text = "\n\n".join(["Windows Registry Editor Version 5.00", *(s for s in sections if any(key in s for key in KEYS))])
    export = folder / "seed.reg"
    export.write_bytes(("\ufeff" + text + "\n\n").replace("\n", "\r\n").encode())
    until = time.monotonic() + 60
    while net(folder, port, "import", export).returncode != 0:
        assert time.monotonic() < until, (folder / "out").read_text()
        time.sleep(0.2)
    subprocess.run([binary(), "example", folder / "example"], check=True, capture_output=True)
    shutil.copytree(folder / "example/Program Files", folder / "share/Program Files")


# With each ansible-core, test_a_jump_host plays the same without a server.
@pytest.mark.once
def test_the_play_for_server_2003(site: Site, server: tuple[pathlib.Path, int]) -> None:
    folder, port = server
    site.host("old1", kbfix_target=f"smb://127.0.0.1:{port}?smb1", kbfix_state_dir=str(folder / "kbfix"))
    site.hosts["jump"] = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    text = PLAY.read_text().replace("hosts: server2003", "hosts: old1")
    (site.folder / "server2003.yml").write_text(text)
    variables = ["-e", "kbfix_jump_host=jump", "-e", f"kbfix_smb_auth_file={folder}/auth"]

    def play(*arguments: str) -> tuple[tuple[int, int], str]:
        run = site.play("server2003.yml", *variables, *arguments, XDG_STATE_HOME=str(folder / "state-home"))
        assert PASSWORD not in run.output
        return run.counts("old1"), run.output

    def hint() -> str:
        key = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeWEB\\DAV"
        return net(folder, port, "getvalueraw", key, "DisableRealmHint").stdout.strip()

    counts, output = play("--check", "--diff")
    assert counts == (1, 0) and '+"DisableRealmHint"=dword:00000001' in output, output
    assert hint() == ""
    counts, output = play()
    assert counts == (1, 0) and "[old1 -> jump]" in output, output
    assert hint() == "1"
    assert play()[0] == (0, 0)
    counts, output = play("-e", f"kbfix_smb_auth_file={folder}/nothing")
    assert counts == (0, 1) and "credentials" in output, output
