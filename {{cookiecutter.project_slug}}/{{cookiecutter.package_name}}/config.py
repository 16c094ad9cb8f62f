"""Configuration from environment variables, and the one place of the package with their names.

Those that Divio sets: https://docs.divio.com/reference/divio-environment-variables/
"""

import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from . import database, media
{% if cookiecutter.media_storage == 's3' %}
from .media import s3, s3_dsn
{% endif %}

T = TypeVar("T")

# Forms of host names. Underscores Werkzeug refuses.
LABEL = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
PORT = ":[1-9][0-9]{0,4}"
HOST = rf"{LABEL}(\.{LABEL})*({PORT})?"
# For Werkzeug a dot in front stands for all subdomains. Divio may set ".*", which is any host.
ALIAS = rf"\.?{HOST}|\.\*"

# The key in .env-local. It is public, so no deployment may use it.
DEVELOPMENT_KEY = "insecure-key-for-local-development"

FLAGS = {
    **dict.fromkeys(["true", "1", "yes", "on"], True),
    **dict.fromkeys(["false", "0", "no", "off"], False),
}


class ConfigError(SystemExit):
    """Ends the process with a message that lists every problem.

    A SystemExit, because flask and gateway servers print its message and no traceback.
    """


def load(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return Flask's configuration. Raises ConfigError, which never shows a value.

    With nothing set the result is usable too: Divio builds the image without an environment.
    """
    env = Environment(environ)
    stage = env.text("STAGE")
    deployed = stage not in {"", "local"}  # On Divio: live, test or a name of the owner's.
    if deployed and env.text("SECRET_KEY") in {"", DEVELOPMENT_KEY}:
        env.problems.append("SECRET_KEY: is missing, or is the key for local development.")

    https_only = env.flag("SECURE_SSL_REDIRECT", default=deployed)
    database_url = env.parsed(database.engine_url, "DATABASE_URL", "DEFAULT_DATABASE_DSN")
    storage = env.parsed(media.from_dsn, "DEFAULT_STORAGE_DSN")
{% if cookiecutter.media_storage == 's3' %}
    storage = storage or bucket_of_parts(env)
{% endif %}
    # Only the gateway server uses these.
    env.number("PORT", default=80, least=1, most=65_535)
    env.number("REQUEST_TIMEOUT", default=20, least=1, most=3600)
    domains = env.parsed(host_names, "DOMAIN") or []
    redirected = env.parsed(host_names, "DOMAIN_REDIRECTS") or []
    hosts = domains + (env.parsed(aliases, "DOMAIN_ALIASES") or []) + redirected

    config = {
        "DEVELOPMENT": stage == "local",
        "DEPLOYED": deployed,
        "SECRET_KEY": env.text("SECRET_KEY") or secrets.token_hex(),
        "LOG_LEVEL": env.choice("LOG_LEVEL", "info", "debug", "warning", "error", "critical"),
        "LOG_FORMAT": env.choice("LOG_FORMAT", "text", "json"),
        "SQLALCHEMY_DATABASE_URI": database_url or database.IN_MEMORY,
        "SQLALCHEMY_ENGINE_OPTIONS": database.engine_options(
            database_url,
            workers=env.number("WEB_CONCURRENCY", default=2, least=1, most=database.CONNECTIONS),
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
        "PROXY_HOPS": env.number("PROXY_HOPS", default=int(deployed), least=0, most=10),
        "HTTPS_ONLY": https_only,
        "HSTS_SECONDS": env.number(
            "SECURE_HSTS_SECONDS", default=31_536_000, least=0, most=63_072_000
        ),
        # A form may be sent as long as the session lasts: nobody loses what took long to write.
        "WTF_CSRF_TIME_LIMIT": None,
        "SESSION_COOKIE_SECURE": https_only,
        "SESSION_COOKIE_SAMESITE": "Lax",
    }
    if env.problems:
        raise ConfigError("\n- ".join(["The environment variables are not usable:", *env.problems]))
    return config


{% if cookiecutter.media_storage == 's3' %}
def bucket_of_parts(env: "Environment") -> s3.S3Storage | None:
    """Return the storage that stands in variables of its own, which Divio sets beside the DSN.

    https://docs.divio.com/reference/work-media-storage
    """
    if not (bucket := env.text("DEFAULT_STORAGE_BUCKET")):
        return None
    region = env.parsed(s3_dsn.region_name, "DEFAULT_STORAGE_REGION") or ""
    endpoint = env.parsed(s3_dsn.whole_url, "DEFAULT_STORAGE_ENDPOINT_URL")
    return s3.S3Storage(
        bucket=bucket,
        access_key=env.text("DEFAULT_STORAGE_ACCESS_KEY_ID"),
        secret_key=env.text("DEFAULT_STORAGE_SECRET_ACCESS_KEY"),
        endpoint=endpoint or f"https://s3.{region or 'us-east-1'}.amazonaws.com",
        region=region,
        public_url=env.parsed(s3_dsn.https_url, "DEFAULT_STORAGE_CUSTOM_DOMAIN") or "",
    )


{% endif %}
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


class Environment:
    """Environment variables as values, with a list of the problems found in reading them.

    Values are stripped, because Divio's Control Panel does not do it, and a blank one is unset:
    https://docs.divio.com/how-to/environment-variables/
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.values = {name: value.strip() for name, value in environ.items()}
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        """Return the value, "" where it is unset."""
        return self.values.get(name, "")

    def choice(self, name: str, default: str, *others: str) -> str:
        """Return the value in lower case, which has to be one of those given."""
        value = self.text(name).lower() or default
        if value not in {default, *others}:
            self.problems.append(f"{name}: must be one of {', '.join([default, *others])}.")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return whether the value says yes."""
        value = self.text(name).lower() or str(default).lower()
        if value not in FLAGS:
            self.problems.append(f"{name}: must be True or False.")
        return FLAGS.get(value, default)

    def number(self, name: str, *, default: int, least: int, most: int) -> int:
        """Return the value as a whole number, from `least` to `most`."""
        value = self.text(name) or str(default)
        if re.fullmatch("[0-9]{1,9}", value) and least <= int(value) <= most:
            return int(value)
        self.problems.append(f"{name}: must be a whole number from {least} to {most}.")
        return default

    def parsed(self, parse: Callable[[str], T], *names: str) -> T | None:
        """Return what `parse` makes of the first variable that is set, None where none is.

        `parse` raises a ValueError whose message shows no part of the value.
        """
        for name in filter(self.text, names):
            try:
                return parse(self.text(name))
            except ValueError as error:
                self.problems.append(f"{name}: {error}")
                break
        return None
