"""Pipelines of GitHub and GitLab, and what runs their lines."""

import re
from pathlib import Path
from subprocess import CompletedProcess

import yaml

from tests.harness.baked import Baked
from tests.harness.choices import TEMPLATE
from tests.harness.processes import finish

WORKFLOWS = TEMPLATE / ".github" / "workflows"

# How GitHub runs a step with `shell: bash`, and much as GitLab runs a script.
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
# How it runs a step that names no shell.
NO_SHELL_NAMED = ("bash", "-e")


def workflow(path: Path) -> dict:
    text = path.read_text()
    return yaml.safe_load(text.replace("\non:\n", "\n'on':\n"))  # which YAML 1.1 takes for true


def github_workflow(project: Baked, name: str) -> dict:
    return workflow(project.folder / ".github" / "workflows" / f"{name}.yml")


def gitlab_pipeline(project: Baked) -> dict:
    return yaml.safe_load(project.text(".gitlab-ci.yml"))


def step_of(job: dict, name: str) -> dict:
    [step] = [step for step in job["steps"] if step["name"] == name]
    return step


def run_step(job: dict, name: str, folder: Path, env: dict[str, str]) -> CompletedProcess[str]:
    step = step_of(job, name)
    bash = {"bash"} & {step.get("shell"), job.get("defaults", {}).get("run", {}).get("shell")}
    return finish(*(BASH if bash else NO_SHELL_NAMED), "-c", step["run"], folder=folder, env=env)


def holds(condition: str, **values: str) -> bool:
    """Tell what a condition of either pipeline comes to, where all else is empty."""
    names = r"\$\w+|\b(?:github|vars)\.\w+"
    text = condition.removeprefix("${{").removesuffix("}}").strip()
    text = re.sub(names, lambda name: repr(values.get(name[0], "")), text)
    return bool(eval(text.replace("&&", "and")))
