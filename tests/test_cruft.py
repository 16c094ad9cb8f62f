"""Projects stay current with cruft: real templates, projects and updates in git repositories."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from tests.conftest import Bake
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
from tests.harness.processes import run
from tests.harness.updates import (
    LOCKS,
    BakeVersion,
    baker,
    commit,
    differing,
    git,
    make_repository,
    recipe,
    take_working_tree,
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
    template = tmp_path_factory.mktemp("release") / "template"
    take_working_tree(template)
    make_repository(template)
    git(template, "tag", OLD)

    project = template / PROJECT.name
    package = project / "{{cookiecutter.package_name}}"
    change(template / "cookiecutter.json", f'"{OLD}"', f'"{NEW}"')
    change(template / "hooks" / "post_gen_project.py", "git.divio.com", "git.example.org")
    change(project / "README.md", "\n## Run\n", "\nA new line.\n\n## Run\n")
    change(package / "pages.py", "Hello, World!", "Hello, Divio!")
    (project / "docs").mkdir(exist_ok=True)
    (project / "docs" / "new.md").write_text("{{ cookiecutter.project_name }}\n")
    (package / "templates" / "error.html").rename(package / "templates" / "problem.html")
    (project / ".editorconfig").unlink()
    commit(template)
    git(template, "tag", NEW)
    return template


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new))


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


def test_clone_differs_from_the_template_in_nothing(
    answers: Answers, make_clone: BakeVersion
) -> None:
    clone = make_clone(**answers)

    run("cruft", "check", "--checkout", OLD, folder=clone)
    assert run("cruft", "diff", "--exit-code", folder=clone) == ""


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
    _, merge, *_ = recipe(project)

    shown = [run("bash", "-c", command, folder=project) for command in merge][-1]

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
    _, merge, *_ = recipe(project)

    shown = [run("bash", "-c", command, folder=project) for command in merge][-1]

    assert f"\n?? {PACKAGE}/pages.py.rej\n" in shown, shown
    assert "all of you!" in (project / PACKAGE / "pages.py").read_text()
    assert "Divio!" in (project / PACKAGE / "pages.py.rej").read_text()
    assert "# Mine" in (project / ".editorconfig").read_text()
    assert "A new line." in (project / "README.md").read_text()


def test_answer_is_changed_by_the_recipe(make_project: BakeVersion, baked: BakeVersion) -> None:
    project = make_project()
    *_, switch, _ = recipe(project)

    for command in switch:
        run("bash", "-c", command, folder=project)
    commit(project)

    assert differing(project, baked(NEW, python_version="3.13")) == []


def test_project_of_cookiecutter_is_linked_by_the_recipe(
    answers: Answers, template: Path, bake: Bake, baked: BakeVersion
) -> None:
    project = bake(**answers).folder
    commit(project)
    *_, link = recipe(project)
    for command in link:
        command = command.replace("URL-OF-THE-TEMPLATE", str(template))
        run("bash", "-c", command, stdin=typed(answers), folder=project)

    assert git(project, "status", "--porcelain") == ""
    assert run("cruft", "diff", "--exit-code", folder=project) == ""
    update(project)
    assert differing(project, baked(NEW, **answers)) == []


def typed(answers: Answers) -> str:
    """Return what an owner types to give these answers, and Enter for everything else."""
    questions = [name for name in CONTEXT if not name.startswith("_")]
    lines = [
        str(CHOICES[name].index(answers[name]) + 1) if name in answers else "" for name in questions
    ]
    return "\n".join([*lines, "", ""])


def test_create_over_an_existing_folder_is_refused(template: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my-flask-app"
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    overwrite = ["cruft", "create", str(template), "--no-input", "--overwrite-if-exists"]

    said = run(*overwrite, fails=True, folder=tmp_path)

    assert "is not empty, and a bake would write over" in said
    assert [path.name for path in folder.iterdir()] == ["README.md"]
    assert (folder / "README.md").read_text() == "mine"
