#!/usr/bin/python
# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0

# Documentation only: the action plugin of the same name does the work.

from __future__ import annotations

DOCUMENTATION = r"""
module: kb_retire
short_description: Undo all changes that specs made to a machine
version_added: 0.1.0
description:
  - Undoes the changes of the retired specs in every run and every version of the specs. The state before kbfix first made these changes is
    restored, except what other applied specs still require. kbfix takes the changes from the journals on the host, and writes a journal of
    the retirement.
  - The files of the retired specs need not exist any more. The specs that stay are those of O(spec) and O(src), and built-in specs that are
    applied. If another applied spec is not among them, the task fails, because it is not known what this spec still requires.
  - A value that someone else has changed since is kept and reported as a conflict, and the task fails, unless O(force=true).
  - If a spec was never applied to the machine, or is already retired, nothing is done for it, and the task does not fail.
  - If no spec of the task, no built-in spec and no journal on the host has an id, the id may be mistyped, and the module reports a warning.
  - Hotfixes stay installed.
extends_documentation_fragment:
  - kbfix.windows.kbfix
  - kbfix.windows.kbfix.specs
  - kbfix.windows.kbfix.changes
  - kbfix.windows.kbfix.diff
  - kbfix.windows.kbfix.through_policy
options:
  ids:
    description:
      - The ids of the specs to retire.
      - One of O(ids) and O(absent) is required.
    type: list
    elements: str
  absent:
    description:
      - Retire every applied spec that O(spec) and O(src) do not give. So O(spec) and O(src) must contain all specs that stay.
    type: bool
    default: false
  force:
    description: Also restore values that someone else has changed since.
    type: bool
    default: false
attributes:
  check_mode:
    description: Reports what would be restored, and changes nothing.
    support: full
  diff_mode:
    description:
      - The state before and after for each key, in the notation of .reg files.
      - Ansible does not print a diff if the task fails. RV(changes) contains the changes in any case.
    support: full
seealso:
  - module: kbfix.windows.kb
  - module: kbfix.windows.kb_rollback
"""

EXAMPLES = r"""
- name: Undo a spec whose file was removed from git
  kbfix.windows.kb_retire:
    ids: [CUSTOM]

- name: Undo every spec that the play no longer applies
  kbfix.windows.kb_retire:
    absent: true
    src: [KB909094.yaml, KB926642.yaml]
    parameters:
      hosts: [intranet.example.com, crm.example.com]
"""

RETURN = r"""
outcome:
  description: V(changed), V(in_desired_state) if there was nothing to restore, V(failed) if something was kept.
  returned: when kbfix reported
  type: str
changes:
  description:
    - Each change that was made, of a key (without a name) or of a value.
    - In the form of RV(kbfix.windows.kb#module:changes).
  returned: when kbfix reported, unless O(with_changes=false)
  type: list
  elements: dict
conflicts:
  description:
    - The keys and values that were kept because someone else had changed them, with the state that the apply left and the state that was
      found.
    - In the form of RV(kbfix.windows.kb#module:conflicts).
  returned: when kbfix reported
  type: list
  elements: dict
specs:
  description:
    - A single entry for all retired specs, with its outcome and reasons.
    - In the form of RV(kbfix.windows.kb#module:specs).
  returned: when kbfix reported
  type: list
  elements: dict
restart:
  description:
    - What must be restarted.
    - In the form of RV(kbfix.windows.kb#module:restart).
  returned: when kbfix got as far as an outcome
  type: dict
reboot_required:
  description: Whether the computer must be restarted.
  returned: when kbfix got as far as an outcome
  type: bool
journal:
  description: The journal of the retirement itself; null if there was nothing to restore or to record.
  returned: when kbfix reported
  type: str
digest:
  description: The digest of the retirement's plan; null if there was no spec to retire.
  returned: when kbfix reported
  type: str
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
