import io
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError
from flask import Flask
from moto.server import ThreadedMotoServer

from {{ cookiecutter.package_name }} import config
from {{ cookiecutter.package_name }} import media as module
from {{ cookiecutter.package_name }}.media import s3

MB = 2**20

NAME = "a b/\xfc+c.txt"
QUOTED = "a%20b/%C3%BC%2Bc.txt"

# What follows key:secret@ in a DSN; bucket, endpoint, region, addressing style and public URL.
VECTORS = [
    (
        "ex.divio-media.org.s3.amazonaws.com/?auth=s3v4&domain=ex.divio-media.org",
        ("ex.divio-media.org", "https://s3.amazonaws.com/", "", "path"),
        "https://ex.divio-media.org/",
    ),
    (
        "ex.aldryn-media.io.s3-eu-central-1.amazonaws.com/?domain=ex.aldryn-media.io",
        ("ex.aldryn-media.io", "https://s3-eu-central-1.amazonaws.com/", "eu-central-1", "path"),
        "https://ex.aldryn-media.io/",
    ),
    (
        "bkt.s3.eu-central-1.amazonaws.com/?auth=s3v4&domain=cdn.example.com",
        ("bkt", "https://s3.eu-central-1.amazonaws.com/", "eu-central-1", "auto"),
        "https://cdn.example.com/",
    ),
    (
        "ex-765.sos-ch-dk-2.exo.io/?auth=s3",
        ("ex-765", "https://sos-ch-dk-2.exo.io/", "ch-dk-2", "auto"),
        "https://sos-ch-dk-2.exo.io/ex-765/",
    ),
    (
        "bkt.s3.amazonaws.com/prefix/dir?domain=cdn.example.com",
        ("bkt", "https://s3.amazonaws.com/", "", "auto"),
        "https://cdn.example.com/prefix/dir/",
    ),
    (
        "bkt.s3.amazonaws.com/prefix/dir/?url=https%3A%2F%2Fcdn.example.com%2Fm%2F",
        ("bkt", "https://s3.amazonaws.com/", "", "auto"),
        "https://cdn.example.com/prefix/dir/",
    ),
    (
        "my.bkt.fra1.digitaloceanspaces.com/",
        ("my.bkt", "https://fra1.digitaloceanspaces.com/", "", "path"),
        "https://fra1.digitaloceanspaces.com/my.bkt/",
    ),
    (
        "bkt-s3-x.s3.amazonaws.com/",
        ("bkt-s3-x", "https://s3.amazonaws.com/", "", "auto"),
        "https://s3.amazonaws.com/bkt-s3-x/",
    ),
    (
        "foo.s3-bar.baz.s3.eu-west-1.amazonaws.com/",
        ("foo", "https://s3-bar.baz.s3.eu-west-1.amazonaws.com/", "bar", "auto"),
        "https://s3-bar.baz.s3.eu-west-1.amazonaws.com/foo/",
    ),
    (
        "my.bkt/dir?endpoint=http%3A%2F%2F127.0.0.1%3A9000&region_name=here",
        ("my.bkt", "http://127.0.0.1:9000", "here", "path"),
        "http://127.0.0.1:9000/my.bkt/dir/",
    ),
]


def from_dsn(rest: str) -> s3.S3Storage:
    storage = module.from_dsn(f"s3://key:secret@{rest}")
    assert isinstance(storage, s3.S3Storage)
    return storage


# DSNs


@pytest.mark.parametrize(("rest", "expected", "base_url"), VECTORS, ids=[row[0] for row in VECTORS])
def test_dsn(rest: str, expected: tuple[str, str, str, str], base_url: str) -> None:
    storage = from_dsn(rest)
    options = cast("Any", storage.client.meta.config).s3
    assert (
        storage.bucket,
        storage.endpoint,
        storage.region,
        options["addressing_style"],
    ) == expected
    assert storage.url(NAME) == base_url + QUOTED


@pytest.mark.parametrize("rest", [row[0] for row in VECTORS])
def test_client_addresses_a_file_as_its_url_does(rest: str) -> None:
    storage = replace(from_dsn(rest), public_url="")
    signed = replace(storage, signed=True).url(NAME)
    assert signed.partition("?")[0] == storage.url(NAME)
