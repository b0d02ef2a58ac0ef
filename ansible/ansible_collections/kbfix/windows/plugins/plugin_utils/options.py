# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""The argument specs of the modules. The documentation in `modules/` describes the same options."""

from __future__ import annotations

import typing as t

# The options of every module, so that `module_defaults` of the group can set them. Some modules ignore `state_dir`.
_HOST: dict[str, t.Any] = {
    "target": {"type": "str"},
    "files": {"type": "str"},
    "drives": {"type": "dict", "default": {}},
    "allow_dirty": {"type": "bool", "default": False},
    "code_page": {"type": "int"},
    "binary_path": {"type": "str"},
    "state_dir": {"type": "str"},
}

_SPECS: dict[str, t.Any] = {
    "spec": {"type": "raw"},
    "src": {"type": "list", "elements": "str"},
    "remote_src": {"type": "bool", "default": False},
    "parameters": {"type": "dict", "default": {}},
    "plan": {"type": "str"},
    "digest": {"type": "str"},
}

# Rules that are written only on request. A plan contains this choice.
_TRIGGERS: dict[str, t.Any] = {"triggers": {"type": "list", "elements": "str", "default": []}}

# The warnings with which a task fails.
_FAIL_ON: dict[str, t.Any] = {
    "fail_on": {"type": "list", "elements": "str", "choices": ["policy-owned", "policy-unknown"], "default": []},
}

# Either specs with parameters, or a plan, which contains both.
_SPEC_RULES: dict[str, t.Any] = {
    "required_one_of": [["spec", "src", "plan"]],
    "mutually_exclusive": [["spec", "plan"], ["src", "plan"], ["parameters", "plan"]],
    "required_by": {"digest": ["plan"]},
}

# Whether policy values of an image are in its local GPO. A journal contains this choice, and a snapshot is always of the registry.
_THROUGH: dict[str, t.Any] = {"through_policy": {"type": "bool", "default": False}}

# Options that limit the size of a result or of its diff.
_CHANGES: dict[str, t.Any] = {"with_changes": {"type": "bool", "default": True}}
_DIFF: dict[str, t.Any] = {"diff_lines": {"type": "int", "default": 2000}}

KB: dict[str, t.Any] = {
    "argument_spec": {
        **_SPECS,
        **_HOST,
        **_CHANGES,
        **_DIFF,
        **_TRIGGERS,
        **_FAIL_ON,
        **_THROUGH,
        "packages": {"type": "dict", "default": {}},
        "install_hotfix": {"type": "bool", "default": False},
        "max_changes": {"type": "int"},
        "restart_services": {"type": "bool", "default": False},
        "on_blocked": {"type": "str", "choices": ["fail", "warn"], "default": "fail"},
    },
    **_SPEC_RULES,
}

KB_INFO: dict[str, t.Any] = {
    "argument_spec": {
        **_SPECS,
        **_HOST,
        **_CHANGES,
        **_TRIGGERS,
        **_FAIL_ON,
        **_THROUGH,
        "with_plan": {"type": "bool", "default": False},
        "symptoms": {"type": "bool", "default": False},
        "reports": {"type": "str"},
    },
    **_SPEC_RULES,
}

KB_SNAPSHOT: dict[str, t.Any] = {
    "argument_spec": {
        **{name: option for name, option in _SPECS.items() if name not in ("plan", "digest")},
        **_HOST,
        "dest": {"type": "str", "required": True},
        "symptoms": {"type": "bool", "default": False},
    },
    "required_one_of": [["spec", "src"]],
}

KB_ROLLBACK: dict[str, t.Any] = {
    "argument_spec": {
        **_HOST,
        **_CHANGES,
        **_DIFF,
        "journal": {"type": "str"},
        "last": {"type": "bool", "default": False},
        "force": {"type": "bool", "default": False},
    },
    "mutually_exclusive": [["journal", "last"]],
}

KB_RETIRE: dict[str, t.Any] = {
    "argument_spec": {
        **{name: option for name, option in _SPECS.items() if name not in ("plan", "digest")},
        **_HOST,
        **_CHANGES,
        **_DIFF,
        **_THROUGH,
        "ids": {"type": "list", "elements": "str"},
        "absent": {"type": "bool", "default": False},
        "force": {"type": "bool", "default": False},
    },
    "mutually_exclusive": [["ids", "absent"]],
}
