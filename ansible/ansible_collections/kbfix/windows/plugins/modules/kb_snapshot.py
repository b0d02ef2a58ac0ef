#!/usr/bin/python
# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0

# Documentation only: the action plugin of the same name does the work.

from __future__ import annotations

DOCUMENTATION = r"""
module: kb_snapshot
short_description: Keep what specs ask about a Windows machine in a file on the controller
version_added: 0.1.0
description:
  - Reads from the machine everything that the specs ask about it, and writes it into a folder on the controller, as C(HOST.json).
  - C(kbfix fleet diff --snapshots FOLDER) then reviews all machines in one document, and a snapshot is a target of its own
    (C(snapshot:FILE)). Changes nothing on the machine.
extends_documentation_fragment:
  - kbfix.windows.kbfix
  - kbfix.windows.kbfix.specs
options:
  dest:
    description:
      - The folder on the controller, made if it is not there. A relative path is that of the play.
      - A snapshot is written whole or not at all. What an earlier task left of the host is removed first, so that no old snapshot
        stands for a host that cannot be read now.
      - It is for its owner only (mode 0600), since it holds data of the machine.
      - It is written in check mode too, and whatever C(no_log) says.
    type: str
    required: true
  symptoms:
    description: Also keep how often, and when, the events that the articles are about were logged. None of the events' text is kept.
    type: bool
    default: false
attributes:
  check_mode:
    description: Works the same.
    support: full
  diff_mode:
    description: Nothing is changed.
    support: none
seealso:
  - module: kbfix.windows.kb_info
"""

EXAMPLES = r"""
- name: Keep what two specs ask about the host
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
