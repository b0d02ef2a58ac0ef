# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""The one exception of the core."""

from __future__ import annotations


class KbfixFailure(Exception):
    """The task cannot succeed. Its text is the message for the user."""
