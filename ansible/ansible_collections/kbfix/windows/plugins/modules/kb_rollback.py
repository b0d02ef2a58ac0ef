#!/usr/bin/python
# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0

# Documentation only: the action plugin of the same name does the work.

from __future__ import annotations

DOCUMENTATION = r"""
module: kb_rollback
short_description: Put back what kbfix changed on a machine
version_added: 0.1.0
description:
  - Puts back what a run of M(kbfix.windows.kb) changed, from the journal that it left, and keeps a journal of that too.
  - A value that someone else changed since is kept and reported as a conflict, which fails the task, unless O(force=true).
  - File versions of installed hotfixes are not put back.
extends_documentation_fragment:
  - kbfix.windows.kbfix
  - kbfix.windows.kbfix.changes
  - kbfix.windows.kbfix.diff
options:
  journal:
    description:
      - The journal on the host, as RV(kbfix.windows.kb#module:journal) returned it, or its name, with C(.jsonl) or without.
      - One of O(journal) and O(last) is required.
    type: str
  last:
    description:
      - Roll back the newest journal that can be; with O(target), the newest of that target. Where there is none, nothing is done.
      - Run again, it goes one journal further back. O(journal) names one and is idempotent.
    type: bool
    default: false
  force:
    description: Put back also what someone else changed since.
    type: bool
    default: false
attributes:
  check_mode:
    description: Reports what would be put back, and changes nothing.
    support: full
  diff_mode:
    description:
      - One before and after for each key, in the notation of .reg files.
      - Ansible prints no diff of a task that failed. RV(changes) has it in any case.
    support: full
seealso:
  - module: kbfix.windows.kb
  - module: kbfix.windows.kb_info
"""

EXAMPLES = r"""
- name: Undo what an earlier task of the play did
  kbfix.windows.kb_rollback:
    journal: "{{ kb909094.journal }}"
  when: kb909094.journal is truthy

# Run again, it goes one journal further back: not for a play that may be repeated.
- name: Undo the last change of each host, once
  kbfix.windows.kb_rollback:
    last: true
"""

RETURN = r"""
outcome:
  description: V(changed), V(in_desired_state) where there was nothing to put back, V(failed) where something was kept.
  returned: when kbfix reported
  type: str
changes:
  description:
    - Each change that was made, of a key (with no name) or of a value.
    - In the form of RV(kbfix.windows.kb#module:changes).
  returned: when kbfix reported, unless O(with_changes=false)
  type: list
  elements: dict
conflicts:
  description:
    - What was kept, since someone else changed it, with what the apply left and what was found.
    - In the form of RV(kbfix.windows.kb#module:conflicts).
  returned: when kbfix reported
  type: list
  elements: dict
specs:
  description:
    - The one section of a rollback, with its outcome and reasons.
    - In the form of RV(kbfix.windows.kb#module:specs).
  returned: when kbfix reported
  type: list
  elements: dict
restart:
  description:
    - What has to be restarted.
    - In the form of RV(kbfix.windows.kb#module:restart).
  returned: when kbfix got as far as an outcome
  type: dict
reboot_required:
  description: Whether the computer has to be restarted.
  returned: when kbfix got as far as an outcome
  type: bool
journal:
  description: The journal of the rollback itself.
  returned: when kbfix reported
  type: str
digest:
  description: The digest of the rollback's plan.
  returned: when kbfix reported
  type: str
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
