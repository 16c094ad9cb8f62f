"""Accounts: used by people, on two containers with two workers each."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import pytest
import requests
from itsdangerous import URLSafeTimedSerializer

from tests.harness.baked import Baked
from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.databases import connect, new_database
from tests.harness.edge import DOMAIN
from tests.harness.mails import Inbox, inbox
from tests.harness.recipes import gate
from tests.harness.sites import let_root_serve, serve
from tests.harness.visitors import Visitor
from tests.recipes.conftest import Follow

SECRET_KEY = "a-random-key"
PASSWORD, OTHER = "three small words", "three other words"
MOST_ON_TARGET = 5
AT_ONCE = 16

pytestmark = pytest.mark.parametrize("core", TWO_CORES, ids=label, scope="module")


@pytest.fixture(scope="module")
def followed(core: Answers, follow: Follow) -> Baked:
    return follow("accounts", **core)


@pytest.fixture(scope="module")
def mails(followed: Baked, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    with inbox(followed, tmp_path_factory.mktemp("mails")) as mails:
        yield mails


@pytest.fixture(scope="module")
def database(core: Answers, start_server: Callable[[str], str]) -> str:
    return new_database(start_server(core["database"]), "accounts")


@pytest.fixture(scope="module")
def containers(
    followed: Baked, mails: Inbox, database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[str]]:
    """The URLs of two containers of the site as Divio runs it."""
    project = followed.copy(tmp_path_factory.mktemp("deployed") / "app")
    let_root_serve(project)
    settings = {
        "STAGE": "live",
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": database,
        "DOMAIN": DOMAIN,
        "EMAIL_URL": mails.url,
        "EMAIL_FROM": f"site@{DOMAIN}",
        "WEB_CONCURRENCY": "2",
    }
    project.run("flask", "db", "upgrade", **settings)
    with serve(project, settings) as one, serve(project, settings) as other:
        yield [one.url, other.url]


def test_gate(followed: Baked, mypy_cache: str) -> None:
    gate(followed, "accounts", mypy_cache=mypy_cache)


def test_account_lives_and_dies(containers: list[str], mails: Inbox) -> None:
    """Each step is in the container where the last one was not."""
    phone, laptop = (Visitor(url) for url in containers)
    register(phone, mails, "Ann@Example.com")
    assert is_in(phone)
    assert not is_in(laptop)
    log_in(laptop, "ann@example.com")
    assert is_in(laptop)

    laptop.fill_in("/account/change-password", password=PASSWORD, new_password=OTHER)
    assert (is_in(phone), is_in(laptop)) == (False, True)
    assert "No account has" in log_in(phone, "ann@example.com").text
    log_in(phone, "ann@example.com", OTHER)

    form = {"email": "bob@example.com", "password": OTHER}
    phone.fill_in("/account/change-address", **form)
    sent = mails.take()
    assert "bob@example.com" in sent["ann@example.com"]
    changed = phone.fill_in(link_in(sent["bob@example.com"]))
    assert "bob@example.com" in changed.text
    assert (is_in(phone), is_in(laptop)) == (True, False)

    laptop.fill_in("/account/forgot", email="bob@example.com")
    link = link_in(mails.take()["bob@example.com"])
    assert "Your password is set" in laptop.fill_in(link, new_password=PASSWORD).text
    assert (is_in(phone), is_in(laptop)) == (False, True)
    assert "This link was used" in phone.get(phone.get(link).headers["Location"]).text

    log_in(phone, "bob@example.com")
    phone.fill_in("/account/", to="/account/log-out")
    assert (is_in(phone), is_in(laptop)) == (False, True)
    log_in(phone, "bob@example.com")
    phone.fill_in("/account/", to="/account/log-out-everywhere")
    assert (is_in(phone), is_in(laptop)) == (False, False)

    log_in(phone, "bob@example.com")
    assert "deleted" in phone.fill_in("/account/delete", password=PASSWORD).text
    assert "No account has" in log_in(laptop, "bob@example.com").text


def test_attempts_are_counted_wherever_they_arrive(containers: list[str], mails: Inbox) -> None:
    """Of many at once in all workers no more are tried than are allowed."""
    register(Visitor(containers[0]), mails, "carol@example.com")
    visitors = [Visitor(containers[n % 2], f"198.51.100.{n}") for n in range(AT_ONCE)]
    tokens = [visitor.token("/account/log-in") for visitor in visitors]
    form = {"email": "carol@example.com", "password": OTHER}

    def try_in(visitor: Visitor, token: str) -> int:
        return visitor.send("/account/log-in", token, **form).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = Counter(pool.map(try_in, visitors, tokens))
    assert statuses[400] <= MOST_ON_TARGET, statuses
    assert statuses[400] + statuses[429] == AT_ONCE, statuses
    for url in containers:
        answer = log_in(Visitor(url, "192.0.2.1"), "carol@example.com")
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "900")
        assert "Wait for 15 minutes" in answer.text


def test_address_has_one_account(containers: list[str], mails: Inbox, database: str) -> None:
    """However it is written, and though several people come at once."""
    links = []
    for email in ("dora@example.com", "Dora@Example.COM"):
        Visitor(containers[0]).fill_in("/account/register", email=email)
        links.append(link_in(mails.take()["dora@example.com"]))
    visits = [(Visitor(url), link) for link in links for url in containers]
    tokens = [visitor.token(link) for visitor, link in visits]

    def choose(visit: tuple[Visitor, str], token: str) -> str:
        visitor, link = visit
        return visitor.send(link, token, new_password=PASSWORD).headers["Location"]

    with ThreadPoolExecutor(len(visits)) as pool:
        targets = Counter(pool.map(choose, visits, tokens))
    assert targets == {"/account/": 1, "/account/forgot": 3}
    with connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM account WHERE email = 'dora@example.com'")
        assert cursor.fetchone() == (1,)


def test_link_that_is_late_or_altered_is_refused(containers: list[str], mails: Inbox) -> None:
    visitor = Visitor(containers[0])
    visitor.fill_in("/account/register", email="eve@example.com")
    path, _, token = link_in(mails.take()["eve@example.com"]).partition("?token=")
    assert visitor.get(f"{path}?token={token}").status_code == 200
    for spoilt in (late(token), f"x{token}", token.upper(), ""):
        answer = visitor.get(f"{path}?token={spoilt}")
        assert answer.is_redirect, spoilt
        assert "This link was used, is too old" in visitor.get(answer.headers["Location"]).text


def late(token: str) -> str:
    """Return what the site would have signed three hours before."""
    site = URLSafeTimedSerializer(SECRET_KEY, salt="accounts.choose_password")
    facts = site.loads(token)
    with patch("time.time", return_value=time.time() - 3 * 3600):
        return site.dumps(facts)


def register(visitor: Visitor, mails: Inbox, email: str) -> None:
    visitor.fill_in("/account/register", email=email)
    link = link_in(mails.take()[email.lower()])
    assert "Your password is set" in visitor.fill_in(link, new_password=PASSWORD).text


def log_in(visitor: Visitor, email: str, password: str = PASSWORD) -> requests.Response:
    return visitor.fill_in("/account/log-in", email=email, password=password)


def is_in(visitor: Visitor) -> bool:
    return visitor.get("/account/").status_code == 200


def link_in(text: str) -> str:
    """Return the path of the link of a mail, which has to be below the main domain."""
    [path] = re.findall(rf"^https://{re.escape(DOMAIN)}(/\S+)$", text, re.MULTILINE)
    return path
