"""Tests of the package on_divio with SQLAlchemy."""

from typing import Any

import on_divio
import pytest
from flask_sqlalchemy import SQLAlchemy
from on_divio.environment import ConfigError
from tests_of_glue import make

BACKEND = next(iter(on_divio.SCHEMES))
DSN = f"{BACKEND}://user:pa%2Fss@host/name"
DATABASE = {"DATABASE_URL": f" {DSN}\n"}
URL = f"{on_divio.SCHEMES[BACKEND]}://user:pa%2Fss@host/name"


@pytest.mark.parametrize(
    ("environ", "config", "expected"),
    [
        ({}, {}, None),
        ({}, {"SQLALCHEMY_DATABASE_URI": "sqlite:///own"}, "sqlite:///own"),
        ({"DATABASE_URL": " "}, {"SQLALCHEMY_DATABASE_URI": "sqlite:///own"}, "sqlite:///own"),
        (DATABASE, {}, URL),
        (DATABASE, {"SQLALCHEMY_DATABASE_URI": "sqlite:///own"}, URL),
        (DATABASE, {"SQLALCHEMY_DATABASE_URI": "sqlite://", "TESTING": True}, "sqlite://"),
        (DATABASE, {"TESTING": True}, URL),
        ({"DATABASE_URL": " ", "DEFAULT_DATABASE_DSN": DSN}, {}, URL),
        ({"DATABASE_URL": "sqlite:///given"}, {}, "sqlite:///given"),
    ],
    ids=str,
)
def test_database(environ: dict[str, str], config: dict[str, Any], expected: str | None) -> None:
    app = make(environ, **config)

    assert app.config.get("SQLALCHEMY_DATABASE_URI") == expected
    options = app.config.get("SQLALCHEMY_ENGINE_OPTIONS")
    assert (options and options["pool_size"]) == (13 if expected == URL else None)


def test_connections_are_counted_and_own_options_stay() -> None:
    settings = DATABASE | {"WEB_CONCURRENCY": "9", "WEB_THREADS": "4"}
    assert make(settings).config["SQLALCHEMY_ENGINE_OPTIONS"]["pool_size"] == 2
    settings["CONTAINERS"] = "3"
    assert make(settings).config["SQLALCHEMY_ENGINE_OPTIONS"]["pool_size"] == 1
    settings["CONTAINERS"] = "4"
    with pytest.raises(ConfigError, match="- CONTAINERS x WEB_CONCURRENCY: may be at most 27, so"):
        make(settings)
    own = {"poolclass": object}
    app = make(settings, SQLALCHEMY_ENGINE_OPTIONS=own)
    assert app.config["SQLALCHEMY_ENGINE_OPTIONS"] == own


def test_flask_sqlalchemy_takes_it() -> None:
    app = make(DATABASE)
    db = SQLAlchemy(app)

    with app.app_context():
        assert db.engine.pool.size() == 13


@pytest.mark.parametrize(
    "url",
    [
        "oracle+nonsense://u:topsecret@h/n",
        "topsecret",
        f"{BACKEND}://u:p@topsecret@h/n",
        f"{BACKEND}://u:topsecret@h:x/n",
    ],
)
def test_unusable_url(url: str) -> None:
    with pytest.raises(ConfigError, match="- DATABASE_URL: is no URL for SQLAlchemy") as caught:
        make({"DATABASE_URL": url})
    assert "topsecret" not in str(caught.value)
