#!/usr/bin/python
# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0

# Documentation only: the action plugin of the same name does the work.

from __future__ import annotations

DOCUMENTATION = r"""
module: kb_info
short_description: See whether a Windows machine is in the state that Knowledge Base articles ask for
version_added: 0.1.0
description:
  - Holds specs of Microsoft Knowledge Base articles against a machine and reports what would have to change. Changes nothing.
  - What it finds does not fail the task, not even a missing hotfix, but for the warnings in O(fail_on). A spec with an error and a machine
    that cannot be read do.
extends_documentation_fragment:
  - kbfix.windows.kbfix
  - kbfix.windows.kbfix.specs
  - kbfix.windows.kbfix.plan
  - kbfix.windows.kbfix.changes
  - kbfix.windows.kbfix.fail_on
options:
  triggers:
    description:
      - The ids of specs whose triggers are written where they are not done. Without its id here, such a spec is blocked.
      - Not with O(plan), which says itself what it writes.
    type: list
    elements: str
    default: []
  with_plan:
    description: Also return the plan, for review and for O(kbfix.windows.kb#module:plan). It has C(sensitive) data too.
    type: bool
    default: false
  symptoms:
    description:
      - Also look in the event logs for the events that the articles are about, and return how often each was logged, before and since
        the last apply.
      - They decide nothing, and what cannot be read of a log is not known and does not fail the task.
      - Not with O(plan), which has no symptoms.
    type: bool
    default: false
  reports:
    description:
      - A folder on the controller, made if it is not there, for what is to be kept of each host. A relative path is that of the play.
      - C(HOST.json) is the whole report, C(HOST.md) the same for people, and C(HOST.plan.json) the plan, where something is to change.
        What an earlier task left of the host is removed first.
      - The plan is for its owner only (mode 0600), since it holds C(sensitive) data too.
      - The host C(index) is refused, since the playbook C(audit) writes C(index.md), and so is a host whose name ends with C(.plan).
      - They are written in check mode too, and whatever C(no_log) says.
    type: str
attributes:
  check_mode:
    description: Works the same.
    support: full
  diff_mode:
    description: Nothing is changed; RV(changes) says what would be.
    support: none
seealso:
  - module: kbfix.windows.kb
  - module: kbfix.windows.kb_rollback
"""

EXAMPLES = r"""
- name: See what is missing
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

- name: See whether the event that the article is about is still logged since the apply
  kbfix.windows.kb_info:
    src: [KB909094.yaml]
    symptoms: true
  register: audit

- name: Say how often
  ansible.builtin.debug:
    msg: "{{ audit.symptoms | map(attribute='symptoms') | flatten | map(attribute='sentence') | list }}"

- name: Find out whether a reviewed plan still holds, or was carried out already
  kbfix.windows.kb_info:
    plan: "plans/{{ inventory_hostname }}.json"
"""

RETURN = r"""
symptoms:
  description:
    - For each spec, when it was last applied (C(last_apply)) and what was found of its C(symptoms).
    - Each of these has the C(event), what the remedy does to it (C(expect)), what was C(found) (C(present) with numbers and times,
      C(absent) where the machine has no such log, C(unread) with the reason), the numbers before and since that apply (C(apply)),
      and all of that in words (C(sentence)). C(kbfix schema symptoms) prints the schema.
  returned: with O(symptoms=true), when kbfix got as far as an outcome
  type: list
  elements: dict
  sample:
    - id: KB909094
      title: Event ID 1000 is logged
      last_apply: absent
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
  description: The worst outcome of the specs, as M(kbfix.windows.kb) names them.
  returned: when kbfix reported
  type: str
  sample: changes_pending
specs:
  description:
    - Each spec's outcome, with the reasons and with what was found and wanted by each check.
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
    - What would have to be restarted after them.
    - In the form of RV(kbfix.windows.kb#module:restart).
  returned: when kbfix got as far as an outcome
  type: dict
reboot_required:
  description: Whether the computer would have to be restarted.
  returned: when kbfix got as far as an outcome
  type: bool
reboot_pending:
  description: Whether the computer waits for a restart already, in the form of RV(kbfix.windows.kb#module:reboot_pending).
  returned: when kbfix got as far as an outcome
  type: bool
digest:
  description: The digest of the plan, which a change ticket quotes.
  returned: when kbfix reported
  type: str
  sample: sha256:fcb97c575c1def4cf8f389122f7753519b53f6ca315d4127a31382c4482ef7af
plan:
  description: The text of the plan file.
  returned: with O(with_plan=true)
  type: str
report:
  description: The whole report of kbfix, to be kept. C(kbfix schema report) prints its schema.
  returned: when kbfix reported, without O(reports), unless O(with_changes=false)
  type: dict
report_files:
  description: The files that were written, by C(json), C(md) and C(plan.json).
  returned: with O(reports), when kbfix got as far as an outcome
  type: dict
  sample: {json: /srv/reports/web1.json, md: /srv/reports/web1.md}
machine:
  description:
    - The machine's computer name and MachineGuid, as far as the target knows them.
    - In the form of RV(kbfix.windows.kb#module:machine).
  returned: when kbfix reported
  type: dict
target:
  description: The target.
  returned: when kbfix reported
  type: str
diagnostics:
  description:
    - What stopped kbfix, and its warnings, each with code, message, place and hint.
    - In the form of RV(kbfix.windows.kb#module:diagnostics).
  returned: when kbfix reported
  type: list
  elements: dict
kbfix_version:
  description: The version of the binary.
  returned: when kbfix reported
  type: str
"""
