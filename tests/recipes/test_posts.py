"""Posts with pictures: written by two people, on real servers and storages."""

import re
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
import requests

from tests.harness import edge
from tests.harness.baked import Baked
from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.databases import new_database
from tests.harness.recipes import gate
from tests.harness.sites import Site, let_root_serve, serve
from tests.harness.visitors import Visitor
from tests.recipes.conftest import Follow

PEOPLE = ["ann@example.com", "bob@example.com"]
PASSWORD = "three small words"
TEXTS = {"title": "A cat", "text": "It sleeps.", "alt": "A cat that sleeps"}
ON_A_PAGE = 10
AT_ONCE = 4

REGISTER = f"""
from my_flask_app import create_app
from my_flask_app.accounts import Account, db
with create_app().app_context():
    for email in {PEOPLE}:
        account = Account(email=email)
        account.set_password("{PASSWORD}")
        db.session.add(account)
    db.session.commit()
"""
LIST = """
from my_flask_app import create_app
from my_flask_app.media import media
with create_app().app_context():
    print(*sorted(file.name for file in media.list("posts/")))
"""
DRAW = """
from PIL import Image
picture = Image.effect_noise((3000, 2000), 50).convert("RGB")
for name in ("photo.jpg", "photo.png", "photo.webp"):
    picture.save(name)
Image.new("RGB", (40, 20)).save("small.png")
Image.new("1", (40_000, 40_000)).save("bomb.png")
Image.new("L", (6000, 5000)).save("large.jpg")
picture.save("picture.gif")
"""
OTHERS = {
    "text.jpg": b"text",
    "picture.svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "page.png": b"<script>alert(1)</script>",
}


@pytest.fixture(scope="module", params=TWO_CORES, ids=label)
def core(request: pytest.FixtureRequest) -> Answers:
    return request.param


@pytest.fixture(scope="module")
def followed(core: Answers, follow: Follow) -> Baked:
    return follow("posts", **core)


@pytest.fixture(scope="module")
def files(followed: Baked, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures and with what only has their names."""
    project = followed.copy(tmp_path_factory.mktemp("files") / "app")
    project.run("python", "-c", DRAW)
    for name, data in OTHERS.items():
        (project.folder / name).write_bytes(data)
    return project.folder


@pytest.fixture(scope="module")
def storage(core: Answers, s3: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    if core["media_storage"] == "local":
        return f"file://{tmp_path_factory.mktemp('media')}/?url=%2Fmedia%2F"
    bucket = f"bkt-{secrets.token_hex(4)}"
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    client = boto3.client("s3", endpoint_url=s3, region_name="us-east-1", **keys)
    client.create_bucket(Bucket=bucket)
    client.close()
    return f"s3://key:secret@{bucket}/prefix?endpoint={s3}"


@pytest.fixture(scope="module")
def site(
    followed: Baked,
    storage: str,
    start_server: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    project = followed.copy(tmp_path_factory.mktemp("deployed") / "app")
    let_root_serve(project)
    settings = {
        "STAGE": "live",
        "SECRET_KEY": "a-random-key",
        "DATABASE_URL": new_database(start_server(project.answers["database"]), "posts"),
        "DEFAULT_STORAGE_DSN": storage,
        "DOMAIN": edge.DOMAIN,
    }
    project.run("flask", "db", "upgrade", **settings)
    project.run("python", "-c", REGISTER, **settings)
    with serve(project, settings) as site:
        yield site


def test_gate(followed: Baked, mypy_cache: str) -> None:
    gate(followed, "posts", mypy_cache=mypy_cache)


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png", "photo.webp"])
def test_picture_is_shown_until_its_post_is_deleted(site: Site, files: Path, name: str) -> None:
    ann, reader = log_in(site, "ann@example.com"), Visitor(site.url)
    post = add(ann, files / name)

    for path, size in ((post, "large"), ("/posts/", "small")):
        [url, *_] = re.findall(
            rf'<img src="([^"]+/{size}.webp)"\s+alt="A cat', reader.get(path).text
        )
        picture = fetch(site, url)
        assert picture.headers["Content-Type"] == "image/webp"
        assert picture.content[:4] == b"RIFF"
        policy = reader.get(path).headers["Content-Security-Policy"]
        host = url.startswith("/") or url.split("/")[2]
        assert host is True or f"img-src 'self' {host}" in policy

    ann.fill_in(f"{post}/delete")
    assert reader.get(post).status_code == 404
    assert fetch(site, url).status_code == 404


@pytest.mark.parametrize("name", [*OTHERS, "picture.gif", "bomb.png", "large.jpg"])
def test_other_file_is_refused(site: Site, files: Path, name: str) -> None:
    before = stored(site)
    answer = upload(log_in(site, "ann@example.com"), "/posts/new", files / name)
    assert answer.status_code == 400
    assert re.search("damaged|million pixels", answer.text)
    assert "It sleeps." in answer.text
    assert stored(site) == before


@pytest.mark.parametrize("action", ["edit", "delete"])
def test_post_of_somebody_else_is_refused(site: Site, files: Path, action: str) -> None:
    ann, bob = log_in(site, "ann@example.com"), log_in(site, "bob@example.com")
    post = add(ann, files / "photo.jpg")
    token = bob.token("/posts/new")
    form = TEXTS | {"title": "Bob's", "csrf_token": token}
    assert bob.get(f"{post}/{action}").status_code == 403
    assert bob.ask("POST", f"{post}/{action}", data=form).status_code == 403
    assert Visitor(site.url).get(f"{post}/{action}").status_code == 302
    assert "A cat" in bob.get(post).text
    assert "Bob" in upload(ann, f"{post}/edit", title="Bob's", then=True).text


def test_list_has_pages(site: Site, files: Path) -> None:
    ann = log_in(site, "ann@example.com")
    token = ann.token("/posts/new")
    small = {"upload": ("small.png", (files / "small.png").read_bytes())}
    for _ in range(ON_A_PAGE + 1):
        ann.ask("POST", "/posts/new", data=TEXTS | {"csrf_token": token}, files=small)
    reader = Visitor(site.url)
    first = reader.get("/posts/")
    assert first.text.count("<li>") == ON_A_PAGE
    second = reader.get(link(first, "next"))
    assert not {*posts_of(first)} & {*posts_of(second)}
    assert posts_of(reader.get(link(second, "prev"))) == posts_of(first)


def test_of_pictures_sent_at_once_one_stays(site: Site, files: Path) -> None:
    ann = log_in(site, "ann@example.com")
    post = add(ann, files / "photo.jpg")
    before = stored(site)
    visitors = [log_in(site, "ann@example.com") for _ in range(AT_ONCE)]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        paths = [f"{post}/edit"] * AT_ONCE
        answers = pool.map(upload, visitors, paths, [files / "photo.webp"] * AT_ONCE)
        assert [answer.status_code for answer in answers] == [302] * AT_ONCE

    after = stored(site)
    assert len(after) == len(before)
    assert len(after - before) == 2
    [url] = re.findall(r'<img src="([^"]+/large.webp)"', ann.get(post).text)
    assert fetch(site, url).status_code == 200


def test_posts_go_with_their_account(site: Site, files: Path) -> None:
    bob = log_in(site, "bob@example.com")
    post = add(bob, files / "photo.webp")
    bob.fill_in("/account/delete", password=PASSWORD)
    assert Visitor(site.url).get(post).status_code == 404


def log_in(site: Site, email: str) -> Visitor:
    visitor = Visitor(site.url)
    assert email in visitor.fill_in("/account/log-in", email=email, password=PASSWORD).text
    return visitor


def upload(
    visitor: Visitor, path: str, file: Path | None = None, then: bool = False, **texts: str
) -> requests.Response:
    """Send the form of a path. Returns the answer, or `then` the page it redirects to."""
    form = TEXTS | texts | {"csrf_token": visitor.token(path)}
    files = {"upload": (file.name, file.read_bytes()) if file else ("", b"")}
    answer = visitor.ask("POST", path, data=form, files=files)
    return visitor.get(answer.headers["Location"]) if then else answer


def add(visitor: Visitor, file: Path) -> str:
    """Write a post, and return its path."""
    answer = upload(visitor, "/posts/new", file)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def fetch(site: Site, url: str) -> requests.Response:
    return site.get(url) if url.startswith("/") else requests.get(url, timeout=5)


def stored(site: Site) -> set[str]:
    """Return the names of all files of pictures."""
    said = site.project.run("python", "-c", LIST, **site.settings)
    return set(re.findall(r"posts/\S+", said))


def link(page: requests.Response, kind: str) -> str:
    [path] = re.findall(rf'rel="{kind}" href="([^"]+)"', page.text)
    return path


def posts_of(page: requests.Response) -> list[str]:
    return re.findall(r'href="(/posts/\d+)"', page.text)
