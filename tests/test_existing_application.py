"""What deploys an application is added to it, and nothing of its owner's is touched."""

import json
import os
import re
import shlex
import shutil
import stat
from pathlib import Path

import pytest

from tests.harness.choices import PROJECT, TEMPLATE
from tests.harness.existing import (
    MONOREPO,
    ONE_FILE,
    OWN_DOCKER,
    TUTORIAL,
    Application,
    adopt,
    make,
    snapshot,
    take_over,
)
from tests.harness.processes import run
from tests.harness.updates import (
    commands_of,
    commit,
    follow,
    git,
    make_repository,
    take_working_tree,
)

LOCK = "requirements-divio.txt"
# All but .cruft.json, which there is where all of the template is committed.
ADDED = {
    ".dockerignore",
    ".env-local",
    "DEPLOY.md",
    "Dockerfile",
    "data/media/.gitkeep",
    "docker-compose.production.yml",
    "docker-compose.yml",
    "gunicorn.conf.py",
    "gunicorn_worker.py",
    "on_divio/__init__.py",
    "on_divio/access.py",
    "on_divio/environment.py",
    "on_divio/wsgi.py",
    *(
        f"on_divio/media/{name}.py"
        for name in ["__init__", "content_types", "file", "local", "names", "s3", "s3_dsn"]
    ),
    "request_limits.py",
    "requirements-divio.in",
    LOCK,
    "sitecustomize.py",
}
# Those of a container, which need each other.
CONTAINER = {".dockerignore", "Dockerfile", "docker-compose.production.yml", "docker-compose.yml"}
SLUG = "the-app-divio"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return tmp_path / "repository"


@pytest.fixture
def folder(repository: Path) -> Path:
    """The simplest application."""
    return make(ONE_FILE, repository)


def names(before: dict, after: dict, folder: str = ".") -> set[str]:
    """Return the files that are new, named from the folder."""
    new = (name for name in after if name not in before)
    files = {os.path.relpath(name, folder) for name in new if stat.S_ISREG(after[name][0])}
    return files - {".cruft.json"}


@pytest.mark.parametrize("application", [ONE_FILE, OWN_DOCKER, MONOREPO], ids=str)
def test_files_are_added_and_nothing_else_happens(
    application: Application, repository: Path
) -> None:
    folder = make(application, repository)
    (folder / ".gitignore").write_text("*.secret\n")
    commit(repository)
    (folder / "notes.txt").write_text("untracked")
    (folder / "key.secret").write_text("ignored")
    (folder / "link").symlink_to("/nowhere")
    (folder / "empty").mkdir()
    script = folder / "script.sh"
    script.write_text("#!/bin/sh\r\n")
    script.chmod(0o750)
    before = snapshot(repository)

    adopt(folder, application)

    after = snapshot(repository)
    assert {name: after.get(name) for name in before} == before
    waiting = CONTAINER if application == OWN_DOCKER else set()
    expected = ADDED - waiting | {f"{SLUG}/{name}" for name in waiting}
    assert names(before, after, application.folder) == expected
    changes = git(repository, "status", "--porcelain").splitlines()
    assert {line[:2] for line in changes} == {"??"}


def test_command_in_the_readme_works(repository: Path) -> None:
    folder = make(TUTORIAL, repository)
    readme = (TEMPLATE / "README.md").read_text()
    command = re.search(r"pipx run (cookiecutter gh:\S+ --no-input .*?)\n\n", readme, re.DOTALL)[1]
    command = re.sub(r"gh:\S+", str(TEMPLATE), command.replace("\\\n", ""))

    run(*shlex.split(command), folder=folder)

    assert (folder / "DEPLOY.md").read_text().startswith("# Flaskr on Divio\n")
    assert "flaskr:create_app()" in (folder / "gunicorn.conf.py").read_text()


@pytest.mark.parametrize(
    ("answers", "added"),
    [
        ({}, "psycopg, gunicorn, boto3"),
        ({"found": "requirements.txt sqlalchemy boto3"}, "psycopg2-binary, gunicorn"),
        ({"database": "mysql", "gateway_server": "uwsgi"}, "mysqlclient, pyuwsgi, boto3"),
        ({"media_storage": "azure"}, "psycopg, gunicorn, azure-storage-blob"),
    ],
)
def test_what_is_found_and_added_is_one_line(
    answers: dict[str, str], added: str, folder: Path
) -> None:
    said = adopt(folder, ONE_FILE, **answers)

    [line] = [line for line in said.splitlines() if line.startswith("Found: app:app; ")]
    assert line.endswith(f"; {added} added.")


@pytest.mark.parametrize("obstacle", ["file", "ignored file", "folder", "dangling link"])
def test_what_is_in_the_way_stays(obstacle: str, folder: Path) -> None:
    for name in ADDED:
        own = folder / name
        own.parent.mkdir(parents=True, exist_ok=True)
        if obstacle == "folder":
            (own / "inner").mkdir(parents=True)
        elif obstacle == "dangling link":
            own.symlink_to("../outside")
        else:
            own.write_text("mine")
    if obstacle == "ignored file":
        (folder / ".gitignore").write_text("\n".join(ADDED))
    before = snapshot(folder.parent)

    said = adopt(folder, ONE_FILE)

    after = snapshot(folder.parent)
    assert {path: after.get(path) for path in before} == before
    assert names(before, after, "repository") == {f"{SLUG}/{name}" for name in ADDED}
    assert f"What you have stays as it is: {', '.join(sorted(ADDED))}." in said


def test_second_bake_adds_nothing(folder: Path) -> None:
    adopt(folder, ONE_FILE)
    with (folder / ".env-local").open("a") as settings:
        settings.write("TOKEN=secret\n")
    before = snapshot(folder)

    said = adopt(folder, ONE_FILE)

    assert snapshot(folder) == before
    assert "Added to The App: nothing new." in said
    assert "stays as it is" not in said


def test_file_that_no_list_names_stays_away(folder: Path, tmp_path: Path) -> None:
    template = tmp_path / "template"
    take_working_tree(template)
    for name in ("LICENSE", "docs/index.md", "docs/images/.gitkeep", "data/media/logo.svg"):
        unlisted = template / PROJECT.name / name
        unlisted.parent.mkdir(parents=True, exist_ok=True)
        unlisted.write_text("for new applications")
    before = snapshot(folder)

    said = adopt(folder, ONE_FILE, template=template)

    after = snapshot(folder)
    assert {path: after.get(path) for path in before} == before
    assert names(before, after) == ADDED
    assert not (folder / "docs").exists()
    assert "LICENSE" not in said


@pytest.mark.parametrize("options", [[], ["--output-dir=."], ["--output-dir=../repository"]])
def test_template_may_be_given_by_a_relative_path(
    options: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PWD", str(folder))  # as a shell does

    adopt(folder, ONE_FILE, *options, template=os.path.relpath(TEMPLATE, folder))

    assert (folder / "Dockerfile").is_file()


def test_application_may_be_behind_a_link(folder: Path) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder)

    adopt(folder.parent, ONE_FILE, "--output-dir", str(link))

    assert (folder / "Dockerfile").is_file()
    assert link.is_symlink()


@pytest.mark.parametrize("own", [*sorted(CONTAINER), "compose.yaml", "docker-compose.yaml"])
def test_container_files_wait_together(own: str, folder: Path) -> None:
    (folder / own).write_text("mine")
    before = snapshot(folder)

    said = adopt(folder, ONE_FILE)

    waiting = {f"{SLUG}/{name}" for name in CONTAINER}
    assert names(before, snapshot(folder)) == ADDED - CONTAINER | waiting
    assert f"What you have stays as it is: {own}." in said
    skip = sorted({LOCK, *CONTAINER})
    assert f"{json.dumps({'skip': skip})[1:-1]}\n" in said


def test_lines_take_over_what_waits(folder: Path, tmp_path: Path) -> None:
    adopt(folder, ONE_FILE)
    as_without = {name: (folder / name).read_text() for name in ADDED}
    folder = make(ONE_FILE, tmp_path / "other")
    own = ["Dockerfile", "compose.yml", "docker-compose.yml", "gunicorn.conf.py"]
    for name in own:
        (folder / name).write_text("mine")

    said = adopt(folder, ONE_FILE)
    take_over(folder, said)

    assert {name: (folder / name).read_text() for name in ADDED} == as_without
    assert sorted(path.name for path in (folder / SLUG / "yours").iterdir()) == own
    assert not (folder / "compose.yml").exists()
    assert [path.name for path in (folder / SLUG).iterdir()] == ["yours"]
    # What cookiecutter says of a folder that is there names no way on.
    assert f"Delete {SLUG} once you have what you need of it" in said
    assert "already exists" in adopt(folder, ONE_FILE, fails=True)
    shutil.rmtree(folder / SLUG)
    assert "nothing new" in adopt(folder, ONE_FILE)


@pytest.mark.parametrize(
    ("path", "target"), [("data", ""), ("data", "../elsewhere"), ("data/media", "")]
)
def test_folder_that_is_none_is_not_entered(path: str, target: str, folder: Path) -> None:
    (folder.parent / "elsewhere").mkdir()
    own = folder / path
    own.parent.mkdir(exist_ok=True)
    if target:
        own.symlink_to(target)
    else:
        own.write_text("mine")
    before = snapshot(folder.parent)

    said = adopt(folder, ONE_FILE)

    after = snapshot(folder.parent)
    assert {path: after.get(path) for path in before} == before
    assert f"repository/{SLUG}/data/media/.gitkeep" in after
    assert "What you have stays as it is: data/media/.gitkeep." in said
    assert (folder / "Dockerfile").is_file()


@pytest.mark.parametrize(
    ("options", "answers", "says"),
    [
        # Over the folder of the application instead of from it, whatever is said of its files.
        (["-f", "-o", "..", "project_slug=repository"], {}, "is not empty"),
        (["-f", "-s", "-o", "..", "project_slug=repository"], {}, "is not empty"),
        (["-f", "-s", "-o", "..", "project_slug=repository"], {"application": "new"}, "not empty"),
        (["-o", ".."], {}, "has no module 'app'"),
        ([], {"wsgi_app": "other:app"}, "has no module 'other'"),
        ([], {"wsgi_app": "app"}, "must be a module and the application in it"),
        ([], {"wsgi_app": "app:make('x')"}, "has arguments. Write a module that calls it"),
        ([], {"wsgi_app": "app:app; import os"}, "must be a module and the application in it"),
        ([], {"wsgi_app": "app..x:app"}, "must be a module and the application in it"),
        ([], {"project_slug": "taken"}, "already exists"),
        # It holds another repository.
        (["-f"], {"project_slug": "taken"}, "The folder 'taken' is not empty"),
        ([], {"package_name": "data"}, "package_name 'data' is the name of a module"),
        ([], {"package_name": "app"}, "package_name 'app' is the name of a module of the app"),
        ([], {"package_name": "package"}, "package_name 'package' is the name of a module of"),
    ],
)
def test_unsafe_way_is_refused_and_changes_nothing(
    options: list[str], answers: dict[str, str], says: str, folder: Path
) -> None:
    (folder / "taken").mkdir()
    git(folder / "taken", "init", "-q")
    (folder / "README.md").write_text("mine")
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").touch()
    before = snapshot(folder.parent)

    said = adopt(folder, ONE_FILE, *options, fails=True, **answers)

    assert says in said
    assert snapshot(folder.parent) == before


@pytest.mark.parametrize("options", [[], ["--overwrite-if-exists", "--output-dir=.."]])
def test_cruft_create_is_refused_and_changes_nothing(options: list[str], folder: Path) -> None:
    template = committed_template(folder.parent / "template")
    before = snapshot(folder)
    answers = {
        "application": "existing",
        "project_slug": "repository" if options else SLUG,
        "wsgi_app": "app:app",
    }
    command = ["cruft", "create", str(template), "--no-input", *options]

    said = run(*command, "--extra-context", json.dumps(answers), fails=True, folder=folder)

    assert "cruft create cannot add files to an existing application" in said
    assert snapshot(folder) == before


def test_remote_is_divio_where_origin_is_taken(folder: Path) -> None:
    git(folder, "remote", "add", "origin", "git@example.org:mine.git")

    adopt(folder, ONE_FILE)

    assert git(folder, "remote", "get-url", "origin") == "git@example.org:mine.git\n"
    url = "git@git.divio.com:the-app.git"
    assert git(folder, "remote", "get-url", "divio") == f"{url}\n"
    assert f"git push {url} HEAD:main\n" in (folder / "DEPLOY.md").read_text()


def test_folder_of_a_larger_repository_gets_no_remote(repository: Path) -> None:
    folder = make(MONOREPO, repository)

    said = adopt(folder, MONOREPO)

    assert f"part of the git repository {repository}" in said
    assert not (folder / ".git").exists()
    assert git(repository, "remote") == ""


def test_folder_of_a_larger_repository_can_be_pushed_alone(repository: Path) -> None:
    folder = make(MONOREPO, repository)
    adopt(folder, MONOREPO)
    commit(repository)
    command = re.search(r"\$\((git subtree split) --prefix=", (folder / "DEPLOY.md").read_text())[1]

    pushed = run(*command.split(), f"--prefix={MONOREPO.folder}", folder=repository).strip()

    assert "Dockerfile" in git(repository, "ls-tree", "--name-only", pushed).splitlines()


def test_folder_without_git_becomes_a_repository(folder: Path) -> None:
    shutil.rmtree(folder / ".git")

    adopt(folder, ONE_FILE)

    assert git(folder, "remote", "get-url", "origin") == "git@git.divio.com:the-app.git\n"


def committed_template(template: Path) -> Path:
    """Return the working tree of the template as a repository, of which cruft can make clones."""
    take_working_tree(template)
    make_repository(template)
    return template


@pytest.mark.parametrize("application", [ONE_FILE, OWN_DOCKER, MONOREPO], ids=str)
def test_update_of_the_template_arrives(
    application: Application, repository: Path, tmp_path: Path
) -> None:
    template = committed_template(tmp_path / "template")
    folder = make(application, repository)
    said = adopt(folder, application, template=template)
    kept = CONTAINER if application == OWN_DOCKER else set()
    if kept:
        skip = re.search(r"^    (\"skip\": .*)$", said, re.MULTILINE)[1]
        known = json.loads((folder / ".cruft.json").read_text()) | json.loads(f"{{{skip}}}")
        (folder / ".cruft.json").write_text(json.dumps(known))
        shutil.rmtree(folder / SLUG)
    commit(repository)
    run("cruft", "check", folder=folder)
    # What is left to do is its owner's, and no part of updates.
    differing = run("cruft", "diff", folder=folder)
    assert set(re.findall(r"^diff --git \S+ \S+?/(.*)", differing, re.MULTILINE)) <= {"DEPLOY.md"}

    changed = ["Dockerfile", "docker-compose.yml", "DEPLOY.md", LOCK]
    kept = {*kept, LOCK}
    for name in changed:
        source = template / PROJECT.name / name
        source.write_text(f"{source.read_text()}# A new line.\n")
    (template / PROJECT.name / "LICENSE").write_text("for new applications")
    commit(template)
    before = snapshot(repository)
    _, [update, _], _ = commands_of(folder / "DEPLOY.md")
    place = "" if folder == repository else f" --project-dir {application.folder}"
    follow(repository, update + place)

    after = snapshot(repository)
    assert not [name for name in after if name.endswith((".rej", ".orig"))]
    for name in changed:
        assert ("A new line." in (folder / name).read_text()) == (name not in kept), name
    updated = {str(Path(application.folder, name)) for name in {*changed, ".cruft.json"} - kept}
    assert {name for name in after if after[name] != before.get(name)} == updated


def test_cruft_json_of_another_template_stays(folder: Path, tmp_path: Path) -> None:
    (folder / ".cruft.json").write_text('{"template": "mine"}')

    said = adopt(folder, ONE_FILE, template=committed_template(tmp_path / "template"))

    assert (folder / ".cruft.json").read_text() == '{"template": "mine"}'
    assert "What you have stays as it is: .cruft.json." in said
    assert json.loads((folder / SLUG / ".cruft.json").read_text())["skip"] == [LOCK]


def test_answer_can_be_changed_for_a_good_one(folder: Path, tmp_path: Path) -> None:
    template = committed_template(tmp_path / "template")
    adopt(folder, ONE_FILE, template=template)
    commit(folder)
    (template / "note").write_text("cruft wants a newer commit")
    commit(template)
    before = snapshot(folder)
    answers = json.dumps({"wsgi_app": 'app:app"; import os'})
    run(
        "cruft", "update", "--skip-apply-ask", "--variables-to-update", answers, folder=folder,
        fails=True,
    )  # fmt: skip
    assert snapshot(folder) == before
    answers = json.dumps({"gateway_server": "uwsgi", "database": "mysql"})

    run("cruft", "update", "--skip-apply-ask", "--variables-to-update", answers, folder=folder)
    *_, lock = commands_of(folder / "DEPLOY.md")
    follow(folder, *lock)

    assert (folder / "uwsgi.ini").is_file()
    assert not (folder / "gunicorn.conf.py").exists()
    assert "\nmysqlclient==" in (folder / LOCK).read_text()
    assert git(folder, "status", "--porcelain") == ""
    assert not list(folder.rglob("*.rej"))


def test_lines_for_gitignore_are_right(folder: Path) -> None:
    adopt(folder, ONE_FILE)
    text = (folder / "DEPLOY.md").read_text()
    lines = re.search(r"add to `.gitignore`\n\n((?: +\S+\n)+)", text)[1].split()
    (folder / ".gitignore").write_text("\n".join(lines) + "\n")
    for name in ("data/media/picture.png", "data.tar.gz", "local_db.sql", ".divio/config"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("not for git")
    commit(folder)

    tracked = set(git(folder, "ls-files").splitlines())

    assert tracked - {".cruft.json"} == ADDED | {"app.py", "requirements.txt", ".gitignore"}
