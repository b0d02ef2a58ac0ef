#!/usr/bin/python
# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0

# Documentation only: the action plugin of the same name does the work.

from __future__ import annotations

DOCUMENTATION = r"""
module: kb_retire
short_description: Undo all that specs did to a machine
version_added: 0.1.0
description:
  - Puts a machine back to what was there before kbfix first changed it for the retired specs, in every run and every version of them, less
    what other applied specs still want. The journals on the host say what that was, and the retirement leaves a journal too.
  - The files of the retired specs may be gone. The specs that stay are those of O(spec) and O(src), and built-in specs that are applied.
    If another applied spec is not among them, the task fails, since what it still wants is not known.
  - A value that somebody else changed since is kept and reported as a conflict, which fails the task, unless O(force=true).
  - A spec that was never applied to the machine, or is retired already, is in the state that was asked for.
  - If neither a spec of the task, nor the library, nor a journal on the host has an id, the id may be mistyped, and the module warns.
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
      - Retire every spec that is applied and that O(spec) and O(src) do not give. These have to be all the specs that are to stay.
    type: bool
    default: false
  force:
    description: Put back also what somebody else changed since.
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
  - module: kbfix.windows.kb_rollback
"""

EXAMPLES = r"""
- name: Undo a spec whose file is gone from git
  kbfix.windows.kb_retire:
    ids: [CUSTOM]

- name: Undo every spec that the play does not apply any more
  kbfix.windows.kb_retire:
    absent: true
    src: [KB909094.yaml, KB926642.yaml]
    parameters:
      hosts: [intranet.example.com, crm.example.com]
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
    - What was kept, since somebody else changed it, with what the apply left and what was found.
    - In the form of RV(kbfix.windows.kb#module:conflicts).
  returned: when kbfix reported
  type: list
  elements: dict
specs:
  description:
    - One section for all retired specs, with its outcome and reasons.
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
  description: The journal of the retirement itself; none where there was nothing to put back or to record.
  returned: when kbfix reported
  type: str
digest:
  description: The digest of the retirement's plan; none where no spec is to be retired.
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
