#!/usr/bin/env python3
"""Writes the manifests with which winget, Scoop and Chocolatey install a release.

Usage: release/packages.py VERSION ZIP SHA256 OUT, where ZIP is the file name of the Windows archive and SHA256 its digest.
Everything else that the manifests say is in Cargo.toml.
"""

import json
import pathlib
import re
import sys
import tomllib

WINGET = "1.10.0"  # the version of winget's manifests
IDENTIFIER = "kbfix.kbfix"


def quoted(text: str) -> str:
    """Returns text as a YAML string in double quotes, which a JSON string is too."""
    return json.dumps(text, ensure_ascii=False)


def winget(kind: str, fields: list[str], version: str) -> str:
    lines = [
        f"# yaml-language-server: $schema=https://aka.ms/winget-manifest.{kind}.{WINGET}.schema.json",
        f"PackageIdentifier: {IDENTIFIER}",
        f"PackageVersion: {version}",
        *fields,
        f"ManifestType: {kind}",
        f"ManifestVersion: {WINGET}",
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Returns text for an element of XML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def main() -> None:
    version, archive, sha256, out = sys.argv[1:]
    if not re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", version):
        sys.exit(f"release/packages.py: {version} is no version")
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        sys.exit(f"release/packages.py: {sha256} is no SHA-256 in lower-case hex digits")
    root = pathlib.Path(__file__).resolve().parent.parent
    cargo = tomllib.loads((root / "Cargo.toml").read_text(encoding="utf-8"))
    package = {**cargo["package"], **cargo["workspace"]["package"]}
    page, licence, about = package["repository"], package["license"], package["description"]
    url = f"{page}/releases/download/v{version}/{archive}"
    notes = f"{page}/releases/tag/v{version}"
    tags = [*package["keywords"]]

    files = {
        f"winget/{IDENTIFIER}.yaml": winget("version", ["DefaultLocale: en-US"], version),
        f"winget/{IDENTIFIER}.installer.yaml": winget(
            "installer",
            [
                "InstallerType: zip",
                "NestedInstallerType: portable",
                "NestedInstallerFiles:",
                "- RelativeFilePath: kbfix.exe",
                "  PortableCommandAlias: kbfix",
                "MinimumOSVersion: 6.1.7601.0",
                "Commands: [kbfix]",
                "Installers:",
                "- Architecture: x64",
                f"  InstallerUrl: {url}",
                f"  InstallerSha256: {sha256.upper()}",
            ],
            version,
        ),
        f"winget/{IDENTIFIER}.locale.en-US.yaml": winget(
            "defaultLocale",
            [
                "PackageLocale: en-US",
                "Publisher: The kbfix authors",
                "PackageName: kbfix",
                f"PackageUrl: {page}",
                f"License: {licence}",
                f"LicenseUrl: {page}/blob/v{version}/LICENSE-MIT",
                f"ShortDescription: {quoted(about)}",
                f"ReleaseNotesUrl: {notes}",
                "Tags:",
                *[f"- {tag}" for tag in tags],
            ],
            version,
        ),
        "scoop/kbfix.json": json.dumps(
            {
                "version": version,
                "description": about,
                "homepage": page,
                "license": licence.replace(" OR ", "|"),
                "architecture": {"64bit": {"url": url, "hash": sha256}},
                "bin": "kbfix.exe",
                "checkver": "github",
                "autoupdate": {
                    "architecture": {"64bit": {"url": url.replace(version, "$version")}},
                    "hash": {"url": "$baseurl/SHA256SUMS"},
                },
            },
            indent=4,
        )
        + "\n",
        "chocolatey/kbfix.nuspec": f"""<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2015/06/nuspec.xsd">
  <metadata>
    <id>kbfix</id>
    <version>{version}</version>
    <title>kbfix</title>
    <authors>The kbfix authors</authors>
    <projectUrl>{page}</projectUrl>
    <licenseUrl>{page}/blob/v{version}/LICENSE-MIT</licenseUrl>
    <requireLicenseAcceptance>false</requireLicenseAcceptance>
    <projectSourceUrl>{page}</projectSourceUrl>
    <packageSourceUrl>{page}/tree/v{version}/release</packageSourceUrl>
    <docsUrl>{page}/blob/v{version}/docs/README.md</docsUrl>
    <bugTrackerUrl>{page}/issues</bugTrackerUrl>
    <tags>{escaped(" ".join(tags))}</tags>
    <summary>{escaped(about)}</summary>
    <description>{escaped(about)}. Shows the difference, applies it with a journal, and can roll it back.</description>
    <releaseNotes>{notes}</releaseNotes>
  </metadata>
  <files>
    <file src="tools\\**" target="tools" />
  </files>
</package>
""",
        "chocolatey/tools/chocolateyinstall.ps1": f"""$ErrorActionPreference = 'Stop'
$arguments = @{{
    PackageName    = 'kbfix'
    Url64bit       = '{url}'
    Checksum64     = '{sha256}'
    ChecksumType64 = 'sha256'
    UnzipLocation  = Split-Path -Parent $MyInvocation.MyCommand.Definition
}}
Install-ChocolateyZipPackage @arguments
""",
    }
    for name, text in files.items():
        path = pathlib.Path(out) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))


main()
