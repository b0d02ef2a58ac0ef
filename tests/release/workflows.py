"""Checks workflows and actions: every step is a script of the repository or an action at a commit, and no step uses a secret.

Usage: workflows.py FILE...; prints what is wrong, and exits with 1 then. Needs PyYAML.
"""

import os
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Actions that are needed before the repository is checked out.
BEFORE_CHECKOUT = "apt-get update && apt-get install -y --no-install-recommends git ca-certificates"


def faults(path: str) -> list[str]:
    text = pathlib.Path(path).read_text(encoding="utf-8")
    found = []
    if "secrets." in text:
        found.append("asks for a secret")
    workflow = yaml.safe_load(text)
    # An action has one list of steps, and finds the scripts of the repository relative to its own folder.
    jobs = {"runs": workflow["runs"]} if "runs" in workflow else workflow["jobs"]
    for job_name, job in jobs.items():
        for number, step in enumerate(job["steps"], 1):
            place = f"{job_name}, step {number}"
            if "uses" in step:
                if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"]):
                    found.append(f"{place}: {step['uses']} is not one of GitHub's own actions at a commit")
                continue
            run = re.sub(r'^"\$GITHUB_ACTION_PATH/../../../([\w/-]+)"', r"\1", step["run"])
            if run == BEFORE_CHECKOUT:
                continue
            script = ROOT / run.split(" ")[0]
            if "\n" in run or not re.fullmatch(r"[\w./ -]*( \$\{\{ matrix\.\w+ \}\})?", run):
                found.append(f"{place}: `{run}` is not the call of one script")
            elif not script.is_file() or not os.access(script, os.X_OK):
                found.append(f"{place}: there is no script {run.split(' ')[0]}")
    return found


wrong = [f"{path}: {fault}" for path in sys.argv[1:] for fault in faults(path)]
print("\n".join(wrong))
sys.exit(bool(wrong))
