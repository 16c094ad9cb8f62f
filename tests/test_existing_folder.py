"""Over an existing folder, nothing of its owner's is overwritten, deleted or half replaced."""

import re
import subprocess
from pathlib import Path

import pytest
from combinations import TEMPLATE
from cookiecutter.exceptions import FailedHookException
from cookiecutter.main import cookiecutter

HOOKS = {path.stem: path.read_text() for path in (TEMPLATE / "hooks").glob("*.py")}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository in the folder that the project would get."""
    repository = tmp_path / "my-flask-app"
    repository.mkdir()
    git(repository, "init", "-q")
    git(repository, "config", "user.name", "Owner")
    git(repository, "config", "user.email", "owner@example.org")
    return repository


def git(repository: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(
        command, cwd=repository, check=True, capture_output=True, text=True
    ).stdout


def commit(repository: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    git(repository, "add", "--all")
    git(repository, "commit", "-q", "--allow-empty", "-m", "Own work")


def snapshot(folder: Path) -> dict[str, Path | bytes]:
    """Return what each path holds: a link its target, a file its content."""
    return {
        str(path.relative_to(folder)): path.readlink() if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if ".git/" not in f"{path.relative_to(folder)}/" and (path.is_symlink() or path.is_file())
    }


def bake_over(repository: Path, **answers: str) -> None:
    cookiecutter(
        str(TEMPLATE),
        no_input=True,
        extra_context=answers,
        output_dir=repository.parent,
        overwrite_if_exists=True,
        skip_if_file_exists=True,
    )


def test_own_files_stay_and_new_ones_are_added(repository: Path) -> None:
    own = {"README.md": "mine", "uwsgi.ini": "[uwsgi]\n", "nginx.conf": "mine", "src/a.py": ""}
    commit(repository, own)
    git(repository, "remote", "add", "origin", "git@example.org:mine.git")

    bake_over(repository)

    assert {name: (repository / name).read_text() for name in own} == own
    assert (repository / "Dockerfile").is_file()
    assert git(repository, "status", "--porcelain").count("??") > 0
    assert not re.search(r"^ ?[MD]", git(repository, "status", "--porcelain"), re.MULTILINE)
    assert git(repository, "remote", "get-url", "origin") == "git@example.org:mine.git\n"
    assert git(repository, "remote", "get-url", "divio") == "git@git.divio.com:my-flask-app.git\n"


def untracked(repository: Path) -> None:
    (repository / "notes.txt").write_text("not committed")


def modified(repository: Path) -> None:
    (repository / "README.md").write_text("changed")


def no_repository(repository: Path) -> None:
    (repository / ".git").rename(repository.parent / "elsewhere")


def ignored_file_of_another_choice(repository: Path) -> None:
    commit(repository, {".gitignore": "uwsgi.ini\n"})
    (repository / "uwsgi.ini").write_text("precious")


def ignored_file(repository: Path) -> None:
    commit(repository, {".gitignore": ".env-local\n"})
    (repository / ".env-local").write_text("precious")


def link_to_the_outside(repository: Path) -> None:
    (repository.parent / "outside").write_text("precious")
    (repository / "Dockerfile").symlink_to("../outside")
    commit(repository, {})


def file_where_a_folder_goes(repository: Path) -> None:
    commit(repository, {"migrations": "a file"})


def link_where_a_folder_goes(repository: Path) -> None:
    (repository / "real").mkdir()
    (repository / "tests").symlink_to("real")
    commit(repository, {})


def dangling_link(repository: Path) -> None:
    (repository / "Dockerfile").symlink_to("../outside")
    commit(repository, {})


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (untracked, "not a clean git work tree"),
        (modified, "not a clean git work tree"),
        (no_repository, "not a clean git work tree"),
        (ignored_file_of_another_choice, "uwsgi.ini is not tracked by git"),
        (ignored_file, ".env-local is not tracked by git"),
        (link_to_the_outside, "Dockerfile is not tracked by git"),
        (file_where_a_folder_goes, "migrations must be a folder"),
        (link_where_a_folder_goes, "tests must be a folder"),
        (dangling_link, "Dockerfile is not tracked by git"),
    ],
)
def test_unsafe_folder_is_refused_untouched(
    damage: "object", says: str, repository: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    commit(repository, {"README.md": "mine"})
    damage(repository)
    before = snapshot(repository.parent)

    with pytest.raises(FailedHookException):
        bake_over(repository)

    assert snapshot(repository.parent) == before
    assert says in capfd.readouterr().err


def test_forgotten_skip_option_can_be_undone(repository: Path) -> None:
    commit(repository, {"README.md": "mine"})
    before = snapshot(repository)

    cookiecutter(
        str(TEMPLATE), no_input=True, output_dir=repository.parent, overwrite_if_exists=True
    )
    git(repository, "checkout", "-q", ".")
    git(repository, "clean", "-qfd")

    assert snapshot(repository) == before


def test_hook_knows_the_folders_of_the_template() -> None:
    project = TEMPLATE / "{{cookiecutter.project_slug}}"
    folders = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_dir()}

    in_hook = re.search(r"FOLDERS = \[(.*?)\]", HOOKS["pre_gen_project"], re.DOTALL)[1]

    package = "{{cookiecutter.package_name}}"
    assert set(re.findall(r'"(.+)"', in_hook.replace("{PACKAGE}", package))) | {package} == folders


def test_hook_knows_the_files_of_the_template() -> None:
    project = TEMPLATE / "{{cookiecutter.project_slug}}"
    files = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()}

    in_hook = re.search(r'FILES = """(.*?)"""', HOOKS["pre_gen_project"], re.DOTALL)[1]

    assert set(in_hook.replace("PACKAGE", "{{cookiecutter.package_name}}").split()) == files


def test_link_to_a_tracked_file_is_no_obstacle(repository: Path) -> None:
    (repository / "README.md").symlink_to("docs/index.md")
    commit(repository, {"docs/index.md": "mine"})

    bake_over(repository)

    assert (repository / "docs" / "index.md").read_text() == "mine"
    assert (repository / "README.md").is_symlink()


def test_pruned_files_are_files_of_the_template() -> None:
    pruned = re.search(r"FILES_OF_CHOICE = {(.*?)\n}", HOOKS["post_gen_project"], re.DOTALL)[1]
    paths = {
        path for line in re.findall(r"\[(.*)\]", pruned) for path in re.findall(r'"(.+?)"', line)
    }

    assert paths
    for path in paths:
        folder = TEMPLATE / "{{cookiecutter.project_slug}}"
        assert (folder / path.replace("{PACKAGE}", "{{cookiecutter.package_name}}")).is_file(), path
