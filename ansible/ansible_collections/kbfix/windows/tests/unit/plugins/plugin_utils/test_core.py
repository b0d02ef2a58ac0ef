# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Tests the core without Ansible: how options become a call, a raw result a report, and a report the result of a task."""

from __future__ import annotations

import datetime
import hashlib
import json
import pathlib
import re
import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.kbfix.windows.plugins.doc_fragments.kbfix import ModuleDocFragment
from ansible_collections.kbfix.windows.plugins.modules import kb, kb_info, kb_retire, kb_rollback, kb_snapshot
from ansible_collections.kbfix.windows.plugins.plugin_utils import command, options, reports, result
from ansible_collections.kbfix.windows.plugins.plugin_utils.advice import in_the_task, spelled
from ansible_collections.kbfix.windows.plugins.plugin_utils.command import Call
from ansible_collections.kbfix.windows.plugins.plugin_utils.failure import KbfixFailure
from ansible_collections.kbfix.windows.plugins.plugin_utils.local import start
from ansible_collections.kbfix.windows.plugins.plugin_utils.report import ended_before_it_read, read_report, read_snapshot

MODULES = {
    "kb": (kb, options.KB),
    "kb_info": (kb_info, options.KB_INFO),
    "kb_retire": (kb_retire, options.KB_RETIRE),
    "kb_rollback": (kb_rollback, options.KB_ROLLBACK),
    "kb_snapshot": (kb_snapshot, options.KB_SNAPSHOT),
}
OPTIONS: dict[str, t.Any] = {"with_changes": True, "diff_lines": 2000}
CALL = Call(["kbfix", "diff"])


def documented(module: t.Any) -> dict[str, t.Any]:
    own = yaml.safe_load(module.DOCUMENTATION)
    found = dict(own.get("options") or {})
    for name in own["extends_documentation_fragment"]:
        fragment = name.removeprefix("kbfix.windows.kbfix").removeprefix(".").upper() or "DOCUMENTATION"
        found |= yaml.safe_load(getattr(ModuleDocFragment, fragment))["options"]
    return found


@pytest.mark.parametrize("name", MODULES)
def test_the_documentation_names_the_options_that_there_are(name: str) -> None:
    module, spec = MODULES[name]
    keep = ("type", "elements", "choices", "default", "required")
    shown = {o: {k: d[k] for k in keep if k in d} for o, d in documented(module).items()}
    real = {o: {k: d[k] for k in keep if k in d} for o, d in spec["argument_spec"].items()}
    assert shown == real


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_use_options_that_there_are(name: str) -> None:
    seen = 0
    for task in yaml.safe_load(MODULES[name][0].EXAMPLES):
        for action, arguments in task.items():
            if not action.startswith("kbfix.windows."):
                continue
            spec = dict(MODULES[action.rpartition(".")[2]][1])
            checked = ArgumentSpecValidator(spec.pop("argument_spec"), **spec).validate(arguments)
            assert not checked.error_messages, task["name"]
            seen += 1
    assert seen


# The variables of the playbooks that the playbooks set themselves.
OWN = """
audit bad blocked by_fleet by_fleet_plan by_plan by_plans by_specs fleet fleet_arguments fleet_specs folder made
outcome page part result results stdin stopped unknown
"""


def test_every_variable_of_a_playbook_is_in_the_table() -> None:
    root = pathlib.Path(__file__).parents[4]
    used = set(re.findall(r"\bkbfix_[a-z0-9_]+", "".join(p.read_text(encoding="utf-8") for p in root.glob("playbooks/*.yml"))))
    own = {f"kbfix_{name}" for name in OWN.split()}
    table = [line for line in (root / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| `kbfix_")]
    assert used - own == set(re.findall(r"`(kbfix_[a-z0-9_]+)`", "".join(line.split("|")[1] for line in table)))


def texts(name: str) -> str:
    return {"a.yaml": "kbfix: 1 # ü\n", "p.json": '{"kbfix_plan": 1, "x": "ü"}'}[name]


def test_specs_and_parameters_travel_on_stdin_in_ascii() -> None:
    given = {"src": ["a.yaml"], "spec": {"id": "X"}, "parameters": {"p": 1, "q": "ü"}, "target": "local"}
    call = command.apply(given, True, texts)
    assert call.argv == [command.WINDOWS_BINARY, "apply", "--format", "json", "--target=local", "--stdin-specs"]
    assert call.stdin.isascii()
    sent = json.loads(call.stdin)
    assert sent["specs"] == [{"name": "spec (X)", "text": '{\n  "id": "X"\n}'}, {"name": "a.yaml", "text": "kbfix: 1 # ü\n"}]
    assert sent["parameters"] == {"p": "1", "q": "ü"}


def test_files_on_the_host_are_named() -> None:
    call = command.diff({"src": ["KB1", "-x"], "remote_src": True}, False, texts)
    assert call.argv[-3:] == ["--", "KB1", "-x"]
    assert command.diff({"plan": "p.json", "remote_src": True}, False, texts).argv[-1] == "--plan=p.json"


def test_a_plan_travels_on_stdin() -> None:
    call = command.apply({"plan": "p.json", "digest": "d"}, False, texts)
    assert call.argv[-3:] == ["--digest=sha256:d", "--plan=-", "--stdin-name=p.json"]
    assert call.stdin.isascii() and json.loads(call.stdin)["x"] == "ü"


def test_flags_for_hotfixes() -> None:
    given = {"src": [], "packages": {"KB1": r"C:\a b.exe"}, "install_hotfix": True, "restart_services": True, "state_dir": "s"}
    flags = [r"--package=KB1=C:\a b.exe", "--install-hotfix", "--state-dir=s", "--restart-services", "--stdin-specs"]
    assert command.apply(given, True, texts).argv[4:] == flags
    assert command.apply(given, True, texts, check=True).argv[4:] == ["--check", *flags]


def test_triggers_are_asked_for_by_id() -> None:
    given = {"src": [], "triggers": ["KB1", "KB2"]}
    for call in (command.apply(given, True, texts), command.apply(given, True, texts, check=True), command.diff(given, True, texts)):
        assert [word for word in call.argv if "trigger" in word] == ["--trigger=KB1", "--trigger=KB2"]
    with pytest.raises(KbfixFailure, match="the plan determines"):
        command.apply({"plan": "p.json", "triggers": ["KB1"]}, False, texts)


def test_a_package_is_used_only_where_it_may_be_installed() -> None:
    with pytest.raises(KbfixFailure, match="install_hotfix is not true"):
        command.apply({"src": [], "packages": {"KB1": "p"}}, True, texts)
    with pytest.raises(KbfixFailure, match="packages does not name a package"):
        command.apply({"src": [], "install_hotfix": True}, True, texts)
    assert "--max-changes=5" in command.apply({"src": [], "max_changes": 5}, True, texts).argv
    with pytest.raises(KbfixFailure, match="max_changes is -1"):
        command.apply({"src": [], "max_changes": -1}, True, texts)


def test_a_digest_is_never_left_out_because_it_is_empty() -> None:
    for blank in ("", "  ", "sha256:"):
        with pytest.raises(KbfixFailure, match="digest is empty"):
            command.apply({"plan": "p.json", "digest": blank}, False, texts)
    for digest in ("SHA256:AB", " sha256:ab ", "Ab"):
        assert "--digest=sha256:ab" in command.apply({"plan": "p.json", "digest": digest}, False, texts).argv


def test_an_installation_is_in_the_diff() -> None:
    pending = spec("changes_pending", install={"package": "fix*.exe", "sentence": "hotfix: run fix*.exe"})
    found = run(pending, check=True)
    assert found["changed"] is True and found["diff"][0]["after"] == "; hotfix: run fix*.exe\n"
    named = result.of_run(report(pending), True, True, False, {**OPTIONS, "packages": {"kb1": "C:\\a b\\fix-x86.exe"}})
    assert named["diff"][0]["after"] == "; hotfix: run fix*.exe\n; its file is C:\\a b\\fix-x86.exe\n"
    # A line break in the file name does not add a line to the diff.
    named = result.of_run(report(pending), True, True, False, {**OPTIONS, "packages": {"kb1": "a\n+b"}})
    assert named["diff"][0]["after"].count("\n") == 2


def test_an_error_beside_the_outcome_fails() -> None:
    """For example, everything was written, but a service did not start again."""
    diagnostic = {"code": "service-restart-failed", "severity": "error", "message": "it did not start"}
    found = run(spec("changed", CHANGE), changed=True, exit_code=7, diagnostics=[diagnostic])
    assert found["failed"] and found["changed"] and "it did not start [service-restart-failed]" in found["msg"]


def test_the_outcome_is_told_in_the_words_of_the_report() -> None:
    found = run(spec("failed", sentence="writing failed", reasons=["a", "b"]), outcome="failed", exit_code=6)
    assert found["failed"] and not found["changed"] and found["msg"] == "KB1: writing failed: a; b"
    # A report without a sentence.
    assert run(spec("blocked"))["msg"] == "KB1: blocked"


def test_check_mode_fails_where_the_run_is_refused() -> None:
    diagnostic = {
        "code": "too-many-changes",
        "severity": "error",
        "message": "KB1: 1002 keys and values",
        "hint": "allow that many",
        "options": [{"name": "max-changes", "value": "1002"}],
    }
    found = run(outcome=None, check=True, diagnostics=[diagnostic])
    assert (
        found["failed"]
        and not found["changed"]
        and "KB1: 1002 keys and values [too-many-changes]; allow that many (max_changes: 1002)" in found["msg"]
    )
    # kbfix stopped before it read the target, so the result says nothing about a restart.
    assert "restart" not in found and "reboot_required" not in found


def test_rollback() -> None:
    assert command.rollback({"journal": "j", "force": True}, False, True).argv[4:] == ["--force", "--check", "--", "j"]
    assert command.rollback({"last": True}, False, False).argv[4:] == ["--last"]
    with pytest.raises(KbfixFailure, match="journal, last"):
        command.rollback({}, False, False)


def test_retire() -> None:
    def call(check: bool = False, **given: object) -> Call:
        return command.retire(given, False, lambda name: f"text of {name}", check)

    ids = call(ids=["A", "B"], force=True, check=True)
    assert (ids.argv[4:], ids.stdin) == (["--if-applied", "--force", "--check", "--", "A", "B"], "")
    sent = call(ids=["A"], src=["b.yaml"], parameters={"p": 1})
    assert sent.argv[4:] == ["--if-applied", "--stdin-specs", "--", "A"]
    assert json.loads(sent.stdin) == {"specs": [{"name": "b.yaml", "text": "text of b.yaml"}], "parameters": {"p": "1"}}
    on_host = call(absent=True, src=["KB909094"], remote_src=True)
    assert on_host.argv[4:] == ["--absent", "--stdin-specs", "--specs=KB909094"]
    assert json.loads(on_host.stdin)["specs"] == []
    idle = {"ids": ["A"], "parameters": {"p": 1}}
    for given, word in (({}, "ids, absent"), ({"absent": True}, "give spec or src"), (idle, "parameters")):
        with pytest.raises(KbfixFailure, match=word):
            call(**given)  # type: ignore[arg-type]


def test_fail_on_is_handed_on_and_fails_a_look() -> None:
    def read(name: str) -> str:
        return name

    for make in (command.apply, command.diff):
        assert "--fail-on=policy-owned" in make({"src": ["a"], "fail_on": ["policy-owned"]}, False, read).argv
        assert not any("fail-on" in one for one in make({"src": ["a"]}, False, read).argv)
    owned = {"code": "policy-owned", "severity": "warning", "message": "Group Policy undoes geheim"}
    owner = {"key": r"HKLM\A", "name": "n", "store": "local", "path": "p", "effect": "set", "result": "undoes"}
    found = report(spec("changes_pending", CHANGE, policy=[owner]), diagnostics=[owned])
    look = result.of_look(found, False, {**OPTIONS, "fail_on": ["policy-owned"]})
    assert look["failed"] is True and "Group Policy undoes geheim [policy-owned]" in look["msg"]
    assert look["specs"][0]["policy"] == [owner] and look["specs"][0]["policy_unread"] == []
    assert "geheim" not in result.of_look(found, True, {**OPTIONS, "fail_on": ["policy-owned"]})["msg"]
    for fail_on in ([], ["policy-unknown"]):
        assert "failed" not in result.of_look(found, False, {**OPTIONS, "fail_on": fail_on})


@pytest.mark.parametrize("data", [True, None, [1], [None], {"a": "b"}, 1.5, datetime.date(2008, 5, 13)])
def test_a_parameter_is_a_number_a_text_or_texts(data: object) -> None:
    with pytest.raises(KbfixFailure, match=r"the parameter p(\[0\])? is") as failure:
        command.apply({"src": [], "parameters": {"p": data}}, False, texts)
    assert "class" not in str(failure.value) and "NoneType" not in str(failure.value)


def test_a_list_for_a_parameter_is_sent_as_a_list() -> None:
    call = command.apply({"src": [], "parameters": {"p": ["a,b", "c"], "q": []}}, False, texts)
    assert json.loads(call.stdin)["parameters"] == {"p": ["a,b", "c"], "q": []}


PASSWORDS = [
    "smb://u:geheim@h",
    "SMB://:geheim@h:445",
    "smb://d;u:geh@eim@h",
    "smb://CORP;a%geheim@h",
    " smb://a:geheim@h",
    "smb://a:g/eheim@h",
]
PASSWORDS += ["smb:a:geheim@h", "\tsmb:/a%geheim@h", "http://u:geheim@h", "smb://a:ge\nheim@h"]


@pytest.mark.parametrize("uri", PASSWORDS)
def test_a_password_in_the_target_is_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(KbfixFailure) as failure:
        command.apply({"src": [], "target": uri}, False, texts)
    assert "contains a password" in str(failure.value) and "geh" not in str(failure.value)


@pytest.mark.parametrize("uri", ["smb://u@h", "smb://d;u@h:445?smb1", "smb://h:445", "reg:/a:b@c", "hive:/a%20@b=HKLM\\SYSTEM"])
def test_targets_without_a_password(uri: str) -> None:
    assert f"--target={uri}" in command.apply({"src": [], "target": uri}, False, texts).argv


def test_what_some_targets_need() -> None:
    given = {"src": [], "target": "image:/i", "drives": {"d:": "/m"}, "allow_dirty": True, "through_policy": True}
    given["code_page"] = 1252
    assert command.apply(given, False, texts).argv[4:] == [
        "--target=image:/i",
        "--drive=D=/m",
        "--allow-dirty",
        "--through-policy",
        "--code-page=1252",
        "--stdin-specs",
    ]
    for wrong in (
        {"drives": {"CC": "/m"}},
        {"drives": {False: "/m"}},
        {"drives": {"D": ""}},
        {"drives": {"D": None}},
        {"code_page": -1},
        {"target": "local "},
    ):
        with pytest.raises(KbfixFailure):
            command.apply({"src": [], **wrong}, False, texts)


def inline(spec: object) -> t.Any:
    call = command.apply({"spec": spec}, False, texts)
    return yaml.safe_load(json.loads(call.stdin)["specs"][0]["text"])


@pytest.mark.parametrize(
    "key, shown",
    [(False, "the boolean false"), (8, "the number 8"), (1.5, "fraction"), (None, "null"), (datetime.date(2008, 5, 13), "a date")],
)
def test_a_name_that_yaml_1_1_rewrote_is_refused(key: object, shown: str) -> None:
    spec = {"id": "T1", "registry": [{"key": "HKLM", "values": {"A": {}, key: {"data": 1}}}]}
    with pytest.raises(KbfixFailure, match=r"^spec \(T1\): registry\[0\].values: a name is .*; quote it in your play$") as failure:
        command.apply({"spec": spec}, False, texts)
    assert shown in str(failure.value)
    with pytest.raises(KbfixFailure, match=r"^spec\[1\]: a name is"):
        command.apply({"spec": [{}, {key: 1}]}, False, texts)


@pytest.mark.parametrize("name", ["{{ item.name }}", "a{% if x %}b{% endif %}"])
def test_a_template_that_ansible_leaves_in_a_name_is_refused(name: str) -> None:
    rule = {"key": "HKLM", "values": {name: {"type": "REG_DWORD", "data": 1}}}
    with pytest.raises(KbfixFailure, match=r"^spec \(T1\): registry\[0\]\.values: the name .* is a template.*as a list") as failure:
        command.apply({"spec": {"id": "T1", "registry": [rule]}}, False, texts)
    assert name in str(failure.value)
    for spec in ({name: 1}, {"parameters": {name: {}}}, {"registry": [{"key": "HKLM", "values": {"A": {name: 1}}}]}):
        with pytest.raises(KbfixFailure, match="is a template"):
            command.apply({"spec": spec}, False, texts)
    with pytest.raises(KbfixFailure, match=r"parameters: the name .* is a template"):
        command.apply({"src": [], "parameters": {name: 1}}, False, texts)
    # kbfix reads a string itself. A value name in a list is data, in which Ansible has already expanded templates.
    assert command.apply({"spec": f"'{name}': 1"}, False, texts).stdin
    assert inline({"registry": [{"values": [{"name": name}]}]}) == {"registry": [{"values": {name: {}}}]}


def test_values_may_be_a_list_whose_names_are_data() -> None:
    values = [{"name": "A b", "type": "REG_DWORD", "data": 1}, {"type": "REG_SZ", "data": "x", "name": ""}]
    spec = {"id": "T1", "registry": [{"key": "HKLM", "values": values}, {"key": "HKU", "values": []}]}
    wanted = {"A b": {"type": "REG_DWORD", "data": 1}, "": {"type": "REG_SZ", "data": "x"}}
    assert inline(spec)["registry"] == [{"key": "HKLM", "values": wanted}, {"key": "HKU", "values": {}}]
    call = command.apply({"spec": spec}, False, texts)
    (spec_paths,) = call.paths.values()
    assert "registry[0].values[0].data" in spec_paths and "registry[0].values[1]" in spec_paths
    for one, message in (
        (5, r"values\[0\] is the number 5"),
        ({"data": 1}, r"values\[0\] has no `name`"),
        ({"name": 8}, r"name is the number"),
    ):
        with pytest.raises(KbfixFailure, match=message):
            command.apply({"spec": {"registry": [{"values": [one]}]}}, False, texts)


def test_a_number_that_is_allowed_stands_for_itself() -> None:
    allowed = {"id": "T1", "parameters": {"p": {"allowed": {0: "off", 1: "on"}}}}
    assert inline(allowed)["parameters"]["p"]["allowed"] == {"0": "off", "1": "on"}
    for names in ({0: "a", "b": "c"}, {True: "a"}):
        with pytest.raises(KbfixFailure, match="quote it"):
            command.apply({"spec": {"parameters": {"p": {"allowed": names}}}}, False, texts)


def test_dates_are_text_and_other_kinds_are_refused_with_their_place() -> None:
    assert inline({"article": {"reviewed": datetime.date(2008, 5, 13)}}) == {"article": {"reviewed": "2008-05-13"}}
    with pytest.raises(KbfixFailure, match=r"^spec: notes\[1\] is bytes"):
        command.apply({"spec": {"notes": ["a", b"x"]}}, False, texts)
    with pytest.raises(KbfixFailure, match=r'^spec: a\["b c"\] is a number with a fraction'):
        command.apply({"spec": {"a": {"b c": float("nan")}}}, False, texts)
    with pytest.raises(KbfixFailure, match=r"^spec is the number 5"):
        command.apply({"spec": 5}, False, texts)


def test_a_mapping_that_ansible_made_a_text_of_is_refused() -> None:
    text = str({"kbfix": 1, "article": {"reviewed": datetime.date(2008, 5, 13)}})
    with pytest.raises(KbfixFailure, match=r"^spec is a string that Ansible made of a mapping with a date"):
        command.apply({"spec": text}, False, texts)


def test_what_is_sent_is_what_was_given() -> None:
    given = {"a": [], "b": {}, "c": [1, True, None, "ü\u2028", {"d": -0.5}], "": "x"}
    assert inline(given) == given


def test_an_error_in_the_task_is_told_by_its_place_in_the_task() -> None:
    spec = {"id": "T1", "registry": [{"key": "HKLM", "values": {"E": {"type": "REG_SZ", "data": True}, "x y": 1}}]}
    call = command.apply({"spec": spec}, False, texts)
    lines = json.loads(call.stdin)["specs"][0]["text"].splitlines()
    place = {"file": "spec (T1)", "line": lines.index('          "data": true') + 1, "column": 19, "source": "x"}
    one = {"code": "c", "severity": "error", "message": "m", "place": place, "hint": 'write it in quotes: "true"', "fix": "quote"}
    other = {"place": {**place, "line": lines.index('        "x y": 1') + 1}, "hint": "set it: d", "fix": None}
    two = {**one, **other, "options": [{"name": "set", "value": "p=…"}]}
    shown = report(outcome=None, diagnostics=[in_the_task(each, call) for each in (one, two)])
    assert result.of_run(shown, False, False, False, OPTIONS)["msg"].splitlines() == [
        "spec (T1): registry[0].values.E.data: m [c]; quote it in your play",
        'spec (T1): registry[0].values["x y"]: m [c]; set it: d (parameters: {p: …})',
    ]
    # For a spec in a file, the hint quotes the text of the file.
    in_file = in_the_task({**one, "place": {**place, "file": "a.yaml"}}, call)
    assert in_file["hint"] == one["hint"] and "path" not in in_file["place"]


SPELLED: list[tuple[list[tuple[str, str | None]], str]] = [
    ([("force", None)], " (force: true)"),
    ([("state-dir", "DIR")], " (state_dir: DIR)"),
    ([("package", "ID=PATH"), ("install-hotfix", None)], " (packages: {ID: PATH}, install_hotfix: true)"),
    ([("drive", "D=DIR")], " (drives: {D: DIR})"),
    ([("out", "FILE")], " (kb_info with with_plan: true)"),
    ([("files", None)], " (files)"),
    # An option that no module has is spelled as on the command line.
    ([("force-machine", None)], " (--force-machine)"),
    ([], ""),
]


@pytest.mark.parametrize("named, text", SPELLED)
def test_options_are_spelled_as_the_module_has_them(named: list[tuple[str, str | None]], text: str) -> None:
    found: list[t.Any] = [{"name": name} if value is None else {"name": name, "value": value} for name, value in named]
    assert spelled(found) == text
    one: t.Any = {"code": "x", "severity": "error", "message": "m --force", "hint": "h --force", "options": found}
    shown = in_the_task(one, CALL)
    # Words in a message or a hint that look like an option stay as they are.
    assert (shown["message"], shown["hint"]) == ("m --force", f"h --force{text}")


def test_a_parameter_that_is_not_set_is_named_as_the_task_sets_it() -> None:
    unset = spec("needs_parameter", sentence="needs a parameter", reasons=["`p` is not set: d"], options=[{"name": "set", "value": "p=…"}])
    found = run(unset)
    assert found["failed"] and found["msg"] == "KB1: needs a parameter: `p` is not set: d (parameters: {p: …})"


REPORT: dict[str, t.Any] = {
    "kbfix_report": 1, "kbfix_version": "0.1.0", "command": "diff", "target": "local", "exit_code": 0, "changed": False,
    "machine": {"computer_name": "A", "machine_guid": None}, "outcome": "in_desired_state", "digest": "d", "specs": [],
    "restart": {"computer": "never", "services": [], "note": None}, "journal": None, "conflicts": [], "moved": [], "diagnostics": [],
}  # fmt: skip


def report(*specs: dict[str, t.Any], **more: object) -> t.Any:
    return {**REPORT, "specs": list(specs), **more}


def raw(rc: int = 0, **report: object) -> dict[str, t.Any]:
    return {"cmd": "kbfix", "rc": rc, "stdout": json.dumps({**REPORT, **report}), "stderr": ""}


def test_a_report_is_read() -> None:
    assert read_report(raw(1, exit_code=1), CALL, False)["exit_code"] == 1


UNREADABLE = [
    ({"cmd": "k", "rc": 2, "msg": "Error executing command.", "stdout": ""}, False, "does not exist"),
    ({"cmd": "k", "rc": 2, "msg": "[Errno 2] No such file or directory: b'k'"}, False, "does not exist"),
    ({"cmd": "k", "rc": 13, "msg": "Error executing command."}, False, "may not be run"),
    ({"cmd": "k", "rc": 32, "msg": "Error executing command."}, False, "too old for an option"),
    ({"cmd": "k", "rc": 32, "msg": "[Errno 32] Broken pipe"}, False, "too old for an option"),
    ({"cmd": "k", "rc": 99, "msg": "Error executing command."}, False, "could not be started: Error"),
    ({"rc": 127, "msg": "deserialization failed", "module_stderr": "no python\nmore"}, False, "failed; no python$"),
    ({"cmd": "k", "rc": 2, "msg": "Failed to run: 'k': x"}, True, "does not exist"),
    ({"cmd": "k", "rc": 1260, "msg": "Failed to run: 'k': x"}, True, "group policy"),
    ({"cmd": "k", "rc": 7777, "msg": "Failed to run: 'k': x"}, True, "could not be started: Failed"),
    ({"cmd": "k", "rc": 53, "stdout": ""}, True, "a library that it needs is missing"),
    ({"cmd": "k", "rc": -1073741515, "stdout": ""}, True, "0xC0000135.*library"),
    ({"cmd": "k", "rc": -1073741819, "stdout": ""}, True, "crashed: status 0xC0000005"),
    ({"cmd": "k", "rc": 3221225477, "stdout": ""}, True, "crashed: status 0xC0000005"),
    ({"cmd": "k", "rc": -9, "stdout": ""}, False, "signal 9"),
    ({"cmd": "k", "rc": 139, "stdout": ""}, False, "signal 11"),
    ({"cmd": "k", "rc": 101, "stdout": "", "stderr": "thread 'main' panicked at src/x.rs:1:2:\nboo"}, False, "panicked at src/x.rs"),
    ({"cmd": "k", "rc": 2, "stdout": "", "stderr": "error: unexpected argument '--package' found\n"}, False, "too old.*--package"),
    ({"cmd": "k", "rc": 0, "stdout": "hello secret"}, False, "is not kbfix"),
    ({"cmd": "k", "rc": 0, "stdout": "[1]"}, False, "is not kbfix"),
    ({"cmd": "k", "rc": 0, "stdout": '{"kbfix_report": 1,'}, False, r"cut off after 19 characters$"),
    (raw(kbfix_report=2), False, "update the collection"),
    (raw(kbfix_report=0), False, "update it with the role"),
    (raw(kbfix_report="x"), False, "update it with the role"),
    (raw(command="apply"), False, "called with the command diff, but reported apply"),
    (raw(3), False, "ended with 3"),
]  # fmt: skip


@pytest.mark.parametrize("answer, windows, message", UNREADABLE)
def test_why_there_is_no_report(answer: dict[str, t.Any], windows: bool, message: str) -> None:
    with pytest.raises(KbfixFailure, match=message) as failure:
        read_report(answer, CALL, windows)
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize("message", ["Error executing command.", "[Errno 32] Broken pipe"])
def test_a_program_that_reads_nothing_is_known_with_each_ansible_core(message: str) -> None:
    assert ended_before_it_read({"cmd": "k", "rc": 32, "msg": message}, False)
    assert not ended_before_it_read({"cmd": "k", "rc": 32, "msg": message}, True)
    assert not ended_before_it_read({"cmd": "k", "rc": 2, "msg": message}, False)
    assert not ended_before_it_read({"cmd": "k", "rc": 32, "msg": "", "stdout": "x"}, False)


def test_a_report_that_is_cut_off_says_what_may_have_been_begun() -> None:
    answer = {"cmd": "k", "rc": 0, "stdout": '{"kbfix_report": 1,'}
    with pytest.raises(KbfixFailure, match=r"cut off.*kb_rollback undoes them"):
        read_report(answer, Call(["kbfix", "apply"]), False)
    with pytest.raises(KbfixFailure, match=r"cut off after 19 characters$"):
        read_report(answer, Call(["kbfix", "apply", "--check"]), False)


def spec(outcome: str, *changes: dict[str, t.Any], **more: object) -> dict[str, t.Any]:
    restart = {"computer": "never", "services": [], "note": "a note"}
    return {"id": "KB1", "title": "t", "outcome": outcome, "restart": restart, "changes": list(changes), **more}


CHANGE: dict[str, t.Any] = {
    "key": r"HKLM\A", "long_key": r"HKEY_LOCAL_MACHINE\A", "action": "update",
    "diff": {"heading": r"[HKEY_LOCAL_MACHINE\A]", "before": "", "after": '"n"=dword:00000001\n'},
    "values": [{"name": "n", "before": None, "after": {"type": "REG_DWORD", "bytes": "01000000", "text": "dword:00000001"}}],
}  # fmt: skip


def run(*specs: dict[str, t.Any], check: bool = False, on_blocked: str = "fail", no_log: bool = False, **more: object) -> dict[str, t.Any]:
    found = report(*specs, **more)
    found["diagnostics"] = [in_the_task(one, CALL) for one in found["diagnostics"]]
    return result.of_run(found, check, True, no_log, {**OPTIONS, "on_blocked": on_blocked})


def test_check_mode_has_the_changed_of_the_run() -> None:
    assert run(spec("changes_pending", CHANGE), check=True)["changed"] is True
    assert run(spec("changed", CHANGE), changed=True)["changed"] is True
    assert run(spec("in_desired_state"), check=True)["changed"] is False
    assert run(spec("blocked"), spec("changes_pending", CHANGE), check=True)["changed"] is True


@pytest.mark.parametrize(
    "outcome, failed",
    [
        ("in_desired_state", False),
        ("not_applicable", False),
        ("pending_restart", True),
        ("blocked", True),
        ("unknown", True),
        ("rolled_back", True),
        ("failed", True),
    ],
)
def test_which_outcomes_fail(outcome: str, failed: bool) -> None:
    assert run(spec(outcome)).get("failed", False) is failed


@pytest.mark.parametrize("check", [False, True])
def test_a_user_who_could_not_be_read_fails_the_task_and_is_named(check: bool) -> None:
    """The changes for the other users are made, and kbfix ends with exit code 4."""
    reason = "the registry of S-1-5-21-7 could not be read"
    one = spec("changes_pending" if check else "changed", CHANGE, unread_users=["S-1-5-21-7"], reasons=[reason])
    found = run(one, check=check, changed=not check, outcome="unknown", exit_code=4)
    assert found["failed"] and found["changed"] and reason in found["msg"]


def test_blocked_may_warn_and_says_why() -> None:
    found = run(spec("blocked", reasons=["found 1, wanted 2"]), on_blocked="warn")
    assert "failed" not in found and found["warnings"] == ["KB1: blocked: found 1, wanted 2"]
    assert run(spec("blocked"), spec("unknown"), on_blocked="warn")["failed"] is True
    assert run(spec("pending_restart"), on_blocked="warn")["warnings"] == ["KB1: pending_restart"]


@pytest.mark.parametrize(
    "pending, wanted",
    [
        (None, None),
        ({"signs": []}, False),
        ({"signs": ["HKLM\\A"], "unread": ["HKLM\\B: denied"]}, True),
        ({"signs": [], "unread": ["HKLM\\B: denied"]}, None),
        ({"signs": [], "replaced": [{"path": "a", "from": "b", "found": "1.0.0.0", "result": "met"}]}, True),
        ({"signs": [], "replaced": [{"path": "a", "from": "b", "found": "1.0.0.0", "result": "unmet"}]}, False),
    ],
)
def test_whether_a_restart_was_pending(pending: object, wanted: bool | None) -> None:
    found = run(spec("in_desired_state"), **({"pending_restart": pending} if pending else {}))
    assert found["reboot_pending"] is wanted


def test_no_log_leaves_only_places() -> None:
    place = {"file": "a.yaml", "line": 3, "column": 4, "length": 1, "source": "  data: geheim"}
    diagnostic = {"code": "c-d", "severity": "error", "message": "geheim", "place": place, "hint": "geheim"}
    stopped = run(outcome=None, diagnostics=[diagnostic], no_log=True)
    assert stopped["msg"] == "a.yaml:3:4: [c-d] (no_log hides more)" and stopped["failed"]
    assert "data: geheim" in run(outcome=None, diagnostics=[diagnostic])["msg"]
    conflict = {"place": "HKLM\\A", "left": "geheim", "found": "geheim"}
    assert "geheim" not in run(spec("failed", reasons=["geheim"]), conflicts=[conflict], no_log=True)["msg"]


def test_restart_notes_are_of_what_changes() -> None:
    assert run(spec("changed", CHANGE))["restart"]["notes"] == ["a note"]
    assert run(spec("in_desired_state"))["restart"]["notes"] == []


def test_a_look_never_changes_or_fails_by_what_it_finds() -> None:
    found = result.of_look(report(spec("blocked"), plan="{}"), False, {**OPTIONS, "with_plan": True})
    assert (found["changed"], found.get("failed"), found["plan"], "plan" in found["report"]) == (False, None, "{}", False)
    assert result.of_look(report(outcome=None), False, OPTIONS)["failed"] is True


def test_what_a_look_keeps_of_a_host(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "a/b"
    (tmp_path / "new").touch()
    umask_allows = (tmp_path / "new").stat().st_mode & 0o777
    report = {**REPORT, "specs": [spec("changes_pending", CHANGE)], "plan": "{}\n", "markdown": "# ü\n"}
    files = reports.write(str(folder), "web1", report)
    assert files == {end: str(folder / f"web1.{end}") for end in ("json", "md", "plan.json")}
    kept = json.loads((folder / "web1.json").read_text(encoding="utf-8"))
    assert "plan" not in kept and "markdown" not in kept and kept["specs"][0]["outcome"] == "changes_pending"
    assert ((folder / "web1.md").read_text(encoding="utf-8"), (folder / "web1.plan.json").read_text()) == ("# ü\n", "{}\n")
    modes = {end: pathlib.Path(path).stat().st_mode & 0o777 for end, path in files.items()}
    assert modes["plan.json"] == 0o600 and modes["json"] == modes["md"] == umask_allows
    reports.clear(str(folder), "web1")
    assert not list(folder.iterdir())
    assert sorted(reports.write(str(folder), "web1", {**report, "specs": [spec("blocked", CHANGE)]})) == ["json", "md"]
    for host in ("a/b", "../b"):
        with pytest.raises(KbfixFailure, match="cannot be part of a file name"):
            reports.clear(str(folder), host)
    for host, taken in (("index", r"index\.md"), ("Index", r"index\.md"), ("web1.plan", r"web1\.plan\.json"), ("a.PLAN", r"a\.plan\.json")):
        with pytest.raises(KbfixFailure, match=f"the host name {host} is reserved, because a report of this host could replace {taken}"):
            reports.clear(str(folder), host)
    for host in ("index1", "plan", "web.plan1"):
        reports.clear(str(folder), host)
    with pytest.raises(KbfixFailure, match=r"web1.json/web2.json cannot be written"):
        reports.write(str(folder / "web1.json"), "web2", report)
    # With reports, the report and the plan are in files, and not in the result.
    assert "report" not in (found := result.of_look(report, False, {**OPTIONS, "reports": "r"})) and "plan" not in found


def test_changes_and_diffs_are_those_of_the_report() -> None:
    data = {"type": "REG_QWORD", "bytes": "ff00000000000000", "text": "hex(b):ff,…", "readable": "REG_QWORD 0xff"}
    values = [*CHANGE["values"], {"name": "q", "before": data, "after": None}]
    found = run(spec("changes_pending", {**CHANGE, "values": values}), check=True)
    heading = dict.fromkeys(("before_header", "after_header"), r"[HKEY_LOCAL_MACHINE\A]")
    assert found["diff"] == [{**heading, "before": "", "after": '"n"=dword:00000001\n'}]
    one, two = found["changes"]
    assert (one["key"], one["action"], one["after"]["readable"]) == (r"HKEY_LOCAL_MACHINE\A", "create", None)
    assert (two["action"], two["before"], two["after"]) == ("delete", data, None)
    # The changes of a blocked spec are never made.
    assert run(spec("blocked", CHANGE))["diff"] == []


def test_changes_are_left_out_and_the_diff_has_a_limit() -> None:
    many = report(spec("changes_pending", CHANGE, CHANGE, CHANGE), outcome="changes_pending")
    found = result.of_run(many, True, True, False, {"with_changes": False, "diff_lines": 1})
    assert "changes" not in found and found["changed"] is True
    assert [sorted(one) for one in found["diff"]] == [["after", "after_header", "before", "before_header"], ["prepared"]]
    assert found["diff"][1]["prepared"].startswith("2 more keys with 2 lines are not shown, because diff_lines is 1")
    assert len(result.of_run(many, True, True, False, {"with_changes": True, "diff_lines": 3})["diff"]) == 3
    look = result.of_look(many, False, {"with_changes": False})
    assert "changes" not in look and "report" not in look and look["outcome"] == "changes_pending"


def test_a_snapshot_is_read_whole_or_not_at_all(tmp_path: pathlib.Path) -> None:
    call = command.snapshot({"src": ["KB1"], "remote_src": True, "target": "local"}, False, texts)
    assert call.argv == ["kbfix", "snapshot", "--out", "-", "--target=local", "--stdin-specs", "--", "KB1"]
    text = '{"kbfix_snapshot": 1}\n'
    assert read_snapshot({"cmd": "k", "rc": 0, "stdout": text}, call, False) == text
    stderr = "warning[x]: w\nerror[target-malformed]: a.reg is damaged\n = help: secret\n"
    for answer, message in (
        ({"rc": 3, "stdout": "", "stderr": stderr}, r"^error\[target-malformed\]: a\.reg is damaged$"),
        ({"rc": 0, "stdout": '{"kbfix_snapshot": 1', "stderr": ""}, "is not kbfix, or too old"),
        ({"rc": 0, "stdout": "secret", "stderr": ""}, "is not kbfix, or too old"),
        ({"rc": 2, "stdout": "", "msg": "[Errno 2] No such file"}, "does not exist"),
    ):
        with pytest.raises(KbfixFailure, match=message) as failure:
            read_snapshot({"cmd": "k", **answer}, call, False)
        assert "secret" not in str(failure.value)
    # A snapshot changes nothing, so there is nothing to roll back.
    with pytest.raises(KbfixFailure, match=r"^kbfix crashed: signal 11$"):
        read_snapshot({"cmd": "k", "rc": 139, "stdout": "", "stderr": ""}, call, False)
    with pytest.raises(KbfixFailure, match="the host name index is reserved, because a report of this host could replace"):
        reports.clear_snapshot(str(tmp_path / "new"), "index")
    path = pathlib.Path(reports.write_snapshot(str(tmp_path / "new"), "web1", text))
    assert path.read_text() == text and path.stat().st_mode & 0o777 == 0o600
    reports.clear_snapshot(str(tmp_path / "new"), "web1")
    assert not path.exists()


def test_a_local_start_answers_as_the_command_module_does(tmp_path: pathlib.Path) -> None:
    script = tmp_path / "s"
    script.write_text('#!/bin/sh\ncat; printf %s "$A" >&2; exit 3\n')
    script.chmod(0o755)
    assert start(Call([str(script)], "ü"), {"A": 1}) == {"cmd": [str(script)], "rc": 3, "stdout": "ü", "stderr": "1"}
    with pytest.raises(KbfixFailure, match="does not exist"):
        read_report(start(Call([str(tmp_path / "no"), "diff"]), {}), CALL, False)
    script.write_text("#!/bin/sh\nkill -9 $$\n")
    # The program ends without reading its input, so the pipe is closed.
    with pytest.raises(KbfixFailure, match="crashed: signal 9"):
        read_report(start(Call([str(script), "diff"], "x" * 1_000_000), {}), CALL, False)


def fleet_plan_of(*machines: tuple[str, str | None]) -> list[str]:
    """Returns the lines of a fleet plan, as `kbfix fleet plan` writes them."""
    lines = [json.dumps({"kbfix_plan": 1, "of": name}) for name, _guid in machines]
    each = [
        {
            "name": name, "machine": {"computer_name": None, "machine_guid": guid}, "groups": ["ü\n"], "wave": 1, "changes": 1,
            "plan": f"sha256:{at}", "sha256": hashlib.sha256(lines[at].encode()).hexdigest(), "target": "t",
        }
        for at, (name, guid) in enumerate(machines)
    ]  # fmt: skip
    head = {"kbfix_fleet_plan": 1, "specs": [], "waves": [["ü\n"]], "machines": each, "unreadable": ["old1"], "waived": ["kept1"]}
    canonical = json.dumps(head, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"
    return [json.dumps({**head, "digest": digest}, separators=(",", ":"), ensure_ascii=False), *lines, ""]


def test_of_a_fleet_plan_a_host_gets_its_own() -> None:
    lines = fleet_plan_of(("web1", "G1"), ("web2", None), ("web3", None))
    digest = json.loads(lines[0])["digest"]

    def call(host: str, text: str, **more: str) -> Call:
        return command.apply({"plan": "f.plan", **more}, False, lambda _name: text, host=host)

    found = call("web2", "\n".join(lines), digest=digest.upper())
    assert found.argv[-3:] == ["--digest=sha256:1", "--plan=-", "--stdin-name=f.plan"] and json.loads(found.stdin)["of"] == "web2"
    assert command.apply({"plan": "f", "digest": digest, "remote_src": True}, False, texts).argv[-2:] == [f"--digest={digest}", "--plan=f"]
    for host, text, message in (
        ("web9", lines, "has no plans for web9; take a new snapshot"),
        ("old1", lines, r"has no plans for old1 \(its snapshot could not be read\)"),
        ("kept1", lines, "has no plan for kept1, because waivers cover .* each spec; leave out the host"),
        ("web1", [lines[0], lines[1].replace("web1", "web2"), *lines[2:]], "the plan of web1 was altered"),
        ("web3", lines[:2], "the plan of web3 was altered"),
        ("web1", [lines[0].replace('"changes":1', '"changes":2', 1), *lines[1:]], "the fleet plan was altered after it was made"),
        ("web1", [lines[0].replace('plan":1,', 'plan":2,', 1), *lines[1:]], "version 2"),
        ("web1", [lines[0][:-5], *lines[1:]], "is not a fleet plan"),
        ("web1", fleet_plan_of(("web1", "g1"), ("web2", "G1")), "may be one machine: web1, web2"),
    ):
        with pytest.raises(KbfixFailure, match=f"^f.plan.*{message}"):
            call(host, "\n".join(text))
    with pytest.raises(KbfixFailure, match="not the fleet plan that was approved"):
        call("web1", "\n".join(lines), digest="sha256:00")
