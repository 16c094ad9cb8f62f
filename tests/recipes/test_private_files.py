"""Private files in a bucket and in a folder."""

import secrets
from collections.abc import Iterator
from urllib.parse import quote

import boto3
import pytest
import requests

from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.recipes import gate
from tests.recipes.conftest import Follow

SAVE = """
from io import BytesIO
from my_flask_app import create_app, private_files
app = create_app()
with app.test_request_context():
    link = private_files.link(private_files.storage().save("a.txt", BytesIO(b"data")))
print(app.test_client().get(link).location)
"""


@pytest.mark.parametrize("core", TWO_CORES, ids=label)
def test_gate(core: Answers, follow: Follow, mypy_cache: str) -> None:
    gate(follow("private-files", **core), "private-files", mypy_cache=mypy_cache)


@pytest.fixture
def bucket(s3: str) -> Iterator[tuple[object, str, str]]:
    """A client of S3, the name of a bucket, and the DSN of it without options."""
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    client = boto3.client("s3", endpoint_url=s3, region_name="us-east-1", **keys)
    name = f"bkt-{secrets.token_hex(4)}"
    client.create_bucket(Bucket=name)
    yield client, name, f"s3://key:secret@{name}/private?endpoint={quote(s3, safe='')}"
    client.close()


def test_bucket_shows_a_file_by_its_link_alone(follow: Follow, bucket: tuple) -> None:
    client, name, dsn = bucket
    project = follow("private-files", **TWO_CORES[0])

    setting = f"{dsn}&acl=private&qs_auth=true"
    said = project.run("python", "-c", SAVE, PRIVATE_STORAGE_DSN=setting)
    [url] = [line for line in said.splitlines() if line.startswith("http")]

    assert requests.get(url, timeout=5).text == "data"
    grants = client.get_object_acl(Bucket=name, Key="private/a.txt")["Grants"]
    assert {grant["Grantee"].get("URI") for grant in grants} == {None}
    said = project.run("flask", "check", PRIVATE_STORAGE_DSN=dsn, fails=True)
    assert "acl=private" in said
    assert "qs_auth=true" in said
    assert "secret" not in said
