# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Starts the binary on the controller, without the command module, which takes most of the time of a local task."""

from __future__ import annotations

import os
import subprocess
import typing as t

from .command import Call


def start(call: Call, environment: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Runs the binary, and returns a result like that of the command module."""
    added = {name: str(value) for name, value in environment.items()}
    answer: dict[str, t.Any] = {"cmd": call.argv}
    try:
        done = subprocess.run(call.argv, input=call.stdin.encode(), capture_output=True, check=False, env={**os.environ, **added})
    except OSError as error:
        return {**answer, "rc": error.errno, "msg": str(error), "stdout": "", "stderr": ""}
    texts = {"stdout": done.stdout.decode(errors="replace"), "stderr": done.stderr.decode(errors="replace")}
    return {**answer, "rc": done.returncode, **texts}
