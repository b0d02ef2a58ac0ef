#!/usr/bin/python
# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0

# Documentation only: the action plugin of the same name does the work.

from __future__ import annotations

DOCUMENTATION = r"""
module: kb_snapshot
short_description: Store the facts about a Windows machine that specs need in a file on the controller
version_added: 0.1.0
description:
  - Reads the facts about the machine that the specs need, and writes them into a folder on the controller, as C(HOST.json).
  - C(kbfix fleet diff --snapshots FOLDER) then reviews all machines in one document. A snapshot can also be used as a target
    (C(snapshot:FILE)). Nothing is changed on the machine.
extends_documentation_fragment:
  - kbfix.windows.kbfix
  - kbfix.windows.kbfix.specs
options:
  dest:
    description:
      - The folder on the controller. It is created if it does not exist. A relative path is relative to the play.
      - A snapshot is written completely or not at all. A snapshot of the host from an earlier task is removed first, so that there is no
        old snapshot for a host that cannot be read now.
      - Only the owner can read it (mode 0600), because it contains data of the machine.
      - It is also written in check mode, and regardless of C(no_log).
      - The host name C(index) and names that end with C(.plan) are refused, as by M(kbfix.windows.kb_info) with
        O(kbfix.windows.kb_info#module:reports).
    type: str
    required: true
  symptoms:
    description: Also store how often, and when, the events that the articles describe were logged. The text of the events is not stored.
    type: bool
    default: false
attributes:
  check_mode:
    description: Check mode makes no difference, because the module never changes the machine.
    support: full
  diff_mode:
    description: Nothing is changed.
    support: none
seealso:
  - module: kbfix.windows.kb_info
"""

EXAMPLES = r"""
- name: Store the facts about the host that two specs need
  kbfix.windows.kb_snapshot:
    src: [KB909094, KB926642]
    remote_src: true
    dest: snapshots
"""

RETURN = r"""
snapshot:
  description: The file that was written.
  returned: success
  type: str
  sample: /srv/snapshots/web1.json
"""
