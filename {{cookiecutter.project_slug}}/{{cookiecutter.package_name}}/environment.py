"""Environment variables as values.

Those that Divio sets: https://docs.divio.com/reference/divio-environment-variables/
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from . import media
{% if cookiecutter.media_storage == 's3' %}
from .media import s3, s3_dsn
{% endif %}

T = TypeVar("T")

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

    @property
    def deployed(self) -> bool:
        """Whether this is Divio, where STAGE is live, test or a name of the owner's."""
        return self.text("STAGE") not in {"", "local"}

    def media_storage(self) -> media.Storage | None:
        """Return the storage that the variables name, None where they name none."""
        max_age = self.number("MEDIA_MAX_AGE", default=3600, least=0, most=31_536_000)
        from_dsn = partial(media.from_dsn, max_age=max_age)
{% if cookiecutter.media_storage == 's3' %}
        storage = self.parsed(from_dsn, "DEFAULT_STORAGE_DSN")
        return storage or self._bucket_of_parts(max_age)

    def _bucket_of_parts(self, max_age: int) -> s3.S3Storage | None:
        """Return the storage that stands in variables of its own, which Divio sets beside the DSN.

        https://docs.divio.com/reference/work-media-storage
        """
        if not (bucket := self.text("DEFAULT_STORAGE_BUCKET")):
            return None
        region = self.parsed(s3_dsn.region_name, "DEFAULT_STORAGE_REGION") or ""
        endpoint = self.parsed(s3_dsn.whole_url, "DEFAULT_STORAGE_ENDPOINT_URL")
        return s3.S3Storage(
            bucket=bucket,
            access_key=self.text("DEFAULT_STORAGE_ACCESS_KEY_ID"),
            secret_key=self.text("DEFAULT_STORAGE_SECRET_ACCESS_KEY"),
            endpoint=endpoint or f"https://s3.{region or 'us-east-1'}.amazonaws.com",
            region=region,
            public_url=self.parsed(s3_dsn.https_url, "DEFAULT_STORAGE_CUSTOM_DOMAIN") or "",
            max_age=max_age,
        )
{% else %}
        return self.parsed(from_dsn, "DEFAULT_STORAGE_DSN")
{% endif %}

    def refuse_problems(self) -> None:
        """Raise ConfigError, if there are any."""
        if self.problems:
            message = "\n- ".join(["The environment variables are not usable:", *self.problems])
            raise ConfigError(message)
