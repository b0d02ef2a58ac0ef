#!/usr/bin/python
# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0

# Documentation only: the action plugin of the same name does the work.

from __future__ import annotations

DOCUMENTATION = r"""
module: kb_rollback
short_description: Undo the changes of kbfix on a machine
version_added: 0.1.0
description:
  - Undoes the changes of a run of M(kbfix.windows.kb) from its journal, and writes a journal of the rollback.
  - A value that someone else has changed since is kept and reported as a conflict, and the task fails, unless O(force=true).
  - Installed hotfixes are not removed.
extends_documentation_fragment:
  - kbfix.windows.kbfix
  - kbfix.windows.kbfix.changes
  - kbfix.windows.kbfix.diff
options:
  journal:
    description:
      - The journal on the host, as in RV(kbfix.windows.kb#module:journal), or its name, with or without C(.jsonl).
      - One of O(journal) and O(last) is required.
    type: str
  last:
    description:
      - Roll back the newest journal that can be rolled back; with O(target), the newest of this target. If there is none, nothing is done.
      - If the task is run again, it rolls back the journal before that one. Use O(journal) for an idempotent task.
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
  - module: kbfix.windows.kb_info
"""

EXAMPLES = r"""
- name: Undo what an earlier task of the play did
  kbfix.windows.kb_rollback:
    journal: "{{ kb909094.journal }}"
  when: kb909094.journal is truthy

# Running this again would roll back the journal before that one, so do not use it in a play that may be repeated.
- name: Undo the last change of each host, once
  kbfix.windows.kb_rollback:
    last: true
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
    - A single entry for the rollback, with its outcome and reasons.
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
  description: The journal of the rollback itself; null if nothing was written.
  returned: when kbfix reported
  type: str
digest:
  description: The digest of the rollback's plan.
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
