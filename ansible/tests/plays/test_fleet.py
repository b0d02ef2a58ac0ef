# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Tests one review and one approval for many hosts: collect, review, remediate in waves, stop, continue, review again."""

from __future__ import annotations

import json
import os
import pathlib
import re

import pytest
from conftest import Played, Site, in_desired_state

# Set a larger number for a manual test.
PENDING = int(os.environ.get("KBFIX_FLEET_HOSTS", "6"))
STATS = {"ANSIBLE_SHOW_CUSTOM_STATS": "true"}
SRC = {"kbfix_src": "files/KB909094.yaml", "kbfix_snapshots": "snapshots", "kbfix_review": "review"}


@pytest.fixture
def fleet(site: Site) -> Site:
    """Hosts with changes pending, the second and third of all blocked; one in desired state, one unknown, one that cannot be read."""
    names = ["pending1", "blocked1", "blocked2", *(f"pending{n}" for n in range(2, PENDING + 1)), "desired1", "unknown1", "broken1"]
    for at, name in enumerate(names):
        own = f"{at:08x}".encode()

        def export(registry: bytes, own: bytes = own, name: str = name) -> bytes:
            registry = registry.replace(b"6f2a8c54", own)
            return in_desired_state(registry) if name == "desired1" else registry

        machine = site.exchange(name, export, dll="old" if name.startswith("blocked") else "new")
        if name == "unknown1":
            del site.hosts[name]["kbfix_files"]
        if name == "broken1":
            (machine / "front-end.reg").write_text("no export")
    return site


def outcomes(site: Site) -> dict[str, str]:
    report = json.loads((site.folder / "review/fleet.json").read_text(encoding="utf-8"))
    return {machine["name"]: machine["outcome"] for machine in report["machines"]}


def review(site: Site) -> str:
    """Takes snapshots, reviews them, and returns the digest."""
    collected = site.play("kbfix.windows.collect", "-e", json.dumps(SRC))
    assert [host for host in site.hosts if collected.recap(host)["failed"]] == ["broken1"], collected.output
    run = site.play("kbfix.windows.review", "-e", json.dumps(SRC), **STATS)
    assert run.code == 0, run.output
    (digest,) = set(re.findall(r"sha256:[0-9a-f]{64}", run.output))
    assert f'"kbfix_digest": "{digest}"' in run.output, run.output
    assert "<html" in (site.folder / "review/fleet.html").read_text(encoding="utf-8")
    return digest


def test_a_fleet_is_reviewed_once_and_remediated_in_waves(fleet: Site) -> None:
    digest = review(fleet)
    built_in = {**SRC, "kbfix_src": "KB909094", "kbfix_remote_src": True, "kbfix_review": "built-in"}
    assert (run := fleet.play("kbfix.windows.review", "-e", json.dumps(built_in))).code == 0, run.output
    pending = [name for name in fleet.hosts if name.startswith("pending")]
    found = outcomes(fleet)
    assert found == {
        **dict.fromkeys(pending, "changes_pending"),
        **dict.fromkeys(["blocked1", "blocked2"], "blocked"),
        "desired1": "in_desired_state",
        "unknown1": "unknown",
    }

    def remediate(*arguments: str, **more: object) -> Played:
        extra = {"kbfix_fleet_plan": "review/fleet.plan", "kbfix_digest": digest, "kbfix_serial": [1, 3, "100%"], **more}
        return fleet.play("kbfix.windows.remediate", "-e", json.dumps(extra), *arguments, **STATS)

    wrong = remediate(kbfix_digest="sha256:00", kbfix_serial=1)
    assert wrong.counts("pending1") == (0, 1) and "it is not the fleet plan that was approved" in wrong.output, wrong.output

    stopped = remediate(kbfix_stop_at=2)
    done = {name: stopped.counts(name) for name in fleet.hosts}
    assert done["pending1"] == done["pending2"] == (1, 0), stopped.output
    assert all(counts == (0, 1) for name, counts in done.items() if name not in ("pending1", "pending2")), stopped.output
    reason = "since 2 hosts are blocked or failed and kbfix_stop_at is 2: blocked1, blocked2"
    assert stopped.output.count(f'"msg": "nothing was done here, {reason}"') == len(fleet.hosts) - 4, stopped.output
    stats = stopped.output.partition("CUSTOM STATS")[2]
    assert re.search(r'"pending1": \{\s*"changed": true', stats) and "pending3" not in stats, stopped.output

    again = remediate(kbfix_stop_at=3)
    # Hosts with an applied plan are done, and the run continues with the rest.
    assert {name: again.counts(name) for name in pending} == {name: (int(name not in ("pending1", "pending2")), 0) for name in pending}
    assert again.counts("desired1") == (0, 0) and again.counts("unknown1") == (0, 1), again.output
    assert "has no plans for broken1" in again.output, again.output

    review(fleet)
    assert outcomes(fleet) == {**found, **dict.fromkeys(pending, "in_desired_state")}


@pytest.mark.parametrize("forks", [1, 3])
def test_a_play_stops_inside_a_wave(fleet: Site, forks: int) -> None:
    """One wave for all hosts: after the threshold is reached, no further host is started, and only the other forks still work."""
    names = list(fleet.hosts)

    def remediate(stop_at: int) -> Played:
        extra = {"kbfix_src": "files/KB909094.yaml", "kbfix_strategy": "ansible.builtin.host_pinned", "kbfix_stop_at": stop_at}
        return fleet.play("kbfix.windows.remediate", "-e", json.dumps(extra), ANSIBLE_FORKS=str(forks), **STATS)

    run = remediate(2)
    assert run.counts("pending1") == (1, 0) and run.counts("blocked1") == run.counts("blocked2") == (0, 1), run.output
    begun = [name for name in names[3:] if run.counts(name)[0]]
    assert len(begun) < forks and set(begun) <= set(names[3 : 3 + forks]), run.output
    stopped = [name for name in names[3:] if name not in begun]
    # A host that stops does not count as a reason to stop.
    assert all(run.counts(name) == (0, 1) for name in stopped), run.output
    reason = "nothing was done here, since 2 hosts are blocked or failed and kbfix_stop_at is 2: blocked1, blocked2"
    assert run.output.count(f'"msg": "{reason}"') == len(stopped), run.output
    stats = run.output.partition("CUSTOM STATS")[2]
    assert {name for name in names if f'"{name}"' in stats} == {"pending1", "blocked1", "blocked2", *begun}, run.output

    # The run continues where it stopped.
    again = remediate(5)
    assert {name for name in names if again.counts(name)[0]} == {name for name in stopped if name.startswith("pending")}, again.output


def test_a_blocked_host_counts_where_it_is_only_warned_of(fleet: Site) -> None:
    extra = {"kbfix_src": "files/KB909094.yaml", "kbfix_on_blocked": "warn", "kbfix_serial": [3, "100%"], "kbfix_stop_at": 2}
    run = fleet.play("kbfix.windows.remediate", "-e", json.dumps(extra))
    assert [run.counts(host) for host in ("pending1", "blocked1", "blocked2", "pending2")] == [(1, 0), (0, 0), (0, 0), (0, 1)], run.output
    for extra in ({"kbfix_fleet_plan": "x"}, {"kbfix_fleet_plan": "x", "kbfix_digest": "d", "kbfix_src": "y"}):
        refused = fleet.play("kbfix.windows.remediate", "-e", json.dumps(extra))
        assert refused.counts("pending1") == (0, 1) and "kbfix_fleet_plan and kbfix_digest" in refused.output, refused.output


def test_the_review_says_what_it_has_to_be_told(site: Site) -> None:
    assert "kbfix_review=…" in site.play("kbfix.windows.review", "-e", "kbfix_src=x").output.replace("\n", " ")
    (site.folder / "snapshots").mkdir()
    run = site.play("kbfix.windows.review", "-e", json.dumps(SRC))
    assert run.code != 0 and not pathlib.Path(site.folder, "review/fleet.plan").exists(), run.output
