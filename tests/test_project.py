"""Every core combination, installed from its lock and run on real servers as Divio runs it."""

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests

from tests.harness import edge
from tests.harness.azurite import MAKE_CONTAINER, dsn_of
from tests.harness.baked import Baked
from tests.harness.choices import ONE_OF_EACH_SERVER, PAIRED_CORES, constant_of_hook
from tests.harness.databases import new_database
from tests.harness.edge import DOMAIN
from tests.harness.processes import descendants, eventually, free_port
from tests.harness.sites import Site, gateway_server, serve
from tests.harness.updates import git

# The last two for storages: azurite.KEY begins with the same.
SECRETS = ("the-secret-key", "storage%2Fsecret", "storage/secret")
PICTURE = bytes(range(256)) * 4096

Get = Callable[[str], Any]

pytestmark = pytest.mark.sample(PAIRED_CORES)
one_of_each_server = pytest.mark.sample(ONE_OF_EACH_SERVER)


@pytest.fixture(scope="session")
def get(request: pytest.FixtureRequest) -> Get:
    """Return what starts the server of a name that only some projects need."""
    return request.getfixturevalue


# On SQLite, test_first_day.py has it pass.
def test_its_own_gate_passes_on_a_server(
    project: Baked, server: str, get: Get, mypy_cache: str
) -> None:
    settings = {"TEST_DATABASE_URL": new_database(server, f"{project}-tests")}
    # The other core with azure is tested on the project's own stand-in.
    if project.answers["media_storage"] == "azure" and project.answers["database"] == "postgres":
        settings["TEST_AZURE_DSN"] = dsn_of("missing", "127.0.0.1", get("azurite"))

    project.run("make", "check", MYPY_CACHE_DIR=mypy_cache, **settings)
    # As git runs it, without the virtual environment on PATH.
    bare_path = os.environ["PATH"]
    project.run(project.bin / "pre-commit", "run", "--all-files", PATH=bare_path)
    assert git(project.folder, "diff") == ""


def test_it_imports_without_any_setting(project: Baked) -> None:
    package = project.package
    project.run("python", "-c", f"import {package}; {package}.create_app({{}})")


def test_unusable_settings_stop_each_command_with_one_message(deployed: Baked) -> None:
    secret = "p/ssw#rd"
    settings = {
        "STAGE": "live",
        "BASIC_AUTH": secret,
        "DATABASE_URL": f"oracle://user:{secret}@host/name",
        "DEFAULT_STORAGE_DSN": f"ftp://key:{secret}@host/",
        "DOMAIN": "https://example.com/x",
        "DOMAIN_ALIASES": "a b",
        "DOMAIN_REDIRECTS": "*.example.com",
        "PORT": "80a80",
        "WEB_CONCURRENCY": "2.5",
        "WEB_THREADS": "-1",
    }
    for command in (gateway_server(deployed), ["flask", "check"], ["flask", "db", "upgrade"]):
        said = deployed.run(*command, fails=True, **settings)

        assert "Traceback" not in said, said
        assert secret not in said
        for name in {"SECRET_KEY", *settings} - {"STAGE"}:
            assert said.count(f"- {name}: ") == 1, said


@one_of_each_server
@pytest.mark.parametrize("name", ["PORT", "WEB_CONCURRENCY", "WEB_THREADS"])
@pytest.mark.parametrize("value", ["abc", "80a80", "2.5", "-1", "0", "2 3", "70000", "9" * 30])
def test_server_does_not_start_with_another_number(deployed: Baked, name: str, value: str) -> None:
    settings = {"PORT": str(free_port()), name: value}
    said = deployed.run(*gateway_server(deployed), fails=True, **settings)

    assert re.findall(r"^- (\w+): must be a whole number from 1 to \d+\.$", said, re.M) == [name]
    assert "Traceback" not in said, said


@pytest.fixture(scope="session")
def settings(deployed: Baked, server: str, get: Get) -> dict[str, str]:
    """What Divio sets for the project, whose database is migrated."""
    deployed.add_example_of_readme()
    settings = {
        "STAGE": "test",
        "SECRET_KEY": SECRETS[0],
        "DATABASE_URL": new_database(server, str(deployed)),
        "DEFAULT_STORAGE_DSN": storage(deployed, get),
        "DOMAIN": f" {DOMAIN} ",
        "DOMAIN_ALIASES": "",
        "DOMAIN_REDIRECTS": "www.example.org",
        "WEB_CONCURRENCY": "",
    }
    deployed.run("flask", "db", "upgrade", **settings)
    deployed.run("flask", "db", "migrate", "-m", "Add notes", **settings)
    deployed.run("flask", "db", "upgrade", **settings)
    return settings


@pytest.fixture(scope="session")
def site(deployed: Baked, settings: dict[str, str]) -> Iterator[Site]:
    with serve(deployed, settings) as site:
        yield site


def storage(project: Baked, get: Get) -> str:
    if project.answers["media_storage"] == "local":
        return f"file://{project.folder}/data/media/?url=%2Fmedia%2F"
    if project.answers["media_storage"] == "azure":
        dsn = dsn_of(str(project), "127.0.0.1", get("azurite"))
        project.run("python", "-c", MAKE_CONTAINER, dsn)
        return dsn
    s3 = get("s3")
    client = boto3.client(
        "s3",
        endpoint_url=s3,
        region_name="us-east-1",
        aws_access_key_id="k",
        aws_secret_access_key="s",
    )
    client.create_bucket(Bucket=str(project))
    return f"s3://key:{SECRETS[1]}@{project}/prefix?endpoint={s3}"


@pytest.mark.parametrize("path", ["/", "/hello", "/healthz", "/readyz", "/notes/"])
def test_page_is_served(site: Site, path: str) -> None:
    response = site.get(path)

    assert response.status_code == 200, site.log.read_text()
    assert "Strict-Transport-Security" in response.headers or path in {"/healthz", "/readyz"}


def test_page_without_a_session_may_be_kept_by_any_cache(site: Site) -> None:
    assert not {"Cache-Control", "Set-Cookie", "Vary"} & set(site.get("/hello").headers)


def test_deployed_welcome_page_shows_no_state(site: Site) -> None:
    assert "Database" not in site.get("/").text


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_knows_no_host_and_no_https(site: Site, path: str) -> None:
    assert edge.probe(site.url + path).status_code == 200


@pytest.mark.parametrize(
    ("host", "scheme", "location"),
    [
        (DOMAIN, "http", f"https://{DOMAIN}/hello?a=b"),
        ("www.example.org", "https", f"https://{DOMAIN}/hello?a=b"),
        ("www.example.org", "http", f"https://{DOMAIN}/hello?a=b"),
    ],
)
def test_visitor_is_redirected_once(site: Site, host: str, scheme: str, location: str) -> None:
    response = site.get("/hello?a=b", **{"Host": host, "X-Forwarded-Proto": scheme})

    assert (response.status_code, response.headers["Location"]) == (302, location)
    assert site.get("/hello?a=b").status_code == 200


def test_unknown_host_is_refused(site: Site) -> None:
    assert site.get("/", Host="evil.example").status_code == 400


def test_probe_of_the_platform_passes(site: Site) -> None:
    response = edge.probe(site.url)

    assert response.status_code < 500
    assert response.elapsed.total_seconds() < 20


def test_connections_that_say_nothing_hold_up_nobody(site: Site) -> None:
    address = urlsplit(site.url)
    with ExitStack() as stack:
        for _ in range(150):  # more than threads of all workers
            stack.enter_context(socket.create_connection((address.hostname, address.port)))
        response = site.get("/hello")

    assert response.elapsed.total_seconds() < 5


HOST, HTTPS = f"Host: {DOMAIN}\r\n".encode(), b"X-Forwarded-Proto: https\r\n"


def exchange(site: Site, start: bytes, *headers: bytes) -> bytes:
    """Send the start of a request, and return the first line of the answer."""
    address = urlsplit(site.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as client:
        client.sendall(start + b"\r\n" + b"".join(headers) + b"\r\n")
        return client.makefile("rb").readline()


@pytest.mark.parametrize(
    ("start", "headers", "statuses"),
    [
        (b"GET /notes/?q=%ff HTTP/1.1", [HOST, HTTPS], {200}),
        (b"GET /notes/?q=\xff HTTP/1.1", [HOST, HTTPS], {400}),
        (b"GET /notes/\xff HTTP/1.1", [HOST, HTTPS], {400, 404}),
        (b"GET /notes/ HTTP/1.1", [b"Host: \xff\r\n", HTTPS], {400}),
        (b"GET /notes/ HTTP/1.1", [HOST, b"X-Forwarded-Proto: \xff\r\n"], {302}),
        (b"GET /notes/ HTTP/1.1", [HOST, HTTPS, b"Cookie: session=\xff\r\n"], {200}),
        (b"GET /notes/ HTTP/1.1", [HOST, HTTPS, b"A: " + b"a" * 50_000 + b"\r\n"], {200, 431}),
        (b"GET /notes/?" + b"a" * 25_000 + b" HTTP/1.1", [HOST, HTTPS], {200, 414}),
        # More than is allowed, and never sent.
        (b"POST /notes/ HTTP/1.1", [HOST, HTTPS, b"Content-Length: 500000000\r\n"], {413}),
    ],
    ids=["escape", "query", "path", "host", "scheme", "cookie", "header", "url", "body"],
)
def test_odd_request_is_answered(
    site: Site, start: bytes, headers: list[bytes], statuses: set[int]
) -> None:
    answer = exchange(site, start, *headers)

    assert int(answer[9:12] or 0) in statuses, answer


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
        "Referer": f"https://{DOMAIN}/notes/",
        "Cookie": page.headers["Set-Cookie"].partition(";")[0],
    }
    form = {"text": "H\u00e9llo \U0001f600", "csrf_token": token}
    upload = {"picture": ("../../caf\u00e9 1.png", PICTURE, "image/png")}

    answer = edge.post(f"{site.url}/notes/", headers, data=form, files=upload)
    page = site.get("/notes/").text
    picture = re.findall(r'<img src="(.+?)"', page)[-1]

    assert answer.status_code == 302, answer.text
    assert "H\u00e9llo \U0001f600" in page
    read = site.get(picture) if picture.startswith("/") else requests.get(picture, timeout=20)
    assert read.content == PICTURE
    assert read.headers["Content-Type"] == "image/png"


def test_form_without_a_token_is_refused(site: Site) -> None:
    assert edge.post(f"{site.url}/notes/", data={"text": "x"}).status_code == 400


def test_grown_project_passes_its_linters(site: Site, mypy_cache: str) -> None:
    site.project.run("ruff", "check")
    site.project.run("ruff", "format", "--check")
    site.project.run("mypy", MYPY_CACHE_DIR=mypy_cache)


def test_migrations_go_down_and_up_again(site: Site) -> None:
    for command in ("downgrade", "upgrade", "check"):
        site.project.run("flask", "db", command, **site.settings)


def test_flask_check_tells_that_all_is_well(site: Site) -> None:
    said = site.project.run("flask", "check", **site.settings)

    assert "FAILED" not in said
    assert said.count("ok ") == 6


def test_flask_check_tells_what_is_wrong(site: Site) -> None:
    broken = {
        "DATABASE_URL": re.sub(r":\d+/", f":{free_port()}/", site.settings["DATABASE_URL"]),
        "DEFAULT_STORAGE_DSN": "file:///proc/nowhere/",
    }
    check = ["sh", "-c", "flask check; test $? = 1"]
    said = site.project.run(*check, **site.settings | broken)

    assert re.findall(r"FAILED +(\w+)", said) == ["database", "migrations", "media", "upload"]
    assert "Traceback" not in said


def test_server_stops_in_time_and_its_log_holds_no_secret(
    deployed: Baked, settings: dict[str, str]
) -> None:
    large = deployed.folder / deployed.package / "static" / "large.bin"
    large.write_bytes(bytes(2**24))
    with serve(deployed, settings) as site:
        site.get("/hello")
        for start in ("/?q={} a", "/?q={}\xff", "/static/large.bin?q={}"):  # more than is read
            exchange(site, f"GET {start.format(SECRETS[0])} HTTP/1.1".encode("latin-1"), HOST)
        site.stop()
    large.unlink()

    log = site.log.read_text()
    assert re.search(r"INFO \[\w+\] my_flask_app\.access: GET /hello 200 \d+ ms", log), log
    assert not [secret for secret in SECRETS if secret in log]
    assert "Traceback" not in log


def test_site_with_a_password(deployed: Baked, settings: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "a").write_text("media")
    media = {"DEFAULT_STORAGE_DSN": f"file://{tmp_path}/?url=%2Fmedia%2F"}
    knowing = {"Authorization": "Basic dXNlcjpwYTpzczpcw7w="}
    with serve(deployed, settings | media | {"BASIC_AUTH": "user:pa:ss:\\\xfc"}) as site:
        for path in ("/", "/static/style.css", "/media/a", "/hello", "/nowhere"):
            stranger, member = site.get(path), site.get(path, **knowing)
            plain = site.get(path, **{"X-Forwarded-Proto": "http"})
            assert stranger.status_code == 401, path
            assert stranger.headers["WWW-Authenticate"].startswith("Basic realm="), path
            assert member.status_code == (404 if path == "/nowhere" else 200), path
            assert plain.headers["Location"] == f"https://{DOMAIN}{path}"
            for response in (stranger, member, plain):
                assert response.headers["Cache-Control"] == "no-store", path
                assert response.headers["X-Robots-Tag"] == "noindex", path
        assert edge.probe(site.url).status_code < 500
        for path in ("/healthz", "/readyz"):
            assert edge.probe(site.url + path).status_code == 200, path


def test_workers_are_as_many_as_told(deployed: Baked, settings: dict[str, str]) -> None:
    routers = {"gunicorn": 0, "uwsgi": 1}
    expected = 3 + routers[deployed.answers["gateway_server"]]
    with serve(deployed, settings | {"WEB_CONCURRENCY": " 3 "}) as site:
        started = lambda: len(descendants(site.process.pid)) == expected  # noqa: E731
        eventually(started, f"{expected} processes")


def test_no_package_can_hide_what_the_project_imports(project: Baked) -> None:
    code = "import importlib.metadata as m; print(*m.packages_distributions())"
    installed = {name for name in project.run("python", "-c", code).split() if name.islower()}

    taken = constant_of_hook("pre_gen_project", "TAKEN_NAMES", set=set)
    assert {name for name in installed if name.isidentifier() and name[0] != "_"} <= taken
