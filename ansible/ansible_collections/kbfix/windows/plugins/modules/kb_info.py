#!/usr/bin/python
# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0

# Documentation only: the action plugin of the same name does the work.

from __future__ import annotations

DOCUMENTATION = r"""
module: kb_info
short_description: Check whether a Windows machine is in the state that Knowledge Base articles require
version_added: 0.1.0
description:
  - Checks a machine against specs of Microsoft Knowledge Base articles, and reports what would have to change. Changes nothing.
  - The task fails only if a spec has an error, the plan is refused, the machine cannot be read, or there is a warning that O(fail_on)
    lists. Findings such as a missing hotfix do not fail the task.
extends_documentation_fragment:
  - kbfix.windows.kbfix
  - kbfix.windows.kbfix.specs
  - kbfix.windows.kbfix.plan
  - kbfix.windows.kbfix.changes
  - kbfix.windows.kbfix.fail_on
  - kbfix.windows.kbfix.through_policy
options:
  triggers:
    description:
      - The ids of specs whose triggers are run if they are not done. A spec with a trigger that is not done and not in this list is
        blocked.
      - Cannot be used with O(plan), because the plan determines this.
    type: list
    elements: str
    default: []
  with_plan:
    description: Also return the plan, for review and for O(kbfix.windows.kb#module:plan). The plan contains C(sensitive) data too.
    type: bool
    default: false
  symptoms:
    description:
      - Also search the event logs for the events that the articles describe, and return how often each was logged, before and since
        the last apply.
      - The events do not affect the outcome. If a log cannot be read, the number is not known, and the task does not fail.
      - Cannot be used with O(plan), because a plan does not contain symptoms.
    type: bool
    default: false
  reports:
    description:
      - A folder on the controller for the reports of each host. It is created if it does not exist. A relative path is relative to
        the play.
      - C(HOST.json) is the whole report, C(HOST.md) is the same for people, and C(HOST.plan.json) is the plan, if something must
        be changed. The files that an earlier task wrote for the host are removed first.
      - Only the owner can read the plan (mode 0600), because it contains C(sensitive) data too.
      - The host name C(index) is refused, because the playbook C(audit) writes C(index.md). Names that end with C(.plan) are refused too.
      - The files are also written in check mode, and regardless of C(no_log). They are not written if the task fails.
    type: str
attributes:
  check_mode:
    description: Check mode makes no difference, because the module never changes the machine.
    support: full
  diff_mode:
    description: Nothing is changed; RV(changes) contains the changes that would be made.
    support: none
seealso:
  - module: kbfix.windows.kb
  - module: kbfix.windows.kb_rollback
"""

EXAMPLES = r"""
- name: Check what is missing
  kbfix.windows.kb_info:
    src: [KB909094.yaml]
  register: audit

- name: See which values Group Policy owns
  ansible.builtin.debug:
    msg: "{{ audit.specs | map(attribute='policy') | flatten }}"

- name: Keep the report and the plan of each host on the controller, for the reviewer
  kbfix.windows.kb_info:
    src: [KB909094.yaml]
    reports: reports

- name: Check whether the event in the article was still logged since the apply
  kbfix.windows.kb_info:
    src: [KB909094.yaml]
    symptoms: true
  register: audit

- name: Show how often
  ansible.builtin.debug:
    msg: "{{ audit.symptoms | map(attribute='symptoms') | flatten | map(attribute='sentence') | list }}"

- name: Check whether a reviewed plan is still valid, or was already applied
  kbfix.windows.kb_info:
    plan: "plans/{{ inventory_hostname }}.json"
"""

RETURN = r"""
symptoms:
  description:
    - For each spec, the time of its last apply (C(last_apply)) and its C(symptoms). If the spec was retired after that, C(last_apply) is
      C(absent), and C(retired) has the time of the retirement.
    - Each symptom has the C(event), the effect of the remedy on it (C(expect)), the events that were C(found) (C(present) with numbers and
      times, C(absent) if the machine has no such log, C(unread) with the reason), the numbers before and since the last apply (C(apply)),
      and a C(sentence) with all of this. C(kbfix schema symptoms) prints the schema.
  returned: with O(symptoms=true), when kbfix got as far as an outcome
  type: list
  elements: dict
  sample:
    - id: KB909094
      title: Event ID 1000 is logged
      last_apply: absent
      retired:
      symptoms:
        - event: {log: Application, source: EXPROX, id: 1000, level: warning}
          expect: gone
          note:
          found:
            present:
              count: 3
              first: "2008-05-14T08:16:12Z"
              last: "2008-05-16T08:20:07Z"
              log_begins: "2008-05-14T06:12:40Z"
              log_ends: "2008-05-16T12:09:20Z"
              damage:
          apply:
          sentence: seen 3 times, last 2008-05-16T08:20:07Z
outcome:
  description: The worst outcome of the specs, with the same names as in M(kbfix.windows.kb).
  returned: when kbfix reported
  type: str
  sample: changes_pending
specs:
  description:
    - The outcome of each spec, with the reasons, and with the found and wanted state of each check.
    - In the form of RV(kbfix.windows.kb#module:specs).
  returned: when kbfix reported
  type: list
  elements: dict
changes:
  description:
    - Each change that M(kbfix.windows.kb) would make.
    - In the form of RV(kbfix.windows.kb#module:changes).
  returned: when kbfix reported, unless O(with_changes=false)
  type: list
  elements: dict
restart:
  description:
    - What would have to be restarted after the changes.
    - In the form of RV(kbfix.windows.kb#module:restart).
  returned: when kbfix got as far as an outcome
  type: dict
reboot_required:
  description: Whether the computer would have to be restarted.
  returned: when kbfix got as far as an outcome
  type: bool
reboot_pending:
  description: Whether the computer is already waiting for a restart, in the form of RV(kbfix.windows.kb#module:reboot_pending).
  returned: when kbfix got as far as an outcome
  type: bool
digest:
  description: The digest of the plan, for the change ticket.
  returned: when kbfix reported
  type: str
  sample: sha256:fcb97c575c1def4cf8f389122f7753519b53f6ca315d4127a31382c4482ef7af
plan:
  description: The text of the plan file.
  returned: with O(with_plan=true)
  type: str
report:
  description: The whole report of kbfix. C(kbfix schema report) prints its schema.
  returned: when kbfix reported, without O(reports), unless O(with_changes=false)
  type: dict
report_files:
  description: The files that were written, by C(json), C(md) and C(plan.json).
  returned: with O(reports), when the task did not fail
  type: dict
  sample: {json: /srv/reports/web1.json, md: /srv/reports/web1.md}
machine:
  description:
    - The machine's computer name and MachineGuid, if the target contains them.
    - In the form of RV(kbfix.windows.kb#module:machine).
  returned: when kbfix reported
  type: dict
target:
  description: The target.
  returned: when kbfix reported
  type: str
diagnostics:
  description:
    - The errors that stopped kbfix, and warnings, each with code, message, place and hint.
    - In the form of RV(kbfix.windows.kb#module:diagnostics).
  returned: when kbfix reported
  type: list
  elements: dict
kbfix_version:
  description: The version of the binary.
  returned: when kbfix reported
  type: str
"""
