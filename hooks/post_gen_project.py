"""Prune what was not chosen, make the project a git repository, and say what comes next.

Runs in the project's folder, under cookiecutter and cruft alike. Nothing that git tracks is
deleted, nothing is committed, and no trouble with git fails the bake. Speaks on stderr, because
stdout becomes part of what `cruft diff` prints.
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

# Which files belong to which choice.
FILES_OF_CHOICE = {
    ("gateway_server", "gunicorn"): ["gunicorn.conf.py"],
    ("gateway_server", "uwsgi"): ["uwsgi.ini"],
    ("media_storage", "s3"): [f"{PACKAGE}/media/s3.py", "tests/test_media_s3.py"],
    ("reverse_proxy", "nginx"): ["nginx.conf"],
    ("ci", "github"): [".github/workflows/ci.yml"],
    ("ci", "gitlab"): [".gitlab-ci.yml"],
}

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


def prune(tracked):
    """Delete the files of choices that were not made, and the folders that this leaves empty."""
    for (option, value), paths in FILES_OF_CHOICE.items():
        if ANSWERS[option] == value:
            continue
        for path in paths:
            if path not in tracked and os.path.lexists(path):
                os.remove(path)
                remove_empty_folders(os.path.dirname(path))


def remove_empty_folders(folder):
    # An empty folder would make cruft take files that arrive in it later for deleted ones.
    while folder and not os.listdir(folder):
        os.rmdir(folder)
        folder = os.path.dirname(folder)


def make_repository(outer):
    """Have a git repository with a remote for Divio; return the sentences to tell about it."""
    if not os.path.lexists(".git"):
        if outer and git("check-ignore", "-q", ".").returncode != 0:
            return [
                f"The project is part of the git repository {outer}, so it did not become one",
                "of its own. Divio needs a repository with the Dockerfile at its root.",
            ]
        made = git("init", "-q", "--initial-branch=main")
        if made.returncode:  # git before 2.28 has no such option
            made = git("init", "-q")
            git("symbolic-ref", "HEAD", "refs/heads/main")
        if made.returncode:
            return ["The project is not a git repository yet:", made.stderr.strip()]
    elif REMOTE_URL in git("remote", "-v").stdout.split():
        return []

    for name in "origin", "divio":
        added = git("remote", "add", name, REMOTE_URL)
        if added.returncode == 0:
            return [f"The git remote for Divio is {name}, {REMOTE_URL}"]
    return ["The git remote for Divio is not set:", added.stderr.strip()]


if IN_SCRATCH_RENDER:
    prune(tracked=set())
else:
    outer_repository = git("rev-parse", "--show-toplevel").stdout.strip()
    prune(set(git("ls-files", "-z").stdout.split("\0")) if outer_repository else set())
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
        *make_repository(outer_repository),
    )
