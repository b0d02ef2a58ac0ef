#!/usr/bin/env python3
"""Prints the dependencies that cargo-auditable put into a program. Usage: release/dependencies.py PROGRAM

The list is JSON, compressed with zlib, in the section .dep-v0.
"""

import json
import subprocess
import sys
import tempfile
import zlib

# objcopy also writes a copy of the program. For an exe, the copy cannot be written to /dev/null.
with tempfile.NamedTemporaryFile() as section, tempfile.NamedTemporaryFile() as copy:
    subprocess.run(["objcopy", "--dump-section", f".dep-v0={section.name}", sys.argv[1], copy.name], check=True)
    packages = json.loads(zlib.decompressobj().decompress(section.read()))["packages"]
for package in packages:
    print(package["name"], package["version"])
if not {"kbfix", "serde"} <= {package["name"] for package in packages}:
    sys.exit(f"{sys.argv[1]}: the list is not that of kbfix")
