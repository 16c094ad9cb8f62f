"""Configuration from environment variables, whose names are here and in environment.py alone.

Those that Divio sets: https://docs.divio.com/reference/divio-environment-variables/
"""

import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from . import access, database, features
from .environment import DEVELOPMENT_KEY, Environment

# Forms of host names. Underscores Werkzeug refuses.
LABEL = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
PORT = ":[1-9][0-9]{0,4}"
HOST = rf"{LABEL}(\.{LABEL})*({PORT})?"
# For Werkzeug a dot in front stands for all subdomains. Divio may set ".*", which is any host.
ALIAS = rf"\.?{HOST}|\.\*"


def load(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return Flask's configuration. Raises ConfigError, which never shows a value.

    With nothing set the result is usable too: Divio builds the image without an environment.
    """
    env = Environment(environ)
    if env.deployed and env.text("SECRET_KEY") in {"", DEVELOPMENT_KEY}:
        env.problems.append("SECRET_KEY: is missing, or is the key for local development.")

    https_only = env.flag("SECURE_SSL_REDIRECT", default=env.deployed)
    database_url = env.parsed(database.engine_url, "DATABASE_URL", "DEFAULT_DATABASE_DSN")
    storage = env.media_storage()
    # Only the gateway server uses these.
    env.number("PORT", default=80, least=1, most=65_535)
    env.number("REQUEST_TIMEOUT", default=20, least=1, most=3600)
    containers = env.number("CONTAINERS", default=1, least=1, most=database.CONNECTIONS)
    workers = env.number("WEB_CONCURRENCY", default=2, least=1, most=database.CONNECTIONS)
    if containers * workers > database.CONNECTIONS:
        most = f"may be at most {database.CONNECTIONS}, so lower one of them."
        env.problems.append(f"CONTAINERS x WEB_CONCURRENCY: {most}")
    domains = env.parsed(host_names, "DOMAIN") or []
    redirected = env.parsed(host_names, "DOMAIN_REDIRECTS") or []
    hosts = domains + (env.parsed(aliases, "DOMAIN_ALIASES") or []) + redirected

    config = {
        "BASIC_AUTH": env.parsed(access.credentials, "BASIC_AUTH"),
        "DEVELOPMENT": env.text("STAGE") == "local",
        "DEPLOYED": env.deployed,
        "SECRET_KEY": env.text("SECRET_KEY") or secrets.token_hex(),
        "LOG_LEVEL": env.choice("LOG_LEVEL", "info", "debug", "warning", "error", "critical"),
        "LOG_FORMAT": env.choice("LOG_FORMAT", "text", "json"),
        "SQLALCHEMY_DATABASE_URI": database_url or database.IN_MEMORY,
        "SQLALCHEMY_ENGINE_OPTIONS": database.engine_options(
            database_url,
            processes=containers * workers,
            threads=env.number("WEB_THREADS", default={{ 64 if cookiecutter.gateway_server == "gunicorn" else 40 }}, least=1, most=100),
        ),
        # Seconds. The load balancer waits for 30, and a request may also wait for a connection.
        "DATABASE_TIMEOUT": env.number("DATABASE_TIMEOUT", default=10, least=1, most=15),
        "MEDIA_STORAGE": storage,
        # Divio's load balancer lets at most 500 MB through:
        # https://docs.divio.com/reference/checks-timeouts/
        "MAX_CONTENT_LENGTH": env.number("MAX_UPLOAD_MB", default=100, least=1, most=500) * 2**20,
        "CANONICAL_DOMAIN": domains[0] if domains else None,
        "REDIRECTED_DOMAINS": redirected,
        "TRUSTED_HOSTS": hosts if hosts and ".*" not in hosts else None,
        "NOINDEX": env.text("STAGE") not in {"", "local", "live"},
        "PROXY_HOPS": env.number("PROXY_HOPS", default=int(env.deployed), least=0, most=10),
        "HTTPS_ONLY": https_only,
        "HSTS_SECONDS": env.number(
            "SECURE_HSTS_SECONDS", default=31_536_000, least=0, most=63_072_000
        ),
        # A form may be sent as long as the session lasts: nobody loses what took long to write.
        "WTF_CSRF_TIME_LIMIT": None,
        "SESSION_COOKIE_SECURE": https_only,
        "SESSION_COOKIE_SAMESITE": "Lax",
    }
    for settings in features.named("settings"):
        config |= settings(env)
    env.refuse_problems()
    return config


def host_names(text: str, form: str = HOST) -> list[str]:
    """Return the host names between the commas of `text`, as requests name them.

    Raises ValueError, which shows no part of it.
    """
    names = [word.strip().lower().removesuffix(".") for word in text.split(",") if word.strip()]
    with suppress(UnicodeError):
        names = [in_ascii(name) for name in names]
        if all(re.fullmatch(form, name) for name in names):
            return names
    message = "must be host names such as www.example.com, with commas between them."
    raise ValueError(message)


def in_ascii(host: str) -> str:
    """Return the IDNA form of a host, whose letters may be any. Raises UnicodeError."""
    # By label, because one may be empty: an alias may start with a dot.
    return ".".join(label.encode("idna").decode() for label in host.split("."))


def aliases(text: str) -> list[str]:
    return host_names(text, ALIAS)
