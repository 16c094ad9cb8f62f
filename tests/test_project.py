"""Every core combination, installed from its lock and run on real servers as Divio runs it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import boto3
import pytest
import requests
import servers
from combinations import CORES, TEMPLATE, title
from conftest import Bake
from moto.server import ThreadedMotoServer

PACKAGE = "my_flask_app"
DOMAIN = "app.example.org"
SECRETS = ("the-secret-key", "storage%2Fsecret", "storage/secret")
# Docker kills a container ten seconds after it asked it to stop.
SECONDS_TO_STOP = 10
PICTURE = bytes(range(256)) * 4096

tool = Path(sys.executable).with_name


@dataclass(frozen=True)
class Project:
    """A baked project and the commands of its virtual environment."""

    answers: dict[str, str]
    folder: Path
    bin: Path

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        path = f"{self.bin}:{os.environ['PATH']}"
        return kept | {"PATH": path, "FLASK_APP": PACKAGE} | more

    def run(self, *command: str, **environment: str) -> str:
        """Run a command, which has to succeed, and return all that it prints."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f"{title(self.answers)}: {command}\n{done.stdout}"
        return done.stdout


@pytest.fixture(scope="session", params=CORES, ids=title)
def project(request: pytest.FixtureRequest, bake: Bake) -> Project:
    """A project with its locked dependencies, as `make install` leaves it."""
    folder = bake(**request.param)
    uv = str(tool("uv"))
    for command in (
        ["git", "add", "."],
        [uv, "venv", "--quiet", "--python", sys.executable, ".venv"],
    ):
        subprocess.run(command, cwd=folder, check=True)
    install = [uv, "pip", "install", "--quiet", "--require-hashes", "-r", "requirements-dev.txt"]
    if subprocess.run(install, cwd=folder).returncode:
        servers.missing("way to install the project, which may need a compiler and MySQL's library")
    (folder / ".venv" / "installed").touch()
    return Project(request.param, folder, folder / ".venv" / "bin")


@pytest.fixture(scope="session")
def deployed(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project as the image has it, in which a server may run here."""
    folder = tmp_path_factory.mktemp("deployed") / "app"
    shutil.copytree(project.folder, folder, ignore=shutil.ignore_patterns(".venv", ".git"))
    if os.geteuid() == 0:
        # The account that root gives way to in the image could not read this folder.
        for settings in {"gunicorn.conf.py", "uwsgi.ini"} & {
            path.name for path in folder.iterdir()
        }:
            text = (folder / settings).read_text()
            assert "www-data" in text
            (folder / settings).write_text(text.replace("www-data", "root"))
    deployed = replace(project, folder=folder)
    deployed.run("python", "-m", "whitenoise.compress", "--quiet", f"{PACKAGE}/static")
    return deployed


@pytest.fixture(scope="session")
def server(worker_servers: ExitStack, running: dict[str, str], project: Project) -> str:
    """The URL of a database server of the project's kind, up to the name of the database."""
    kind = project.answers["database"]
    if kind not in running:
        running[kind] = worker_servers.enter_context(getattr(servers, kind)())
    return running[kind]


@pytest.fixture(scope="session")
def running() -> dict[str, str]:
    return {}


@pytest.fixture(scope="session")
def worker_servers() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The URL of an S3 API."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_its_own_gate_passes(project: Project) -> None:
    project.run("make", "check")
    # As git runs it, without the virtual environment on PATH.
    bare_path = os.environ["PATH"]
    project.run(str(project.bin / "pre-commit"), "run", "--all-files", PATH=bare_path)
    assert subprocess.run(["git", "diff", "--quiet"], cwd=project.folder).returncode == 0


def test_its_tests_pass_on_the_real_server(project: Project, server: str) -> None:
    url = servers.new_database(server, f"{title(project.answers)}-tests")

    project.run("make", "test", TEST_DATABASE_URL=url)


def test_it_imports_without_any_setting(project: Project) -> None:
    project.run("python", "-c", f"import {PACKAGE}; {PACKAGE}.create_app({{}})")


def test_unusable_settings_stop_each_command_with_one_message(deployed: Project) -> None:
    project = deployed
    settings = {"STAGE": "live", "PORT": str(servers.free_port())}
    secret = "p/ssw#rd"
    settings["DATABASE_URL"] = f"oracle://user:{secret}@host/name"
    settings["DEFAULT_STORAGE_DSN"] = f"ftp://key:{secret}@host/"
    settings["WEB_THREADS"] = "many"

    for command in (gateway_server(project), ["flask", "check"], ["flask", "db", "upgrade"]):
        done = subprocess.run(
            command,
            cwd=project.folder,
            env=project.environment(**settings),
            capture_output=True,
            text=True,
            timeout=30,
        )
        said = done.stdout + done.stderr
        assert done.returncode != 0, command
        assert "Traceback" not in said, said
        assert secret not in said
        for name in ("SECRET_KEY", "DATABASE_URL", "DEFAULT_STORAGE_DSN", "WEB_THREADS"):
            assert said.count(f"- {name}: ") == 1, said


def gateway_server(project: Project) -> list[str]:
    """Return the command of the image."""
    dockerfile = (project.folder / "Dockerfile").read_text()
    return json.loads(dockerfile.rpartition("\nCMD ")[2])


def add_notes(project: Project) -> None:
    """Follow the section "Develop" of the project's README."""
    readme = (project.folder / "README.md").read_text()
    package = project.folder / PACKAGE
    module, page = (
        re.search(rf"```{kind}\n(.*?)```", readme, re.DOTALL)[1] for kind in ("python", "html")
    )
    (package / "notes.py").write_text(module)
    (package / "templates" / "notes.html").write_text(page)
    factory = (package / "__init__.py").read_text()
    factory = factory.replace("    media,\n", "    media,\n    notes,\n")
    registered = "    app.register_blueprint(pages.blueprint)\n"
    factory = factory.replace(
        registered, f"{registered}    app.register_blueprint(notes.blueprint)\n"
    )
    (package / "__init__.py").write_text(factory)


@dataclass(frozen=True)
class Site:
    """A running project with the feature that its README describes."""

    project: Project
    url: str
    settings: dict[str, str]
    process: subprocess.Popen
    log: Path

    def get(
        self, path: str, host: str = DOMAIN, scheme: str = "https", **headers: str
    ) -> requests.Response:
        """Ask as Divio's load balancer does."""
        sent = {"Host": host, "X-Forwarded-Proto": scheme, "Connection": "close"} | headers
        return requests.get(self.url + path, headers=sent, allow_redirects=False, timeout=20)


@pytest.fixture(scope="session")
def settings(deployed: Project, server: str, s3: str) -> dict[str, str]:
    """What Divio sets for the project, whose database is migrated."""
    project, name = deployed, title(deployed.answers)
    add_notes(project)
    settings = {
        "STAGE": "test",
        "SECRET_KEY": SECRETS[0],
        "DATABASE_URL": servers.new_database(server, name),
        "DEFAULT_STORAGE_DSN": storage(project, s3, name),
        "DOMAIN": f" {DOMAIN} ",
        "DOMAIN_ALIASES": "",
        "DOMAIN_REDIRECTS": "www.example.org",
        "WEB_CONCURRENCY": "",
    }
    project.run("flask", "db", "upgrade", **settings)
    project.run("flask", "db", "migrate", "-m", "Add notes", **settings)
    project.run("flask", "db", "upgrade", **settings)
    return settings


@contextmanager
def serve(project: Project, settings: dict[str, str]) -> Iterator[Site]:
    """Run the command of the image."""
    port = servers.free_port()
    settings = settings | {"PORT": f" {port} "}
    log = project.folder.parent / f"log-{port}"
    with log.open("w") as output:
        process = subprocess.Popen(
            gateway_server(project),
            cwd=project.folder,
            env=project.environment(**settings),
            stdout=output,
            stderr=output,
        )
    site = Site(project, f"http://127.0.0.1:{port}", settings, process, log)
    try:
        servers.wait_for(lambda _: site.get("/healthz"), site.url)
        yield site
    except TimeoutError:
        pytest.fail(log.read_text())
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def site(deployed: Project, settings: dict[str, str]) -> Iterator[Site]:
    with serve(deployed, settings) as site:
        yield site


def storage(project: Project, s3: str, name: str) -> str:
    if project.answers["media_storage"] == "local":
        return f"file://{project.folder}/data/media/?url=%2Fmedia%2F"
    client = boto3.client(
        "s3",
        endpoint_url=s3,
        region_name="us-east-1",
        aws_access_key_id="k",
        aws_secret_access_key="s",
    )
    client.create_bucket(Bucket=name)
    return f"s3://key:{SECRETS[1]}@{name}/prefix?endpoint={s3}"


@pytest.mark.parametrize("path", ["/", "/hello", "/healthz", "/readyz", "/notes/"])
def test_page_is_served(site: Site, path: str) -> None:
    response = site.get(path)

    assert response.status_code == 200, site.log.read_text()
    assert "Strict-Transport-Security" in response.headers or path in {"/healthz", "/readyz"}


def test_deployed_welcome_page_shows_no_state(site: Site) -> None:
    assert "Database" not in site.get("/").text


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_knows_no_host_and_no_https(site: Site, path: str) -> None:
    assert site.get(path, host="10.0.0.164:11453", scheme="http").status_code == 200


@pytest.mark.parametrize(
    ("host", "scheme", "location"),
    [
        (DOMAIN, "http", f"https://{DOMAIN}/hello?a=b"),
        ("www.example.org", "https", f"https://{DOMAIN}/hello?a=b"),
        ("www.example.org", "http", f"https://{DOMAIN}/hello?a=b"),
    ],
)
def test_visitor_is_redirected_once(site: Site, host: str, scheme: str, location: str) -> None:
    response = site.get("/hello?a=b", host, scheme)

    assert (response.status_code, response.headers["Location"]) == (302, location)
    assert site.get("/hello?a=b").status_code == 200


def test_unknown_host_is_refused(site: Site) -> None:
    assert site.get("/", host="evil.example").status_code == 400


def test_probe_of_the_platform_passes(site: Site) -> None:
    response = requests.get(
        site.url, headers={"Host": "10.0.0.164:11453"}, timeout=20, allow_redirects=False
    )

    assert response.status_code < 500
    assert response.elapsed.total_seconds() < 20


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_static_file_has_a_hash_and_is_compressed_and_kept(site: Site, encoding: str) -> None:
    path = re.search(r"/static/style\.[0-9a-f]{12}\.css", site.get("/").text)[0]

    response = site.get(path, **{"Accept-Encoding": encoding})

    assert response.status_code == 200
    assert response.headers["Content-Encoding"] == encoding
    assert "immutable" in response.headers["Cache-Control"]
    assert site.get("/static/style.css").headers["Cache-Control"] == "max-age=300, public"


@pytest.mark.parametrize(
    ("accept", "kind"), [("text/html", "text/html"), ("application/json",) * 2]
)
def test_error_page_is_what_the_client_accepts(site: Site, accept: str, kind: str) -> None:
    response = site.get("/nowhere", Accept=accept)

    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith(kind)
    assert response.headers["X-Request-ID"] in response.text


def test_upload_is_stored_shown_and_read_back(site: Site) -> None:
    page = site.get("/notes/")
    token = re.search(r'name="csrf_token" value="(.+?)"', page.text)[1]
    headers = {
        "Host": DOMAIN,
        "X-Forwarded-Proto": "https",
        "Referer": f"https://{DOMAIN}/notes/",
        "Cookie": page.headers["Set-Cookie"].partition(";")[0],
    }
    sent = {"data": {"text": "H\u00e9llo \U0001f600", "csrf_token": token}, "headers": headers}
    upload = {"picture": ("../../caf\u00e9 1.png", PICTURE, "image/png")}

    answer = requests.post(
        f"{site.url}/notes/", files=upload, timeout=20, allow_redirects=False, **sent
    )
    page = site.get("/notes/").text
    picture = re.findall(r'<img src="(.+?)"', page)[-1]

    assert answer.status_code == 302, answer.text
    assert "H\u00e9llo \U0001f600" in page
    read = site.get(picture) if picture.startswith("/") else requests.get(picture, timeout=20)
    assert read.content == PICTURE
    assert read.headers["Content-Type"] == "image/png"


def test_form_without_a_token_is_refused(site: Site) -> None:
    headers = {"Host": DOMAIN, "X-Forwarded-Proto": "https"}
    answer = requests.post(f"{site.url}/notes/", {"text": "x"}, headers=headers, timeout=20)

    assert answer.status_code == 400


def test_grown_project_passes_its_linters(site: Site) -> None:
    site.project.run("ruff", "check")
    site.project.run("ruff", "format", "--check")
    site.project.run("mypy")


def test_migrations_go_down_and_up_again(site: Site) -> None:
    for command in ("downgrade", "upgrade", "check"):
        site.project.run("flask", "db", command, **site.settings)


def test_flask_check_tells_that_all_is_well(site: Site) -> None:
    said = site.project.run("flask", "check", **site.settings)

    assert "FAILED" not in said
    assert said.count("ok ") == 5


def test_flask_check_tells_what_is_wrong(site: Site) -> None:
    broken = {
        "DATABASE_URL": re.sub(r":\d+/", f":{servers.free_port()}/", site.settings["DATABASE_URL"]),
        "DEFAULT_STORAGE_DSN": "file:///proc/nowhere/",
    }
    done = subprocess.run(
        ["flask", "check"],
        cwd=site.project.folder,
        env=site.project.environment(**site.settings | broken),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert re.findall(r"FAILED +(\w+)", done.stdout) == ["database", "migrations", "media"]
    assert "Traceback" not in done.stdout + done.stderr


def test_server_stops_in_time_and_its_log_holds_no_secret(
    deployed: Project, settings: dict[str, str]
) -> None:
    with serve(deployed, settings) as site:
        site.get("/hello")
        site.process.terminate()
        assert site.process.wait(SECONDS_TO_STOP) == 0

    log = site.log.read_text()
    assert re.search(r"INFO \[\w+\] my_flask_app\.access: GET /hello 200 \d+ ms", log), log
    assert not [secret for secret in SECRETS if secret in log]
    assert "Traceback" not in log


def test_no_package_can_hide_what_the_project_imports(project: Project) -> None:
    code = "import importlib.metadata as m; print(*m.packages_distributions())"
    installed = {name for name in project.run("python", "-c", code).split() if name.islower()}
    hook = (TEMPLATE / "hooks" / "pre_gen_project.py").read_text()
    taken = set(re.search(r'TAKEN_NAMES = set\(\n    """(.*?)"""', hook, re.DOTALL)[1].split())

    assert {name for name in installed if name.isidentifier() and name[0] != "_"} <= taken
