# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""kbfix.windows.kb: runs `kbfix apply`, in check mode as a dry run."""

from __future__ import annotations

import typing as t

from ansible_collections.kbfix.windows.plugins.plugin_utils import command, options, result
from ansible_collections.kbfix.windows.plugins.plugin_utils.action import KbfixAction


class ActionModule(KbfixAction):
    OPTIONS = options.KB

    def _carry_out(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        check = bool(self._task.check_mode)
        report = self._report(command.apply(options, self._windows, self._read_file, check, self._task_vars["inventory_hostname"]))
        return result.of_run(report, check, bool(self._task.diff), bool(self._task.no_log), options)
