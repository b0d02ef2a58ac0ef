# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""kbfix.windows.kb_info: runs `kbfix diff`, in check mode too."""

from __future__ import annotations

import typing as t

from ansible_collections.kbfix.windows.plugins.plugin_utils import command, options, reports, result
from ansible_collections.kbfix.windows.plugins.plugin_utils.action import KbfixAction


class ActionModule(KbfixAction):
    OPTIONS = options.KB_INFO

    def _carry_out(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        folder, host = options["reports"], self._task_vars["inventory_hostname"]
        if folder:
            folder = self._loader.path_dwim(folder)
            reports.clear(folder, host)
        report = self._report(command.diff(options, self._windows, self._read_file, host))
        found = result.of_look(report, bool(self._task.no_log), options)
        if folder and not found.get("failed"):
            found["report_files"] = reports.write(folder, host, report)
        return found
