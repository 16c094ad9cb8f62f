import re
from typing import Any

import pytest
from sqlalchemy import make_url

from {{ cookiecutter.package_name }} import config
from {{ cookiecutter.package_name }}.environment import DEVELOPMENT_KEY, ConfigError

DEPLOYED = {"STAGE": "live", "SECRET_KEY": "a-random-key"}

DEFAULTS: dict[str, Any] = {
    "BASIC_AUTH": None,
    "CANONICAL_DOMAIN": None,
    "DATABASE_TIMEOUT": 10,
    "DEPLOYED": False,
    "DEVELOPMENT": False,
    "HSTS_SECONDS": 365 * 24 * 3600,
    "HTTPS_ONLY": False,
    "LOG_FORMAT": "text",
    "LOG_LEVEL": "info",
    "MAX_CONTENT_LENGTH": 100 * 2**20,
    "MEDIA_STORAGE": None,
    "NOINDEX": False,
    "PROXY_HOPS": 0,
    "REDIRECTED_DOMAINS": [],
    "SESSION_COOKIE_SAMESITE": "Lax",
    "SESSION_COOKIE_SECURE": False,
    "SQLALCHEMY_DATABASE_URI": "sqlite://",
    "SQLALCHEMY_ENGINE_OPTIONS": {},
    "TRUSTED_HOSTS": None,
    "WTF_CSRF_TIME_LIMIT": None,
}

# Name, least and most of each number.
NUMBERS = [
    ("DATABASE_TIMEOUT", 1, 15),
    ("MAX_UPLOAD_MB", 1, 500),
    ("MEDIA_MAX_AGE", 0, 31_536_000),
    ("PORT", 1, 65_535),
    ("PROXY_HOPS", 0, 10),
    ("REQUEST_TIMEOUT", 1, 3600),
    ("SECURE_HSTS_SECONDS", 0, 63_072_000),
    ("WEB_CONCURRENCY", 1, 27),
    ("WEB_THREADS", 1, 100),
]

VARIABLES = [
    *(name for name, _, _ in NUMBERS),
    "BASIC_AUTH",
    "CONTAINERS",
    "DATABASE_URL",
    "DEFAULT_DATABASE_DSN",
    "DEFAULT_STORAGE_DSN",
    "DOMAIN",
    "DOMAIN_ALIASES",
    "DOMAIN_REDIRECTS",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "SECRET_KEY",
    "SECURE_SSL_REDIRECT",
    "STAGE",
]


def problems(environ: dict[str, str]) -> list[str]:
    """Return the lines of the message that ends the process."""
    with pytest.raises(ConfigError) as caught:
        config.load(environ)
    first, *lines = str(caught.value).splitlines()
    assert first == "The environment variables are not usable:"
    return lines


@pytest.mark.parametrize("value", [None, "", " \t\n"], ids=["unset", "empty", "blank"])
def test_what_is_unset_or_blank_has_a_default(value: str | None) -> None:
    loaded = config.load({} if value is None else dict.fromkeys(VARIABLES, value))
    assert loaded["SECRET_KEY"]
    assert {name: loaded[name] for name in DEFAULTS} == DEFAULTS


def test_without_a_secret_key_each_process_has_its_own() -> None:
    assert config.load({})["SECRET_KEY"] != config.load({})["SECRET_KEY"]


@pytest.mark.parametrize(
    ("environ", "key", "expected"),
    [
        ({"STAGE": "local"}, "DEVELOPMENT", True),
        ({"STAGE": "local"}, "HTTPS_ONLY", False),
        ({"STAGE": "local"}, "PROXY_HOPS", 0),
        (DEPLOYED, "DEVELOPMENT", False),
        (DEPLOYED, "DEPLOYED", True),
        ({"STAGE": "local"}, "DEPLOYED", False),
        ({"DOMAIN": "App.Example.org."}, "CANONICAL_DOMAIN", "app.example.org"),
        ({"DOMAIN": "B\xfccher.example"}, "CANONICAL_DOMAIN", "xn--bcher-kva.example"),
        ({"DOMAIN": "a.example:8000"}, "CANONICAL_DOMAIN", "a.example:8000"),
        (DEPLOYED, "HTTPS_ONLY", True),
        (DEPLOYED, "NOINDEX", False),
        (DEPLOYED | {"STAGE": "demo"}, "NOINDEX", True),
        (DEPLOYED, "PROXY_HOPS", 1),
        (DEPLOYED, "SESSION_COOKIE_SECURE", True),
        (DEPLOYED | {"STAGE": "demo"}, "HTTPS_ONLY", True),
        (DEPLOYED | {"SECURE_SSL_REDIRECT": "False"}, "HTTPS_ONLY", False),
        (DEPLOYED | {"SECURE_SSL_REDIRECT": "False"}, "SESSION_COOKIE_SECURE", False),
        (DEPLOYED | {"PROXY_HOPS": "2"}, "PROXY_HOPS", 2),
        ({"SECRET_KEY": " key\n"}, "SECRET_KEY", "key"),
        ({"LOG_LEVEL": "WARNING"}, "LOG_LEVEL", "warning"),
        ({"LOG_FORMAT": " JSON "}, "LOG_FORMAT", "json"),
        ({"MAX_UPLOAD_MB": "7"}, "MAX_CONTENT_LENGTH", 7 * 2**20),
        ({"SECURE_HSTS_SECONDS": "60"}, "HSTS_SECONDS", 60),
        ({"DOMAIN": "a.example"}, "TRUSTED_HOSTS", ["a.example"]),
        ({"DOMAIN_ALIASES": "localhost, 127.0.0.1,,"}, "TRUSTED_HOSTS", ["localhost", "127.0.0.1"]),
        ({"DOMAIN_ALIASES": ".A.b., .\xfc.org"}, "TRUSTED_HOSTS", [".a.b", ".xn--tda.org"]),
        ({"DOMAIN": "a.example", "DOMAIN_ALIASES": " .* "}, "TRUSTED_HOSTS", None),
        ({"DOMAIN_REDIRECTS": "b.example , c.d"}, "REDIRECTED_DOMAINS", ["b.example", "c.d"]),
        ({"DOMAIN_REDIRECTS": "b.example , c.d"}, "TRUSTED_HOSTS", ["b.example", "c.d"]),
    ],
    ids=str,
)
def test_variable_sets(environ: dict[str, str], key: str, expected: Any) -> None:  # noqa: ANN401
    assert config.load(environ)[key] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((value, True) for value in ("True", "true", "1", "yes", "on")),
        *((value, False) for value in ("False", "false", "0", "no", "OFF")),
    ],
)
def test_flag(value: str, *, expected: bool) -> None:
    assert config.load({"SECURE_SSL_REDIRECT": value})["HTTPS_ONLY"] is expected


@pytest.mark.parametrize(("name", "least", "most"), NUMBERS)
def test_number_may_be_as_small_and_as_large_as_told(name: str, least: int, most: int) -> None:
    assert config.load({name: str(least)})
    assert config.load({name: str(most)})


@pytest.mark.parametrize(
    "value",
    ["{below}", "{above}", "1.5", "1e1", "-1", "one", "1a1", "1 1", "\u0663", "9" * 5000],
    ids=lambda value: value[:9],
)
@pytest.mark.parametrize(("name", "least", "most"), NUMBERS)
def test_other_number_is_a_problem(name: str, least: int, most: int, value: str) -> None:
    environ = {name: value.format(below=least - 1, above=most + 1)}
    assert problems(environ) == [f"- {name}: must be a whole number from {least} to {most}."]


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL: must be one of info, debug, warning, error, critical."),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT: must be one of text, json."),
        ({"SECURE_SSL_REDIRECT": "maybe"}, "SECURE_SSL_REDIRECT: must be True or False."),
        ({"BASIC_AUTH": ":secret"}, "BASIC_AUTH: must be user:password."),
        ({"BASIC_AUTH": "user:"}, "BASIC_AUTH: must be user:password."),
        ({"STAGE": "live"}, "SECRET_KEY: is missing, or is the key for local development."),
        (
            {"STAGE": "test", "SECRET_KEY": DEVELOPMENT_KEY},
            "SECRET_KEY: is missing, or is the key for local development.",
        ),
        ({"CONTAINERS": "0"}, "CONTAINERS: must be a whole number from 1 to 27."),
        (
            {"CONTAINERS": "14"},
            "CONTAINERS x WEB_CONCURRENCY: may be at most 27, so lower one of them.",
        ),
    ],
    ids=ascii,
)
def test_problem(environ: dict[str, str], problem: str) -> None:
    assert problems(environ) == [f"- {problem}"]


@pytest.mark.parametrize("name", ["DOMAIN", "DOMAIN_ALIASES", "DOMAIN_REDIRECTS"])
@pytest.mark.parametrize(
    "value",
    [
        "https://topsecret.example/x",
        "topsecret.example/",
        "top secret",
        "*.topsecret.example",
        "a.example, -topsecret",
        "topsecret..example",
        "topsecret_a.example",
        "topsecret:http",
        "user@topsecret",
        "[::1]",
        ".",
        "topsecret." + "a" * 64,
        "topsecret." + "\xfc" * 64,
    ],
)
def test_what_is_no_host_is_a_problem(name: str, value: str) -> None:
    expected = "must be host names such as www.example.com, with commas between them."
    assert problems({name: value}) == [f"- {name}: {expected}"]


@pytest.mark.parametrize("name", ["DOMAIN", "DOMAIN_REDIRECTS"])
@pytest.mark.parametrize("value", [".a.example", ".*"])
def test_only_an_alias_may_stand_for_many_hosts(name: str, value: str) -> None:
    assert len(problems({name: value})) == 1


def test_all_problems_are_told_at_once_and_no_secret() -> None:
    environ = {
        "SECRET_KEY": DEVELOPMENT_KEY,
        "DATABASE_URL": "nonsense://user:topsecret@host/name",
        "DEFAULT_STORAGE_DSN": "nonsense://key:topsecret@host",
        "BASIC_AUTH": "topsecret",
        "LOG_LEVEL": "topsecret",
        "WEB_CONCURRENCY": "topsecret",
        "PORT": "topsecret",
        "DOMAIN": "top secret",
        "SECURE_SSL_REDIRECT": "topsecret",
    }
    lines = problems({"STAGE": "live", **environ})
    assert {line.partition(":")[0] for line in lines} == {f"- {name}" for name in environ}
    assert not re.search(f"top ?secret|{DEVELOPMENT_KEY}", "\n".join(lines))


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"DATABASE_URL": "sqlite:///a"}, "sqlite:///a"),
        ({"DEFAULT_DATABASE_DSN": "sqlite:///b"}, "sqlite:///b"),
        ({"DATABASE_URL": "sqlite:///a", "DEFAULT_DATABASE_DSN": "sqlite:///b"}, "sqlite:///a"),
        ({"DATABASE_URL": " ", "DEFAULT_DATABASE_DSN": " sqlite:///b "}, "sqlite:///b"),
    ],
    ids=["url", "dsn", "url-wins", "blank-url"],
)
def test_database_url_wins_over_the_dsn(environ: dict[str, str], expected: str) -> None:
    assert config.load(environ)["SQLALCHEMY_DATABASE_URI"] == make_url(expected)


@pytest.mark.parametrize(
    ("containers", "workers", "threads", "size"),
    [("", "", "", 13), ("", "9", "4", 2), ("", "9", "9", 3), ("4", "2", "9", 3)],
)
def test_connection_pool_follows(containers: str, workers: str, threads: str, size: int) -> None:
    environ = {
        "DATABASE_URL": "{{ cookiecutter.database }}://user@host/name",
        "CONTAINERS": containers,
        "WEB_CONCURRENCY": workers,
        "WEB_THREADS": threads,
    }
    assert config.load(environ)["SQLALCHEMY_ENGINE_OPTIONS"]["pool_size"] == size
