# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Takes the plan of one host from a fleet plan, so that the plans of all other hosts need not be sent to it.

The approved digest is that of the first line of the fleet plan, which contains the digest of each plan. It is checked here. The host
then checks the plan that it gets: whether the plan has its digest, and whether it is for this machine.
"""

from __future__ import annotations

import hashlib
import json
import typing as t

from .failure import KbfixFailure

_START = '{"kbfix_fleet_plan":'


class Part(t.NamedTuple):
    """The plan of one host."""

    text: str
    digest: str


def is_fleet_plan(text: str) -> bool:
    """Returns whether the text is a fleet plan."""
    return text.startswith(_START)


def of_host(text: str, host: str, approved: str | None, name: str) -> Part:
    """Returns the plan of the host. The host must have the same name in the fleet as in the inventory."""
    head, *lines = text.split("\n")
    fleet = _head(head, name)
    if approved is not None and fleet["digest"] != approved:
        raise KbfixFailure(
            f"{name}: it is not the fleet plan that was approved: its digest is {fleet['digest']}, but the approved digest is {approved}"
        )
    machines: list[dict[str, t.Any]] = fleet["machines"]
    places = [at for at, machine in enumerate(machines) if machine["name"] == host]
    if not places and host in fleet.get("waived", []):
        raise KbfixFailure(
            f"{name}: the fleet plan has no plan for {host}, because waivers cover at least one difference of the host in each spec; "
            "leave out the host with --limit, or make a new fleet plan without these waivers, and have it reviewed"
        )
    if len(places) != 1:
        unreadable = " (its snapshot could not be read)" if host in fleet["unreadable"] else ""
        raise KbfixFailure(
            f"{name}: the fleet plan has {len(places) or 'no'} plans for {host}{unreadable}; "
            "take a new snapshot of the host with the playbook collect, make a new fleet plan, and have it reviewed"
        )
    (place,) = places
    _only_once(machines, place, name)
    line = lines[place] if place < len(lines) else ""
    if hashlib.sha256(line.encode()).hexdigest() != machines[place]["sha256"]:
        raise KbfixFailure(
            f"{name}: the plan of {host} was altered after the fleet plan was made; make a new fleet plan, and have it reviewed"
        )
    return Part(line, machines[place]["plan"])


def _head(line: str, name: str) -> dict[str, t.Any]:
    try:
        head: dict[str, t.Any] = json.loads(line)
        digest = head.pop("digest")
        members = (head["kbfix_fleet_plan"], head["machines"], head["unreadable"])
    except (ValueError, KeyError, AttributeError) as error:
        raise KbfixFailure(f"{name} is not a fleet plan: {error}") from error
    if members[0] != 1:
        raise KbfixFailure(
            f"{name} is a fleet plan of version {members[0]}, but this collection reads only version 1; update the collection"
        )
    # This is canonical JSON (RFC 8785) if names are in ASCII and all numbers are whole, as in a fleet plan.
    canonical = json.dumps(head, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if digest != f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}":
        raise KbfixFailure(f"{name}: the fleet plan was altered after it was made; make a new fleet plan, and have it reviewed")
    return {**head, "digest": digest}


def _only_once(machines: list[dict[str, t.Any]], place: int, name: str) -> None:
    """Refuses a machine that has several plans, because only one of them can be right."""
    guid = (machines[place]["machine"]["machine_guid"] or "").lower()
    same = [machine["name"] for machine in machines if guid and (machine["machine"]["machine_guid"] or "").lower() == guid]
    if len(same) > 1:
        raise KbfixFailure(
            f"{name}: these machines have the same MachineGuid, so they may be one machine: {', '.join(same)}; keep only one snapshot of it"
        )
