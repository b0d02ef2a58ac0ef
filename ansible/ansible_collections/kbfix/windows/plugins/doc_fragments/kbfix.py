# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""The shared parts of the documentation of the modules."""

from __future__ import annotations


class ModuleDocFragment:
    # Every module.
    DOCUMENTATION = r"""
options:
  target:
    description:
      - The target to read or change, as for C(kbfix --target).
      - V(local) is the live registry of the host, and the default if the host runs Windows.
      - V(reg:FILE) is a registry export, V(pol:FILE) a policy file (C(Registry.pol)) of Group Policy, and V(snapshot:FILE) a kbfix
        snapshot, all on the host that runs kbfix.
      - V(smb://HOST) is another Windows machine, and V(smb://HOST?smb1) a Windows Server 2003, reached from a Linux host that has
        smbclient and Samba's Python bindings. The credentials are in a file on the Linux host, which the environment variable
        E(KBFIX_SMB_AUTH_FILE) of the task names.
      - Other kinds, such as V(image:DIR), work if the installed version of kbfix supports them.
      - A target with a password is refused, because every user of a host can read command lines.
      - An empty string is refused, here and in all options that are strings. Use V(default(omit\)) to leave an option out.
    type: str
  files:
    description:
      - The folder on the host that contains the files of drive C of a registry export, a hive or another machine, such as the files
        of a hotfix.
      - Refused with targets that contain drive C themselves, such as V(local) and V(image:DIR).
    type: str
  drives:
    description:
      - Folders on the host that contain the files of drives of an image, a hive or another machine, as a mapping from the drive letter to
        the folder.
      - The drive of an image that contains its Windows is the image itself; a folder for this drive is an error.
    type: dict
    default: {}
  allow_dirty:
    description:
      - Whether to read an incomplete hive, of an image or as the target, as it is if its logs do not complete it. Such a hive is never
        written.
    type: bool
    default: false
  code_page:
    description: The ANSI code page of a registry export that is not in Unicode, such as V(1252).
    type: int
  state_dir:
    description:
      - The folder on the host for the journals.
      - The default is C(%ProgramData%\kbfix) on Windows and C($XDG_STATE_HOME/kbfix) on other systems.
      - M(kbfix.windows.kb_info) does not write a journal. With O(kbfix.windows.kb_info#module:symptoms=true) it reads the time of the last
        apply of the specs from the journals. Otherwise it ignores the option, and M(kbfix.windows.kb_snapshot) always does, so that
        C(module_defaults) of the group can contain it.
    type: str
  binary_path:
    description:
      - The kbfix binary on the host. A C(~) at the beginning means the home folder of the user of the task.
      - The default is C(C:\Program Files\kbfix\kbfix.exe) on Windows, where the role P(kbfix.windows.install#role) puts it,
        and C(kbfix) in C(PATH) on other systems.
    type: str
requirements:
  - The kbfix binary on the host; the role P(kbfix.windows.install#role) puts it there.
  - On hosts that do not run Windows, Python, as for most modules. On Windows, only kbfix.
author:
  - The kbfix authors (@kbfix)
notes:
  - The binary is run only once for each task, with any number of specs and values, by M(ansible.windows.win_command) on Windows and
    by M(ansible.builtin.command) on other systems. So C(become), C(environment) and all connection plugins work as with these modules.
    With the connection C(local) and without C(become), the action plugin itself runs the binary.
  - Specs, parameters and plans are sent on standard input, never on a command line, and are not logged on the host.
  - Data that a spec marks as C(sensitive) is hidden in results and diffs. For other secret data, set C(no_log=true) on the task, because
    its result and its diff show data.
seealso:
  - module: ansible.windows.win_regedit
  - module: ansible.windows.win_reboot
"""

    # Modules that take specs.
    SPECS = r"""
options:
  spec:
    description:
      - One spec or a list of specs, each as a mapping or as a string of YAML. A string that begins like a C(.reg) file is converted as with
        C(kbfix import). If a spec cannot express something in the C(.reg) file, this is an error.
      - Ansible reads a mapping in a play as YAML 1.1. A value name that YAML 1.1 turns into a number, a boolean, a date or null, such as
        V(010), V(off) or V(1:30), is refused unless it is in quotes. In data, V(010) becomes the number 8, and kbfix cannot detect this.
        kbfix itself reads a spec that is given as a string or a file, and refuses ambiguous text.
      - Ansible expands templates in data, but not in the names of a mapping. A name with C({{) or C({%) is refused. If value names come
        from variables, give the C(values) of a key as a list of mappings, each with C(name) and the fields of the value.
      - An error is reported with its place in the mapping, such as C(registry[0].values.E.data).
    type: raw
  src:
    description:
      - Spec files on the controller, looked up in C(files/) as other modules do. Vaulted files are decrypted.
      - A C(.reg) file in Unicode, as regedit exports it, is converted as with C(kbfix import). The name of the file is the id of the spec.
      - A folder of specs, and the id of a built-in spec, need O(remote_src=true).
      - The text is sent unchanged, so an error in a spec is reported with its file, line and column.
    type: list
    elements: str
  remote_src:
    description:
      - Whether the files in the task are on the host.
      - O(src) can then also contain a folder of specs, or the id of a spec that is built into kbfix, such as V(KB909094).
    type: bool
    default: false
  parameters:
    description:
      - The values of the parameters of the specs. A value is a whole number, a string, or for a parameter of type C(list) a list of
        strings.
      - In a string for such a parameter, commas separate the items. In a list, a string can contain commas.
      - Write words such as V(on) and V(no) in quotes, because YAML 1.1 reads them as booleans.
    type: dict
    default: {}
"""

    # Modules that accept a plan instead of specs.
    PLAN = r"""
options:
  plan:
    description:
      - A saved plan, instead of O(spec) or O(src). One of the three is required.
      - It is made by C(kbfix diff --out) or by M(kbfix.windows.kb_info) with O(kbfix.windows.kb_info#module:with_plan=true).
      - It is for one machine, and is refused if a fact on which it depends has changed since.
      - It can also be a fleet plan, made by C(kbfix fleet plan). The plan of the machine with the name of the host is then sent to
        the host, and O(digest) is that of the fleet plan. With O(remote_src=true), the binary selects the plan by the identity of the
        machine.
      - If all changes of the plan are in place and the other facts are unchanged, the plan was already applied, and the outcome
        is in desired state. So an interrupted run over many hosts can be started again.
    type: str
  digest:
    description:
      - The digest of the approved plan, with or without C(sha256:), in upper or lower case. Any other plan is refused.
      - An empty string or null is refused too.
    type: str
"""

    # Modules whose result can contain very many changes.
    CHANGES = r"""
options:
  with_changes:
    description:
      - Whether the result contains RV(changes). Without them, the result of a task with many thousand values stays small. The journal and
        the files of O(kbfix.windows.kb_info#module:reports) contain them in any case.
    type: bool
    default: true
"""

    # Modules with a diff.
    DIFF = r"""
options:
  diff_lines:
    description:
      - The highest number of lines of changes that diff mode prints. The diff ends with the number of the other keys. RV(changes)
        contains all, unless O(with_changes=false).
    type: int
    default: 2000
"""

    # Modules that change an image, or show what would be changed.
    THROUGH_POLICY = r"""
options:
  through_policy:
    description:
      - Read and write values in the policy branches of C(HKLM) in the local GPO of an image, and not in its registry. Windows applies the
        policy when it starts.
      - Only with V(image:DIR) as the O(target). A plan that was made with this option does not need it. A plan that was made without it is
        refused with it.
    type: bool
    default: false
"""

    # Modules that can fail on a warning.
    FAIL_ON = r"""
options:
  fail_on:
    description:
      - The warnings with which the task fails. M(kbfix.windows.kb) changes nothing then.
      - V(policy-owned) means that Group Policy sets a value to other data, and so undoes the change at a later refresh. C(policy) in
        RV(specs) names the policy store.
      - V(policy-unknown) means that this is not known, because a store could not be read. C(policy_unread) in RV(specs) names the store.
    type: list
    elements: str
    choices: [policy-owned, policy-unknown]
    default: []
"""
