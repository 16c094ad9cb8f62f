"""Setting up: what is missing or taken is told before anything fails, with what to type."""

import ast
import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import Bake
from tests.harness.choices import TEMPLATE
from tests.harness.processes import add_program, environment, finish, run
from tests.harness.updates import make_repository, take_working_tree

HOOK = (TEMPLATE / "hooks" / "pre_gen_project.py").read_text()
LEAST_COOKIECUTTER = "2.3.1"


@pytest.fixture(scope="module")
def project(bake: Bake) -> Path:
    return bake().folder


@pytest.fixture(params=["project", "template"])
def makefile(request: pytest.FixtureRequest, project: Path, tmp_path: Path) -> Path:
    """A folder with one of the two Makefiles and nothing installed."""
    source = project if request.param == "project" else TEMPLATE
    shutil.copy(source / "Makefile", tmp_path)
    (tmp_path / "requirements-dev.txt").touch()
    return tmp_path


# The Makefiles


def test_make_lists_its_commands(makefile: Path) -> None:
    targets = re.findall(r"^\.PHONY: ([a-z-]+)$", (makefile / "Makefile").read_text(), re.MULTILINE)

    listed = finish("make", folder=makefile).stdout.splitlines()

    assert [re.match(r"([a-z-]+) +\S", line)[1] for line in listed] == targets[1:], "all but help"


def test_too_old_python_installs_nothing(makefile: Path) -> None:
    old = makefile / "old"
    change = "import sys; sys.version_info = (3, 10, 14); exec(sys.argv[1])"
    add_program(old, f'exec "{sys.executable}" -c "{change}" "$2"')

    done = finish("make", "test", f"PYTHON={old}", folder=makefile)

    assert done.returncode != 0
    [said] = done.stdout.splitlines()
    assert said == "This needs Python 3.11 or newer. Name one: make test PYTHON=python3.12"
    assert not (makefile / ".venv").exists()


@pytest.mark.parametrize(("npm", "installs"), [("", True), ("exit 0", True), ("exit 1", False)])
def test_npm_may_be_missing_but_not_fail(npm: str, installs: bool, tmp_path: Path) -> None:
    shutil.copy(TEMPLATE / "Makefile", tmp_path)
    (tmp_path / "requirements-dev.txt").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "touch").symlink_to(shutil.which("touch"))
    if npm:
        add_program(tmp_path / "bin" / "npm", npm)
    make = [shutil.which("make"), ".venv/installed", f"PYTHON={sys.executable}"]

    done = finish(*make, folder=tmp_path, env={"PATH": str(tmp_path / "bin")})

    assert (done.returncode == 0) == installs, done.stderr
    assert (tmp_path / ".venv" / "installed").exists() == installs
    assert ("\nnpm is missing: " in done.stdout) == (npm == "")


def test_install_replaces_what_an_earlier_try_left(project: Path, tmp_path: Path) -> None:
    shutil.copy(project / "Makefile", tmp_path)
    (tmp_path / "requirements-dev.txt").touch()
    left = tmp_path / ".venv" / "bin"
    left.mkdir(parents=True)
    (left / "python3").symlink_to("gone")
    (left / "of-no-lock").touch()

    run("make", "install", f"PYTHON={sys.executable}", folder=tmp_path)

    assert (left / "python3").exists()
    assert not (left / "of-no-lock").exists()


def test_migration_wants_a_message_first(project: Path, tmp_path: Path) -> None:
    shutil.copy(project / "Makefile", tmp_path)

    done = finish("make", "migration", folder=tmp_path)

    assert done.returncode != 0
    assert done.stdout == 'Say what changed: make migration MESSAGE="add likes"\n'
    assert [path.name for path in tmp_path.iterdir()] == ["Makefile"]


@pytest.mark.parametrize(
    ("goals", "command"),
    [
        (["run", "PORT=8001"], "flask run --debug --port 8001"),
        (["flask", "ARGS=shell"], "flask shell"),
        (["test"], "pytest --cov"),
        (["test", "ARGS=-k 'a or b'"], "pytest -k 'a or b'"),
        (["migration", "MESSAGE=add Zoë's likes"], 'flask db migrate --message "$MESSAGE"'),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_goal_runs_command(goals: list[str], command: str, project: Path) -> None:
    said = run("make", "--dry-run", "--old-file=install", *goals, folder=project)

    assert said.splitlines()[-1].endswith(command)


def test_commands_that_are_told_exist(project: Path) -> None:
    makefile = (project / "Makefile").read_text()
    page = project / "my_flask_app" / "templates" / "welcome.html"
    hook = (TEMPLATE / "hooks" / "post_gen_project.py").read_text()
    told = (project / "README.md").read_text() + page.read_text() + hook

    goals = set(re.findall(r"(?:`|<code>| {4}|\d )make ([a-z-]+)", told))

    assert len(goals) > 5
    assert goals <= set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE))


def test_libraries_of_mysqlclient_come_before_it(bake: Bake, tmp_path: Path) -> None:
    readme = bake(database="mysql").text("README.md")
    closing = run(
        "cookiecutter", TEMPLATE, "--no-input", "database=mysql", folder=tmp_path, errors=True
    )

    for told in readme, closing:
        assert 0 < told.index("apt install build-essential") < told.index("make install")
        assert "brew install mysql-client" in told


def test_all_name_the_same_way_to_the_first_deployment(project: Path, tmp_path: Path) -> None:
    page = (project / "my_flask_app" / "templates" / "welcome.html").read_text()
    closing = run("cookiecutter", TEMPLATE, "--no-input", folder=tmp_path, errors=True)

    assert "\n## Deploy on Divio\n" in (project / "README.md").read_text()
    assert "Deploy on Divio" in page
    assert "Deploy on Divio" in closing


def test_messages_in_the_readme_are_ours(project: Path) -> None:
    table = (project / "README.md").read_text().partition("## When something does not work")[2]
    places = {
        "This needs Python 3.11 or newer": "Makefile",
        "This host is not served here": "my_flask_app/errors.py",
        "This site is not public": "my_flask_app/access.py",
        "The environment variables are not usable": "my_flask_app/environment.py",
    }
    for message, place in places.items():
        assert f"`{message}`" in table
        assert message in (project / place).read_text()


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A folder whose `make demo` bakes a project that only tells its port."""
    shutil.copy(TEMPLATE / "Makefile", tmp_path)
    (tmp_path / "requirements-dev.txt").touch()
    add_program(
        tmp_path / ".venv" / "bin" / "cookiecutter",
        "echo 'what comes next' >&2\nmkdir $5/my-flask-app\n"
        "printf 'run:\\n\\t@echo serving at $(PORT)\\n' >$5/my-flask-app/Makefile",
    )
    (tmp_path / ".venv" / "installed").touch()
    (tmp_path / "tmp").mkdir()
    return tmp_path


def test_demo_leaves_nothing(demo: Path) -> None:
    variables = environment() | {"TMPDIR": str(demo / "tmp")}
    said = run("make", "demo", "PORT=8123", folder=demo, env=variables, errors=True)

    assert "serving at 8123\n" in said
    assert "what comes next" not in said
    assert list((demo / "tmp").iterdir()) == []


@pytest.mark.parametrize("goal", ["demo", "demo-blog"])
def test_demo_tells_that_its_port_is_taken(demo: Path, goal: str) -> None:
    variables = environment() | {"TMPDIR": str(demo / "tmp")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = finish("make", goal, f"PORT={port}", folder=demo, env=variables)

    assert done.returncode != 0
    assert done.stdout == f"Port {port} is taken. Take another: make {goal} PORT={port + 1}\n"
    assert list((demo / "tmp").iterdir()) == []


# The tools that bake


def test_hook_parses_on_an_old_python() -> None:
    """As old as those on which a cookiecutter runs that is not too old."""
    ast.parse(HOOK, feature_version=(3, 7))


def rendered(answers: dict[str, str]) -> str:
    return HOOK.replace("{" + "{ cookiecutter | tojson }}", json.dumps(answers))


def test_too_old_python_is_told(tmp_path: Path) -> None:
    script = rendered({"package_name": "app"})
    (tmp_path / "hook.py").write_text(
        f"import sys\nsys.version_info, sys.version = (3, 9, 2), '3.9.2 (old)'\n{script}"
    )

    done = finish(sys.executable, "hook.py", folder=tmp_path)

    assert done.returncode == 1
    [said] = done.stderr.splitlines()
    assert said.startswith("ERROR: cookiecutter runs on Python 3.9.2, and this needs 3.11 or newer")


@pytest.mark.parametrize("version", ["1.7.3", "2.2.3", LEAST_COOKIECUTTER])
def test_cookiecutter_is_new_enough_or_told(version: str, project: Path, tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    run("uv", "venv", "--python", sys.executable, tmp_path / "venv")
    run("uv", "pip", "install", "--python", python, f"cookiecutter=={version}")
    out = tmp_path / "out"
    out.mkdir()

    command = [python, "-m", "cookiecutter", TEMPLATE, "--no-input"]
    # The oldest cannot derive one from the name.
    done = finish(*command, "project_slug=my-flask-app", folder=out)

    if version == LEAST_COOKIECUTTER:
        assert done.returncode == 0, done.stderr
        run("diff", "--recursive", "--exclude=.git", out / "my-flask-app", project)
    else:
        assert done.returncode != 0
        first, *_ = done.stderr.splitlines()
        assert first.startswith(
            f"ERROR: This cookiecutter is too old, {LEAST_COOKIECUTTER} or newer"
        )
        assert list(out.iterdir()) == []
    assert f"{LEAST_COOKIECUTTER} or newer" in (TEMPLATE / "README.md").read_text()


# Wrong answers

ANSWERS = {
    "project_name": 'It\'s $(id) "mine"',
    "project_slug": "mine",
    "description": "Zo\u00eb's; `id` \\n %s",
    "database": "mysql",
}


def again(done: subprocess.CompletedProcess[str]) -> str:
    """Return the command that the hook gave in its last line."""
    assert done.returncode != 0
    lines = done.stderr.splitlines()
    return lines[lines.index("To give the answers again, with what is still '' filled in:") + 1]


def assert_baked(project: Path) -> None:
    settings = tomllib.loads((project / "pyproject.toml").read_text())
    assert (project / "README.md").read_text().startswith(f"# {ANSWERS['project_name']}\n")
    assert settings["project"]["description"] == ANSWERS["description"]
    assert "mysqlclient>=2.3" in settings["project"]["dependencies"]
    assert (project / "good" / "__init__.py").is_file()


def test_cookiecutter_is_given_the_good_answers_again(tmp_path: Path) -> None:
    given = [f"{name}={value}" for name, value in (ANSWERS | {"package_name": "flask"}).items()]
    command = again(finish("cookiecutter", TEMPLATE, "--no-input", *given, folder=tmp_path))
    assert command.endswith(" package_name=''")

    run("bash", "-c", command, folder=tmp_path, fails=True)
    run("bash", "-c", command.replace("''", "good"), folder=tmp_path)

    assert_baked(tmp_path / "mine")


def test_cruft_is_given_the_good_answers_again(tmp_path: Path) -> None:
    template = tmp_path / "template"
    take_working_tree(template)
    make_repository(template)
    context = json.dumps(ANSWERS | {"package_name": "flask"})
    create = ["cruft", "create", template, "--no-input", "--extra-context", context]

    command = again(finish(*create, folder=tmp_path))
    run("bash", "-c", command.replace(': ""}', ': "good"}'), folder=tmp_path)

    assert_baked(tmp_path / "mine")


def test_command_names_the_checkout(tmp_path: Path) -> None:
    answers = {"project_name": "A", "description": "", "application": "new"}
    names = ["project_slug", "package_name", "divio_slug", "wsgi_app"]
    private = {"_template": "gh:o/t", "_output_dir": str(tmp_path), "_checkout": "1.0 beta"}
    choices = {"python_version", "database", "gateway_server", "media_storage", "reverse_proxy"}
    given = answers | dict.fromkeys([*names, *choices, "ci", "found"], "a") | private
    (tmp_path / "hook.py").write_text(rendered(given))
    (tmp_path / "a").mkdir()

    command = again(finish(sys.executable, "../hook.py", folder=tmp_path / "a"))

    start = ["cookiecutter", "gh:o/t", "--checkout", "1.0 beta", "--no-input"]
    assert shlex.split(command)[:5] == start
