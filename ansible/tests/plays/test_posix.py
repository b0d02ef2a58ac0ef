# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Tests plays on exports and snapshots with the real binary on this machine."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Iterator

import pytest
import yaml
from conftest import SPECS, Played, Site, binary

COLLECTION = pathlib.Path(os.environ["KBFIX_COLLECTION"])
EXAMPLES = COLLECTION / "examples"
KEY = r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV]"
DIFF = f"""
--- before: {KEY}
+++ after: {KEY}
@@ -0,0 +1,2 @@
+{KEY}
+"DisableRealmHint"=dword:00000001

changed: [pending1]
"""
BLOCKED = r"C:\Program Files\Exchsrvr\bin\exprox.dll: found 6.5.7638.1 (x86), wanted 6.5.7651.19 or later (x86)"
SRC = {"src": ["KB909094.yaml"]}


def spec(value: str, ident: str = "T1") -> str:
    return f"""kbfix: 1
id: {ident}
title: A test
registry:
  - key: HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeWEB\\OWA
    values:
      {value}
"""


def test_three_hosts_from_check_to_audit(three: Site) -> None:
    # The installed examples, without other files of this repository.
    one_host, rollback_play = str(EXAMPLES / "one_host.yml"), str(EXAMPLES / "rollback.yml")
    before = [(three.folder / h / "front-end.reg").read_bytes() for h in three.hosts]

    check = three.play(one_host, "--check", "--diff")
    assert check.code == 2
    assert DIFF in check.output
    assert [check.counts(h) for h in three.hosts] == [(1, 0), (0, 0), (0, 1)]
    assert BLOCKED in check.output
    assert [(three.folder / h / "front-end.reg").read_bytes() for h in three.hosts] == before

    run = three.play(one_host, "--diff")
    assert [run.counts(h) for h in three.hosts] == [(1, 0), (0, 0), (0, 1)]
    assert DIFF in run.output
    assert "services to restart: IISADMIN" in run.output

    again = three.play(one_host, "--diff")
    assert [again.counts(h) for h in three.hosts] == [(0, 0), (0, 0), (0, 1)]
    assert "---" not in again.output

    look = three.play(rollback_play, "--check", "--diff")
    assert [look.counts(h) for h in three.hosts] == [(1, 0), (0, 0), (0, 0)]
    rollback = three.play(rollback_play, "--diff")
    assert [rollback.counts(h) for h in three.hosts] == [(1, 0), (0, 0), (0, 0)]
    assert f'\n@@ -1,2 +0,0 @@\n-{KEY}\n-"DisableRealmHint"=dword:00000001\n' in rollback.output
    assert [(three.folder / h / "front-end.reg").read_bytes() for h in three.hosts][1:] == before[1:]

    reports = three.folder / "reports"
    audit = three.play(
        "kbfix.windows.audit", "-e", json.dumps({"kbfix_src": [str(three.folder / "files/KB909094.yaml")], "kbfix_reports": str(reports)})
    )
    assert audit.code == 0, audit.output
    assert [audit.counts(h) for h in three.hosts] == [(0, 0)] * 3
    outcomes = {h: json.loads((reports / f"{h}.json").read_text())["outcome"] for h in three.hosts}
    assert outcomes == {"pending1": "changes_pending", "desired1": "in_desired_state", "blocked1": "blocked"}
    assert "| KB909094 | blocked |" in (reports / "blocked1.md").read_text()
    assert '+"DisableRealmHint"=dword:00000001' in (reports / "pending1.md").read_text()
    assert sorted(p.name for p in reports.glob("*.plan.json")) == ["pending1.plan.json"]
    digest = json.loads((reports / "pending1.plan.json").read_text())["digest"]
    assert (reports / "index.md").read_text().splitlines()[4:] == [
        f"| [pending1](pending1.md) | changes pending | KB909094: changes pending | 2 | IISADMIN | {digest} |",
        "| [desired1](desired1.md) | in desired state | KB909094: in desired state | 0 |  |  |",
        "| [blocked1](blocked1.md) | blocked | KB909094: blocked | 0 |  |  |",
    ]


def test_a_fleet_with_reviewed_plans(three: Site) -> None:
    reports = three.folder / "reports"
    variables = {"kbfix_src": [str(three.folder / "files/KB909094.yaml")], "kbfix_reports": str(reports)}
    assert three.play("kbfix.windows.audit", "-e", json.dumps(variables)).code == 0
    digest = json.loads((reports / "pending1.plan.json").read_text())["digest"]
    extra = {"kbfix_plans": str(reports), "kbfix_digests": {"pending1": digest}}
    for playbook in (str(EXAMPLES / "fleet.yml"), "kbfix.windows.remediate"):
        check = three.play(playbook, "--check", "-e", json.dumps(extra))
        assert check.code == 0, check.output
        assert check.counts("pending1") == (1, 0)
        wrong = three.play(playbook, "-e", json.dumps({**extra, "kbfix_digests": {"pending1": "sha256:00"}}))
        assert wrong.counts("pending1") == (0, 1)
        assert "[plan-digest]" in wrong.output and "pending1.plan.json: this is not the plan" in wrong.output, wrong.output
    run = three.play(str(EXAMPLES / "fleet.yml"), "-e", json.dumps(extra))
    assert [run.counts(h) for h in three.hosts] == [(1, 0), (0, 0), (0, 0)]
    for playbook in (str(EXAMPLES / "fleet.yml"), "kbfix.windows.remediate"):
        # A run that was interrupted is started again.
        again = three.play(playbook, "-v", "-e", json.dumps(extra))
        assert [again.counts(h) for h in three.hosts] == [(0, 0)] * 3, again.output
        assert "the plan was already applied" in again.output
    registry = three.folder / "pending1/front-end.reg"
    text = registry.read_text(encoding="utf-8-sig")
    registry.write_text(text.replace('"DisableRealmHint"=dword:00000001', '"DisableRealmHint"=dword:00000000'), encoding="utf-8-sig")
    for arguments in ([], ["--check"]):
        stale = three.play("kbfix.windows.remediate", *arguments, "-e", json.dumps(extra))
        assert stale.counts("pending1") == (0, 1)
        assert "[plan-stale]" in stale.output and "MSExchangeWEB\\DAV: was absent, is present" in stale.output


def test_snapshots_of_all_hosts_are_collected_and_reviewed(three: Site) -> None:
    three.host("broken1", ansible_connection="local", kbfix_target=f"reg:{three.folder}/nothing.reg")
    three.exchange("damaged1", lambda registry: registry[:200] + b"\n[HKEY_")
    snapshots = three.folder / "snapshots"
    snapshots.mkdir()
    # Files of an earlier run. None of them may remain for a host that cannot be read now.
    for host in ("broken1", "damaged1", "gone1"):
        (snapshots / f"{host}.json").write_text("{}")
    extra = {"kbfix_src": "files/KB909094.yaml", "kbfix_snapshots": "snapshots", "kbfix_serial": 2}
    run = three.play("kbfix.windows.collect", "-e", json.dumps(extra), "-e", '{"kbfix_max_fail_percentage": 100}')
    assert [run.counts(h) for h in list(three.hosts)[:3]] == [(0, 0)] * 3, run.output
    assert [run.counts(h) for h in ("broken1", "damaged1")] == [(0, 1)] * 2, run.output
    assert "error[target-unreadable]" in run.output and "error[target-malformed]" in run.output, run.output
    assert sorted(p.name for p in snapshots.iterdir()) == [f"{h}.json" for h in ("blocked1", "desired1", "gone1", "pending1")]
    assert (snapshots / "pending1.json").stat().st_mode & 0o777 == 0o600
    arguments = ["KB909094", "--snapshots", snapshots, "--format", "json"]
    fleet = subprocess.run([binary(), "fleet", "diff", *arguments], capture_output=True, check=False)
    assert fleet.returncode == 4, fleet.stderr
    outcomes = json.loads(fleet.stdout)
    assert {"blocked1", "desired1", "gone1", "pending1"} <= set(re.findall(r"\w+1", json.dumps(outcomes)))
    missing = three.play("kbfix.windows.collect", "-e", "kbfix_src=x")
    assert missing.code != 0 and "kbfix_snapshots=…" in missing.output


@pytest.mark.once
def test_the_whole_library_goes_on_where_a_spec_needs_a_parameter(site: Site) -> None:
    site.exchange("pending1")
    library = [path.stem for path in SPECS.glob("*.yaml")]
    options = {"src": library, "remote_src": True, "reports": str(site.folder / "reports"), "with_changes": False}
    run = site.task(options, "-v", module="kb_info")
    assert run.counts("pending1") == (0, 0), run.output
    assert '"changes": [' not in run.output, run.output
    report = json.loads((site.folder / "reports/pending1.json").read_text())
    outcomes = {spec["id"]: spec["outcome"] for spec in report["specs"]}
    assert len(outcomes) == len(library) and outcomes["KB909094"] == "changes_pending"
    assert outcomes["KB926642"] in ("needs_parameter", "not_applicable")
    snapshot = {"src": library, "remote_src": True, "dest": str(site.folder / "snapshots")}
    assert site.task(snapshot, module="kb_snapshot").counts("pending1") == (0, 0)


@pytest.mark.once
def test_symptoms_are_returned_and_decide_nothing(site: Site) -> None:
    machine = site.exchange("pending1")
    site.hosts["pending1"]["kbfix_target"] = f"image:{machine / 'C'}"
    common = {"src": ["KB909094"], "remote_src": True, "files": "{{ omit }}"}
    look = {**common, "symptoms": True, "target": "{{ kbfix_target }}", "state_dir": "{{ kbfix_state_dir }}"}
    said = {"debug": {"msg": "{{ r.symptoms[0].symptoms[0].sentence }}"}}

    def sentence() -> str:
        tasks = [{"kbfix.windows.kb_info": look, "register": "r"}, said]
        run = site.play([{"hosts": "all", "gather_facts": False, "tasks": tasks}])
        assert run.counts("pending1") == (0, 0), run.output
        return run.output

    assert "seen 3 times, last 2008-05-16T08:20:07Z" in sentence()
    assert site.task(common).counts("pending1") == (1, 0)
    assert "0 events since 20" in sentence()
    (machine / "C/Windows/System32/config/AppEvent.Evt").write_text("no log")
    assert "not known: malformed" in sentence()
    run = site.task({**common, "symptoms": True, "dest": str(site.folder / "snapshots")}, module="kb_snapshot")
    assert run.counts("pending1") == (0, 0), run.output
    assert '"events": [' in (site.folder / "snapshots/pending1.json").read_text()
    plan = site.task({"plan": "x.json", "symptoms": True, "files": "{{ omit }}"}, module="kb_info")
    assert "a plan does not contain the symptoms" in plan.output, plan.output


@pytest.mark.once
def test_a_long_diff_is_cut_and_says_so(site: Site) -> None:
    site.exchange("pending1")
    rule = spec("{A: { type: REG_DWORD, data: 1 }, B: { type: REG_DWORD, data: 2 }}")
    site.spec(
        "many.yaml",
        rule + "  - key: HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeWEB\\T\n    values: { C: { type: REG_DWORD, data: 3 } }\n",
    )
    run = site.task({"src": ["many.yaml"], "diff_lines": 2}, "--diff")
    assert run.counts("pending1") == (1, 0), run.output
    assert '+"B"=dword:00000002' in run.output and '"C"' not in run.output, run.output
    assert "1 more keys with 2 lines are not shown, because diff_lines is 2" in run.output, run.output


def test_a_local_binary_gets_the_environment_of_the_task(site: Site) -> None:
    machine = site.exchange("pending1")
    del site.hosts["pending1"]["kbfix_state_dir"]
    state = machine / "of-the-environment"
    assert site.task(SRC, environment={"KBFIX_STATE_DIR": str(state)}).counts("pending1") == (1, 0)
    assert list((state / "journal").iterdir())


@pytest.mark.once
def test_an_empty_digest_is_no_approval(site: Site) -> None:
    digests = {"none1": None, "empty1": "", "space1": " "}
    machines = [site.exchange(name) for name in digests]
    reports = site.folder / "reports"
    assert site.play("kbfix.windows.audit", "-e", "kbfix_src=files/KB909094.yaml", "-e", f"kbfix_reports={reports}").code == 0
    before = [(machine / "front-end.reg").read_bytes() for machine in machines]
    # All hosts at once, since the example ends before the next ones.
    fleet = (EXAMPLES / "fleet.yml").read_text()
    (site.folder / "fleet.yml").write_text(fleet.replace("serial: 2", "serial: 3"))
    for playbook in ("fleet.yml", "kbfix.windows.remediate"):
        extra = {"kbfix_plans": str(reports), "kbfix_digests": digests}
        for arguments in ([], ["--check"]):
            run = site.play(playbook, *arguments, "-e", json.dumps(extra))
            assert [run.counts(host) for host in digests] == [(0, 1)] * 3, run.output
            for host in digests:
                assert re.search(rf"{host}.*digest is empty", run.output), run.output
    assert [(machine / "front-end.reg").read_bytes() for machine in machines] == before


@pytest.mark.once
def test_what_a_playbook_is_not_told_it_asks_for(site: Site) -> None:
    site.exchange("pending1")
    for playbook, extra, message in (
        ("audit", {}, "kbfix_src=…"),
        ("audit", {"kbfix_src": "a.yaml", "kbfix_reports": None}, "kbfix_reports=…"),
        ("install", {}, "kbfix_install_src=…"),
        ("install", {"kbfix_install_src": "nope"}, "nope is not on the controller"),
        ("remediate", {}, "give either kbfix_src, or kbfix_plans and kbfix_digests"),
        ("remediate", {"kbfix_plans": "reports"}, "give either kbfix_src, or kbfix_plans and kbfix_digests"),
        ("remediate", {"kbfix_plans": "reports", "kbfix_digests": {"pendign1": "sha256:00"}}, "no hosts of the inventory: pendign1"),
        ("remediate", {"kbfix_plans": "reports", "kbfix_digests": None}, "a mapping from hosts to digests"),
    ):
        run = site.play(f"kbfix.windows.{playbook}", "-e", json.dumps(extra))
        assert run.counts("pending1") == (0, 1) and message in run.output.replace("\n", " "), run.output


@pytest.mark.once
@pytest.mark.parametrize("playbook", ["audit", "install", "remediate"])
def test_no_playbook_takes_all_hosts_unasked(site: Site, playbook: str) -> None:
    site.exchange("pending1")
    run = site.play(
        [{"import_playbook": f"kbfix.windows.{playbook}"}], "-e", "kbfix_src=files/KB909094.yaml", "-e", "kbfix_reports=reports"
    )
    assert run.code != 0 and "give the hosts with -e kbfix_hosts=" in run.output and "pending1" not in run.output, run.output


def test_relative_names_are_of_the_folder_that_the_playbook_is_called_from(site: Site) -> None:
    machine = site.exchange("pending1")
    specs = "files/KB909094.yaml, files/other.yaml"
    site.spec("other.yaml", spec("A: { type: REG_MULTI_SZ, data: [v, w] }"))
    audit = site.play("kbfix.windows.audit", "-e", f"kbfix_src='{specs}'", "-e", "kbfix_reports=reports")
    assert audit.code == 0, audit.output
    report = (site.folder / "reports/pending1.md").read_text(encoding="utf-8")
    assert '; REG_MULTI_SZ ["v", "w"]' in report
    digest = json.loads((site.folder / "reports/pending1.plan.json").read_text())["digest"]
    planned = {"kbfix_plans": "reports", "kbfix_digests": {"pending1": digest.upper()}}
    assert site.play("kbfix.windows.remediate", "-e", json.dumps(planned)).counts("pending1") == (1, 0)
    by_specs = site.play("kbfix.windows.remediate", "-e", json.dumps({"kbfix_src": ["files/KB909094.yaml"]}))
    assert by_specs.counts("pending1") == (0, 0), by_specs.output
    # There are no more changes, so there is no plan. If a host cannot be read, there is no plan of an earlier audit either.
    assert site.play("kbfix.windows.audit", "-e", f"kbfix_src='{specs}'", "-e", "kbfix_reports=reports").code == 0
    assert sorted(p.name for p in (site.folder / "reports").iterdir()) == ["index.md", "pending1.json", "pending1.md"]
    (machine / "front-end.reg").write_text("nothing")
    site.host("away1", ansible_connection="ssh", ansible_host="127.0.0.1", ansible_port=1)
    failed = site.play("kbfix.windows.audit", "-e", f"kbfix_src='{specs}'", "-e", "kbfix_reports=reports")
    assert failed.code == 2 and [failed.recap(h)["failed"] for h in ("pending1", "away1")] == [1, 1], failed.output
    assert [p.name for p in (site.folder / "reports").iterdir()] == ["index.md"]
    index = (site.folder / "reports/index.md").read_text().splitlines()
    assert index[4:] == ["| pending1 | could not be looked at | | | | |", "| away1 | unreachable | | | | |"]


def test_a_restart_is_not_lost_where_another_spec_fails(site: Site) -> None:
    """In check mode, in which win_reboot reports that it would restart the host, and does not connect to it."""
    site.exchange("blocked1", dll="old")
    site.exchange("pending1")
    site.spec("reboot.yaml", spec("A: { type: REG_DWORD, data: 1 }") + "restart: { computer: required }\n")
    extra = {"kbfix_src": ["files/KB909094.yaml", "files/reboot.yaml"], "kbfix_reboot": True}
    run = site.play("kbfix.windows.remediate", "--check", "-e", json.dumps(extra))
    assert [run.recap("blocked1")[n] for n in ("changed", "failed")] == [1, 1], run.output
    assert run.output.count("changed: [blocked1]") == 1 and "TASK [Restart the computer where an article asks for it]" in run.output
    assert run.counts("pending1") == (2, 0)
    off = site.play("kbfix.windows.remediate", "--check", "-e", json.dumps({**extra, "kbfix_reboot": False}))
    assert off.counts("blocked1") == (0, 1) and off.counts("pending1") == (1, 0)
    # An unknown restart does not count as no restart.
    site.spec("broken.yaml", "kbfix: 1")
    task = {
        "name": "t",
        "kbfix.windows.kb": {"src": ["broken.yaml"], "target": "{{ kbfix_target }}"},
        "register": "r",
        "ignore_errors": True,
    }
    show = {"name": "s", "ansible.builtin.debug": {"msg": "{{ r.reboot_required is defined }} {{ r.restart is defined }}"}}
    assert '"msg": "False False"' in site.play([{"name": "p", "hosts": "all", "gather_facts": False, "tasks": [task, show]}]).output


def test_remediate_with_specs_and_warnings(three: Site) -> None:
    extra = {"kbfix_src": [str(three.folder / "files/KB909094.yaml")], "kbfix_on_blocked": "warn", "kbfix_serial": 1}
    run = three.play("kbfix.windows.remediate", "-e", json.dumps(extra))
    assert run.code == 0, run.output
    assert [run.counts(h) for h in three.hosts] == [(1, 0), (0, 0), (0, 0)]
    assert "[WARNING]: KB909094: blocked" in run.output
    assert run.output.count("PLAY [Remediate]") == 3


def test_another_strategy_and_pipelining(three: Site) -> None:
    """The other plays are linear, and without pipelining."""
    environment = {"ANSIBLE_STRATEGY": "free", "ANSIBLE_PIPELINING": "1"}
    for playbook, changed in (("one_host.yml", 1), ("rollback.yml", 1)):
        shutil.copy(EXAMPLES / playbook, three.folder)
        run = three.play(playbook, **environment)
        assert run.counts("pending1") == (changed, 0), run.output
        assert run.counts("desired1") == (0, 0)
    extra = json.dumps({"kbfix_src": [str(three.folder / "files/KB909094.yaml")], "kbfix_reports": str(three.folder / "r")})
    assert three.play("kbfix.windows.audit", "-e", extra, **environment).code == 0
    assert three.play("kbfix.windows.remediate", "-e", extra, **environment).counts("pending1") == (1, 0)


def test_become(site: Site) -> None:
    """An unprivileged user can change only files of this user, and gets an error for others."""
    if os.geteuid() != 0 or not shutil.which("su"):
        pytest.skip("become needs root and su")
    machine = site.exchange("pending1")
    keywords = {"become": True, "become_method": "ansible.builtin.su", "become_user": "nobody"}
    # The user must be able to reach the folder of the machine, and to read the modules that Ansible copies.
    environment = {"ANSIBLE_REMOTE_TMP": "/tmp/.ansible-nobody", "ANSIBLE_PIPELINING": "1", "ANSIBLE_BECOME_FLAGS": "-s /bin/sh"}
    here = pathlib.Path("/tmp") / f"kbfix-become-{os.getpid()}"
    shutil.copytree(machine, here)
    shutil.copy(binary(), here / "kbfix")
    site.hosts["pending1"] |= {
        "kbfix_target": f"reg:{here}/front-end.reg",
        "kbfix_files": f"{here}/C",
        "kbfix_state_dir": f"{here}/state",
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    try:
        here.chmod(0o755)
        options = {**SRC, "binary_path": str(here / "kbfix")}
        refused = site.task(options, ansible=environment, **keywords)
        assert refused.counts("pending1") == (0, 1), refused.output
        assert "Permission denied" in refused.output
        subprocess.run(["chown", "-R", "nobody:", here], check=True)
        run = site.task(options, ansible=environment, **keywords)
        assert run.counts("pending1") == (1, 0), run.output
        journals = list((here / "state/journal").glob("*.jsonl"))
        assert [p.owner() for p in journals] == ["nobody"]
    finally:
        shutil.rmtree(here)


def test_a_vaulted_spec_stays_secret(site: Site) -> None:
    site.exchange("pending1")
    site.spec("secret.yaml", spec("Password: { type: REG_SZ, data: correct-horse-battery }"))
    password = site.folder / "vault-password"
    password.write_text("vault")
    vaulted = ["ansible-vault", "encrypt", "--vault-password-file", str(password), str(site.folder / "files/secret.yaml")]
    subprocess.run(vaulted, check=True, capture_output=True)
    options = {"src": ["secret.yaml"]}
    closed = site.task(options)
    assert closed.counts("pending1") == (0, 1) and "vault password" in closed.output.replace("\n", " ")
    run = site.task(options, "--vault-password-file", str(password), "--diff", "-vvvv", no_log=True, ansible={"ANSIBLE_PIPELINING": "1"})
    assert run.counts("pending1") == (1, 0), run.output
    assert "correct-horse" not in run.output
    site.spec("broken.yaml", spec("Password: { type: REG_DWORD, data: correct-horse-battery }"))
    broken = site.task({"src": ["broken.yaml"]}, "-vvv", no_log=True)
    assert broken.counts("pending1") == (0, 1) and "correct-horse" not in broken.output
    # Before 2.19, Ansible does not print such a failure.
    assert "broken.yaml:7:" in broken.output or "[ERROR]: Task failed" not in broken.output
    assert '"Password"="correct-horse-battery"' in (site.folder / "pending1/front-end.reg").read_text(encoding="utf-8-sig")


def test_what_is_not_ascii_arrives(site: Site) -> None:
    machine = site.exchange("pending1")
    site.spec("names.yaml", spec("'Größe \"日本\" 😀': { type: REG_SZ, data: 'Ünïcödé 雪 \\ \"q\"' }"))
    for environment in ({}, {"LC_ALL": "C.UTF-8"}):
        run = site.task({"src": ["names.yaml"]}, "--check", "--diff", ansible=environment)
        assert '+"Größe \\"日本\\" 😀"="Ünïcödé 雪 \\\\ \\"q\\""' in run.output, run.output
    assert site.task({"src": ["names.yaml"]}).counts("pending1") == (1, 0)
    assert '"Größe \\"日本\\" 😀"=' in (machine / "front-end.reg").read_text(encoding="utf-8-sig")
    assert site.task({"src": ["names.yaml"]}).counts("pending1") == (0, 0)


def test_the_diff_is_that_of_kbfix(site: Site) -> None:
    machine = site.exchange("pending1")
    values = ["a: { type: REG_QWORD, data: 7 }", "b: { type: REG_MULTI_SZ, data: [v, w] }", "'': { type: REG_SZ, data: d }"]
    values += [
        "LogonTimeout: { type: REG_DWORD, data: 16 }",
        "e: { type: REG_EXPAND_SZ, data: '%Path%' }",
        "f: { type: REG_BINARY, data: 01 ff }",
    ]
    site.spec("values.yaml", spec("\n      ".join(values)))
    run = site.task({"src": ["values.yaml"]}, "--check", "--diff")
    target = ["--target", f"reg:{machine}/front-end.reg", "--files", machine / "C"]
    own = subprocess.run([binary(), "diff", site.folder / "files/values.yaml", *target], capture_output=True, text=True, check=False).stdout

    def lines(text: str) -> list[str]:
        return sorted(line for line in text.splitlines() if line.startswith(("+", "-")) and line[:3] not in ("---", "+++"))

    assert len(lines(own)) > 6
    assert lines(run.output) == lines(own), run.output


@pytest.mark.once
def test_the_32_bit_view_is_named(site: Site) -> None:
    key = b"\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Wow6432Node\\Vendor]\r\n"
    site.exchange("pending1", lambda registry: registry.replace(b'"x86"', b'"AMD64"') + key)
    rule = {"key": r"HKLM\SOFTWARE\Vendor", "view": 32, "values": {"A": {"type": "REG_DWORD", "data": 1}}}
    run = site.task({"spec": {"kbfix": 1, "id": "T", "title": "t", "registry": [rule]}}, "--check", "--diff", "-v")
    assert "+++ after: [HKEY_LOCAL_MACHINE\\SOFTWARE\\Vendor] 32-bit view" in run.output, run.output
    assert '"view": 32' in run.output


def test_spec_errors_carry_file_and_line(site: Site) -> None:
    site.exchange("pending1")
    site.spec("broken.yaml", spec("A: { typ: REG_DWORD, data: 1 }"))
    run = site.task({"src": ["KB909094.yaml", "broken.yaml"]})
    assert run.counts("pending1") == (0, 1)
    assert "broken.yaml:7:" in run.output and "[unknown-field]" in run.output and "did you mean" in run.output
    missing = site.task({"src": ["nowhere.yaml"]})
    assert "nowhere.yaml" in missing.output and missing.counts("pending1") == (0, 1)


def test_options_and_parameters(site: Site) -> None:
    site.exchange("pending1")
    passwords = [f"smb://{user}@host" for user in ("root:geheim", "CORP;a%geheim")] + [" smb://a:geheim@host"]
    wrong: list[tuple[dict[str, object], str]] = [
        ({"parametres": {}}, "has no option parametres; did you mean parameters?"),
        ({}, "one of the following is required: spec, src, plan"),
        ({**SRC, "parameters": {"realm_hnt": 1}}, "realm_hnt"),
        ({**SRC, "parameters": {"realm_hint": True}}, "a string in quotes"),
        *(({**SRC, "target": target}, "contains a password") for target in passwords),
    ]
    off = {**SRC, "parameters": {"realm_hint": 0}}
    *refused, changed = site.tasks([*(options for options, _ in wrong), off], "--check", "--diff")
    for task, (options, message) in zip(refused, wrong, strict=True):
        assert task.outcome == "fatal" and message in task.output, (options, task.output)
        assert "geheim" not in task.output.partition("msg")[2], task.output
    assert changed.outcome == "changed" and '+"DisableRealmHint"=dword:00000000' in changed.output, changed.output


def test_several_specs_in_one_call(site: Site) -> None:
    site.exchange("blocked1", dll="old")
    site.spec("other.yaml", spec("A: { type: REG_DWORD, data: 1 }"))
    inline = {
        "kbfix": 1,
        "id": "T2",
        "title": "t",
        "registry": [{"key": r"HKLM\SOFTWARE\Microsoft\Exchange\Setup", "values": {"ü": {"type": "REG_DWORD", "data": 3}}}],
    }
    options = {"src": ["KB909094.yaml", "other.yaml"], "spec": [inline], "on_blocked": "warn"}
    check = site.task(options, "--check", "-v")
    assert check.counts("blocked1") == (1, 0), check.output
    run = site.task(options, "-v")
    assert run.counts("blocked1") == (1, 0)
    assert "[WARNING]: KB909094: blocked" in run.output
    failing = site.task({**options, "on_blocked": "fail"})
    assert failing.counts("blocked1") == (0, 1) and BLOCKED in failing.output


INLINE_PLAY = """
- name: The play
  hosts: all
  gather_facts: false
  tasks:
"""
INLINE_TASK = """
    - name: task 0
      ignore_errors: true
      kbfix.windows.kb:
        target: "{{ kbfix_target }}"
        spec:
          kbfix: 1
          id: T1
          title: t
          article: { url: "https://support.microsoft.com/kb/1", reviewed: 2008-05-13 }
          registry:
            - key: HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeWEB\\OWA
              values:
                NAME: { type: REG_SZ, data: DATA }
"""


def test_what_yaml_1_1_makes_of_a_spec_in_the_task(site: Site) -> None:
    """Names that it rewrites are refused, dates are dates, and errors name the place in the play."""
    site.exchange("pending1")
    names = {"off": "the boolean false", "010": "the number 8", "1:30": "the number 90", "1.5": "fraction", "~": "null"}
    data = ("on", "1", "4.1")
    tasks = [("A", "x"), *((name, "x") for name in names), *((f"'{name}'", "x") for name in names), *(("E", text) for text in data)]
    inline = "".join(INLINE_TASK.replace("NAME", name).replace("DATA", text) for name, text in tasks)
    (site.folder / "inline.yml").write_text(INLINE_PLAY + inline, encoding="utf-8")
    plain, *found = site.each_task(site.play("inline.yml", "--check", "--diff"))
    assert plain.outcome == "changed", plain.output
    refused, quoted, numbers = found[: len(names)], found[len(names) : 2 * len(names)], found[2 * len(names) :]
    for task, reading in zip(refused, names.values(), strict=True):
        assert task.outcome == "fatal" and "spec (T1): registry[0].values: a name is" in task.output, task.output
        assert reading in task.output and "quote it in your play" in task.output, task.output
    for task, name in zip(quoted, names, strict=True):
        assert f'+"{name}"="x"' in task.output, task.output
    for task, _ in zip(numbers, data, strict=True):
        assert "spec (T1): registry[0].values.E" in task.output and "quote it in your play" in task.output, task.output
    look = site.task({"spec": "{{ lookup('ansible.builtin.file', 'KB909094.yaml') | from_yaml }}"}, "--check", "--diff")
    # Before 2.19, a template turns a mapping with a date into text.
    refused_date = look.counts("pending1") == (0, 1) and "a mapping with a date in it; write the date in quotes" in look.output
    assert refused_date or (look.counts("pending1") == (1, 0) and DIFF in look.output), look.output


@pytest.mark.once
def test_a_reg_file_is_a_spec(site: Site) -> None:
    machine = site.exchange("pending1")
    text = f'Windows Registry Editor Version 5.00\r\n\r\n{KEY}\r\n"Größe"=dword:00000007\r\n'.replace("CurrentControlSet", "ControlSet001")
    (site.folder / "files/set.reg").write_bytes(text.encode("utf-16"))
    check = site.task({"src": ["set.reg"]}, "--check", "--diff", "-v")
    assert check.counts("pending1") == (1, 0) and '+"Größe"=dword:00000007' in check.output and '"id": "set"' in check.output, check.output
    assert "set.reg:3:1: `ControlSet001` is a numbered control set" in check.output.replace("\n", " "), check.output
    for options in ({"src": ["set.reg"]}, {"spec": text.replace("\r", "")}):
        assert site.task(options).counts("pending1") == (1, 0)
        assert '"Größe"=dword:00000007' in (machine / "front-end.reg").read_text(encoding="utf-8-sig")
        assert site.task(options).counts("pending1") == (0, 0)
        assert site.task({"last": True}, module="kb_rollback").counts("pending1") == (1, 0)
    (site.folder / "files/set.reg").write_bytes(text.encode("cp1252"))
    assert "set.reg is not UTF-8 text" in (run := site.task({"src": ["set.reg"]}).output) and "kbfix import --code-page" in run, run


def test_value_names_from_variables(site: Site) -> None:
    """A migration from win_regedit: a loop over the values, and then one task for all values."""
    machine = site.exchange("pending1")
    key = r"HKLM\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\OWA"
    one = {"kbfix": 1, "id": "T1", "title": "A test", "registry": [{"key": key, "values": {"{{ item.name }}": {"ensure": "absent"}}}]}
    before = (machine / "front-end.reg").read_bytes()
    for arguments in (["--check"], []):
        run = site.task({"spec": one}, *arguments, loop=[{"name": "A"}, {"name": "B"}])
        assert run.counts("pending1") == (0, 1), run.output
        assert "registry[0].values: the name" in run.output and "give `values` as a list" in run.output, run.output
    assert (machine / "front-end.reg").read_bytes() == before
    values = [{"name": "{{ item.name }}", "type": "REG_DWORD", "data": "{{ item.data }}"}, {"name": "", "type": "REG_SZ", "data": "ü"}]
    listed = {**one, "registry": [{"key": key, "values": values}]}
    run = site.task({"spec": listed}, "--diff", loop=[{"name": "A b", "data": 1}, {"name": "{{ 'C' }}", "data": 2}])
    assert run.recap("pending1")["changed"] == 1 and '+"A b"=dword:00000001' in run.output and '+"C"=dword:00000002' in run.output, (
        run.output
    )
    twice = site.task({"spec": {**one, "registry": [{"key": key, "values": [values[1], {**values[1], "data": "x"}]}]}})
    assert twice.counts("pending1") == (0, 1) and "registry[0].values[" in twice.output, twice.output


@pytest.mark.once
def test_the_examples_of_the_documentation_are_good(site: Site) -> None:
    """Checks each example with the binary on a machine. The check fails if a spec or a parameter has an error."""
    site.exchange("pending1")
    for name in ("KB909094", "KB926642"):
        shutil.copy(SPECS / f"{name}.yaml", site.folder / "files")
    (site.folder / "files/settings.reg").write_text(f"REGEDIT4\n{KEY}\n")
    seen = set()
    for module in ("kb", "kb_info"):
        text = (COLLECTION / f"plugins/modules/{module}.py").read_text(encoding="utf-8")
        examples = yaml.safe_load(text.split('EXAMPLES = r"""')[1].split('"""')[0])
        tasks = [task for one in examples for task in one.get("block", [one])]
        for task in tasks:
            options = task.get(f"kbfix.windows.{module}")
            if options and "plan" not in options:
                keep = {name: options[name] for name in ("src", "spec", "remote_src", "parameters") if name in options}
                look = site.task(keep, module="kb_info", vars=task.get("vars", {}))
                assert look.counts("pending1") == (0, 0), (task["name"], look.output)
                seen |= set(keep)
    assert seen == {"src", "spec", "remote_src", "parameters"}


@pytest.mark.once
def test_check_mode_fails_where_the_run_fails(site: Site) -> None:
    machine = site.exchange("pending1")
    site.spec("reboot.yaml", spec("A: { type: REG_DWORD, data: 1 }"))
    image = {"target": f"image:{machine}/C", "files": "{{ omit }}"}
    (site.folder / "file").write_text("")
    wrong: list[tuple[dict[str, object], str]] = [
        ({"restart_services": True, **image}, "services can only be restarted on the target `local`"),
        ({"state_dir": str(site.folder / "file")}, "[journal-access]"),
        ({"target": f"image:{machine}/C"}, "the option `files` cannot be used with the target image:"),
        ({"drives": {"D": "/"}}, "or name another target (drives)"),
        ({"max_changes": -1}, "max_changes is -1"),
        ({"packages": {"KB909094": "x"}}, "install_hotfix is not true"),
    ]
    for arguments in ([], ["--check"]):
        run = site.tasks([{**SRC, **options} for options, _ in wrong], *arguments)
        for task, (_, message) in zip(run, wrong, strict=True):
            assert task.outcome == "fatal" and message in task.output, task.output


@pytest.mark.once
def test_check_mode_fails_where_the_target_cannot_hold_the_change(site: Site) -> None:
    machine = site.exchange("pending1")
    export = b"REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeWEB\\OWA]\r\n"
    (machine / "front-end.reg").write_bytes(export)
    site.spec("key.yaml", spec("A: { type: REG_DWORD, data: 1 }").replace("OWA", r"OWA\鍵"))
    for arguments in (["--check"], []):
        run = site.task({"src": ["key.yaml"], "code_page": 1252}, *arguments)
        assert run.counts("pending1") == (0, 1) and "code page 1252" in run.output, run.output
    assert "[cannot-apply]" in site.task({"src": ["key.yaml"], "code_page": 1252}, "--check").output
    assert (machine / "front-end.reg").read_bytes() == export


@pytest.mark.once
def test_a_spec_that_needs_a_parameter_does_not_stop_the_others(site: Site) -> None:
    site.exchange("pending1")
    needy = "parameters: { names: { description: d, type: list } }\n" + spec("A: { type: REG_MULTI_SZ, data: { parameter: names } }")
    site.spec("list.yaml", needy)
    both = site.task({"src": ["list.yaml", "KB909094.yaml"]}, "-v", module="kb_info")
    assert both.counts("pending1") == (0, 0) and "T1: needs a parameter" in both.output, both.output
    assert "KB909094: changes pending" in both.output and "parameters: {names: …}" in both.output, both.output


def test_a_list_for_a_parameter(site: Site) -> None:
    site.exchange("pending1")
    rule = spec("A: { type: REG_MULTI_SZ, data: { parameter: names } }")
    site.spec("list.yaml", rule + "parameters: { names: { description: d, type: list } }\n")
    run = site.task({"src": ["list.yaml"], "parameters": {"names": ["a,b", "c"]}}, "--check", "--diff")
    assert '; REG_MULTI_SZ ["a,b", "c"]' in run.output, run.output
    options = [{"src": ["list.yaml"], "parameters": {"names": [80]}}, {**SRC, "parameters": {"realm_hint": ["1"]}}, {"src": ["list.yaml"]}]
    wrong, single, unset = site.tasks(options)
    assert "the parameter names[0] is the number 80" in wrong.output and "Tagged" not in wrong.output, wrong.output
    assert "is set to a list, but must be a number" in single.output, single.output
    assert "(parameters: {names: …})" in unset.output and "--set" not in unset.output, unset.output


@pytest.mark.once
def test_names_that_are_no_files(site: Site) -> None:
    site.exchange("pending1")
    (site.folder / "files/folder").mkdir()
    assert "folder is a folder; name its files, or use remote_src: true" in site.task({"src": ["folder"]}).output.replace("\n", " ")
    assert "KB926642" in (built_in := site.task({"src": ["KB926642"]}).output) and "use remote_src: true" in built_in
    home = site.task({**SRC, "binary_path": "~/no-kbfix"}, "--check")
    assert f"the kbfix binary {os.path.expanduser('~')}/no-kbfix does not exist" in home.output, home.output


@pytest.mark.once
def test_not_applicable_is_ok_with_the_reason(site: Site) -> None:
    site.exchange("other1", lambda r: r.replace(b"dword:00000041", b"dword:00000042"))
    run = site.task(SRC, "-v")
    assert run.counts("other1") == (0, 0)
    assert "KB909094: not applicable" in run.output and "found REG_DWORD 66 (0x42), wanted 65" in run.output


@pytest.mark.once
def test_unknown_fails(site: Site) -> None:
    site.exchange("pending1")
    del site.hosts["pending1"]["kbfix_files"]
    run = site.task({**SRC, "on_blocked": "warn"})
    assert run.counts("pending1") == (0, 1) and "KB909094: unknown" in run.output


@pytest.mark.once
def test_a_snapshot_is_a_target(site: Site) -> None:
    machine = site.exchange("pending1")
    target = ["--target", f"reg:{machine}/front-end.reg", "--files", machine / "C", "--out", machine / "snapshot.json"]
    subprocess.run([binary(), "snapshot", "KB909094", *target], check=True, capture_output=True)
    del site.hosts["pending1"]["kbfix_files"]
    site.hosts["pending1"]["kbfix_target"] = f"snapshot:{machine}/snapshot.json"
    for arguments, changed in ((["--check"], 1), ([], 1), ([], 0)):
        assert site.task(SRC, *arguments).counts("pending1") == (changed, 0)
    assert site.task({"last": True}, module="kb_rollback").counts("pending1") == (1, 0)
    remote = {"src": ["KB909094"], "remote_src": True, "parameters": {"realm_hint": "0"}}
    assert site.task(remote, "--check").counts("pending1") == (1, 0)


@pytest.mark.once
def test_an_image_is_a_target(site: Site) -> None:
    machine = site.exchange("pending1")
    del site.hosts["pending1"]["kbfix_files"]
    site.hosts["pending1"]["kbfix_target"] = f"image:{machine}/C"
    check = site.task(SRC, "--check", "--diff")
    assert check.counts("pending1") == (1, 0) and DIFF in check.output, check.output
    for changed in (1, 0):
        assert site.task(SRC).counts("pending1") == (changed, 0)
    assert site.task({"last": True}, module="kb_rollback").counts("pending1") == (1, 0)


@pytest.mark.once
def test_the_plan_of_one_machine_on_its_clone_is_warned_of(site: Site) -> None:
    machine = site.exchange("pending1")
    del site.hosts["pending1"]["kbfix_files"]
    site.hosts["pending1"]["kbfix_target"] = f"image:{machine}/C"
    shutil.copytree(machine / "C", machine / "clone")
    assert site.task({**SRC, "reports": str(site.folder / "reports")}, module="kb_info").counts("pending1") == (0, 0)
    plan = {"plan": str(site.folder / "reports/pending1.plan.json"), "target": f"image:{machine}/clone"}
    for arguments in (["--check"], []):
        run = site.task(plan, *arguments)
        assert run.counts("pending1") == (1, 0) and "[WARNING]" in run.output and "[plan-other-target]" in run.output, run.output


@pytest.mark.once
def test_a_rollback_keeps_what_somebody_else_changed(site: Site) -> None:
    machine = site.exchange("pending1")
    assert site.task(SRC).counts("pending1") == (1, 0)
    journal = next((machine / "state/journal").glob("*.jsonl"))
    assert site.task({"journal": journal.name}, "--check", module="kb_rollback").counts("pending1") == (1, 0)
    registry = machine / "front-end.reg"
    text = registry.read_text(encoding="utf-8-sig")
    assert '"DisableRealmHint"=dword:00000001' in text
    registry.write_text(text.replace('"DisableRealmHint"=dword:00000001', '"DisableRealmHint"=dword:00000000'), encoding="utf-8-sig")
    for arguments in (["--check"], []):
        kept = site.task({"journal": str(journal)}, *arguments, module="kb_rollback")
        assert kept.counts("pending1") == (0, 1), kept.output
        assert "DisableRealmHint" in kept.output and "kept" in kept.output
    forced = site.task({"journal": str(journal), "force": True}, module="kb_rollback")
    assert forced.counts("pending1") == (1, 0), forced.output
    assert site.task({"journal": str(journal), "force": True}, module="kb_rollback").counts("pending1") == (0, 0)
    assert "required: journal, last" in site.task({}, module="kb_rollback").output
    missing = site.task({"journal": "nope"}, module="kb_rollback")
    assert "there is no journal `nope`" in missing.output and str(machine / "state/journal") in missing.output, missing.output


@pytest.mark.once
def test_a_spec_is_retired_and_the_others_stay(site: Site) -> None:
    machine = site.exchange("pending1")
    registry = machine / "front-end.reg"
    site.spec("a.yaml", spec("A: { type: REG_DWORD, data: 1 }", "A"))
    site.spec("b.yaml", spec("B: { type: REG_SZ, data: correct-horse, sensitive: true }", "B"))
    before = registry.read_text(encoding="utf-8-sig")
    retire = functools.partial(site.task, module="kb_retire")
    nothing = retire({"ids": ["A"]}, "-v")
    assert nothing.counts("pending1") == (0, 0) and "nothing to retire" in nothing.output, nothing.output
    # The id is not known on the host, so it may be mistyped.
    unknown = "or journal has the id A"
    assert unknown in " ".join(nothing.output.split()), nothing.output
    assert site.task({"src": ["a.yaml", "b.yaml"]}).counts("pending1") == (1, 0)
    applied = registry.read_text(encoding="utf-8-sig")
    assert '"A"=dword:00000001' in applied and '"B"=' in applied

    missing = retire({"ids": ["A"]})
    assert missing.counts("pending1") == (0, 1) and "B is applied to this target, but is not given" in missing.output, missing.output
    assert "(src)" in missing.output, missing.output
    stays = {"absent": True, "src": ["b.yaml"]}
    for arguments in (["--check", "--diff"], ["--diff"]):
        run = retire(stays, *arguments, "-v")
        assert run.counts("pending1") == (1, 0) and '-"A"=dword:00000001' in run.output, run.output
        assert "correct-horse" not in run.output
        assert ('"A"' in registry.read_text(encoding="utf-8-sig")) == ("--check" in arguments)
    assert retire(stays).counts("pending1") == (0, 0)
    again = retire({"ids": ["A"], "src": ["b.yaml"]})
    assert again.counts("pending1") == (0, 0) and unknown not in " ".join(again.output.split()), again.output
    assert retire({"ids": ["A"], "spec": (site.folder / "files/b.yaml").read_text()}).counts("pending1") == (0, 0)

    text = registry.read_text(encoding="utf-8-sig")
    registry.write_text(text.replace('"B"="correct-horse"', '"B"="staple"'), encoding="utf-8-sig")
    for arguments in (["--check"], []):
        kept = retire({"ids": ["B"]}, *arguments)
        assert kept.counts("pending1") == (0, 1) and "kept" in kept.output and "staple" not in kept.output, kept.output
    hidden = retire({"ids": ["B"], "force": True}, "--diff", "-vvv", no_log=True)
    assert hidden.counts("pending1") == (1, 0) and "staple" not in hidden.output and "correct-horse" not in hidden.output
    assert registry.read_text(encoding="utf-8-sig") == before


@pytest.mark.once
def test_values_that_policy_owns_are_named_and_can_fail_the_task(site: Site) -> None:
    machine = site.exchange("pending1")
    del site.hosts["pending1"]["kbfix_files"]
    site.hosts["pending1"]["kbfix_target"] = f"image:{machine}/C"
    key = r"HKLM\SOFTWARE\Policies\Vendor"
    values = "values: { a: { type: REG_DWORD, data: 1 } }"
    site.spec("policy.yaml", f"kbfix: 1\nid: P\ntitle: P\nregistry:\n  - key: {key}\n    {values}\n")

    def wide(text: str) -> bytes:
        return text.encode("utf-16-le")

    windows = next(path for path in (machine / "C").iterdir() if path.name.lower() == "windows")
    store = next(path for path in windows.iterdir() if path.name.lower() == "system32") / "GroupPolicy/Machine/Registry.pol"
    store.parent.mkdir(parents=True)
    head = b"PReg\x01\0\0\0" + wide("[Software\\Policies\\Vendor\0;a\0;")
    store.write_bytes(head + b"\x04\0\0\0" + wide(";") + b"\x04\0\0\0" + wide(";") + b"\x02\0\0\0" + wide("]"))

    options = {"src": ["policy.yaml"]}
    owned = {**options, "fail_on": ["policy-owned"]}
    look = site.task(options, "-v", module="kb_info")
    assert look.counts("pending1") == (0, 0) and "[policy-owned]" in look.output, look.output
    assert '"result": "undoes"' in look.output and '"store": "local"' in look.output, look.output
    assert site.task(owned, module="kb_info").counts("pending1") == (0, 1)
    for arguments in (["--check"], []):
        refused = site.task(owned, *arguments)
        assert refused.counts("pending1") == (0, 1) and "undoes this spec for 1 value" in refused.output, refused.output
    assert not list((machine / "state").glob("journal/*"))
    assert site.task({**options, "fail_on": ["policy-unknown"]}).counts("pending1") == (1, 0)
    store.write_bytes(store.read_bytes()[:-2])
    assert site.task({**options, "fail_on": ["policy-unknown"]}).counts("pending1") == (0, 1)
    assert "value of fail_on must be one" in site.task({**options, "fail_on": ["policy"]}).output


PROGRAMS = {
    "missing": (None, "does not exist; install it with the role kbfix.windows.install"),
    "foreign": ("#!/bin/sh\ncat\n", "is not kbfix, or too old"),
    "old": ("#!/bin/sh\ncat >/dev/null; echo \"error: unexpected argument '--stdin-specs' found\" >&2; exit 2\n", "too old for this task"),
    "older report": ('#!/bin/sh\ncat >/dev/null; echo \'{"kbfix_report":0,"kbfix_version":"0.0.1"}\'\n', "update it with the role"),
    "newer report": ('#!/bin/sh\ncat >/dev/null; echo \'{"kbfix_report":2,"kbfix_version":"9.0.0"}\'\n', "update the collection"),
    "crash": ("#!/bin/sh\ncat >/dev/null; kill -SEGV $$\n", "crashed: signal 11"),
    "cut off": ('#!/bin/sh\ncat >/dev/null; printf \'{"kbfix_report": 1, "kb\'\n', "is cut off"),
    "refused early": ("#!/bin/sh\necho \"error: unexpected argument '--stdin-specs' found\" >&2; exit 2\n", "found); update it"),
    "no program": ("\x7fELF nonsense", "is not a program for this system"),
}


@pytest.mark.once
def test_binaries_that_are_not_kbfix(site: Site) -> None:
    site.exchange("pending1")
    # More data than the buffer of a pipe, so that the write fails if the program does not read it.
    site.spec("secret.yaml", spec("Password: { type: REG_SZ, data: correct-horse }") + "# long\n" * 20000)
    programs = {kind: site.folder / f"program-{n}" for n, kind in enumerate(PROGRAMS)}
    for kind, program in programs.items():
        text, _ = PROGRAMS[kind]
        if text is not None:
            program.write_text(text)
            program.chmod(0o755)
    tasks = site.tasks([{"src": ["secret.yaml"], "binary_path": str(program)} for program in programs.values()])
    for task, (kind, program) in zip(tasks, programs.items(), strict=True):
        assert task.outcome == "fatal" and PROGRAMS[kind][1] in task.output and str(program) in task.output, (kind, task.output)
        assert "correct-horse" not in task.output, (kind, task.output)


@pytest.mark.once
def test_hotfixes_and_services_are_for_live_machines(site: Site) -> None:
    site.exchange("pending1")
    install = site.task({**SRC, "packages": {"KB909094": "/nowhere"}, "install_hotfix": True})
    assert install.counts("pending1") == (0, 1) and "KB909094" in install.output and "package" in install.output
    restart = site.task({**SRC, "restart_services": True})
    assert restart.counts("pending1") == (0, 1)
    assert "services can only be restarted on the target `local`" in restart.output, restart.output


def test_secrets_are_on_no_command_line(site: Site) -> None:
    site.exchange("pending1")
    seen = site.folder / "seen"
    program = site.folder / "spy"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>{seen}\nexec {binary()} "$@"\n')
    program.chmod(0o755)
    site.spec(
        "param.yaml",
        "parameters: { secret: { description: d, type: string } }\n" + spec("P: { type: REG_SZ, data: { parameter: secret } }"),
    )
    run = site.task({"src": ["param.yaml"], "parameters": {"secret": "correct-horse"}, "binary_path": str(program)}, no_log=True)
    assert run.counts("pending1") == (1, 0), run.output + seen.read_text()
    assert "correct-horse" not in seen.read_text() + run.output


def test_sensitive_data_is_in_no_result_and_no_diff(site: Site) -> None:
    """Without no_log: from check to rollback, in a conflict, in a stale plan and in the text files of audit."""
    machine = site.exchange("pending1")
    parameters = "parameters: { word: { description: d, type: string, sensitive: true } }\n"
    values = "A: { type: REG_SZ, data: { parameter: word } }\n      B: { type: REG_SZ, data: plain-battery, sensitive: true }"
    site.spec("secret.yaml", parameters + spec(values))
    options = {"src": ["secret.yaml"], "parameters": {"word": "correct-horse"}}
    registry = machine / "front-end.reg"

    def shown(run: Played, counts: tuple[int, int]) -> str:
        assert run.counts("pending1") == counts, run.output
        for secret in ("correct-horse", "plain-battery", "staple", "correct-horse".encode("utf-16-le").hex(",")):
            assert secret not in run.output, run.output
        return run.output

    assert '+"A"=(REG_SZ, hidden)' in shown(site.task(options, "--check", "--diff", "-vvv"), (1, 0))
    shown(site.task({**options, "reports": "reports"}, "-vvv", module="kb_info"), (0, 0))
    for end in ("json", "md"):
        kept = (site.folder / f"reports/pending1.{end}").read_text(encoding="utf-8")
        assert "correct-horse" not in kept and "plain-battery" not in kept, kept
    shown(site.task(options, "--diff", "-vvv"), (1, 0))
    text = registry.read_text(encoding="utf-8-sig")
    assert '"A"="correct-horse"' in text and '"B"="plain-battery"' in text
    registry.write_text(text.replace("plain-battery", "staple"), encoding="utf-8-sig")
    shown(site.task({"plan": str(site.folder / "reports/pending1.plan.json")}, "-vvv"), (0, 1))
    shown(site.task({"last": True}, "--diff", "-vvv", module="kb_rollback"), (0, 1))
    shown(site.task({"last": True, "force": True}, "--diff", "-vvv", module="kb_rollback"), (1, 0))
    wrong = site.task({**options, "parameters": {"word": ["correct-horse"]}}, "-vvv")
    shown(wrong, (0, 1))


def test_restart_facts(site: Site) -> None:
    site.exchange("pending1")
    site.spec("reboot.yaml", spec("A: { type: REG_DWORD, data: 1 }") + "restart: { computer: required, services: [LanmanServer] }\n")
    task = {
        "name": "t",
        "kbfix.windows.kb": {"src": ["reboot.yaml"], "target": "{{ kbfix_target }}", "state_dir": "{{ kbfix_state_dir }}"},
        "register": "r",
    }
    show = {
        "name": "s",
        "ansible.builtin.debug": {"msg": "{{ r.reboot_required }} {{ r.restart.services | join('+') }} {{ r.journal is truthy }}"},
    }
    play = [{"name": "p", "hosts": "all", "gather_facts": False, "tasks": [task, show]}]
    assert '"msg": "True LanmanServer False"' in site.play(play, "--check").output
    assert '"msg": "True LanmanServer True"' in site.play(play).output
    assert '"msg": "False  False"' in site.play(play).output


def test_module_defaults_for_the_group(site: Site) -> None:
    """Every module, with each ansible-core."""
    machine = site.exchange("pending1")
    options = {"target": f"reg:{machine}/front-end.reg", "files": f"{machine}/C", "state_dir": f"{machine}/state"}
    defaults = {"group/kbfix.windows.kbfix": options}
    snapshot = {**SRC, "dest": str(site.folder / "snapshots")}
    modules = [("kb_info", SRC), ("kb_snapshot", snapshot), ("kb", SRC), ("kb_rollback", {"last": True}), ("kb", SRC)]
    tasks = [{"name": "t", f"kbfix.windows.{m}": o} for m, o in [*modules, ("kb_retire", {"ids": ["KB909094"]})]]
    run = site.play([{"name": "p", "hosts": "all", "gather_facts": False, "module_defaults": defaults, "tasks": tasks}], "-v")
    assert "KB909094: changes pending" in run.output and run.counts("pending1") == (4, 0), run.output


def test_a_jump_host(site: Site) -> None:
    """The play for Server 2003, with an export instead of smb:. test_smb.py tests it with smb:."""
    site.exchange("pending1")
    site.hosts["jump"] = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    play = (EXAMPLES / "server2003.yml").read_text().replace("hosts: server2003", "hosts: pending1")
    (site.folder / "server2003.yml").write_text(play)
    run = site.play("server2003.yml", "-e", "kbfix_jump_host=jump")
    assert run.counts("pending1") == (1, 0), run.output
    assert "[pending1 -> jump]" in run.output


def small_program(site: Site) -> pathlib.Path:
    """Returns a script that runs kbfix. The role copies and hashes the program many times, and a debug build has 60 MB."""
    program = site.folder / "small"
    program.write_text(f'#!/bin/sh\nexec {binary()} "$@"\n')
    program.chmod(0o755)
    return program


def test_the_role_installs_and_checks_the_digest(site: Site) -> None:
    site.exchange("pending1")
    dest = site.folder / "bin/kbfix"
    program = small_program(site)
    (site.folder / "own").symlink_to(program)
    extra = {"kbfix_install_src": "own", "kbfix_binary_path": str(dest)}

    def install(*arguments: str, **more: str | None) -> Played:
        return site.play("kbfix.windows.install", *arguments, "-e", json.dumps({**extra, **more}))

    for wrong in ("00", "", None):
        run = install(kbfix_install_sha256=wrong)
        assert run.counts("pending1") == (0, 1) and "nothing was copied" in run.output and not dest.exists()
    assert install("--check").counts("pending1") == (2, 0) and not dest.exists()
    digest = hashlib.sha256(program.read_bytes()).hexdigest().upper()
    for changed in (2, 0):
        run = install(kbfix_install_sha256=digest)
        assert run.counts("pending1") == (changed, 0), run.output
    assert "kbfix 0." in run.output
    assert install(kbfix_install_sha256=f"SHA256:{digest}").counts("pending1") == (0, 0)
    assert install("--check").counts("pending1") == (0, 0)
    assert site.task({**SRC, "binary_path": str(dest)}, "--check").counts("pending1") == (1, 0)
    # Without a digest. A file that does not start as kbfix must not replace a working binary.
    dest.write_text("#!/bin/sh\necho kbfix 0.0.0\n")
    assert install().counts("pending1") == (1, 0) and dest.read_bytes() == program.read_bytes()
    for content in ("#!/bin/sh\necho garbage\n", "MZ of another system"):
        (site.folder / "wrong").write_text(content)
        run = install(kbfix_install_src="wrong")
        assert run.counts("pending1") == (0, 1) and "does not start on this host as kbfix" in run.output.replace("\n", " "), run.output
        assert dest.read_bytes() == program.read_bytes()
    assert [p.name for p in dest.parent.iterdir()] == ["kbfix"]


@pytest.fixture
def server(tmp_path: pathlib.Path) -> Iterator[tuple[pathlib.Path, str]]:
    """Returns a folder, and the URL at which a server on this machine serves it."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()


def test_the_role_downloads_a_release(site: Site, server: tuple[pathlib.Path, str]) -> None:
    site.exchange("pending1")
    dest = site.folder / "bin/kbfix"
    program = small_program(site)
    folder, address = server
    # A release archive as release/build makes it, and the binary alone.
    archive = folder / "v0.1.0/kbfix-0.1.0-linux-x86_64.tar.gz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(program, "kbfix-0.1.0-linux-x86_64/kbfix")
        tar.add(EXAMPLES / "one_host.yml", "kbfix-0.1.0-linux-x86_64/README.md")
    shutil.copy(program, folder / "kbfix")
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("kbfix", f"v0.1.0/{archive.name}")}

    # The path is short, because ansible-playbook makes a socket below it.
    temporary = pathlib.Path(tempfile.mkdtemp(prefix="t"))

    def install(*arguments: str, **more: str | None) -> Played:
        extra = {"kbfix_binary_path": str(dest), "install_page": address}
        return site.play("kbfix.windows.install", *arguments, "-e", json.dumps({**extra, **more}), TMPDIR=str(temporary))

    by_version = {"kbfix_install_version": "0.1.0", "kbfix_install_sha256": digests[f"v0.1.0/{archive.name}"]}
    run = install(kbfix_install_version="0.1.0")
    assert run.counts("pending1") == (0, 1) and "install_sha256 is not given" in run.output, run.output
    run = install(kbfix_install_version="0.1.0", kbfix_install_sha256="0" * 64)
    assert run.counts("pending1") == (0, 1) and "nothing was copied" in run.output and not dest.exists(), run.output
    assert install("--check", **by_version).counts("pending1") == (2, 0) and not dest.exists()
    for changed in (2, 0):
        run = install(**by_version)
        assert run.counts("pending1") == (changed, 0), run.output
    assert dest.read_bytes() == program.read_bytes()
    # The same from a URL, and from the archive on the controller.
    for name, digest in digests.items():
        dest.unlink()
        run = install(kbfix_install_src=f"{address}/{name}", kbfix_install_sha256=digest)
        assert run.counts("pending1") == (1, 0) and dest.read_bytes() == program.read_bytes(), run.output
    dest.unlink()
    assert install(kbfix_install_src=str(archive)).counts("pending1") == (1, 0) and dest.exists()
    run = install(kbfix_install_src=f"{address}/nothing", kbfix_install_sha256="0" * 64)
    assert run.counts("pending1") == (0, 1) and "404" in run.output, run.output
    assert not list(temporary.glob("kbfix.*/kbfix-0.1.0-linux-x86_64"))
    shutil.rmtree(temporary)


def test_the_role_knows_a_windows_host_by_its_connection(site: Site) -> None:
    kinds: list[tuple[dict[str, str], bool]] = [
        ({"ansible_connection": "ansible.builtin.winrm"}, True),
        ({"ansible_connection": "psrp"}, True),
        ({"ansible_connection": "ssh", "ansible_shell_type": "ansible.builtin.powershell"}, True),
        ({"ansible_connection": "ssh", "ansible_shell_type": "cmd"}, True),
        ({"ansible_connection": "ansible.builtin.ssh"}, False),
        ({}, False),
    ]
    for n, (variables, _) in enumerate(kinds):
        site.host(f"host{n}", **variables)
    defaults = {"name": "d", "ansible.builtin.include_vars": {"file": str(COLLECTION / "roles/install/defaults/main.yml")}}
    show = {"name": "s", "ansible.builtin.debug": {"msg": "{{ inventory_hostname }}: {{ install_windows | bool }}, {{ install_dest }}"}}
    run = site.play([{"name": "p", "hosts": "all", "gather_facts": False, "tasks": [defaults, show]}])
    for n, (_, windows) in enumerate(kinds):
        assert f"host{n}: {windows}, {'C:' if windows else '/usr'}" in run.output, run.output
