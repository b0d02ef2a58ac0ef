# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Shared parts of the play tests: machines to change, an inventory, and ansible-playbook with its recap."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import typing as t

import pytest

ROOT = pathlib.Path(__file__).parents[3]
SPECS = ROOT / "specs"
EXPORT = ROOT / "examples/front-end.reg"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "once: played with one ansible-core, since the answer comes from kbfix and is the same with each")


def binary() -> pathlib.Path:
    return pathlib.Path(os.environ["KBFIX_LINUX_BINARY"])


@dataclasses.dataclass
class Played:
    """A finished ansible-playbook."""

    code: int
    output: str

    def recap(self, host: str) -> dict[str, int]:
        line = re.search(rf"^{re.escape(host)}\s+: (.*)$", self.output, re.M)
        assert line, self.output
        return {name: int(n) for name, n in re.findall(r"(\w+)=(\d+)", line[1])}

    def counts(self, host: str) -> tuple[int, int]:
        """Returns the numbers of changed and of failed tasks."""
        recap = self.recap(host)
        return recap["changed"], recap["failed"]


@dataclasses.dataclass
class Task:
    """One of several tasks of a play, on its only host."""

    outcome: str  # ok, changed or fatal
    output: str


class Site:
    """A folder with an inventory, specs in files/, and plays."""

    def __init__(self, folder: pathlib.Path, **environment: str) -> None:
        self.folder = folder
        self.hosts: dict[str, dict[str, t.Any]] = {}
        self.environment = environment
        files = folder / "files"
        files.mkdir(parents=True)
        shutil.copy(SPECS / "KB909094.yaml", files)

    def host(self, name: str, **variables: t.Any) -> None:
        self.hosts[name] = variables

    def exchange(self, name: str, export: t.Callable[[bytes], bytes] = bytes, dll: str = "new") -> pathlib.Path:
        """Adds a host with a copy of the example machine, whose registry is edited by `export`. Returns its folder."""
        machine = self.folder / name
        machine.mkdir()
        subprocess.run([binary(), "example", machine / "C"], check=True, capture_output=True)
        registry = machine / "front-end.reg"
        renamed = EXPORT.read_bytes().replace(b"FRONTEND1", name.upper().encode())
        registry.write_bytes(export(renamed))
        if dll == "old":
            old_dll(machine / "C/Program Files/Exchsrvr/bin/exprox.dll")
        self.host(
            name,
            ansible_connection="local",
            ansible_python_interpreter="{{ ansible_playbook_python }}",
            kbfix_target=f"reg:{registry}",
            kbfix_files=str(machine / "C"),
            kbfix_state_dir=str(machine / "state"),
        )
        return machine

    def spec(self, name: str, text: str) -> None:
        (self.folder / "files" / name).write_text(text, encoding="utf-8")

    def play(self, playbook: str | list[t.Any], *arguments: str, **environment: str) -> Played:
        """Runs a playbook of a collection, a playbook file, or the given plays."""
        if isinstance(playbook, list):
            path = self.folder / "play.yml"
            path.write_text(json.dumps(playbook, ensure_ascii=False), encoding="utf-8")
            playbook = str(path)
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps({"exchange": {"hosts": self.hosts}}), encoding="utf-8")
        # The playbooks of the collection need the names of the hosts.
        hosts = ["-e", "kbfix_hosts=all"] if playbook.startswith("kbfix.windows.") else []
        command = ["ansible-playbook", "-i", str(inventory), playbook, *hosts, *arguments]
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # a message belongs to the task before it
            check=False,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **self.environment, **environment},
            encoding="utf-8",
            timeout=300,
        )
        return Played(done.returncode, _with_messages(done.stdout))

    def task(self, options: dict[str, t.Any], *arguments: str, module: str = "kb", **keywords: t.Any) -> Played:
        """Runs one task on every host. `environment` is the environment of ansible-playbook."""
        environment = keywords.pop("ansible", {})
        common = {"target": "{{ kbfix_target | default(omit) }}", "files": "{{ kbfix_files | default(omit) }}"}
        if module != "kb_info":
            common["state_dir"] = "{{ kbfix_state_dir | default(omit) }}"
        task = {f"kbfix.windows.{module}": {**common, **options}, "name": "the task", **keywords}
        play = {"name": "the play", "hosts": "all", "gather_facts": False, "tasks": [task]}
        return self.play([play], *arguments, **environment)

    def tasks(self, tasks: list[dict[str, t.Any]], *arguments: str, module: str = "kb") -> list[Task]:
        """Runs tasks with these options one after another on the only host, even if one fails."""
        common = {"target": "{{ kbfix_target }}", "files": "{{ kbfix_files }}", "state_dir": "{{ kbfix_state_dir }}"}
        if module == "kb_info":
            del common["state_dir"]
        listed = [
            {"name": f"task {n}", f"kbfix.windows.{module}": {**common, **options}, "ignore_errors": True}
            for n, options in enumerate(tasks)
        ]
        return self.each_task(self.play([{"name": "the play", "hosts": "all", "gather_facts": False, "tasks": listed}], *arguments))

    @staticmethod
    def each_task(played: Played) -> list[Task]:
        """Returns what a play printed, for each task that is named `task N`."""
        found = []
        for part in re.split(r"^TASK \[task \d+\]", played.output.partition("PLAY RECAP")[0], flags=re.M)[1:]:
            outcome = re.search(r"^(ok|changed|fatal): \[", part, re.M)
            assert outcome, played.output
            found.append(Task(outcome[1], _with_messages(part)))
        return found


def _with_messages(output: str) -> str:
    """Returns the output with the message of each failure as text, as ansible-core 2.19 and later print it (earlier: only in JSON)."""
    if "[ERROR]: Task failed" in output:
        return output
    results = re.findall(r"FAILED! => (\{.*\})$", output, re.M)
    return "\n".join([output, *(str(json.loads(result).get("msg")) for result in results)])


def old_dll(path: pathlib.Path) -> None:
    """Gives the DLL the version before the hotfix, in its VS_FIXEDFILEINFO."""
    data = bytearray(path.read_bytes())
    at = data.index(b"\xbd\x04\xef\xfe") + 8
    data[at : at + 8] = bytes.fromhex("05000600") + (1).to_bytes(2, "little") + (7638).to_bytes(2, "little")
    path.write_bytes(data)


def in_desired_state(registry: bytes) -> bytes:
    key = rb"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV]"
    end = b"\r\n" if b"\r\n" in registry else b"\n"
    return registry + end + key + end + b'"DisableRealmHint"=dword:00000001' + end


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Site:
    return Site(tmp_path / "site")


@pytest.fixture
def three(site: Site) -> Site:
    """One host with changes pending, one in desired state, one blocked."""
    site.exchange("pending1")
    site.exchange("desired1", in_desired_state)
    site.exchange("blocked1", dll="old")
    return site
