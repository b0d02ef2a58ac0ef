#!/usr/bin/python
# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0

# Documentation only: the action plugin of the same name does the work.

from __future__ import annotations

DOCUMENTATION = r"""
module: kb
short_description: Bring a Windows machine into the state that Knowledge Base articles ask for
version_added: 0.1.0
description:
  - Makes the registry changes that specs of Microsoft Knowledge Base articles ask for, or those of a reviewed plan, where the
    product, the prerequisites and the file versions of the hotfix are as the article says.
  - Writes only what differs, keeps a journal of what was there before, reads back what was written, and undoes everything when
    a write fails. M(kbfix.windows.kb_rollback) undoes it later.
  - A spec that does not apply to a machine is no failure. One whose prerequisite or hotfix is missing changes nothing and fails,
    naming what was found and what is wanted.
extends_documentation_fragment:
  - kbfix.windows.kbfix
  - kbfix.windows.kbfix.specs
options:
  packages:
    description:
      - Hotfix packages on the host, as a mapping from the id of a spec to the path of its package. Used with O(install_hotfix=true).
    type: dict
    default: {}
  install_hotfix:
    description:
      - Install the package of a spec in O(packages) where a file version is too low. That cannot be rolled back.
      - Only for the target V(local).
    type: bool
    default: false
  restart_services:
    description:
      - Restart the services that the specs name, where something was changed. The computer is never restarted.
      - Only for the target V(local).
    type: bool
    default: false
  max_changes:
    description:
      - The most keys and values that may change through a C(*) of one spec; more are refused, and nothing is changed.
      - The default is that of kbfix. Check mode fails as the run would.
    type: int
  state_dir:
    description:
      - The folder on the host for the journals.
      - The default is C(%ProgramData%\kbfix) on Windows and C($XDG_STATE_HOME/kbfix) elsewhere.
    type: str
  on_blocked:
    description: Whether a spec whose prerequisite or hotfix is missing fails the task or is warned of.
    type: str
    choices: [fail, warn]
    default: fail
attributes:
  check_mode:
    description: Reports the same C(changed) as the run would, and changes nothing.
    support: full
  diff_mode:
    description: One before and after for each value, in the notation of .reg files, under its key.
    support: full
seealso:
  - module: kbfix.windows.kb_info
  - module: kbfix.windows.kb_rollback
"""

EXAMPLES = r"""
- name: Remediate one article
  kbfix.windows.kb:
    src: [KB909094.yaml]
    parameters:
      realm_hint: 1
  register: kb909094

- name: Restart the computer where an article asks for it
  ansible.windows.win_reboot:
  when: kb909094.reboot_required

- name: Remediate several articles in one call, going on where a hotfix is missing
  kbfix.windows.kb:
    src:
      - KB909094.yaml
      - KB926642.yaml
    on_blocked: warn

- name: Apply the spec that is built into kbfix
  kbfix.windows.kb:
    src: [KB909094]
    remote_src: true

- name: Give the spec in the task
  kbfix.windows.kb:
    spec:
      kbfix: 1
      id: KB926642
      title: Loopback names that a server answers to
      registry:
        - key: HKLM\SYSTEM\CurrentControlSet\Control\Lsa\MSV1_0
          values:
            BackConnectionHostNames:
              type: REG_MULTI_SZ
              contains: [intranet.example.com]

- name: Apply exactly the plan that was reviewed
  kbfix.windows.kb:
    plan: "plans/{{ inventory_hostname }}.json"
    digest: "{{ kbfix_digests[inventory_hostname] }}"

- name: Change a registry export on the controller
  kbfix.windows.kb:
    src: [KB909094.yaml]
    target: reg:/srv/exports/frontend1.reg
    files: /srv/exports/frontend1
    state_dir: /srv/exports/state
  delegate_to: localhost

- name: Reach a Windows Server 2003, which no Ansible connection can, from a Linux host with Samba
  kbfix.windows.kb:
    src: [KB909094.yaml]
    target: smb://frontend1.example.com?smb1
  environment:
    KBFIX_SMB_AUTH_FILE: /etc/kbfix/frontend1.auth
  delegate_to: jumphost
"""

RETURN = r"""
outcome:
  description:
    - The worst outcome of the specs.
    - One of V(not_applicable), V(in_desired_state), V(changed), V(changes_pending), V(blocked), V(unknown), V(rolled_back),
      V(failed); none where kbfix did not get that far.
  returned: when kbfix reported
  type: str
  sample: changed
specs:
  description: Each spec's outcome, with the reasons and with what was found and wanted by each check.
  returned: when kbfix reported
  type: list
  elements: dict
  sample:
    - id: KB909094
      title: Event ID 1000 is logged
      outcome: blocked
      reasons: ['hotfix KB909094: C:\Program Files\Exchsrvr\bin\exprox.dll: found 6.5.7638.1 (x86), wanted 6.5.7651.19 or later (x86)']
changes:
  description: Each change, of a key (with no name) or of a value.
  returned: when kbfix reported
  type: list
  elements: dict
  sample:
    - action: create
      key: HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV
      view: 64
      name: DisableRealmHint
      before: null
      after: {type: REG_DWORD, bytes: '01000000', text: 'dword:00000001'}
restart:
  description: What has to be restarted, of the specs that change something.
  returned: when kbfix reported
  type: dict
  contains:
    computer:
      description: V(never), V(required), or V(unknown) where the article does not say.
      type: str
    services:
      description: The services, by service name.
      type: list
      elements: str
    notes:
      description: What the articles add.
      type: list
      elements: str
steps:
  description: What was done beside the registry, such as packages installed and services restarted.
  returned: when kbfix reported
  type: list
  elements: dict
reboot_required:
  description: Whether the computer has to be restarted, as M(ansible.windows.win_updates) calls it.
  returned: when kbfix reported
  type: bool
journal:
  description: The journal on the host, for M(kbfix.windows.kb_rollback); none where nothing was written.
  returned: when kbfix reported
  type: str
  sample: C:\ProgramData\kbfix\journal\20261122T160635.196Z-4162.jsonl
digest:
  description: The digest of the plan that was or would be carried out.
  returned: when kbfix reported
  type: str
machine:
  description: The machine's computer name and MachineGuid, as far as the target knows them.
  returned: when kbfix reported
  type: dict
target:
  description: The target.
  returned: when kbfix reported
  type: str
conflicts:
  description: What a rollback kept, since somebody else changed it.
  returned: when kbfix reported
  type: list
  elements: dict
diagnostics:
  description: What stopped kbfix, and its warnings, each with code, message, place and hint.
  returned: when kbfix reported
  type: list
  elements: dict
kbfix_version:
  description: The version of the binary.
  returned: when kbfix reported
  type: str
"""
