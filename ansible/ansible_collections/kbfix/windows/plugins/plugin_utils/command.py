# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""From checked options to the binary's arguments and standard input.

Specs, parameters and plans travel on standard input only: a command line can be read by every user of a host, is limited in
length, and is echoed by Windows' process auditing.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from .failure import KbfixFailure

WINDOWS_BINARY = r"C:\Program Files\kbfix\kbfix.exe"
POSIX_BINARY = "kbfix"

ReadFile = t.Callable[[str], str]
Options = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Call:
    """One run of the binary."""

    argv: list[str]
    stdin: str = ""

    @property
    def binary(self) -> str:
        return self.argv[0]

    @property
    def command(self) -> str:
        return self.argv[1]


def apply(options: Options, windows: bool, read: ReadFile) -> Call:
    """``kbfix apply``."""
    flags = _packages(options) + _most(options) + _state(options)
    if options.get("restart_services"):
        flags.append("--restart-services")
    return _with_specs("apply", flags, options, windows, read)


def diff(options: Options, windows: bool, read: ReadFile) -> Call:
    """``kbfix diff``: what ``apply`` with the same options would do."""
    flags = _packages(options) + _most(options)
    if options.get("with_plan"):
        flags.append("--with-plan")
    return _with_specs("diff", flags, options, windows, read)


def rollback(options: Options, windows: bool, check: bool) -> Call:
    """``kbfix rollback``."""
    journal = options.get("journal")
    if not journal and not options.get("last"):
        raise KbfixFailure("one of the following is required: journal, last")
    flags = ["--last"] if not journal else []
    flags += ["--force"] if options.get("force") else []
    flags += ["--check"] if check else []
    argv = [_binary(options, windows), "rollback", "--format", "json", *flags, *_target(options), *_state(options)]
    return Call(argv + _positional([journal] if journal else []))


def _most(options: Options) -> list[str]:
    most = options.get("max_changes")
    return [] if most is None else [f"--max-changes={most}"]


def _with_specs(command: str, flags: list[str], options: Options, windows: bool, read: ReadFile) -> Call:
    start = [_binary(options, windows), command, "--format", "json", *_target(options), *flags]
    if options.get("plan"):
        return _with_plan(start, options, read)
    piped, named = _specs(options, read)
    document = {"specs": piped, "parameters": _parameters(options.get("parameters") or {})}
    # ASCII only, so that no code page on the way can spoil it.
    return Call([*start, "--stdin-specs", *_positional(named)], json.dumps(document))


def _with_plan(start: list[str], options: Options, read: ReadFile) -> Call:
    digest = [f"--digest={options['digest']}"] if options.get("digest") else []
    if options.get("remote_src"):
        return Call([*start, *digest, f"--plan={options['plan']}"])
    return Call([*start, *digest, "--plan=-"], _ascii_json(read(options["plan"]), options["plan"]))


def _ascii_json(text: str, name: str) -> str:
    try:
        return json.dumps(json.loads(text))
    except ValueError as error:
        raise KbfixFailure(f"the plan {name} is not JSON: {error}") from error


def _specs(options: Options, read: ReadFile) -> tuple[list[dict[str, str]], list[str]]:
    """The specs to pipe, and the paths of those that are on the host."""
    piped = inline_specs(options.get("spec"))
    sources: list[str] = options.get("src") or []
    if options.get("remote_src"):
        return piped, sources
    return piped + [{"name": name, "text": read(name)} for name in sources], []


def inline_specs(spec: t.Any) -> list[dict[str, str]]:
    """Specs given in the task: mappings, or texts of YAML, one or a list."""
    specs = spec if isinstance(spec, list) else [] if spec is None else [spec]
    return [{"name": _inline_name(one, index, len(specs)), "text": _inline_text(one)} for index, one in enumerate(specs)]


def _inline_name(spec: t.Any, index: int, count: int) -> str:
    which = f"spec[{index}]" if count > 1 else "spec"
    ident = spec.get("id") if isinstance(spec, dict) else None
    return f"{which} ({ident})" if isinstance(ident, str) else which


def _inline_text(spec: t.Any) -> str:
    if isinstance(spec, str):
        return spec
    if isinstance(spec, dict):
        # JSON is YAML; one member on each line, so that an error shows the line that it is about.
        return json.dumps(spec, indent=2, ensure_ascii=False)
    raise KbfixFailure(f"spec is a mapping, a text of YAML, or a list of these, not {type(spec).__name__}")


def _parameters(parameters: t.Mapping[t.Any, t.Any]) -> dict[str, str]:
    return {str(name): _parameter(str(name), data) for name, data in parameters.items()}


def _parameter(name: str, data: t.Any) -> str:
    if isinstance(data, str):
        return str(data)
    if isinstance(data, int) and not isinstance(data, bool):
        return str(data)
    kind = "a boolean to YAML 1.1, as on, off, yes and no are" if isinstance(data, bool) else f"of type {type(data).__name__}"
    raise KbfixFailure(f"the parameter {name} is {kind}; give a whole number or a quoted text")


def _binary(options: Options, windows: bool) -> str:
    return options.get("binary_path") or (WINDOWS_BINARY if windows else POSIX_BINARY)


def _target(options: Options) -> list[str]:
    target = options.get("target") or ""
    if re.match(r"smb://[^/]*:[^/]*@", target, re.IGNORECASE):
        raise KbfixFailure("target holds a password, which every user of the host could read from the command line; leave it out")
    flags = [f"--target={target}"] if target else []
    return flags + ([f"--files={options['files']}"] if options.get("files") else [])


def _packages(options: Options) -> list[str]:
    if not options.get("install_hotfix"):
        return []
    if not options.get("packages"):
        raise KbfixFailure("install_hotfix is true, and packages names no package to install")
    return [f"--package={name}={path}" for name, path in options["packages"].items()] + ["--install-hotfix"]


def _state(options: Options) -> list[str]:
    return [f"--state-dir={options['state_dir']}"] if options.get("state_dir") else []


def _positional(names: list[str]) -> list[str]:
    return ["--", *names] if names else []
