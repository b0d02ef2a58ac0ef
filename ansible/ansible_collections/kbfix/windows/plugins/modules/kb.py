#!/usr/bin/python
# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0

# Documentation only: the action plugin of the same name does the work.

from __future__ import annotations

DOCUMENTATION = r"""
module: kb
short_description: Bring a Windows machine into the state that Knowledge Base articles require
version_added: 0.1.0
description:
  - Makes the registry changes that specs of Microsoft Knowledge Base articles require, or those of a reviewed plan, if the
    product, the prerequisites and the file versions of the hotfix match the article.
  - Writes only what differs, keeps a journal of the state before, reads back what was written, and undoes everything if
    a write fails. M(kbfix.windows.kb_rollback) can undo the changes later.
  - A spec that does not apply to a machine is not a failure. If a prerequisite or the hotfix is missing, nothing is changed for the spec,
    and the task fails with a message that shows what was found and what is wanted.
extends_documentation_fragment:
  - kbfix.windows.kbfix
  - kbfix.windows.kbfix.specs
  - kbfix.windows.kbfix.plan
  - kbfix.windows.kbfix.changes
  - kbfix.windows.kbfix.diff
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
  packages:
    description:
      - Hotfix packages on the host, as a mapping from the id of a spec to the path of its package.
      - Refused without O(install_hotfix=true), because nothing would be installed.
    type: dict
    default: {}
  install_hotfix:
    description:
      - Install the package of a spec in O(packages) if a file version is too low. This cannot be rolled back.
      - Refused without O(packages).
      - Only for the target V(local).
    type: bool
    default: false
  restart_services:
    description:
      - Restart the services that the specs name, if something was changed. The computer is never restarted.
      - If a service does not exist, the task fails before anything is changed, also in check mode. If a service cannot be restarted,
        the task fails after the changes.
      - Only for the target V(local).
    type: bool
    default: false
  max_changes:
    description:
      - The highest number (0 or more) of keys and values of one spec that can change because of a C(*). If there are more, the task
        fails and nothing is changed.
      - The default is that of kbfix. Check mode fails in the same way.
    type: int
  on_blocked:
    description: >-
      Whether the task fails or reports a warning if a spec is blocked (a prerequisite or the hotfix is missing) or waits for a restart.
    type: str
    choices: [fail, warn]
    default: fail
attributes:
  check_mode:
    description:
      - Reports the same C(changed) as a real run, and changes nothing.
      - Fails if a real run would be refused, for example with O(restart_services=true) on a target other than V(local), or if O(state_dir)
        cannot be written.
    support: full
  diff_mode:
    description:
      - The state before and after for each key, in the notation of .reg files.
      - Ansible does not print a diff if the task fails. RV(changes) contains the changes in any case.
    support: full
seealso:
  - module: kbfix.windows.kb_info
  - module: kbfix.windows.kb_rollback
  - module: kbfix.windows.kb_retire
"""

EXAMPLES = r"""
- name: Remediate one article
  kbfix.windows.kb:
    src: [KB909094.yaml]
    parameters:
      realm_hint: 1
  register: kb909094

- name: Remediate several articles in one call, continue if a hotfix is missing, and restart if an article requires it
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
    # Also if the task failed: one spec may have changed something before another failed, and the next run would find nothing to do.
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

- name: Make the changes of a .reg file, which can be reviewed and rolled back like those of a spec
  kbfix.windows.kb:
    src: [settings.reg]

- name: Give the .reg file as text in the task
  kbfix.windows.kb:
    spec: |
      Windows Registry Editor Version 5.00

      [HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters]
      "AutoShareWks"=dword:00000000

- name: Set values whose names come from variables, in one call instead of a loop over win_regedit
  kbfix.windows.kb:
    spec:
      kbfix: 1
      id: crash-dumps
      title: Settings for crash dumps
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

- name: Apply only what Group Policy does not undo
  kbfix.windows.kb:
    src: [KB967715]
    remote_src: true
    fail_on: [policy-owned, policy-unknown]

- name: Change a registry export on the controller
  kbfix.windows.kb:
    src: [KB909094.yaml]
    target: reg:/srv/exports/frontend1.reg
    files: /srv/exports/frontend1
    state_dir: /srv/exports/state
  delegate_to: localhost

- name: Change a Windows Server 2003, which Ansible cannot connect to, from a Linux host with Samba
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
      V(needs_parameter), V(unknown), V(rolled_back), V(failed); null if kbfix stopped before it had an outcome.
  returned: when kbfix reported
  type: str
  sample: changed
specs:
  description: The outcome of each spec, with the reasons, and with the found and wanted state of each check.
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
      description: The reasons for the outcome, in sentences; can be empty.
      type: list
      elements: str
    parameters:
      description: The values of its parameters, as strings, by name.
      type: dict
    checks:
      description: The tests, each with C(title) and with C(evidence), a list of C(place), C(found), C(wanted) and C(result).
      type: list
      elements: dict
    install:
      description: The package that was or would be installed, with C(package) and C(sha256); null if there is none.
      type: dict
    policy:
      description: >-
        The settings of policy stores for the values of the spec, each with C(key), C(name), C(store), C(path), C(gpo) (the name of the
        GPO, if it is known), C(effect), C(data), and C(result), which is V(keeps), V(undoes) or V(may_undo).
      type: list
      elements: dict
    policy_unread:
      description: >-
        The policy stores that could not be read, each with its C(path), C(why), and the number of C(values) without a known owner.
      type: list
      elements: dict
    restart:
      description: The restarts that the article requires, with C(computer), C(services) and C(note), for every outcome.
      type: dict
  sample:
    - id: KB909094
      title: Event ID 1000 is logged
      outcome: blocked
      reasons: ['hotfix KB909094: C:\Program Files\Exchsrvr\bin\exprox.dll: found 6.5.7638.1 (x86), wanted 6.5.7651.19 or later (x86)']
changes:
  description: >-
    Each change, of a key (without a name) or of a value. Changes of a blocked spec are not included, because they are never made.
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
      description: The value name, empty for the default value; null if the change is of the key itself.
      type: str
    before:
      description: >-
        The data before, with C(type), C(bytes) (hex digits), C(text) (in .reg notation) and C(readable) (the meaning of hex digits in
        C(text); null if there is nothing to add); null if it was absent.
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
  description: The restarts that are required by specs that change something or whose hotfix waits for a restart.
  returned: when kbfix got as far as an outcome
  type: dict
  contains:
    computer:
      description: V(never), V(required), or V(unknown) if the article does not mention it.
      type: str
    services:
      description: The services, by service name.
      type: list
      elements: str
    notes:
      description: Notes from the specs.
      type: list
      elements: str
steps:
  description: The steps outside the registry that were done, such as packages installed and services restarted.
  returned: when kbfix reported
  type: list
  elements: dict
  contains:
    action:
      description: V(install_hotfix), V(stop_service), V(start_service) or V(pause_service).
      type: str
    name:
      description: The package's file, or the service.
      type: str
    spec:
      description: The spec for which it was done, if it is a single spec.
      type: str
    result:
      description: V(done), V(restart_needed), V(restart_begun), V(skipped) or V(failed).
      type: str
    detail:
      description: Details for people.
      type: str
reboot_required:
  description: Whether the computer must be restarted. M(ansible.windows.win_updates) uses the same name.
  returned: when kbfix got as far as an outcome
  type: bool
reboot_pending:
  description:
    - Whether, according to its registry, the computer was already waiting for a restart before the task.
    - Null if the registry could not be read, or if no spec has a hotfix or requires a restart of the computer.
  returned: when kbfix got as far as an outcome
  type: bool
journal:
  description: The journal on the host, for M(kbfix.windows.kb_rollback); null if nothing was written.
  returned: when kbfix reported
  type: str
  sample: C:\ProgramData\kbfix\journal\20261122T160635.196Z-4162.jsonl
digest:
  description: The digest of the plan that was or would be applied.
  returned: when kbfix reported
  type: str
machine:
  description: The machine's computer name and MachineGuid, if the target contains them.
  returned: when kbfix reported
  type: dict
  contains:
    computer_name:
      description: The computer name; null if the target does not contain it.
      type: str
    machine_guid:
      description: The MachineGuid; null if the target does not contain it.
      type: str
target:
  description: The target.
  returned: when kbfix reported
  type: str
conflicts:
  description: The keys and values that a rollback or a retirement kept because someone else had changed them.
  returned: when kbfix reported
  type: list
  elements: dict
  contains:
    place:
      description: The key, and the value name if the conflict concerns a value.
      type: str
    left:
      description: The data or state that the apply left.
      type: str
    found:
      description: The present data or state.
      type: str
    before:
      description: The data or state before the apply.
      type: str
diagnostics:
  description: The errors that stopped kbfix, and warnings, each with code, message, place and hint.
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
        The C(file), C(line) and C(column), with the C(source) line; for a spec that is a mapping in the task also its C(path) in the
        mapping.
      type: dict
    hint:
      description: What to do next.
      type: str
kbfix_version:
  description: The version of the binary.
  returned: when kbfix reported
  type: str
"""
