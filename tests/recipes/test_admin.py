"""The admin: used on a real database behind each gateway server."""

from collections.abc import Callable

import pytest

from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.databases import new_database
from tests.harness.edge import DOMAIN
from tests.harness.recipes import gate
from tests.harness.sites import let_root_serve, serve
from tests.harness.visitors import Visitor
from tests.recipes.conftest import Follow

PASSWORD = "three small words"
TWO_ACCOUNTS = f"""
from my_flask_app import create_app
from my_flask_app.accounts import Account
from my_flask_app.database import db
with create_app().app_context():
    for email in ("ann@example.com", "bob@example.com"):
        account = Account(email=email)
        account.set_password("{PASSWORD}")
        db.session.add(account)
        db.session.flush()
    db.session.commit()
"""

pytestmark = pytest.mark.parametrize("core", TWO_CORES, ids=label)


def test_gate(core: Answers, follow: Follow, mypy_cache: str) -> None:
    gate(follow("admin", **core), "admin", mypy_cache=mypy_cache)


def test_admin_gives_roles_and_deletes(
    core: Answers, follow: Follow, start_server: Callable[[str], str], tmp_path_factory
) -> None:
    project = follow("admin", **core).copy(tmp_path_factory.mktemp("deployed") / "app")
    let_root_serve(project)
    settings = {
        "STAGE": "live",
        "SECRET_KEY": "a-random-key",
        "DOMAIN": DOMAIN,
        "DATABASE_URL": new_database(start_server(core["database"]), "admin"),
    }
    project.run("flask", "db", "upgrade", **settings)
    project.run("python", "-c", TWO_ACCOUNTS, **settings)
    project.run("flask", "accounts", "role", "ann@example.com", "admin", **settings)
    with serve(project, settings) as site:
        ann, bob = Visitor(site.url), Visitor(site.url)
        for visitor, email in ((ann, "ann@example.com"), (bob, "bob@example.com")):
            visitor.fill_in("/account/log-in", email=email, password=PASSWORD)
        assert bob.get("/admin/account/").status_code == 403

        edit = "/admin/account/edit/?id=2"
        assert "Record was successfully saved" in ann.fill_in(edit, role="admin").text
        assert "bob@example.com" in bob.get("/admin/account/?search=bob").text

        bob.fill_in("/admin/account/", to="/admin/account/delete/", id="1")
        assert ann.get("/admin/account/").is_redirect
        assert "ann@example.com" not in bob.get("/admin/account/").text
