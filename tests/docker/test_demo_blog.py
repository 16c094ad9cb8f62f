"""The blog of `make demo-blog` as Divio runs it: in containers, with Postgres, S3 and gunicorn."""

from collections.abc import Callable, Iterator

import pytest
import requests
from playwright.sync_api import Browser

from tests.conftest import Bake
from tests.harness import blog, images
from tests.harness.browser import SCREENS
from tests.harness.choices import CORES
from tests.harness.databases import PORTS, new_database, url_of
from tests.harness.engine import PREFIX, Container, container, inspect
from tests.harness.images import Environment, Image
from tests.harness.processes import eventually, run
from tools.blog import add_recipes, install

CATCHER = """
FROM {base}
RUN pip install --no-cache-dir --root-user-action=ignore aiosmtpd
CMD ["python", "-m", "aiosmtpd", "--nosetuid", "--listen=0.0.0.0:8025", \
    "--class", "aiosmtpd.handlers.Mailbox", "/tmp/mails"]
"""
READ_MAILS = """
import mailbox
for mail in mailbox.Maildir("/tmp/mails"):
    print(mail.get_payload(decode=True).decode())
"""


@pytest.fixture(scope="module")
def image(bake: Bake) -> Image:
    project = bake(**CORES[0])
    add_recipes(project)
    install(project)
    return images.build(project, "blog")


@pytest.fixture(scope="module")
def mails(image: Image, network: str) -> Iterator[Container]:
    """A server that takes mails."""
    name = f"{PREFIX}-mails"
    run("docker", "build", f"--tag={name}", "-", stdin=CATCHER.format(base=image.base))
    with container(name, options=(f"--network={network}",), port=8025) as catcher:
        eventually(lambda: "/tmp/mails" in catcher.execute("sh", "-c", "ls -d /tmp/*"), "mails")
        yield catcher


@pytest.fixture(scope="module")
def web(
    image: Image,
    network: str,
    start_database: Callable[[str], Container],
    s3: Container,
    mails: Container,
) -> Iterator[Container]:
    eventually(lambda: requests.put(f"{s3.url}/blog", timeout=10).ok, "a bucket")
    # An address at which both the site and the browser have it.
    address = inspect(s3.name)["NetworkSettings"]["Networks"][network]["IPAddress"]
    database = start_database("postgres")
    new_database(url_of("postgres", database.address), "blog")
    settings = {
        "STAGE": "live",
        "SECRET_KEY": "the-secret-key",
        "DATABASE_URL": url_of("postgres", f"{database.name}:{PORTS['postgres']}") + "/blog",
        "DEFAULT_STORAGE_DSN": f"s3://key:secret@blog/?endpoint=http%3A%2F%2F{address}%3A5000",
        "EMAIL_URL": f"smtp://{mails.name}:8025",
        "EMAIL_FROM": "blog@example.com",
        "SECURE_SSL_REDIRECT": "False",  # the browser comes without the edge, which ends HTTPS
    }
    environment = Environment(image, network, settings)
    environment.command("flask", "db", "upgrade")
    environment.command("flask", "samples")
    with environment.server() as web:
        eventually(lambda: requests.get(f"{web.url}/posts/", timeout=10).ok, "the posts")
        yield web


@pytest.mark.parametrize("screen", SCREENS)
def test_blog_is_used(web: Container, mails: Container, browser: Browser, screen: str) -> None:
    blog.use(browser, web.url, screen, lambda: mails.execute("python", "-c", READ_MAILS))
