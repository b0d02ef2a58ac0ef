# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the three action plugins share: check the options, run the binary on the host once, read its report."""

from __future__ import annotations

import difflib
import typing as t

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

from .command import Call
from .failure import KbfixFailure
from .report import read_report

Result = dict[str, t.Any]


class KbfixAction(ActionBase):
    """Runs kbfix through the command module of the host's kind, which brings become, environment and every connection."""

    TRANSFERS_FILES = False
    OPTIONS: t.ClassVar[dict[str, t.Any]] = {}

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        result = super().run(tmp, task_vars)
        self._refuse_mistyped()
        _validation, options = self.validate_argument_spec(**self.OPTIONS)
        self._task_vars = task_vars or {}
        try:
            result.update(self._carry_out(options))
        except KbfixFailure as failure:
            result.update(failed=True, changed=False, msg=str(failure))
        return result

    def _refuse_mistyped(self) -> None:
        """Ahead of all other checks, since what a mistyped option leaves out is only a consequence of it."""
        known = sorted(self.OPTIONS["argument_spec"])
        for name in sorted(set(self._task.args) - set(known)):
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise AnsibleActionFail(f"{self._task.action} has no option {name}; {hint}The options are {', '.join(known)}.", obj=name)

    def _carry_out(self, options: Result) -> Result:
        raise NotImplementedError

    @property
    def _windows(self) -> bool:
        return bool(getattr(self._connection._shell, "_IS_WINDOWS", False))

    def _report(self, call: Call) -> Result:
        """Runs the binary, and reads its report."""
        return read_report(self._execute(call), call, self._windows)

    def _execute(self, call: Call) -> Result:
        task = self._task
        check_mode, no_log = task.check_mode, task.no_log
        # The binary is asked for a diff in check mode, so it has to run. Its input may hold secrets, which the command
        # module would otherwise write to the host's log.
        task.check_mode, task.no_log = False, True
        try:
            if self._windows:
                args = {"argv": call.argv, "stdin": call.stdin, "output_encoding_override": "utf-8"}
                return self._execute_module("ansible.windows.win_command", args, task_vars=self._task_vars)
            args = {"argv": call.argv, "stdin": call.stdin, "stdin_add_newline": False, "expand_argument_vars": False}
            return self._execute_module("ansible.legacy.command", args, task_vars=self._task_vars)
        finally:
            task.check_mode, task.no_log = check_mode, no_log

    def _read_file(self, name: str) -> str:
        """A file of the controller, looked up as other modules do, decrypted if it is vaulted."""
        try:
            path = self._find_needle("files", name)
            real = self._loader.get_real_file(path, decrypt=True)
            try:
                with open(real, encoding="utf-8-sig") as file:
                    return file.read()
            finally:
                self._loader.cleanup_tmp_file(real)
        except UnicodeDecodeError as error:
            raise KbfixFailure(f"{name} is not UTF-8 text: {error.reason} at byte {error.start}") from error
        except (AnsibleError, OSError) as error:
            raise KbfixFailure(f"{name}: {error}") from error
