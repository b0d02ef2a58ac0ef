# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""The exception with which a task fails."""

from __future__ import annotations


class KbfixFailure(Exception):
    """The reason why a task fails. Its text is the message for the user."""
