# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the documentation of the modules shares."""

from __future__ import annotations


class ModuleDocFragment:
    # Every module.
    DOCUMENTATION = r"""
options:
  target:
    description:
      - What to look at or change, as C(kbfix --target) names it.
      - V(local) is the live registry of the host, and the default where the host runs Windows.
      - V(reg:FILE) is a registry export, V(pol:FILE) a policy file (C(Registry.pol)) of Group Policy, and V(snapshot:FILE) a kbfix
        snapshot, all on the host that runs kbfix.
      - V(smb://HOST) is another Windows machine, and V(smb://HOST?smb1) a Windows Server 2003, reached from a Linux host that has
        smbclient and Samba's Python bindings. The credentials are in a file there, which the environment variable
        E(KBFIX_SMB_AUTH_FILE) of the task names.
      - Further kinds, such as V(image:DIR), work where the installed kbfix knows them.
      - A password in it is refused, since a command line can be read by every user of a host.
      - A name that is given and empty is refused, here and in all options that are texts; V(default(omit\)) leaves one out.
    type: str
  files:
    description:
      - The folder on the host that stands for drive C of a registry export, a hive or another machine, where the files of a hotfix
        are looked for.
      - Refused with targets that have a drive C of their own, such as V(local) and V(image:DIR).
    type: str
  drives:
    description:
      - Folders on the host that stand for drives of an image, a hive or another machine, as a mapping from the letter to the folder.
      - An image is itself the drive that its Windows is on.
    type: dict
    default: {}
  allow_dirty:
    description:
      - Also look at a hive of an image that was not written completely and that its logs do not complete, as it is.
      - It is never written.
    type: bool
    default: false
  code_page:
    description: The ANSI code page of a registry export that is not in Unicode, such as V(1252).
    type: int
  state_dir:
    description:
      - The folder on the host for the journals.
      - The default is C(%ProgramData%\kbfix) on Windows and C($XDG_STATE_HOME/kbfix) elsewhere.
      - M(kbfix.windows.kb_info) writes no journal. With O(kbfix.windows.kb_info#module:symptoms=true) it reads there when specs were last
        applied, and otherwise takes it only so that C(module_defaults) of the group may give it.
    type: str
  binary_path:
    description:
      - The kbfix binary on the host. A C(~) at its beginning is the home folder of the user that the task runs as.
      - The default is C(C:\Program Files\kbfix\kbfix.exe) on Windows, where the role P(kbfix.windows.install#role) puts it,
        and C(kbfix) on the C(PATH) elsewhere.
    type: str
requirements:
  - The kbfix binary on the host; the role P(kbfix.windows.install#role) puts it there.
  - On hosts that do not run Windows, Python, as for most modules. On Windows nothing but kbfix.
author:
  - The kbfix authors (@kbfix)
notes:
  - The binary is run once for each task, however many specs and values there are, by M(ansible.windows.win_command) on Windows and
    by M(ansible.builtin.command) elsewhere. So C(become), C(environment) and all connection plugins of these work.
  - Specs, parameters and plans are sent on standard input, never on a command line, and are not logged on the host.
  - Data that a spec calls C(sensitive) is hidden in results and diffs. Other secret data needs C(no_log=true) on the task, since its
    result and its diff show data.
seealso:
  - module: ansible.windows.win_regedit
  - module: ansible.windows.win_reboot
"""

    # Modules that take specs.
    SPECS = r"""
options:
  spec:
    description:
      - One spec or a list of specs, each as a mapping or as a text of YAML. A text that begins as a C(.reg) file is the spec that
        C(kbfix import) makes of it; what a C(.reg) file says and a spec cannot is an error.
      - Ansible reads a mapping in a play as YAML 1.1. A value name that this makes a number, a boolean, a date or nothing of, such as
        V(010), V(off) or V(1:30), is refused until it is quoted. In data V(010) is the number 8, which kbfix cannot see; a spec given
        as text, and a file, are read by kbfix itself, which refuses what is ambiguous.
      - Ansible fills templates in data, never in the names of a mapping. A name with C({{) or C({%) is refused. Where value names come
        from variables, give C(values) of a key as a list of mappings, each with C(name) beside what the value is to be.
      - An error is reported with its place in the mapping, such as C(registry[0].values.E.data).
    type: raw
  src:
    description:
      - Spec files on the controller, looked up in C(files/) as other modules do. Vaulted files are decrypted.
      - A C(.reg) file in Unicode, as regedit exports it, is the spec that C(kbfix import) makes of it, with the file's name as its id.
      - A folder of specs, and the id of a built-in spec, need O(remote_src=true).
      - Their text is sent as it is, so an error in one is reported with its file, line and column.
    type: list
    elements: str
  remote_src:
    description:
      - Whether the files that the task names are on the host.
      - O(src) may then also name a folder of specs, or the id of a spec that is built into kbfix, such as V(KB909094).
    type: bool
    default: false
  parameters:
    description:
      - What the parameters of the specs are set to. Data is a whole number, a text, or for a parameter of type C(list) a list of texts.
      - In a text for such a parameter a comma parts its members; in a list a text may have commas.
      - Quote words such as V(on) and V(no), which YAML 1.1 reads as booleans.
    type: dict
    default: {}
"""

    # Modules that take a plan in place of specs.
    PLAN = r"""
options:
  plan:
    description:
      - A saved plan, in place of O(spec) and O(src), one of which is required otherwise.
      - It was made by C(kbfix diff --out) or by M(kbfix.windows.kb_info) with O(kbfix.windows.kb_info#module:with_plan=true).
      - It is for one machine, and is refused when anything that it rests on has changed since.
      - A fleet plan, made by C(kbfix fleet plan), may be named too; the plan in it whose machine has the name of the host is sent to the
        host, and the digest is that of the fleet plan. With O(remote_src=true) the binary chooses the plan by the identity of the
        machine.
      - One that was already applied is in desired state, where each of its changes is in place and all else is as it was. So a run
        over many hosts that was interrupted can be started again.
    type: str
  digest:
    description:
      - The digest of the plan that was approved, with or without C(sha256:), in either case. Any other plan is refused.
      - An empty one, or none where the option is given, is refused too.
    type: str
"""

    # Modules whose result may hold very many changes.
    CHANGES = r"""
options:
  with_changes:
    description:
      - Whether the result has RV(changes). Without, the result of a task with many thousand values stays small; the journal, and the
        files of O(kbfix.windows.kb_info#module:reports), have them all the same.
    type: bool
    default: true
"""

    # Modules with a diff.
    DIFF = r"""
options:
  diff_lines:
    description:
      - The most lines of changes that diff mode prints. Keys beyond it are counted, and said to be left out. RV(changes) has all.
    type: int
    default: 2000
"""

    # Modules that can fail on a warning.
    FAIL_ON = r"""
options:
  fail_on:
    description:
      - The warnings with which the task fails. M(kbfix.windows.kb) changes nothing then.
      - V(policy-owned) says that Group Policy sets a value to other data and so undoes the change at its next refresh; RV(specs) names the
        policy store (C(policy)). V(policy-unknown) says that this is not known, since a store could not be read (C(policy_unread)).
    type: list
    elements: str
    choices: [policy-owned, policy-unknown]
    default: []
"""
