# Copyright the kbfix authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Turns the checked options of a task into the arguments and the standard input of the binary.

Specs, parameters and plans are sent only on standard input. Every user of a host can read a command line, its length is limited,
and process auditing of Windows records it.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from . import fleet_plan
from .failure import KbfixFailure
from .inline import described, inline_specs, is_template

WINDOWS_BINARY = r"C:\Program Files\kbfix\kbfix.exe"
POSIX_BINARY = "kbfix"

ReadFile = t.Callable[[str], str]
Options = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Call:
    """One run of the binary."""

    argv: list[str]
    stdin: str = ""
    # For each spec in the task itself, by its name: the place in the task from which each line of the sent text was made.
    paths: t.Mapping[str, list[str]] = dataclasses.field(default_factory=dict)

    @property
    def binary(self) -> str:
        return self.argv[0]

    @property
    def command(self) -> str:
        return self.argv[1]


def apply(options: Options, windows: bool, read: ReadFile, check: bool = False, host: str = "") -> Call:
    """Returns the call of ``kbfix apply``; with `check`, of a dry run. `host` is the name of the host in a fleet plan."""
    flags = ["--check"] if check else []
    flags += _packages(options) + _triggers(options) + _fail_on(options) + _most(options) + _state(options)
    if options.get("restart_services"):
        flags.append("--restart-services")
    return _with_specs("apply", flags, options, windows, read, host=host)


def diff(options: Options, windows: bool, read: ReadFile, host: str = "") -> Call:
    """Returns the call of ``kbfix diff``. `host` is the name of the host in a fleet plan."""
    kept = bool(options.get("reports"))
    flags = _triggers(options) + _fail_on(options)
    flags += (["--with-plan"] if kept or options.get("with_plan") else []) + (["--with-markdown"] if kept else [])
    if options.get("symptoms"):
        if options.get("plan"):
            raise KbfixFailure(
                "symptoms cannot be used with plan, because a plan does not contain the symptoms of its specs; give the specs"
            )
        flags += ["--symptoms", *_state(options)]
    return _with_specs("diff", flags, options, windows, read, host=host)


def snapshot(options: Options, windows: bool, read: ReadFile) -> Call:
    """Returns the call of ``kbfix snapshot``, which writes to standard output."""
    flags = ["--symptoms"] if options.get("symptoms") else []
    start = [_binary(options, windows), "snapshot", "--out", "-", *_target(options), *flags]
    return _with_specs_after(start, options, read)


def rollback(options: Options, windows: bool, check: bool) -> Call:
    """Returns the call of ``kbfix rollback``."""
    journal = options.get("journal")
    if not journal and not options.get("last"):
        raise KbfixFailure("one of the following is required: journal, last")
    flags = ["--last"] if not journal else []
    flags += ["--force"] if options.get("force") else []
    flags += ["--check"] if check else []
    argv = [_binary(options, windows), "rollback", "--format", "json", *flags, *_target(options), *_state(options)]
    return Call(argv + _positional([journal] if journal else []))


def retire(options: Options, windows: bool, read: ReadFile, check: bool) -> Call:
    """Returns the call of ``kbfix retire``. The specs of the task are those that stay."""
    ids: list[str] = options.get("ids") or []
    stays = bool(options.get("spec") or options.get("src"))
    if not ids and not options.get("absent"):
        raise KbfixFailure("one of the following is required: ids, absent")
    if options.get("absent") and not stays:
        raise KbfixFailure("absent retires every spec that the task does not give, but the task gives no spec; give spec or src")
    if options.get("parameters") and not stays:
        raise KbfixFailure("parameters are given, but no specs that stay; leave out parameters, or give spec or src")
    flags = ["--absent"] if options.get("absent") else ["--if-applied"]
    flags += ["--force"] if options.get("force") else []
    flags += ["--check"] if check else []
    start = [_binary(options, windows), "retire", "--format", "json", *_target(options), *flags, *_state(options)]
    if not stays:
        return Call(start + _positional(ids))
    # The ids are the positional arguments, so specs on the host are named by an option.
    document, paths, named = _specs(options, read)
    return Call([*start, "--stdin-specs", *(f"--specs={name}" for name in named), *_positional(ids)], document, paths)


def _fail_on(options: Options) -> list[str]:
    return [f"--fail-on={code}" for code in options.get("fail_on") or []]


def _most(options: Options) -> list[str]:
    most = options.get("max_changes")
    if most is None:
        return []
    if most < 0:
        raise KbfixFailure(f"max_changes is {most}, but must be a whole number that is not negative")
    return [f"--max-changes={most}"]


def _with_specs(command: str, flags: list[str], options: Options, windows: bool, read: ReadFile, *, host: str) -> Call:
    start = [_binary(options, windows), command, "--format", "json", *_target(options), *flags]
    if options.get("plan"):
        return _with_plan(start, options, read, host)
    return _with_specs_after(start, options, read)


def _with_specs_after(start: list[str], options: Options, read: ReadFile) -> Call:
    document, paths, named = _specs(options, read)
    return Call([*start, "--stdin-specs", *_positional(named)], document, paths)


def _specs(options: Options, read: ReadFile) -> tuple[str, t.Mapping[str, list[str]], list[str]]:
    """Returns the document for standard input with specs and parameters, the places of its lines in the task, and the specs on the host."""
    inline = inline_specs(options.get("spec"))
    piped = [{"name": spec.name, "text": spec.text} for spec in inline]
    named: list[str] = options.get("src") or []
    if not options.get("remote_src"):
        piped += [{"name": name, "text": read(name)} for name in named]
        named = []
    document = {"specs": piped, "parameters": _parameters(options.get("parameters") or {})}
    paths = {spec.name: spec.paths for spec in inline if spec.paths}
    # ASCII only, so that no code page can change the text.
    return json.dumps(document), paths, named


def _with_plan(start: list[str], options: Options, read: ReadFile, host: str) -> Call:
    digest = _digest(options)
    if options.get("remote_src"):
        return Call([*start, *digest, f"--plan={options['plan']}"])
    name = options["plan"]
    text = read(name)
    if fleet_plan.is_fleet_plan(text):
        part = fleet_plan.of_host(text, host, digest[0].removeprefix("--digest=") if digest else None, name)
        text, digest = part.text, [f"--digest={part.digest}"]
    return Call([*start, *digest, "--plan=-", f"--stdin-name={name}"], _ascii_json(text, name))


def _ascii_json(text: str, name: str) -> str:
    try:
        return json.dumps(json.loads(text))
    except ValueError as error:
        raise KbfixFailure(f"the plan {name} is not JSON: {error}") from error


def _digest(options: Options) -> list[str]:
    digest = options.get("digest")
    if digest is None:
        return []
    # The prefix `sha256:` is optional, and letter case does not matter.
    bare = re.sub(r"^sha256:", "", digest.strip().lower())
    if not bare:
        raise KbfixFailure("digest is empty; give the digest of the approved plan, or leave out digest")
    return [f"--digest=sha256:{bare}"]


def _parameters(parameters: t.Mapping[t.Any, t.Any]) -> dict[str, str | list[str]]:
    for name in parameters:
        if not isinstance(name, str):
            raise KbfixFailure(f"parameters: a name is {described(name)}; quote it in your play")
        if is_template(name):
            raise KbfixFailure(
                f"parameters: the name {name} is a template, but Ansible does not expand templates in the names of a mapping"
            )
    return {str(name): _parameter(str(name), data) for name, data in parameters.items()}


def _parameter(name: str, data: t.Any) -> str | list[str]:
    if isinstance(data, str):
        return str(data)
    if isinstance(data, int) and not isinstance(data, bool):
        return str(int(data))
    if isinstance(data, (list, tuple)):
        for index, one in enumerate(data):
            if not isinstance(one, str):
                raise KbfixFailure(f"the parameter {name}[{index}] is {described(one)}; give a list of strings in quotes")
        return [str(one) for one in data]
    raise KbfixFailure(
        f"the parameter {name} is {described(data)}; give a whole number, a string in quotes, or a list of strings in quotes"
    )


def _binary(options: Options, windows: bool) -> str:
    return options.get("binary_path") or (WINDOWS_BINARY if windows else POSIX_BINARY)


def _target(options: Options) -> list[str]:
    target = options.get("target") or ""
    # In a URI, a colon separates user and password; for Samba, a percent sign does. The message does not quote the target, because it
    # contains the password.
    if re.match(r"\s*(smb:.*|[^/]*//[^/]*)[:%].*@", target, re.IGNORECASE | re.DOTALL):
        raise KbfixFailure(
            "target contains a password, which every user of the host could read from the command line; "
            "leave out the password, and name a file with the credentials in the environment variable KBFIX_SMB_AUTH_FILE"
        )
    if target != target.strip():
        raise KbfixFailure("target begins or ends with a space or a line break; remove it")
    flags = [f"--target={target}"] if target else []
    flags += [f"--files={options['files']}"] if options.get("files") else []
    flags += [_drive(letter, folder) for letter, folder in (options.get("drives") or {}).items()]
    flags += ["--allow-dirty"] if options.get("allow_dirty") else []
    flags += ["--through-policy"] if options.get("through_policy") else []
    page = options.get("code_page")
    if page is not None and not 0 < page < 1 << 16:
        raise KbfixFailure(f"code_page is {page}, but must be the number of an ANSI code page, such as 1252")
    return flags + ([f"--code-page={page}"] if page is not None else [])


def _drive(letter: t.Any, folder: t.Any) -> str:
    if not isinstance(letter, str) or not re.fullmatch(r"[A-Za-z]:?", letter):
        raise KbfixFailure(f"drives: {letter} is not a drive letter; write, for example, D: /mnt/data")
    if not isinstance(folder, str) or not folder:
        raise KbfixFailure(f"drives: the folder of {letter} is {described(folder) if folder != '' else 'empty'}; name a folder")
    return f"--drive={letter[0].upper()}={folder}"


def _triggers(options: Options) -> list[str]:
    triggers = options.get("triggers") or []
    if triggers and options.get("plan"):
        raise KbfixFailure("triggers cannot be used with plan, because the plan determines which triggers are written; leave out triggers")
    return [f"--trigger={name}" for name in triggers]


def _packages(options: Options) -> list[str]:
    if not options.get("install_hotfix"):
        if options.get("packages"):
            raise KbfixFailure(
                "packages are given, but install_hotfix is not true, so nothing would be installed; set it to true, or leave out packages"
            )
        return []
    if not options.get("packages"):
        raise KbfixFailure("install_hotfix is true, but packages does not name a package to install")
    return [f"--package={name}={path}" for name, path in options["packages"].items()] + ["--install-hotfix"]


def _state(options: Options) -> list[str]:
    return [f"--state-dir={options['state_dir']}"] if options.get("state_dir") else []


def _positional(names: list[str]) -> list[str]:
    return ["--", *names] if names else []
