# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""kbfix.windows.kb_snapshot: stores a snapshot of the host on the controller, in check mode too."""

from __future__ import annotations

import typing as t

from ansible_collections.kbfix.windows.plugins.plugin_utils import command, options, reports
from ansible_collections.kbfix.windows.plugins.plugin_utils.action import KbfixAction


class ActionModule(KbfixAction):
    OPTIONS = options.KB_SNAPSHOT

    def _carry_out(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        folder = self._loader.path_dwim(options["dest"])
        host = self._task_vars["inventory_hostname"]
        reports.clear_snapshot(folder, host)
        text = self._snapshot(command.snapshot(options, self._windows, self._read_file))
        path = reports.write_snapshot(folder, host, text)
        return {"changed": False, "snapshot": path, "msg": f"snapshot {path}"}
