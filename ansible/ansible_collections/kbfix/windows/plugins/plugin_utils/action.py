# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""The common code of the action plugins: checks the options, runs the binary on the host, and reads its report."""

from __future__ import annotations

import codecs
import difflib
import os
import re
import typing as t

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

from .advice import in_the_task
from .command import Call
from .failure import KbfixFailure
from .local import start
from .report import ended_before_it_read, read_report, read_snapshot
from .report_types import Report

Result = dict[str, t.Any]


class KbfixAction(ActionBase):  # type: ignore[misc]
    """Runs kbfix through the command module for the host's system, so that become, environment and all connections work.

    Only on the controller, as the user that Ansible runs as, kbfix is started directly.
    """

    TRANSFERS_FILES = False
    OPTIONS: t.ClassVar[dict[str, t.Any]] = {}

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        result: Result = super().run(tmp, task_vars)
        self._refuse_mistyped()
        _validation, options = self.validate_argument_spec(**self.OPTIONS)
        self._task_vars = task_vars or {}
        try:
            self._refuse_empty()
            if (options["binary_path"] or "").startswith("~"):
                options["binary_path"] = self._remote_expand_user(options["binary_path"])
            result.update(self._carry_out(options))
        except KbfixFailure as failure:
            result.update(failed=True, changed=False, msg=str(failure))
        return result

    def _refuse_mistyped(self) -> None:
        """Refuses unknown options. This is checked first, because a mistyped option can cause other errors, such as a missing option."""
        known = sorted(self.OPTIONS["argument_spec"])
        for name in sorted(set(self._task.args) - set(known)):
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise AnsibleActionFail(f"{self._task.action} has no option {name}; {hint}The options are {', '.join(known)}.", obj=name)

    def _refuse_empty(self) -> None:
        """Refuses empty strings, which usually come from an empty variable. An empty `digest` or `target` would have another meaning."""
        texts = (name for name, option in self.OPTIONS["argument_spec"].items() if option["type"] == "str")
        for name in texts:
            given = self._task.args.get(name, name)
            if given is None or (isinstance(given, str) and not given.strip()):
                raise KbfixFailure(f"{name} is empty; give it a value, or leave it out, for example with default(omit)")

    def _carry_out(self, options: Result) -> Result:
        raise NotImplementedError

    @property
    def _windows(self) -> bool:
        return bool(getattr(self._connection._shell, "_IS_WINDOWS", False))

    def _report(self, call: Call) -> Report:
        """Runs the binary, and reads its report."""
        raw = self._execute(call)
        if ended_before_it_read(raw, self._windows):
            # The output of the program is lost in this case. So it is started again with empty input, on which kbfix does no work. The
            # program then writes the same error again.
            again = self._execute(Call(call.argv))
            raw = raw if "kbfix_report" in str(again.get("stdout")) else again
        report = read_report(raw, call, self._windows)
        report["diagnostics"] = [in_the_task(one, call) for one in report["diagnostics"]]
        return report

    @property
    def _here(self) -> bool:
        """Whether the binary runs on the controller as the user that Ansible runs as."""
        return self._connection.transport == "local" and self._connection.become is None and not self._windows

    def _snapshot(self, call: Call) -> str:
        """Runs the binary, and returns the snapshot that it writes."""
        return read_snapshot(self._execute(call), call, self._windows)

    def _execute(self, call: Call) -> Result:
        if self._here:
            environment: Result = {}
            self._compute_environment_string(environment)
            return start(call, environment)
        task = self._task
        check_mode, no_log = task.check_mode, task.no_log
        # The binary must also run in check mode, as a dry run. Its input can contain secrets, which the command
        # module would otherwise write to the host's log.
        task.check_mode, task.no_log = False, True
        try:
            more: Result
            if self._windows:
                module, more = "ansible.windows.win_command", {"output_encoding_override": "utf-8"}
            else:
                module, more = "ansible.legacy.command", {"stdin_add_newline": False, "expand_argument_vars": False}
            args = {"argv": call.argv, "stdin": call.stdin, **more}
            raw: Result = self._execute_module(module, args, task_vars=self._task_vars)
            return raw
        finally:
            task.check_mode, task.no_log = check_mode, no_log

    def _read_file(self, name: str) -> str:
        """Returns the text of a file on the controller. It is looked up as other modules do, and decrypted if it is vaulted."""
        try:
            path = self._find_needle("files", name)
            if os.path.isdir(path):
                raise KbfixFailure(f"{name} is a folder; name its files, or use remote_src: true to name a folder on the host")
            real = self._loader.get_real_file(path, decrypt=True)
            try:
                with open(real, "rb") as file:
                    content = file.read()
                # regedit exports in UTF-16.
                return content.decode("utf-16" if content.startswith(codecs.BOM_UTF16_LE) else "utf-8-sig")
            finally:
                self._loader.cleanup_tmp_file(real)
        except UnicodeDecodeError as error:
            hint = "; save it as Unicode, or convert it to a spec with kbfix import --code-page" if name.lower().endswith(".reg") else ""
            raise KbfixFailure(f"{name} is not {error.encoding.upper()} text: {error.reason} at byte {error.start}{hint}") from error
        except (AnsibleError, OSError) as error:
            built_in = "" if re.search(r"[./\\]", name) else "; to name a spec that is built into kbfix, use remote_src: true"
            raise KbfixFailure(f"{name}: {error}{built_in}") from error
