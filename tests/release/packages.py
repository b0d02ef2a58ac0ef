"""Checks the manifests that release/packages.py wrote: packages.py FOLDER VERSION ZIP. Exits with 1 if something is wrong.

With KBFIX_PUBLISHED_SCHEMAS (release/check says what it is) they are held against the published schemas too, by jsonschema.
"""

import hashlib
import json
import os
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

folder, version, archive = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
digest = hashlib.sha256(archive.read_bytes()).hexdigest()
url = f"https://github.com/kbfix/kbfix/releases/download/v{version}/{archive.name}"
wrong: list[str] = []


def expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        wrong.append(f"{what}: found {found!r}, wanted {wanted!r}")


def flat(text: str) -> dict[str, str]:
    """Returns the `Name: text` lines of a winget manifest at every level."""
    lines = (line.lstrip(" -") for line in text.splitlines() if not line.startswith("#"))
    pairs = (re.fullmatch(r"(\w+): (.+)", line) for line in lines)
    return {pair[1]: pair[2] for pair in pairs if pair}


def published(name: str, document: object) -> None:
    schemas = os.environ.get("KBFIX_PUBLISHED_SCHEMAS")
    if schemas is None:
        return
    import jsonschema

    schema = json.loads((pathlib.Path(schemas) / f"{name}.json").read_text(encoding="utf-8"))
    for error in jsonschema.validators.validator_for(schema)(schema).iter_errors(document):
        wrong.append(f"{name}: {error.json_path}: {error.message}")


kinds = {}
for path in sorted(folder.glob("winget/*.yaml")):
    text = path.read_text(encoding="utf-8")
    fields = flat(text)
    kinds[fields["ManifestType"]] = fields
    expect(f"{path.name}: PackageIdentifier", fields["PackageIdentifier"], "kbfix.kbfix")
    expect(f"{path.name}: PackageVersion", fields["PackageVersion"], version)
    if "KBFIX_PUBLISHED_SCHEMAS" in os.environ:
        import yaml

        published(f"winget.{fields['ManifestType']}", yaml.load(text, Loader=yaml.BaseLoader))
expect("winget", sorted(kinds), ["defaultLocale", "installer", "version"])
installer = kinds["installer"]
expect("winget: InstallerUrl", installer["InstallerUrl"], url)
expect("winget: InstallerSha256", installer["InstallerSha256"], digest.upper())

scoop = json.loads((folder / "scoop/kbfix.json").read_text(encoding="utf-8"))
expect("scoop: url", scoop["architecture"]["64bit"]["url"], url)
expect("scoop: hash", scoop["architecture"]["64bit"]["hash"], digest)
expect("scoop: license", scoop["license"], "MIT|Apache-2.0")
published("scoop", scoop)

space = "{http://schemas.microsoft.com/packaging/2015/06/nuspec.xsd}"
metadata = xml.parse(folder / "chocolatey/kbfix.nuspec").getroot().find(f"{space}metadata")
texts = {element.tag.removeprefix(space): element.text for element in metadata}
expect("chocolatey: id", texts["id"], "kbfix")
expect("chocolatey: version", texts["version"], version)
for name in ("authors", "description", "projectUrl", "licenseUrl", "tags"):
    expect(f"chocolatey: {name} is there", bool(texts.get(name)), True)
script = (folder / "chocolatey/tools/chocolateyinstall.ps1").read_text(encoding="utf-8")
expect("chocolatey: the script has the address and the digest", (url in script, digest in script), (True, True))

print("\n".join(wrong))
sys.exit(bool(wrong))
