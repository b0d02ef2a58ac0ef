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
      - V(reg:FILE) is a registry export and V(snapshot:FILE) a kbfix snapshot, both on the host that runs kbfix.
      - V(smb://HOST) is another Windows machine, and V(smb://HOST?smb1) a Windows Server 2003, reached from a Linux host that has
        smbclient and Samba's Python bindings. The credentials are in a file there, which the environment variable
        E(KBFIX_SMB_AUTH_FILE) of the task names.
      - Further kinds, such as V(image:DIR), work where the installed kbfix knows them.
      - A password in it is refused, since a command line can be read by every user of a host.
    type: str
  files:
    description: The folder on the host that stands for drive C of a registry export, where the files of a hotfix are looked for.
    type: str
  binary_path:
    description:
      - The kbfix binary on the host.
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
  - Specs, parameters and plans are sent on standard input, never on a command line, and are not logged on the host. Where a spec
    has secret data, set C(no_log=true) on the task, since its result and its diff show data.
seealso:
  - module: ansible.windows.win_regedit
  - module: ansible.windows.win_reboot
"""

    # Modules that take specs.
    SPECS = r"""
options:
  spec:
    description:
      - One spec or a list of specs, each as a mapping or as a text of YAML.
      - At least one of O(spec), O(src) and O(plan) is required.
    type: raw
  src:
    description:
      - Spec files on the controller, looked up in C(files/) as other modules do. Vaulted files are decrypted.
      - Their text is sent as it is, so an error in one is reported with its file, line and column.
    type: list
    elements: str
  remote_src:
    description:
      - Whether O(src) and O(plan) are on the host.
      - O(src) may then also name a folder of specs, or the id of a spec that is built into kbfix, such as V(KB909094).
    type: bool
    default: false
  parameters:
    description:
      - What the parameters of the specs are set to. Data is a whole number or a text.
      - Quote words such as V(on) and V(no), which YAML 1.1 reads as booleans.
    type: dict
    default: {}
  plan:
    description:
      - A saved plan, made by C(kbfix diff --out) or by M(kbfix.windows.kb_info) with O(kbfix.windows.kb_info#module:with_plan=true).
      - It is for one machine, and is refused when anything that it rests on has changed since.
    type: str
  digest:
    description: The digest of the plan that was approved. Any other plan is refused.
    type: str
"""
