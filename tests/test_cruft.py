"""Projects stay current with cruft: real templates, projects and updates in git repositories."""

import json
import os
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from tests.harness.choices import (
    CHOICES,
    CONTEXT,
    CORE,
    CORES,
    PAIRED_CORES,
    PROJECT,
    Answers,
    label,
)
from tests.harness.processes import environment, run
from tests.harness.updates import (
    LOCKS,
    BakeVersion,
    bake,
    baker,
    change,
    commit,
    create,
    differing,
    follow,
    git,
    make_repository,
    make_template,
    recipe,
    release,
    update,
)

# The working tree as a release, and the one after it that these tests make up.
OLD, NEW = CONTEXT["_version"], "77.7"
PACKAGE = "my_flask_app"
DRIVERS_AND_THE_LIKE = {
    "azure-storage-blob",
    "boto3",
    "gunicorn",
    "mysqlclient",
    "psycopg",
    "pyuwsgi",
}

pytestmark = pytest.mark.sample(PAIRED_CORES)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of the template with both releases."""
    template = make_template(tmp_path_factory.mktemp("release") / "template")
    project = template / PROJECT.name
    package = project / "{{cookiecutter.package_name}}"
    change(template / "hooks" / "post_gen_project.py", "git.divio.com", "git.example.org")
    change(project / "README.md", "\n## Run\n", "\nA new line.\n\n## Run\n")
    change(package / "pages.py", "Hello, World!", "Hello, Divio!")
    (project / "docs").mkdir(exist_ok=True)
    (project / "docs" / "new.md").write_text("{{ cookiecutter.project_name }}\n")
    (package / "templates" / "error.html").rename(package / "templates" / "problem.html")
    (project / ".editorconfig").unlink()
    release(template, NEW)
    return template


@pytest.fixture(scope="session")
def baked(template: Path, tmp_path_factory: pytest.TempPathFactory) -> BakeVersion:
    return baker(template, tmp_path_factory.mktemp("baked"))


@pytest.fixture
def make_project(baked: BakeVersion, tmp_path: Path) -> BakeVersion:
    """A project of the old release, to be changed."""

    def make(**answers: str) -> Path:
        return Path(shutil.copytree(baked(OLD, **answers), tmp_path / "project"))

    return make


@pytest.fixture
def make_clone(baked: BakeVersion, tmp_path: Path) -> BakeVersion:
    """The same as a colleague has it, without what git does not store, such as empty folders."""

    def make(**answers: str) -> Path:
        git(tmp_path, "clone", "-q", str(baked(OLD, **answers)), "clone")
        return tmp_path / "clone"

    return make


def edit(project: Path) -> None:
    """Change, add and delete files as an owner, none where the new release changes a line."""
    with (project / "README.md").open("a") as readme:
        readme.write("\n## Notes\n\nMine.\n")
    change(project / PACKAGE / "pages.py", '@blueprint.get("/hello")', '@blueprint.get("/mine")')
    (page,) = (project / PACKAGE / "templates").glob("[ep]r*.html")
    change(page, "</p>", "</p><p>Mine.</p>")
    change(project / ".env-local", "STAGE=local", "LOG_LEVEL=debug\nSTAGE=local")
    (project / PACKAGE / "mine.py").write_text('"""Mine."""\n')
    (project / "docs").mkdir(exist_ok=True)
    (project / "docs" / "mine.md").write_text("Mine.\n")
    (project / "tests" / "test_pages.py").unlink()


def test_diff_prints_nothing_but_a_patch(answers: Answers, make_project: BakeVersion) -> None:
    project = make_project(**answers)
    change(project / "README.md", "# My Flask App", "# Mine")

    printed = run("cruft", "diff", "--exit-code", fails=True, folder=project)

    assert printed.startswith("diff --git ")
    git(project, "apply", "-", stdin=printed)
    assert git(project, "status", "--porcelain") == ""


def test_untouched_clone_becomes_what_is_baked_now(
    answers: Answers, make_clone: BakeVersion, baked: BakeVersion
) -> None:
    clone = make_clone(**answers)
    settings = (clone / ".git" / "config").read_text()

    run("cruft", "check", "--checkout", OLD, folder=clone)
    assert run("cruft", "diff", "--exit-code", folder=clone) == ""
    run("cruft", "check", fails=True, folder=clone)
    update(clone)

    assert differing(clone, baked(NEW, **answers)) == []
    assert f"flask-divio {NEW};" in (clone / "README.md").read_text()
    assert (clone / ".git" / "config").read_text() == settings
    run("cruft", "check", folder=clone)
    assert run("cruft", "diff", "--exit-code", folder=clone) == ""


def test_update_keeps_every_edit(
    answers: Answers, make_project: BakeVersion, baked: BakeVersion, tmp_path: Path
) -> None:
    project = make_project(**answers)
    edit(project)
    commit(project)

    update(project)

    expected = Path(shutil.copytree(baked(NEW, **answers), tmp_path / "expected"))
    edit(expected)
    commit(expected)
    assert differing(project, expected) == []


# Each edge of the cube of combinations, once.
@pytest.mark.parametrize(
    ("answers", "option"),
    [
        (answers, option)
        for answers in CORES
        for option in CORE
        if answers[option] == CHOICES[option][0]
    ],
    ids=lambda value: value if isinstance(value, str) else label(value),
)
def test_core_option_is_switched_on_and_off_again(
    answers: Answers, option: str, make_clone: BakeVersion, baked: BakeVersion
) -> None:
    clone = make_clone(**answers)
    for value in reversed(CHOICES[option]):
        update(clone, "--checkout", OLD, **{option: value})

        assert differing(clone, baked(OLD, **(answers | {option: value}))) == [], value


# Not application, because a project does not turn into the deployment of another.
@pytest.mark.parametrize("option", sorted({*CHOICES} - {*CORE, "application"}))
def test_other_option_takes_each_value(
    option: str, make_clone: BakeVersion, baked: BakeVersion
) -> None:
    clone = make_clone()
    for value in reversed(CHOICES[option]):
        update(clone, "--checkout", OLD, **{option: value})

        assert differing(clone, baked(OLD, **{option: value})) == [], value


def test_options_and_release_change_in_one_update_and_are_locked(
    answers: Answers, make_project: BakeVersion, baked: BakeVersion
) -> None:
    project = make_project(**answers)
    others = {name: value for name in CORE for value in CHOICES[name] if value != answers[name]}
    locks = {name: (project / name).read_text() for name in LOCKS}

    update(project, **others)
    assert {name: (project / name).read_text() for name in LOCKS} == locks
    run("make", "--old-file=install", "lock", folder=project)

    assert differing(project, baked(NEW, **others)) == []
    settings = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    wanted = {re.match(r"[\w-]+", requirement)[0] for requirement in settings["dependencies"]}
    lock = (project / "requirements.txt").read_text()
    locked = set(re.findall(r"^([\w-]+)==", lock, re.MULTILINE))
    assert wanted <= locked
    assert wanted & DRIVERS_AND_THE_LIKE == locked & DRIVERS_AND_THE_LIKE


def test_new_slugs_arrive_though_the_remote_changes(
    make_project: BakeVersion, baked: BakeVersion
) -> None:
    project = make_project()
    git(project, "config", "user.email", "owner@example.org")
    slugs = {"project_slug": "other", "divio_slug": "other-on-divio"}

    update(project, **slugs)

    assert differing(project, baked(NEW, package_name=PACKAGE, **slugs)) == []


def test_update_of_uncommitted_work_is_refused(make_project: BakeVersion) -> None:
    project = make_project()
    edit(project)
    before = git(project, "diff")

    run("cruft", "update", "--skip-apply-ask", fails=True, folder=project)

    assert git(project, "diff") == before


def test_conflict_is_shown_and_loses_nothing(make_project: BakeVersion) -> None:
    project = make_project()
    change(project / PACKAGE / "pages.py", "Hello, World!", "Hello, all of you!")
    commit(project)

    shown = follow(project, *recipe(project).update)

    assert f"\nUU {PACKAGE}/pages.py\n" in shown, shown
    page = (project / PACKAGE / "pages.py").read_text()
    assert re.search(r"<<<<<<<.+\n.+all of you!.+\n=======\n.+Divio!.+\n>>>>>>>", page), page
    assert "A new line." in (project / "README.md").read_text()


def test_what_does_not_fit_is_shown_and_loses_nothing(make_project: BakeVersion) -> None:
    project = make_project()
    change(project / PACKAGE / "pages.py", "Hello, World!", "Hello, all of you!")
    # The new release has no such file. git can only reject that, and all conflicts with it.
    change(project / ".editorconfig", "root", "# Mine\nroot")
    commit(project)

    shown = follow(project, *recipe(project).update)

    assert f"\n?? {PACKAGE}/pages.py.rej\n" in shown, shown
    assert "all of you!" in (project / PACKAGE / "pages.py").read_text()
    assert "Divio!" in (project / PACKAGE / "pages.py.rej").read_text()
    assert "# Mine" in (project / ".editorconfig").read_text()
    assert "A new line." in (project / "README.md").read_text()


def test_answer_is_changed_by_the_recipe(make_project: BakeVersion, baked: BakeVersion) -> None:
    project = make_project()

    follow(project, *recipe(project).change_an_answer)
    commit(project)

    assert differing(project, baked(NEW, python_version="3.13")) == []


def test_cruft_is_installed_by_the_recipe(make_project: BakeVersion, tmp_path: Path) -> None:
    project = make_project()
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "uv").symlink_to(shutil.which("uv", path=environment()["PATH"]))
    folders = {f"UV_TOOL_{name}": str(tmp_path / name) for name in ("DIR", "BIN_DIR")}
    follow(project, *recipe(project).install, env=environment() | folders)
    run(tmp_path / "BIN_DIR" / "cruft", "check", "--checkout", OLD, folder=project)


def test_default_branch_brings_releases_alone(template: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "--initial-branch=release", "host.git")
    url = f"file://{tmp_path}/host.git"
    git(tmp_path, "clone", "-q", template, "main")
    main = tmp_path / "main"
    git(main, "reset", "-q", "--hard", OLD)
    git(main, "push", "-q", url, "main:release")

    def work(path: str, text: str) -> None:
        with (main / path).open("a") as file:
            file.write(text)
        commit(main)
        git(main, "push", "-q", url, "main:main")

    released, _ = bake(url, tmp_path / "released")
    created = create(tmp_path / "host.git", tmp_path / "created", {})
    work(f"{PROJECT.name}/gunicorn.conf.py", "# A fix.\n")
    early, _ = bake(url, tmp_path / "early", "--checkout", "main")
    work("CHANGELOG.md", "All that changed.\n")
    for project in (released, early):
        commit(project)
    readme = recipe(early)
    assert "A fix." in (early / "gunicorn.conf.py").read_text()
    for project in (released, created, early):
        before = git(project, "rev-parse", "HEAD:")
        follow(project, *readme.check, *readme.update[:1])
        assert git(project, "status", "--porcelain") == "", project
        assert git(project, "rev-parse", "HEAD:") == before

    work(f"{PROJECT.name}/gunicorn.conf.py", "# More.\n")
    git(main, "push", "-q", url, "main:release")
    now, _ = bake(url, tmp_path / "now")
    commit(now)

    for project in (released, created, early):
        follow(project, *readme.check, fails=True)
        follow(project, *readme.update)
        commit(project)
        assert differing(project, now) == []
        follow(project, *readme.check)


@pytest.mark.parametrize(
    ("given", "options", "remembered"),
    [
        ("{folder}/template", [], "{folder}/template"),
        ("./template/", [], "{folder}/template"),
        ("../template", ["--output-dir=../here"], "{folder}/template"),
        ("file://{folder}/host.git", ["--checkout", OLD], "file://{folder}/host.git"),
        ("https://me:secret@example.org/host.git", [], "https://example.org/host.git"),
        ("https://to@ken@example.org/host.git", [], "https://example.org/host.git"),
        ("git@example.org:host.git", [], "git@example.org:host.git"),
    ],
)
def test_bake_knows_its_template(
    given: str,
    options: list[str],
    remembered: str,
    template: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    git(tmp_path, "clone", "-q", "--bare", template, "host.git")
    git(tmp_path, "clone", "-q", "host.git", "template")
    # A host that asks for no password.
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    hosts = [given.rpartition("host.git")[0], remembered.rpartition("host.git")[0]]
    for host in hosts if "example.org" in given else []:
        git(tmp_path, "config", "--global", "--add", f"url.file://{tmp_path}/.insteadOf", host)
    here = tmp_path / "here" if given.startswith("..") else tmp_path
    monkeypatch.setenv("PWD", str(here))
    description = "In Z\u00fcrich: \"caf\u00e9\" & 'more'"

    given = given.format(folder=tmp_path)
    project, said = bake(given, here, *options, description=description, database="mysql")

    assert ".cruft.json" not in said
    known = json.loads((project / ".cruft.json").read_text(encoding="ascii"))
    commit_of = git(template, "rev-parse", OLD if options[:1] == ["--checkout"] else NEW).strip()
    assert (known["template"], known["commit"]) == (remembered.format(folder=tmp_path), commit_of)
    assert known["context"]["cookiecutter"]["description"] == description
    commit(project)
    assert run("cruft", "diff", "--exit-code", folder=project) == ""


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("has a change", "template has changes that are not committed"),
        ("has a new file", "template has changes that are not committed"),
        ("is not in git", "not a git repository"),
        ("is a part of something", "template is no repository of its own"),
        ("has no commit", "ambiguous argument 'HEAD'"),
        ("belongs to somebody else", "detected dubious ownership"),
        ("is a zip", "not a git repository"),
    ],
)
def test_bake_of_no_known_commit_says_how_to_get_updates(
    state: str, says: str, template: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "template"
    git(tmp_path, "clone", "-q", template, folder)
    if state == "has a change":
        (folder / "cookiecutter.json").write_text((folder / "cookiecutter.json").read_text() + "\n")
    elif state == "has a new file":
        (folder / PROJECT.name / "new.txt").touch()
    elif state == "belongs to somebody else":
        if os.geteuid() != 0:
            pytest.skip("needs root, to give a folder to somebody else")
        os.chown(folder, 12345, 12345)
    else:
        shutil.rmtree(folder / ".git")
    if state == "is a part of something":
        make_repository(tmp_path)
    if state == "has no commit":
        git(folder, "init", "-q")
    if state == "is a zip":
        folder = Path(shutil.make_archive(str(folder), "zip", tmp_path, folder.name))

    project, said = bake(folder, tmp_path, database="mysql")

    assert re.search(f"There is no .cruft.json, which updates need: .*{says}", said), said
    assert not (project / ".cruft.json").exists()
    [command] = re.findall("^    cruft link .*", said, re.MULTILINE)
    run("bash", "-c", command.replace("URL", str(template)), folder=project)
    known = json.loads((project / ".cruft.json").read_text())
    assert known["context"]["cookiecutter"]["database"] == "mysql"


def test_create_over_an_existing_folder_is_refused(template: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my-flask-app"
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    overwrite = ["cruft", "create", str(template), "--no-input", "--overwrite-if-exists"]

    said = run(*overwrite, fails=True, folder=tmp_path)

    assert "is not empty, and a bake would write over" in said
    assert [path.name for path in folder.iterdir()] == ["README.md"]
    assert (folder / "README.md").read_text() == "mine"
