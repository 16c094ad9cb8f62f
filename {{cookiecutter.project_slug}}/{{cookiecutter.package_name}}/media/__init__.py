"""Media: files that users upload, in the storage that a DSN names.

    from .media import media

    name = media.save("photos/cat.jpg", request.files["photo"].stream)
    media.url(name)

A name is a relative path with "/" between its parts, whatever the storage.
"""

from collections.abc import Iterator
from typing import IO, BinaryIO, Protocol, cast
from urllib.parse import urlsplit

from flask import Flask, current_app
from werkzeug.local import LocalProxy

from . import {{ {'s3': 'local, s3_dsn', 'azure': 'azure_dsn, local', 'local': 'local'}[cookiecutter.media_storage] }}
from .file import File

# What the template has to be answered for DSNs of other storages.
OTHER_ANSWERS = {{ {'s3': '{"az": "azure"}', 'azure': '{"s3": "s3"}', 'local': '{"az": "azure", "s3": "s3"}'}[cookiecutter.media_storage] }}


class Storage(Protocol):
    """What each kind of storage can do. Data streams: no file is read into memory whole.

    All but `save` raise ValueError for a name that is none, or that would leave the storage.
    """

    @property
    def base_url(self) -> str:
        """What the URL of each file starts with, "" where files have none."""

    def save(self, name: str, stream: IO[bytes], *, overwrite: bool = False) -> str:
        """Store what is left of `stream` and return the name it got.

        The name is made safe, so it may come from a user. Where it is taken, a free one is used
        instead, unless `overwrite` is set.
        """

    def open(self, name: str) -> BinaryIO:
        """Return the file for reading, from start to end. Raises FileNotFoundError."""

    def delete(self, name: str) -> None:
        """Delete the file, if there is one."""

    def exists(self, name: str) -> bool:
        """Return whether there is such a file."""

    def list(self, prefix: str = "") -> Iterator[File]:
        """Return the files whose names start with `prefix`, sorted by name."""

    def url(self, name: str) -> str:
        """Return the URL at which a browser finds the file: content_types.py tells how it comes."""

    def check(self) -> None:
        """Raise whatever stands in the way of using the storage."""


class NotConfiguredError(RuntimeError):
    """There is no media storage to use."""

    def __init__(self) -> None:
        super().__init__("There is no media storage: set DEFAULT_STORAGE_DSN, see {{ 'README.md' if cookiecutter.application == 'new' else 'DEPLOY.md' }}.")


def from_dsn(dsn: str, max_age: int = 0) -> Storage:
    """Return the storage that a DSN names: {{ 'README.md' if cookiecutter.application == 'new' else 'DEPLOY.md' }} tells the forms.

    max_age: seconds that caches keep a file
    Raises ValueError, which shows no part of the DSN.
    """
    try:
        scheme = urlsplit(dsn).scheme
    except ValueError:
{% if cookiecutter.media_storage != 'local' %}
        message = "cannot be read. In its secret /, #, ?, @, [ and ] must be percent-encoded."
{% else %}
        message = "cannot be read."
{% endif %}
        raise ValueError(message) from None
    if scheme == "file":
        return local.LocalStorage.from_dsn(dsn, max_age)
{% if cookiecutter.media_storage == 's3' %}
    if scheme == "s3":
        return s3_dsn.storage(dsn, max_age)
    message = "has an unknown scheme. Known are s3 and file."
{% elif cookiecutter.media_storage == 'azure' %}
    if scheme == "az":
        return azure_dsn.storage(dsn, max_age)
    message = "has an unknown scheme. Known are az and file."
{% else %}
    message = "has an unknown scheme. Known is file."
{% endif %}
    if answer := OTHER_ANSWERS.get(scheme):
        message = f"needs media_storage {answer}: update the project with that answer."
    raise ValueError(message)


def current_storage() -> Storage:
    storage: Storage | None = current_app.config["MEDIA_STORAGE"]
    if storage is None:
        raise NotConfiguredError
    return storage


# The storage of the running application.
media = cast("Storage", LocalProxy(current_storage))


def init_app(app: Flask) -> None:
    app.jinja_env.globals["media"] = media
    storage = app.config["MEDIA_STORAGE"]
    if isinstance(storage, local.LocalStorage):
        local.serve(app, storage)
