# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Turns a report of kbfix into the result of a task."""

from __future__ import annotations

import typing as t

from .advice import spelled
from .report_types import Data, Diagnostic, KeyChange, Report, SpecPlan

Result = dict[str, t.Any]

# Outcomes of a spec that need an action of the operator first, such as installing a hotfix or restarting the computer.
BLOCKED = {"pending_restart", "blocked"}


def of_run(report: Report, check: bool, with_diff: bool, no_log: bool, options: t.Mapping[str, t.Any]) -> Result:
    """Returns the result of a task that makes changes or, in check mode, shows them."""
    result = _common(report, no_log, options)
    result["changed"] = _pending(report) if check else report["changed"]
    if with_diff:
        result["diff"] = _installs(report, options.get("packages") or {}) + _diffs(report, options["diff_lines"])
    bad = {"needs_parameter", "unknown", "failed", "rolled_back"} | (BLOCKED if options.get("on_blocked") != "warn" else set())
    # If the registry of some users could not be read, the spec has the outcome of the changes for the other users.
    failing = [spec for spec in report["specs"] if spec["outcome"] in bad or spec.get("unread_users")]
    if failing or report["conflicts"] or _stopped(report) or _diagnostics(report, "error", no_log):
        result["failed"] = True
    if not failing:
        warned = [_sentence(spec, no_log) for spec in report["specs"] if spec["outcome"] in BLOCKED]
        result["warnings"] = warned + result["warnings"]
    return result


def of_look(report: Report, no_log: bool, options: t.Mapping[str, t.Any]) -> Result:
    """Returns the result of a task that changes nothing.

    It fails only if kbfix stopped, or if there is a warning that the option `fail_on` names. The result contains the report only if the
    report is not written into files, and changes are requested.
    """
    result = _common(report, no_log, options)
    result["changed"] = False
    if not options.get("reports") and options["with_changes"]:
        result["report"] = {name: data for name, data in report.items() if name != "plan"}
    if options.get("symptoms") and not _stopped(report):
        result["symptoms"] = report.get("symptoms", [])
    if options.get("with_plan") and report.get("plan"):
        result["plan"] = report["plan"]
    wanted = [d for d in report["diagnostics"] if d["code"] in (options.get("fail_on") or []) and d["severity"] == "warning"]
    if wanted:
        result["msg"] = "\n".join([result["msg"], *(_diagnostic(d, no_log) for d in wanted)])
    if wanted or _stopped(report):
        result["failed"] = True
    return result


def nothing_to_roll_back(report: Report) -> bool:
    """Returns whether ``rollback --last`` found no journal. This is not an error, because there is nothing to undo."""
    return [d["code"] for d in report["diagnostics"] if d["severity"] == "error"] == ["journal-missing"]


def of_no_journal(report: Report, options: t.Mapping[str, t.Any]) -> Result:
    """Returns the result of ``rollback --last`` if there is no journal."""
    msg = "nothing to roll back: " + report["diagnostics"][0]["message"]
    return {**_common(report, False, options), **_restart(report), "changed": False, "msg": msg}


def _common(report: Report, no_log: bool, options: t.Mapping[str, t.Any]) -> Result:
    return {
        "msg": _message(report, no_log),
        "outcome": report["outcome"],
        "kbfix_version": report["kbfix_version"],
        "machine": report["machine"],
        "target": report["target"],
        "digest": report["digest"],
        "journal": report["journal"],
        "specs": [_summary(spec) for spec in report["specs"]],
        **({"changes": list(_value_changes(report))} if options["with_changes"] else {}),
        # If kbfix stopped before it read the target, it is not known whether a restart is necessary.
        **({} if _stopped(report) else _restart(report)),
        "steps": report.get("steps", []),
        "conflicts": report["conflicts"],
        "diagnostics": report["diagnostics"],
        "warnings": _diagnostics(report, "warning", no_log),
    }


def _pending(report: Report) -> bool:
    return any(spec["outcome"] == "changes_pending" for spec in report["specs"])


def _stopped(report: Report) -> bool:
    """Returns whether the command stopped before it had an outcome."""
    return report["outcome"] is None


def _key_changes(report: Report) -> t.Iterator[KeyChange]:
    for spec in report["specs"]:
        # The changes of a blocked spec are never made.
        if spec["outcome"] not in BLOCKED | {"needs_parameter", "unknown", "rolled_back"}:
            yield from spec.get("changes", [])


def _diffs(report: Report, most: int) -> list[dict[str, str]]:
    """Returns the diffs for diff mode: the state before and after for each key, with at most `most` lines in total."""
    found: list[dict[str, str]] = []
    keys = lines = hidden = 0
    for change in _key_changes(report):
        each = change.get("diff")
        if not each:
            continue
        own = each["before"].count("\n") + each["after"].count("\n")
        if hidden or lines + own > most:
            keys, hidden = keys + 1, hidden + own
        else:
            lines += own
            found.append(_diff(each["heading"], each["before"], each["after"]))
    if hidden:
        found.append(
            {"prepared": f"{keys} more keys with {hidden} lines are not shown, because diff_lines is {most}; increase it to see them\n"}
        )
    return found


def _diff(heading: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": heading, "after_header": heading, "before": before, "after": after}


def _installs(report: Report, packages: t.Mapping[str, str]) -> list[dict[str, str]]:
    """Returns the diffs for packages to install. A spec names its package by a pattern, and the task names the file."""
    found = []
    files = {ident.lower(): path for ident, path in packages.items()}
    for spec in report["specs"]:
        install = spec.get("install")
        if install and spec["outcome"] in ("changed", "changes_pending"):
            file = files.get(spec["id"].lower())
            lines = [f"; {install.get('sentence', install['package'])}\n"] + ([f"; its file is {' '.join(file.split())}\n"] if file else [])
            found.append(_diff(f"hotfix of {spec['id']}", "", "".join(lines)))
    return found


def _value_changes(report: Report) -> t.Iterator[Result]:
    for change in _key_changes(report):
        place = {"key": change.get("long_key", change["key"]), "view": int(change.get("view", "64"))}
        if change["action"] != "update":
            yield {**place, "action": change["action"], "name": None, "before": None, "after": None}
        for value in change["values"]:
            before, after = _readable(value["before"]), _readable(value["after"])
            action = "create" if before is None else "delete" if after is None else "update"
            yield {**place, "action": action, "name": value["name"], "before": before, "after": after}


def _readable(data: Data | None) -> Result | None:
    return None if data is None else {"readable": None, **data}


def _summary(spec: SpecPlan) -> Result:
    shown = {"id": spec["id"], "title": spec["title"], "outcome": spec["outcome"], "restart": spec["restart"]}
    parts = {"reasons": spec.get("reasons", []), "checks": spec.get("checks", []), "parameters": spec.get("parameters", {})}
    owners = {"policy": spec.get("policy", []), "policy_unread": spec.get("policy_unread", [])}
    return {**shown, "install": spec.get("install"), **parts, **owners}


def _restart(report: Report) -> Result:
    changing = [spec for spec in report["specs"] if spec["outcome"] in ("changed", "changes_pending")]
    notes = [spec["restart"]["note"] for spec in changing if spec["restart"]["note"]]
    restart = {"computer": report["restart"]["computer"], "services": report["restart"]["services"], "notes": notes}
    # A rollback and a retirement do not check whether a restart is pending.
    pending = {} if report["command"] in ("rollback", "retire") else {"reboot_pending": _pending_restart(report)}
    return {"restart": restart, "reboot_required": restart["computer"] == "required", **pending}


def _pending_restart(report: Report) -> bool | None:
    """Returns whether the computer waited for a restart before the task; None if this is not known, or if no spec needs it."""
    pending = report.get("pending_restart")
    if pending and (pending["signs"] or any(file["result"] != "unmet" for file in pending.get("replaced", []))):
        return True
    return None if not pending or pending.get("unread") else False


# Ansible prints warnings and the message of a failure even with no_log. With no_log, they contain only places and codes, and no data.


def _message(report: Report, no_log: bool) -> str:
    lines = [_sentence(spec, no_log) for spec in report["specs"]]
    for conflict in report["conflicts"]:
        data = "" if no_log else f": after the apply {conflict['left']}, now {conflict['found']}"
        lines.append(f"{conflict['place']}{data}; someone else changed it, so it is kept")
    said = "\n".join(lines)
    lines += [_diagnostic(d, no_log) for d in report["diagnostics"] if d["severity"] == "error" and d["message"] not in said]
    nothing = "nothing to retire" if report["command"] == "retire" and not _stopped(report) else "kbfix gave no reason"
    return "\n".join(lines) or nothing


def _sentence(spec: SpecPlan, no_log: bool) -> str:
    sentence = f"{spec['id']}: {spec.get('sentence', spec['outcome'])}"
    reasons = spec.get("reasons")
    if no_log or not reasons:
        return sentence
    return f"{sentence}: {'; '.join(reasons)}{spelled(spec.get('options', []))}"


def _diagnostics(report: Report, severity: str, no_log: bool) -> list[str]:
    return [_diagnostic(d, no_log) for d in report["diagnostics"] if d["severity"] == severity]


def _diagnostic(diagnostic: Diagnostic, no_log: bool) -> str:
    """Formats a finding as ``file:line:column: message [code]; hint``, with the line of the file below it.

    For a spec in the task itself, the place in the task is shown instead.
    """
    place: dict[str, t.Any] = {**(diagnostic.get("place") or {})}
    where = _where(place) if place else ""
    if no_log:
        return f"{where}[{diagnostic['code']}] (no_log hides more)"
    hint = f"; {diagnostic['hint']}" if diagnostic.get("hint") else ""
    source = f"\n    {place['source'].strip()}" if place and "path" not in place and place["source"].strip() else ""
    return f"{where}{diagnostic['message']} [{diagnostic['code']}]{hint}{source}"


def _where(place: dict[str, t.Any]) -> str:
    if "path" not in place:
        return f"{place['file']}:{place['line']}:{place['column']}: "
    return f"{place['file']}: {place['path']}: " if place["path"] else f"{place['file']}: "
