"""Prune what was not chosen, set up git, and say what comes next.

Runs in the project's folder, under cookiecutter and cruft alike. That folder is new, so all files
in it are the template's. For an existing application they move on to its folder, where none takes
the place of another. Nothing is committed, and no trouble with git fails the bake. Speaks on
stderr, because stdout becomes part of what `cruft diff` prints.
"""

import os
import sys

# Hooks run from a copy in the temporary folder: a stray json.py there must not be imported.
sys.path[:] = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))]

import json
import re
import subprocess

# tojson leaves no quote that could end this string, and a raw string keeps its backslashes.
ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")
PACKAGE = ANSWERS["package_name"]
SLUG = ANSWERS["project_slug"]
REMOTE_URL = f"git@git.divio.com:{ANSWERS['divio_slug']}.git"

# Which files, or whole folders, belong to which choice.
PATHS_OF_CHOICE = {
    ("application", "new"): [
        ".editorconfig", ".github", ".gitignore", ".gitlab-ci.yml", ".pre-commit-config.yaml",
        "Makefile", "README.md", "migrations", "pyproject.toml", "requirements-dev.txt",
        "requirements.txt", "tests", PACKAGE,
    ],
    ("application", "existing"): ["DEPLOY.md", "requirements-divio.in", "requirements-divio.txt"],
    ("gateway_server", "gunicorn"): ["gunicorn.conf.py"],
    ("gateway_server", "uwsgi"): ["uwsgi.ini"],
    ("media_storage", "s3"): [f"{PACKAGE}/media/s3.py", "tests/test_media_s3.py"],
    ("reverse_proxy", "nginx"): ["nginx.conf"],
    ("ci", "github"): [".github"],
    ("ci", "gitlab"): [".gitlab-ci.yml"],
}  # fmt: skip

# cruft renders into a throw-away folder when it updates or compares. Only its name gives that
# away: cookiecutter sets _output_dir and cruft does not, and tempfile names a folder like this.
IN_SCRATCH_RENDER = "_output_dir" not in ANSWERS and re.fullmatch(
    r"tmp[a-z0-9_]{8}", os.path.basename(os.path.dirname(os.getcwd()))
)


def say(*lines):
    print(*lines, sep="\n", file=sys.stderr)


def git(*arguments):
    """Run git for this folder and return the finished process, also where there is no git."""
    command = ["git", *arguments]
    # Set where git itself runs this hook, for another repository than this folder's.
    redirections = "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"
    environment = {key: value for key, value in os.environ.items() if key not in redirections}
    try:
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, errors="replace"
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", f"git cannot be run: {error.strerror}")


def prune():
    """Delete what belongs to choices that were not made."""
    for (option, value), paths in PATHS_OF_CHOICE.items():
        if ANSWERS[option] == value:
            continue
        for path in paths:
            if os.path.isdir(path):
                from shutil import rmtree  # slow to import, and seldom needed

                rmtree(path)
            elif os.path.exists(path):
                os.remove(path)


def make_repository():
    """Have a git repository with a remote for Divio; return the sentences to tell about it."""
    if not os.path.lexists(".git"):
        outer = git("rev-parse", "--show-toplevel").stdout.strip()
        if outer and git("check-ignore", "-q", ".").returncode != 0:
            return [
                f"This is part of the git repository {outer}, so it did not become one",
                "of its own. Divio needs a repository with the Dockerfile at its root.",
            ]
        made = git("init", "-q", "--initial-branch=main")
        if made.returncode:  # git before 2.28 has no such option
            made = git("init", "-q")
            git("symbolic-ref", "HEAD", "refs/heads/main")
        if made.returncode:
            return ["There is no git repository yet:", made.stderr.strip()]
    elif REMOTE_URL in git("remote", "-v").stdout.split():
        return []

    for name in "origin", "divio":
        added = git("remote", "add", name, REMOTE_URL)
        if added.returncode == 0:
            return [f"The git remote for Divio is {name}, {REMOTE_URL}"]
    return ["The git remote for Divio is not set:", added.stderr.strip()]


def tell_about_new_project():
    say(
        "",
        f"{ANSWERS['project_name']} is baked. Commit it as it is, before you format or edit",
        "anything: cruft needs that commit to merge later updates.",
        "",
        f"    cd {SLUG}",
        "    git add . && git commit -m 'Bake the project'",
        "    make install check    # dependencies, linters, types, tests",
        "    make run              # http://127.0.0.1:8000, no Docker needed",
        "",
        "README.md has the rest: Docker, settings, deployment on Divio, updates.",
        *make_repository(),
    )


def add_to_existing_application():
    """Move all files to the folder around this one, except where something is in their way."""
    from shlex import quote

    here = os.getcwd()
    there = os.path.dirname(here)
    added, kept = [], []
    for folder, _, names in os.walk(here):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), here)
            if is_free(os.path.join(there, path)):
                os.makedirs(os.path.dirname(os.path.join(there, path)), exist_ok=True)
                os.rename(path, os.path.join(there, path))
                added.append(path)
            else:
                kept.append(path)
    os.chdir(there)
    for folder, _, _ in os.walk(SLUG, topdown=False):
        if not os.listdir(folder):
            os.rmdir(folder)

    say("", f"Added to {ANSWERS['project_name']}: {', '.join(sorted(added))}.")
    if kept:
        say(
            "",
            f"You have these already, and they stay as they are: {', '.join(sorted(kept))}.",
            f"The template's are in the folder {SLUG}: take over what you need, then delete it.",
        )
    answers = {key: value for key, value in ANSWERS.items() if not key.startswith("_")}
    template = re.sub(r"^gh:(.*)$", r"https://github.com/\1", ANSWERS["_template"])
    checkout = f" --checkout {ANSWERS['_checkout']}" if ANSWERS.get("_checkout") else ""
    say(
        "",
        "DEPLOY.md lists what is left to do. To receive updates of the template, have cruft",
        "remember where this came from, and commit all of it:",
        "",
        f"    cruft link {template}{checkout} --no-input --extra-context \\",
        f"        {quote(json.dumps(answers))}",
        "",
        *make_repository(),
    )


def is_free(path):
    """Tell whether a file can be made there without touching anything, not even through a link."""
    while True:
        if os.path.lexists(path):
            return False
        path = os.path.dirname(path)
        if os.path.lexists(path):
            return os.path.isdir(path) and not os.path.islink(path)


prune()
if ANSWERS["application"] == "existing" and not IN_SCRATCH_RENDER:
    add_to_existing_application()
elif not IN_SCRATCH_RENDER:
    tell_about_new_project()
