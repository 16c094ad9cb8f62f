"""Static files: served by WhiteNoise, under URLs that contain a hash of the content.

`url_for("static", filename="style.css")` gives such a URL, so browsers may keep the file for
ever. The image is built with a .gz and a .br beside each file, which WhiteNoise then prefers.
"""

import hashlib
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers
from wsgiref.types import WSGIApplication

from flask import Flask
from whitenoise import WhiteNoise

# Seconds to keep a file that was asked for by its plain URL, such as one named in a style sheet.
PLAIN_MAX_AGE = 300


def serve(app: Flask, application: WSGIApplication) -> WhiteNoise:
    """Answer what is below the application's static_url_path, in front of the application."""
    folder, prefix = Path(str(app.static_folder)), f"{app.static_url_path}/"
    hashed: dict[str, str] = {}
    hashed_urls: set[str] = set()
    static = WhiteNoise(
        application,
        # In development files change all the time.
        autorefresh=app.config["DEVELOPMENT"],
        max_age=0 if app.config["DEVELOPMENT"] else PLAIN_MAX_AGE,
        immutable_file_test=lambda _path, url: url in hashed_urls,
        add_headers_function=add_headers,
    )
    if not app.config["DEVELOPMENT"]:
        for path in folder.rglob("*"):
            if path.is_file() and path.suffix not in {".gz", ".br"}:
                name = path.relative_to(folder).as_posix()
                hashed[name] = hashed_name(path, name)
                hashed_urls.add(prefix + hashed[name])
                static.add_file_to_dictionary(prefix + hashed[name], str(path))
    static.add_files(str(folder), prefix)

    @app.url_defaults
    def use_hashed_name(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values["filename"] = hashed.get(values["filename"], values["filename"])

    return static


def hashed_name(path: Path, name: str) -> str:
    """Return `name` with a hash of the content: style.css becomes style.0a1b2c3d4e5f.css."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    return name.removesuffix(path.suffix) + f".{digest}{path.suffix}"


def add_headers(headers: Headers, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
