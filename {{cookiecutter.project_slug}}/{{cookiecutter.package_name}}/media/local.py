"""Media in a local folder, for development: a container on Divio loses its files.

https://docs.divio.com/reference/work-media-storage
"""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, BinaryIO
from urllib.parse import parse_qs, quote, urlsplit

from flask import Flask, Response, abort, send_file

from . import content_types, names
from .file import File


class LocalStorage:
    """Media in `folder`, with URLs that start with `base_url`, which may be a path.

    The folder may be a symbolic link. Links in it count for nothing, because they may lead out.
    Browsers keep a file for `max_age` seconds.
    """

    def __init__(self, folder: Path, base_url: str = "", max_age: int = 0) -> None:
        self.folder = folder
        self.max_age = max_age
        self.base_url = base_url and base_url.rstrip("/") + "/"

    @classmethod
    def from_dsn(cls, dsn: str, max_age: int = 0) -> "LocalStorage":
        """Make the storage from file:///absolute/folder/?url=%2Fmedia%2F.

        The path is taken as it stands, percent signs included, as on Divio.
        """
        parts = urlsplit(dsn)
        if parts.netloc or not parts.path.startswith("/"):
            message = "names no absolute folder. It must start with file:/// and the folder."
            raise ValueError(message)
        url = parse_qs(parts.query).get("url", [""])[0]
        if not re.fullmatch(r"((https?:)?//[\w.-]+(:\d+)?)?(/(?!/)[^<>?#]*)?", url, re.ASCII):
            message = "has an option url that is neither a path from / on nor a whole URL."
            raise ValueError(message)
        return cls(Path(parts.path), url, max_age)

    def save(self, name: str, stream: IO[bytes], *, overwrite: bool = False) -> str:
        name = names.safe(name)
        target = self.folder.resolve() / name
        message = f"{name!r} cannot be stored: a part of it is a file or a link."
        if target.parent.resolve() != target.parent:
            raise ValueError(message)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise ValueError(message) from None
        # Hidden until it is whole, so that nobody reads half a file.
        partial = target.with_name(f".{secrets.token_hex(16)}")
        try:
            with partial.open("xb") as file:
                shutil.copyfileobj(stream, file)
            if overwrite:
                partial.replace(target)
                return name
            return self._link(partial, name)
        finally:
            partial.unlink(missing_ok=True)

    def _link(self, partial: Path, name: str) -> str:
        while True:
            try:
                os.link(partial, self.folder / name)
            except FileExistsError:
                name = names.alternative(name)
            else:
                return name

    def open(self, name: str) -> BinaryIO:
        return self.path(name).open("rb")

    def delete(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self.path(name).unlink()

    def exists(self, name: str) -> bool:
        try:
            self.path(name)
        except FileNotFoundError:
            return False
        return True

    def path(self, name: str) -> Path:
        """Return where the file is. Raises FileNotFoundError."""
        path = self.folder.resolve() / names.checked(name)
        # Path.is_file raises for names that are too long, before Python 3.14.
        if not os.path.isfile(path) or path.resolve() != path:  # noqa: PTH113
            raise FileNotFoundError(name)
        return path

    def list(self, prefix: str = "") -> Iterator[File]:
        found = []
        for path in self.folder.rglob("*"):
            name = path.relative_to(self.folder).as_posix()
            is_file = path.is_file() and not path.is_symlink()
            if is_file and path.name[0] != "." and name.startswith(prefix):
                with suppress(FileNotFoundError):  # deleted meanwhile
                    facts = path.stat()
                    saved = datetime.fromtimestamp(facts.st_mtime, UTC)
                    found.append(File(name, facts.st_size, saved))
        return iter(sorted(found))

    def url(self, name: str) -> str:
        if not self.base_url:
            message = "Local media has no URL: add ?url=%2Fmedia%2F to DEFAULT_STORAGE_DSN."
            raise ValueError(message)
        return self.base_url + quote(names.checked(name))

    def check(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not os.access(self.folder, os.W_OK):
            message = f"{self.folder} is not writable"
            raise PermissionError(message)


def serve(app: Flask, storage: LocalStorage) -> None:
    """Serve the files of `storage`, where its URLs belong to the application."""
    base_url = urlsplit(storage.base_url)
    if base_url.netloc or not base_url.path:
        return

    @app.get(f"{base_url.path}<path:name>", endpoint=__name__)
    def media(name: str) -> Response:
        try:
            path = storage.path(name)
        except (FileNotFoundError, ValueError):
            abort(404)
        # What users upload must not run as a part of this site.
        response = send_file(
            path, as_attachment=content_types.is_download(name), max_age=storage.max_age
        )
        response.content_type = content_types.content_type(name)
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response
