"""Prune what was not chosen, prepare updates, set up git, and say what comes next.

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

# Which files, or whole folders, belong to which choice, or to which word of what was found.
PATHS_OF_CHOICE = {
    ("application", "existing"): [
        "DEPLOY.md",
        "requirements-divio.in",
        "requirements-divio.txt",
        "sitecustomize.py",
    ],
    ("gateway_server", "gunicorn"): ["gunicorn.conf.py", "gunicorn_worker.py"],
    ("gateway_server", "uwsgi"): ["uwsgi.ini", "uwsgi_app.py"],
    ("media_storage", "s3"): [
        f"{PACKAGE}/media/s3.py",
        f"{PACKAGE}/media/s3_dsn.py",
        "tests/test_media_s3.py",
        "tests/test_media_s3_dsn.py",
    ],
    ("media_storage", "azure"): [
        f"{PACKAGE}/media/azure.py",
        f"{PACKAGE}/media/azure_dsn.py",
        "tests/azure_service.py",
        "tests/test_media_azure.py",
        "tests/test_media_azure_dsn.py",
    ],
    ("reverse_proxy", "nginx"): ["nginx.conf"],
    ("ci", "github"): [".github"],
    ("ci", "gitlab"): [".gitlab-ci.yml"],
    ("found", "flask-socketio"): ["socketio_threads.py"],
    ("found", "migrations-in-factory"): ["migration_lock.py"],
}

# Nothing else of the template reaches an existing application.
FILES_FOR_EXISTING = {
    ".dockerignore", ".env-local", "DEPLOY.md", "Dockerfile", "data/media/.gitkeep",
    "docker-compose.production.yml", "docker-compose.yml", "gunicorn.conf.py", "gunicorn_worker.py",
    "migration_lock.py", "nginx.conf", "request_limits.py", "requirements-divio.in",
    "requirements-divio.txt", "sitecustomize.py", "socketio_threads.py", "uwsgi.ini",
    "uwsgi_app.py",
    *(f"{PACKAGE}/{name}.py" for name in ["__init__", "access", "environment", "wsgi"]),
    *(
        f"{PACKAGE}/media/{name}.py"
        for name in [
            "__init__", "azure", "azure_dsn", "content_types", "file", "local", "names", "s3",
            "s3_dsn",
        ]
    ),
}  # fmt: skip

# Its owner's alone, as are the locks of a new project.
SKIPPED_FOR_EXISTING = ["requirements-divio.txt"]

# These need each other: where an owner has one, all of them wait until they take it over. Compose
# would prefer the other names, or take both.
CONTAINER_FILES = {
    ".dockerignore", "Dockerfile", "docker-compose.production.yml", "docker-compose.yml",
}  # fmt: skip
OTHER_COMPOSE_FILES = {"compose.yaml", "compose.yml", "docker-compose.yaml"}

# cruft renders into a throw-away folder when it updates or compares. Only its name gives that
# away: cookiecutter sets _output_dir and cruft does not, and tempfile names a folder like this.
IN_SCRATCH_RENDER = "_output_dir" not in ANSWERS and re.fullmatch(
    r"tmp[a-z0-9_]{8}", os.path.basename(os.path.dirname(os.getcwd()))
)


def say(*lines):
    print(*lines, sep="\n", file=sys.stderr)


def find():
    """Return what pre_gen_project.py found of an existing application, and render with that."""
    with open(".found.json") as file:
        found = json.load(file)
    if found["hints"] or found["answers"] != ANSWERS:
        from cookiecutter.generate import generate_files

        ANSWERS.update(found["answers"])
        generate_files(
            found["template"],
            {"cookiecutter": ANSWERS | {"_hints": found["hints"]}},
            output_dir=os.path.dirname(os.getcwd()),
            overwrite_if_exists=True,  # All files here are the template's.
            accept_hooks=False,
        )
    with open("requirements-divio.in", encoding="utf-8") as file:
        added = re.findall("^[a-z][a-z0-9-]+", file.read(), re.M)
    return f"{found['says']}; {', '.join(added)} added", found["hints"]


def git(*arguments):
    """Run git for this folder and return the finished process, also where there is no git."""
    command = ["git", *arguments]
    # Set where git itself runs this hook, for another repository than this folder's.
    redirections = "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"
    environment = {key: value for key, value in os.environ.items() if key not in redirections}
    environment["LC_ALL"] = "C"
    try:
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, errors="replace"
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", f"git cannot be run: {error.strerror}")


def prune():
    """Delete what belongs to choices that were not made, and what is not for the application."""
    for (option, value), paths in PATHS_OF_CHOICE.items():
        if value in ANSWERS[option].split():
            continue
        for path in paths:
            if os.path.isdir(path):
                from shutil import rmtree  # slow to import, and seldom needed

                rmtree(path)
            elif os.path.exists(path):
                os.remove(path)

    if ANSWERS["application"] == "existing":
        for folder, _, names in os.walk(".", topdown=False):
            for path in (os.path.relpath(os.path.join(folder, name)) for name in names):
                if path not in FILES_FOR_EXISTING:
                    os.remove(path)
            if not os.listdir(folder):
                os.rmdir(folder)


def write_cruft_json():
    """Tell cruft what was baked, for updates; return the sentences to tell where that is not known.

    cruft reads the file in the encoding of the locale, so it is ASCII.
    """
    answers = {key: value for key, value in ANSWERS.items() if not key.startswith("_")}
    template = template_folder()
    commit, problem = commit_of(template)
    if problem:
        from shlex import quote

        return [
            f"There is no .cruft.json, which updates need: {problem}. This makes it:",
            "",
            f"    cruft link URL --no-input --extra-context {quote(json.dumps(answers))}",
        ]
    state = {
        "template": url_of(template),
        "commit": commit,
        "checkout": None,
        "context": {"cookiecutter": answers},
        "directory": None,
    }
    if ANSWERS["application"] == "existing":
        state["skip"] = SKIPPED_FOR_EXISTING
    with open(".cruft.json", "w", newline="\n") as file:
        file.write(json.dumps(state, indent=2) + "\n")
    return []


def template_folder():
    """Return the template's folder, which may be told relative to where cookiecutter started."""
    starts = ANSWERS["_output_dir"], os.environ.get("PWD", os.sep)
    folders = [os.path.abspath(os.path.join(start, ANSWERS["_repo_dir"])) for start in starts]
    return folders[0] if os.path.isdir(os.path.join(folders[0], "hooks")) else folders[1]


def commit_of(template):
    """Return the commit that is checked out, and what speaks against its being what was baked."""
    head = git("-C", template, "rev-parse", "--show-prefix", "HEAD")
    if head.returncode:
        return "", first_line(head.stderr)
    prefix, commit = head.stdout.splitlines()
    if prefix:  # such as what was unpacked in a home folder that git tracks
        return "", f"{template} is no repository of its own"
    if git("-C", template, "--no-optional-locks", "status", "--porcelain").stdout:
        return "", f"{template} has changes that are not committed"
    return commit, ""


def url_of(template):
    """Return what the template can be cloned from again, without a password."""
    if ANSWERS["_template"] == ANSWERS["_repo_dir"]:
        return template
    url = git("-C", template, "config", "--get", "remote.origin.url").stdout.strip()
    return re.sub("^(https?://)[^/]*@", r"\1", url) or template


def make_repository():
    """Have a git repository with a remote for Divio; return the sentences to tell about it."""
    if not os.path.lexists(".git"):
        outer = git("rev-parse", "--show-toplevel")
        if outer.returncode == 0 and git("check-ignore", "-q", ".").returncode != 0:
            return [
                f"This is part of the git repository {outer.stdout.strip()}, so it did not become",
                "one of its own. Divio needs a repository with the Dockerfile at its root.",
            ]
        if outer.returncode and "not a git repository" not in outer.stderr:
            return ["There is no git repository yet:", first_line(outer.stderr)]
        made = git("init", "-q", "--initial-branch=main")
        if made.returncode:  # git before 2.28 has no such option
            made = git("init", "-q")
            git("symbolic-ref", "HEAD", "refs/heads/main")
        if made.returncode:
            return ["There is no git repository yet:", first_line(made.stderr)]
    elif REMOTE_URL in git("remote", "-v").stdout.split():
        return []

    for name in "origin", "divio":
        added = git("remote", "add", name, REMOTE_URL)
        if added.returncode == 0:
            return [f"The git remote for Divio is {name}, {REMOTE_URL}"]
    return ["The git remote for Divio is not set:", first_line(added.stderr)]


def first_line(text):
    return text.strip().partition("\n")[0]


def tell_about_new_project():
    libraries = [
        "    # mysqlclient needs a C compiler and MySQL's client library. Debian, or else macOS:",
        "    sudo apt install build-essential python3-dev default-libmysqlclient-dev pkg-config",
        "    brew install mysql-client pkg-config",
        '    export PKG_CONFIG_PATH="$(brew --prefix mysql-client)/lib/pkgconfig"',
    ]
    say(
        "",
        f"{ANSWERS['project_name']} is baked. Commit it as it is, before you format or edit",
        "anything: later updates are merged with that commit.",
        "",
        f"    cd {SLUG}",
        "    git add . && git commit -m 'Bake the project'",
        *(libraries if ANSWERS["database"] == "mysql" else []),
        "    make install check    # dependencies, linters, types, tests",
        "    make run              # http://127.0.0.1:8000, no Docker needed",
        "",
        "README.md has the rest: Docker, settings, 'Deploy on Divio', updates.",
    )


def move_to_existing_application():
    """Move the files to the folder of the application, where nothing is in their way.

    Return the names of those that were moved, of those that were not, and of the owner's that are
    in the way.
    """
    here, there = os.getcwd(), os.path.realpath(ANSWERS["_output_dir"])
    own = own_container_files(here, there)
    added, kept = [], []
    for folder, _, names in os.walk(here):
        for name in names:
            source = os.path.join(folder, name)
            path = os.path.relpath(source, here)
            target = os.path.join(there, path)
            try:
                if is_same(source, target):
                    os.remove(source)
                    continue
                if is_free(target) and not (own and path in CONTAINER_FILES):
                    os.makedirs(os.path.dirname(target), exist_ok=True)
                    os.rename(source, target)
                    added.append(path)
                    continue
            except OSError as error:
                say(f"{path}: {error.strerror}")
            kept.append(path)
            if path not in CONTAINER_FILES:
                own.add(path)
    os.chdir(there)
    for folder, _, _ in os.walk(here, topdown=False):
        if not os.listdir(folder):
            os.rmdir(folder)
    return sorted(added), sorted(kept), sorted(own)


def own_container_files(here, there):
    """Return which files of the owner's say how containers are built and run."""
    return {
        name
        for name in CONTAINER_FILES | OTHER_COMPOSE_FILES
        if os.path.lexists(os.path.join(there, name))
        and not is_same(os.path.join(here, name), os.path.join(there, name))
    }


def is_same(path, other):
    """Tell whether an earlier bake has put the file there; its owner may have added to its end."""
    if os.path.islink(other) or not os.path.isfile(other) or not os.path.exists(path):
        return False
    with open(path, "rb") as one, open(other, "rb") as two:
        ours, theirs = one.read(), two.read()
    return ours == theirs or (ours != b"" and theirs.startswith(ours))


def is_free(path):
    """Tell whether nothing is at this path, and nothing but folders on the way to it."""
    if os.path.lexists(path):
        return False
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    # A link might lead out of the application.
    return os.path.isdir(path) and os.path.realpath(path) == path


def tell_about_existing_application(says, hints, added, kept, own):
    say("", f"Found: {says}.")
    new = dict.fromkeys(re.sub("/.*", "/", path) for path in added)
    say("", f"Added to {ANSWERS['project_name']}: {', '.join(new) or 'nothing new'}.")
    if kept:
        tell_about_kept(kept, own)
    if hints:
        say("", "Left to do:", *(f"- {hint}" for hint in hints))
    guide = f"{SLUG}/DEPLOY.md" if "DEPLOY.md" in kept else "DEPLOY.md"
    say(
        "",
        f"{guide} leads from here to the deployed site. Commit what was added before you edit it:",
        "later updates are merged with that commit.",
        "",
    )


def tell_about_kept(kept, own):
    say(
        "",
        f"What you have stays as it is: {', '.join(own)}.",
        f"The template's files wait in {SLUG}, with those that work only together with them.",
    )
    if set(kept) >= CONTAINER_FILES:
        say(
            "To try them there:",
            "",
            f"    cp {SLUG}/.dockerignore {SLUG}/Dockerfile.dockerignore",
            f"    docker build --file {SLUG}/Dockerfile --tag {SLUG}-web .",
            f"    docker compose -p {SLUG} --project-directory . -f {SLUG}/docker-compose.yml up",
            "",
        )
    theirs, ours = ([name for name in names if "/" not in name] for names in (own, kept))
    if ours:
        say(
            "To take them over:",
            "",
            f"    mkdir {SLUG}/yours",
            f"    mv {' '.join(theirs)} {SLUG}/yours",
            f"    mv {' '.join(f'{SLUG}/{name}' for name in ours)} .",
            "",
        )
    say(
        f"Delete {SLUG} once you have what you need of it: with it there, nothing is baked again.",
        "If you keep yours instead, have updates leave them alone, with this in .cruft.json:",
        "",
        f"    {json.dumps({'skip': sorted({*SKIPPED_FOR_EXISTING, *kept})})[1:-1]}",
    )


def main():
    existing = ANSWERS["application"] == "existing"
    if existing and not IN_SCRATCH_RENDER:
        try:
            says, hints = find()
        except OSError as error:  # such as a full disk
            sys.exit(f"ERROR: {error}")
    prune()
    if IN_SCRATCH_RENDER:
        return
    # cruft create writes its own, when this has ended.
    problems = write_cruft_json() if "_output_dir" in ANSWERS else []
    if existing:
        tell_about_existing_application(says, hints, *move_to_existing_application())
    else:
        tell_about_new_project()
    say(*make_repository(), *problems)


main()
