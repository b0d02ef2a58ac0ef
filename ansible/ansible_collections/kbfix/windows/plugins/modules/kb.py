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
  - kbfix.windows.kbfix.plan
  - kbfix.windows.kbfix.changes
  - kbfix.windows.kbfix.diff
options:
  triggers:
    description:
      - The ids of specs whose triggers are written where they are not done. Without its id here, such a spec is blocked.
      - Not with O(plan), which says itself what it writes.
    type: list
    elements: str
    default: []
  packages:
    description:
      - Hotfix packages on the host, as a mapping from the id of a spec to the path of its package.
      - Refused without O(install_hotfix=true), since nothing would be installed.
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
      - A service that is not there fails the task before anything is changed, also in check mode. One that cannot be restarted
        fails it after.
      - Only for the target V(local).
    type: bool
    default: false
  max_changes:
    description:
      - The most keys and values that may change through a C(*) of one spec, from 0; more are refused, and nothing is changed.
      - The default is that of kbfix. Check mode fails as the run would.
    type: int
  on_blocked:
    description: Whether a spec whose prerequisite or hotfix is missing, or waits for a restart, fails the task or is warned of.
    type: str
    choices: [fail, warn]
    default: fail
attributes:
  check_mode:
    description:
      - Reports the same C(changed) as the run would, and changes nothing.
      - Fails where the run would be refused, such as with O(restart_services=true) on another target than V(local), or an O(state_dir)
        that cannot be written.
    support: full
  diff_mode:
    description:
      - One before and after for each key, in the notation of .reg files.
      - Ansible prints no diff of a task that failed. RV(changes) has it in any case.
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

- name: Remediate several articles in one call, going on where a hotfix is missing, and restart where an article asks for it
  block:
    - name: Remediate
      kbfix.windows.kb:
        src:
          - KB909094.yaml
          - KB926642.yaml
        parameters:
          hosts: [intranet.example.com, crm.example.com]
        on_blocked: warn
      register: remediated
  always:
    # Also where the task failed: one spec may have changed something before another failed, and the next run finds nothing to do.
    - name: Restart the computer
      ansible.windows.win_reboot:
      when: remediated.reboot_required | default(false)

- name: Apply the spec that is built into kbfix
  kbfix.windows.kb:
    src: [KB909094]
    remote_src: true

- name: Give the spec in the task
  kbfix.windows.kb:
    spec:
      kbfix: 1
      id: loopback-names
      title: Names that a server answers to itself
      registry:
        - key: HKLM\SYSTEM\CurrentControlSet\Control\Lsa\MSV1_0
          values:
            BackConnectionHostNames:
              type: REG_MULTI_SZ
              list:
                add: [intranet.example.com]

- name: Make the changes of a .reg file, which can be looked at before and rolled back as those of any spec
  kbfix.windows.kb:
    src: [settings.reg]

- name: The same as text in the task
  kbfix.windows.kb:
    spec: |
      Windows Registry Editor Version 5.00

      [HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters]
      "AutoShareWks"=dword:00000000

- name: Set values whose names come from variables, in one call in place of a loop over win_regedit
  kbfix.windows.kb:
    spec:
      kbfix: 1
      id: crash-dumps
      title: What a crash leaves
      registry:
        - key: HKLM\SYSTEM\CurrentControlSet\Control\CrashControl
          # Each item of crash_values has name, type and data.
          values: "{{ crash_values }}"
  vars:
    crash_values:
      - { name: "{{ which }}", type: REG_DWORD, data: 1 }
      - { name: LogEvent, type: REG_DWORD, data: 1 }
    which: AutoReboot

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
    - One of V(not_applicable), V(in_desired_state), V(changed), V(changes_pending), V(pending_restart), V(blocked),
      V(needs_parameter), V(unknown), V(rolled_back), V(failed); none where kbfix did not get that far.
  returned: when kbfix reported
  type: str
  sample: changed
specs:
  description: Each spec's outcome, with the reasons and with what was found and wanted by each check.
  returned: when kbfix reported
  type: list
  elements: dict
  contains:
    id:
      description: The id of the spec.
      type: str
    title:
      description: Its title.
      type: str
    outcome:
      description: Its outcome, one of those of RV(outcome).
      type: str
    reasons:
      description: Why, in sentences; empty where there is nothing to say.
      type: list
      elements: str
    parameters:
      description: What its parameters are set to, as text, by name.
      type: dict
    checks:
      description: What was tested, each with C(title) and with C(evidence), a list of C(place), C(found), C(wanted) and C(result).
      type: list
      elements: dict
    install:
      description: The package that was or would be installed, with C(package) and C(sha256); none where there is none.
      type: dict
    restart:
      description: What the article says of restarts, with C(computer), C(services) and C(note), whatever the outcome.
      type: dict
  sample:
    - id: KB909094
      title: Event ID 1000 is logged
      outcome: blocked
      reasons: ['hotfix KB909094: C:\Program Files\Exchsrvr\bin\exprox.dll: found 6.5.7638.1 (x86), wanted 6.5.7651.19 or later (x86)']
changes:
  description: Each change, of a key (with no name) or of a value. The changes of a blocked spec, which are never made, are not among them.
  returned: when kbfix reported, unless O(with_changes=false)
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(update) or V(delete).
      type: str
    key:
      description: The key.
      type: str
    view:
      description: The registry view, V(64) or V(32).
      type: int
    name:
      description: The value name, empty for the default value; none where the change is of the key itself.
      type: str
    before:
      description: >-
        The data before, with C(type), C(bytes) (hex digits), C(text) (as a .reg file has it) and C(readable) (what the hex digits of a
        text say; none where there is nothing to add); none where it was absent.
      type: dict
    after:
      description: The data after, in the same form.
      type: dict
  sample:
    - action: create
      key: HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV
      view: 64
      name: DisableRealmHint
      before: null
      after: {type: REG_DWORD, bytes: '01000000', text: 'dword:00000001', readable: null}
restart:
  description: What has to be restarted, of the specs that change something or whose hotfix waits for a restart.
  returned: when kbfix got as far as an outcome
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
  contains:
    action:
      description: V(install_hotfix), V(stop_service) or V(start_service).
      type: str
    name:
      description: The package's file, or the service.
      type: str
    spec:
      description: The spec that it was done for, where it is one.
      type: str
    result:
      description: V(done), V(restart_needed), V(skipped) or V(failed).
      type: str
    detail:
      description: More of it.
      type: str
reboot_required:
  description: Whether the computer has to be restarted, as M(ansible.windows.win_updates) calls it.
  returned: when kbfix got as far as an outcome
  type: bool
reboot_pending:
  description:
    - Whether the computer waited for a restart already before the task, as its registry says, for a spec with a hotfix or a restart of the
      computer.
    - None where the registry could not be read, and where no spec has use for it.
  returned: when kbfix got as far as an outcome
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
  contains:
    computer_name:
      description: The computer name; none where the target does not know it.
      type: str
    machine_guid:
      description: The MachineGuid; none where the target does not know it.
      type: str
target:
  description: The target.
  returned: when kbfix reported
  type: str
conflicts:
  description: What a rollback kept, since someone else changed it.
  returned: when kbfix reported
  type: list
  elements: dict
  contains:
    place:
      description: The key, and the value name where it is about one.
      type: str
    left:
      description: What the apply left there.
      type: str
    found:
      description: What is there now.
      type: str
    before:
      description: What was there before the apply.
      type: str
diagnostics:
  description: What stopped kbfix, and its warnings, each with code, message, place and hint.
  returned: when kbfix reported
  type: list
  elements: dict
  contains:
    code:
      description: The stable code, which C(docs/reference/diagnostics.md) of kbfix explains.
      type: str
    severity:
      description: V(error) or V(warning).
      type: str
    message:
      description: What is wrong.
      type: str
    place:
      description: >-
        The C(file), C(line) and C(column), with the C(source) line; of a spec that is a mapping in the task also its C(path) in that.
      type: dict
    hint:
      description: What to do next.
      type: str
kbfix_version:
  description: The version of the binary.
  returned: when kbfix reported
  type: str
"""
