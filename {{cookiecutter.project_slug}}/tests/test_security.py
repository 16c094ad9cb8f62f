import io
import time
from collections.abc import Callable
from unittest.mock import Mock

import pytest
from conftest import MB, MakeApp, views
from flask import Flask, g, request, session
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from itsdangerous import TimestampSigner

from {{ cookiecutter.package_name }} import errors

MakeClient = Callable[..., FlaskClient]

DEPLOYED = {"STAGE": "live", "SECRET_KEY": "a-random-key"}
DOMAINS = {"DOMAIN": "a.example", "DOMAIN_REDIRECTS": "www.a.example, b.example"}
HTTPS = {"X-Forwarded-Proto": "https"}


@views.get("/remember")
def remember() -> str:
    session["a"] = "b"
    return ""


@views.get("/recall")
def recall() -> str:
    if "a" not in g:
        g.a = session.get("a")
    return str(g.a)


@views.get("/cached")
def cached() -> tuple[str, dict[str, str]]:
    return str(session.get("a")), {"Cache-Control": "no-store"}


@views.get("/seen")
def seen() -> dict[str, str | None]:
    return {"address": request.remote_addr, "host": request.host, "scheme": request.scheme}


@views.get("/token")
def token() -> str:
    return str(generate_csrf())


@views.post("/form")
def form() -> str:
    return request.form["field"]


@views.post("/upload")
def upload() -> str:
    return str(len(request.get_data()))
{% if cookiecutter.gateway_server == 'gunicorn' %}


@views.post("/stream")
def stream() -> str:
    return str(sum(map(len, iter(lambda: request.stream.read(1000), b""))))
{% endif %}


@pytest.fixture
def make_client(make_app: MakeApp) -> MakeClient:
    """Return a function that makes an application and a client for it."""
    return lambda **environ: make_app(**environ).test_client()


@pytest.mark.parametrize(
    ("environ", "host", "status"),
    [
        ({}, "anything.example", 200),
        ({"DOMAIN": "a.example"}, "a.example", 200),
        ({"DOMAIN": "a.example"}, "a.example:8000", 200),
        ({"DOMAIN": "a.example"}, "b.example", 400),
        ({"DOMAIN": "a.example"}, "b.a.example", 400),
        ({"DOMAIN": "a.example"}, "10.0.0.164:11453", 400),
        ({"DOMAIN_ALIASES": "localhost, 127.0.0.1"}, "localhost:8000", 200),
        ({"DOMAIN_ALIASES": "localhost, 127.0.0.1"}, "127.0.0.1", 200),
        ({"DOMAIN_ALIASES": "localhost, 127.0.0.1"}, "a.example", 400),
        ({"DOMAIN": "a.example", "DOMAIN_ALIASES": ".*"}, "b.example", 200),
    ],
    ids=str,
)
def test_host(make_client: MakeClient, environ: dict[str, str], host: str, status: int) -> None:
    assert make_client(**environ).get("/tests/page", headers={"Host": host}).status_code == status


def test_refused_host_gets_no_page(make_client: MakeClient) -> None:
    client = make_client(**DEPLOYED, **DOMAINS)
    response = client.get("/tests/page", headers={"Host": "evil.example"})
    assert (response.status_code, response.mimetype) == (400, "text/plain")
    assert "evil" not in response.text


@pytest.mark.parametrize(
    ("method", "status"),
    [("GET", 302), ("HEAD", 302), ("POST", 307), ("PUT", 307), ("DELETE", 307)],
)
@pytest.mark.parametrize("path", ["/tests/form", "/tests/nowhere"])
def test_http_becomes_https(make_client: MakeClient, method: str, path: str, status: int) -> None:
    client = make_client(**DEPLOYED, DOMAIN="a.example")
    response = client.open(f"{path}?q=%C3%BC", method=method, headers={"Host": "a.example"})
    assert response.status_code == status
    assert response.location == f"https://a.example{path}?q=%C3%BC"


@pytest.mark.parametrize("host", ["www.a.example", "b.example", "b.example:8000"])
@pytest.mark.parametrize("headers", [{}, HTTPS], ids=["http", "https"])
def test_other_domain_is_redirected_to_the_main_one(
    make_client: MakeClient, host: str, headers: dict[str, str]
) -> None:
    client = make_client(**DEPLOYED, **DOMAINS)
    response = client.get("/a%20b?q=1&r=%26", headers={"Host": host, **headers})
    assert response.status_code == 302
    assert response.location == "https://a.example/a%20b?q=1&r=%26"


def test_other_domain_is_redirected_without_https_where_it_is_off(make_client: MakeClient) -> None:
    response = make_client(**DOMAINS).get("/tests/page", headers={"Host": "b.example"})
    assert (response.status_code, response.location) == (302, "http://a.example/tests/page")


@pytest.mark.parametrize(
    ("environ", "headers"),
    [
        ({}, {"Host": "a.example"}),
        (DEPLOYED, {"Host": "a.example", **HTTPS}),
        (DEPLOYED | DOMAINS, {"Host": "a.example", **HTTPS}),
        (DEPLOYED | DOMAINS | {"DOMAIN_REDIRECTS": "a.example"}, {"Host": "a.example", **HTTPS}),
        (DEPLOYED | {"DOMAIN_REDIRECTS": "a.example"}, {"Host": "a.example", **HTTPS}),
        (DEPLOYED | {"SECURE_SSL_REDIRECT": "False"}, {"Host": "a.example"}),
    ],
    ids=["local", "https", "main-domain", "to-itself", "to-nowhere", "https-off"],
)
def test_main_url_is_not_redirected(
    make_client: MakeClient, environ: dict[str, str], headers: dict[str, str]
) -> None:
    assert make_client(**environ).get("/tests/page", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "/%0d%0aa:%20b"])
def test_redirect_stays_on_the_domain(make_client: MakeClient, path: str) -> None:
    client = make_client(**DEPLOYED, **DOMAINS)
    response = client.open(environ_overrides={"PATH_INFO": path, "HTTP_HOST": "b.example"})
    assert response.status_code == 302
    assert response.location.startswith("https://a.example/")


@pytest.mark.parametrize(
    "environ",
    [{}, DOMAINS, {"DOMAIN": "a.example", "DOMAIN_ALIASES": ".*"}],
    ids=["no-domain", "domains", "any-host"],
)
def test_probe_of_divio_passes(
    make_client: MakeClient, unreachable_database: str, environ: dict[str, str]
) -> None:
    client = make_client(**DEPLOYED, **environ, DATABASE_URL=unreachable_database)
    response = client.get("/tests/page", headers={"Host": "10.0.0.164:11453"})
    assert response.status_code <= 500
    if response.status_code == 302:
        # Over HTTPS, the same host does get an answer.
        assert response.location == "https://10.0.0.164:11453/tests/page"
        again = client.get("/tests/page", headers={"Host": "10.0.0.164:11453", **HTTPS})
        assert again.status_code == 200


@pytest.mark.parametrize(
    ("hops", "forwarded", "address"),
    [
        ("0", "203.0.113.1", "127.0.0.1"),
        ("1", "203.0.113.1", "203.0.113.1"),
        ("1", "6.6.6.6, 203.0.113.1", "203.0.113.1"),
        ("2", "203.0.113.1, 198.51.100.1", "203.0.113.1"),
        ("2", "6.6.6.6, 203.0.113.1, 198.51.100.1", "203.0.113.1"),
        ("2", "203.0.113.1", "127.0.0.1"),
        ("1", None, "127.0.0.1"),
    ],
)
def test_address_of_the_client_is_counted_from_the_last_proxy(
    make_client: MakeClient, hops: str, forwarded: str | None, address: str
) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    response = make_client(PROXY_HOPS=hops).get("/tests/seen", headers=headers)
    assert response.get_json()["address"] == address


@pytest.mark.parametrize(("hops", "scheme"), [("0", "http"), ("1", "https"), ("2", "https")])
def test_proxies_tell_the_scheme_but_not_the_host(
    make_client: MakeClient, hops: str, scheme: str
) -> None:
    headers = HTTPS | {"X-Forwarded-Host": "evil"}
    seen = make_client(PROXY_HOPS=hops).get("/tests/seen", headers=headers).get_json()
    assert (seen["scheme"], seen["host"]) == (scheme, "localhost")


@pytest.mark.parametrize("path", ["/tests/page", "/tests/nowhere"])
def test_headers(client: FlaskClient, path: str) -> None:
    assert set(client.get(path).headers) >= {
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
    }


def test_content_security_policy(client: FlaskClient) -> None:
    policy = client.get("/tests/page").headers["Content-Security-Policy"]
    assert set(policy.split("; ")) >= {
        "default-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    }
    assert "unsafe" not in policy


def test_media_of_another_host_may_be_shown(make_client: MakeClient) -> None:
    client = make_client(DEFAULT_STORAGE_DSN="file:///data/?url=https%3A%2F%2Fcdn.example%2Fm%2F")
    policy = client.get("/tests/page").headers["Content-Security-Policy"].split("; ")
    assert "img-src 'self' cdn.example" in policy
    assert "media-src 'self' cdn.example" in policy


@pytest.mark.parametrize(
    ("environ", "value"),
    [
        ({}, None),
        ({"STAGE": "local"}, None),
        (DEPLOYED | {"SECURE_SSL_REDIRECT": "False"}, None),
        (DEPLOYED, "max-age=31536000"),
        (DEPLOYED | {"SECURE_HSTS_SECONDS": "0"}, "max-age=0"),
    ],
    ids=["unset", "local", "https-off", "deployed", "zero"],
)
def test_strict_transport_security_is_for_https_only(
    make_client: MakeClient, environ: dict[str, str], value: str | None
) -> None:
    response = make_client(**environ).get("/tests/page", headers=HTTPS)
    assert response.headers.get("Strict-Transport-Security") == value


@pytest.mark.parametrize(
    ("environ", "secure"), [({}, False), (DEPLOYED, True)], ids=["local", "deployed"]
)
def test_cookie(make_client: MakeClient, environ: dict[str, str], *, secure: bool) -> None:
    cookie = make_client(**environ).get("/tests/remember", headers=HTTPS).headers["Set-Cookie"]
    flags = set(cookie.split("; ")[1:])
    assert flags == {"HttpOnly", "Path=/", "SameSite=Lax", *(["Secure"] if secure else [])}


@pytest.mark.parametrize("path", ["/tests/page", "/tests/recall"])
def test_visitor_without_a_session_gets_no_cookie_and_needs_no_signer(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    signer = Mock()
    monkeypatch.setattr(SecureCookieSessionInterface, "get_signing_serializer", signer)
    assert "Set-Cookie" not in make_client().get(path).headers
    signer.assert_not_called()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/tests/nowhere", "private"),  # The page has what was flashed.
        ("/tests/recall", "private"),
        ("/tests/remember", "private"),
        ("/tests/token", "private"),
        ("/tests/cached", "no-store"),
    ],
)
def test_page_with_a_session_is_kept_by_no_shared_cache(
    client: FlaskClient, path: str, value: str
) -> None:
    response = client.get(path)
    assert response.headers.get("Cache-Control") == value
    assert ("Cookie" in response.vary) is (value is not None)


@pytest.mark.usefixtures("database")
def test_clients_share_nothing_with_each_other_nor_with_the_test(app: Flask) -> None:
    user, visitor = app.test_client(), app.test_client()
    g.a = "of the test"
    user.get("/tests/remember")
    assert [client.get("/tests/recall").text for client in (user, visitor)] == ["b", "None"]
    assert g.a == "of the test"


def test_secret_key_that_is_set_later_counts(make_client: MakeClient) -> None:
    client = make_client(SECRET_KEY="first")
    client.application.secret_key = "second"
    client.get("/tests/remember")
    assert client.get("/tests/recall").text == "b"
    client.application.secret_key = "first"
    assert client.get("/tests/recall").text == "None"


@pytest.mark.parametrize("data", [{}, {"csrf_token": "forged"}], ids=["none", "forged"])
def test_form_without_its_token_is_refused(make_client: MakeClient, data: dict[str, str]) -> None:
    client = make_client()
    client.get("/tests/token")
    assert client.post("/tests/form", data={"field": "value", **data}).status_code == 400


def test_form_may_be_sent_as_long_as_the_session_lasts(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    token = client.get("/tests/token").text
    late = int(time.time()) + 30 * 24 * 3600
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: late)
    response = client.post("/tests/form", data={"field": "value", "csrf_token": token})
    assert (response.status_code, response.text) == (200, "value")


def test_form_with_its_token_is_accepted_when_deployed(make_client: MakeClient) -> None:
    client = make_client(**DEPLOYED)
    token = client.get("/tests/token", headers=HTTPS).text
    response = client.post(
        "/tests/form",
        data={"field": "value", "csrf_token": token},
        headers={"Referer": "https://localhost/form", **HTTPS},
    )
    assert (response.status_code, response.text) == (200, "value")


@pytest.mark.parametrize(("seconds", "left"), [(5, 0), (0, MB + 1)])
def test_body_that_is_too_large_is_read_for_a_time_after_it_was_refused(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, seconds: int, left: int
) -> None:
    monkeypatch.setattr(errors, "DISCARD_SECONDS", seconds)
    body, headers = io.BytesIO(b"0" * (MB + 1)), {"Content-Length": str(MB + 1)}
    client = make_client(MAX_UPLOAD_MB="1")
    response = client.post("/tests/upload", input_stream=body, headers=headers)
    assert response.status_code == 413
    assert body.tell() == 0, "a slow client would wait for its answer"
    response.close()
    assert len(body.read()) == left, "a server would reset the connection"


def test_form_with_a_field_that_is_too_long_is_read_after_it_was_refused(
    make_client: MakeClient,
) -> None:
    start = b'--b\r\nContent-Disposition: form-data; name="field"\r\n\r\n'
    content = start + b"0" * (2 * MB) + b"\r\n--b--\r\n"
    body, headers = io.BytesIO(content), {"Content-Length": str(len(content))}
    headers["Content-Type"] = "multipart/form-data; boundary=b"
    response = make_client().post("/tests/form", input_stream=body, headers=headers)
    assert response.status_code == 413
    response.close()
    assert body.read() == b"", "a server would reset the connection"


@pytest.mark.parametrize(("size", "status"), [(MB, 200), (MB + 1, 413)])
def test_upload_is_limited(make_client: MakeClient, size: int, status: int) -> None:
    client = make_client(MAX_UPLOAD_MB="1")
    token = client.get("/tests/token").text
    response = client.post("/tests/upload", data=bytes(size), headers={"X-CSRFToken": token})
    assert response.status_code == status
{% if cookiecutter.gateway_server == 'gunicorn' %}


@pytest.mark.parametrize("path", ["/tests/upload", "/tests/stream"])
@pytest.mark.parametrize(("size", "status"), [(0, 200), (5, 200), (MB, 200), (MB + 1, 413)])
def test_upload_without_a_length_is_limited(
    make_client: MakeClient, path: str, size: int, status: int
) -> None:
    client = make_client(MAX_UPLOAD_MB="1")
    headers = {"X-CSRFToken": client.get("/tests/token").text, "Transfer-Encoding": "chunked"}
    as_gunicorn = {"wsgi.input": io.BytesIO(bytes(size)), "wsgi.input_terminated": True}
    response = client.post(path, headers=headers, environ_overrides=as_gunicorn)
    assert response.status_code == status
    assert status != 200 or response.text == str(size)
{% else %}


@pytest.mark.parametrize(("query", "status"), [("q=\xff", 400), ("q=%ff", 200)])
def test_query_with_raw_bytes_is_refused(client: FlaskClient, query: str, status: int) -> None:
    response = client.get("/tests/page", environ_overrides={"QUERY_STRING": query})
    assert response.status_code == status
{% endif %}
