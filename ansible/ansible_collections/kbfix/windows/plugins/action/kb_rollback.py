# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""kbfix.windows.kb_rollback: runs `kbfix rollback`, in check mode as a dry run."""

from __future__ import annotations

import typing as t

from ansible_collections.kbfix.windows.plugins.plugin_utils import command, options, result
from ansible_collections.kbfix.windows.plugins.plugin_utils.action import KbfixAction


class ActionModule(KbfixAction):
    OPTIONS = options.KB_ROLLBACK

    def _carry_out(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        check = bool(self._task.check_mode)
        report = self._report(command.rollback(options, self._windows, check))
        if not options["journal"] and result.nothing_to_roll_back(report):
            return result.of_no_journal(report, options)
        return result.of_run(report, check, bool(self._task.diff), bool(self._task.no_log), options)
