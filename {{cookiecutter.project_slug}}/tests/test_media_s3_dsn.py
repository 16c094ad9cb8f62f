"""S3 storages as Divio describes them: in a DSN, or in variables of their own."""

from dataclasses import replace
from typing import Any, cast

import pytest
from conftest import variant

from {{ cookiecutter.package_name }} import config
from {{ cookiecutter.package_name }}.environment import ConfigError
from {{ cookiecutter.package_name }}.media import from_dsn
from {{ cookiecutter.package_name }}.media.s3 import S3Storage

NAME = "a b/\xfc+c.txt"
QUOTED = "a%20b/%C3%BC%2Bc.txt"

# What follows key:secret@ in a DSN; bucket, endpoint, region, addressing style and public URL.
VECTORS = {
    "ex.divio-media.org.s3.amazonaws.com/?auth=s3v4&domain=ex.divio-media.org": (
        ("ex.divio-media.org", "https://s3.amazonaws.com/", "", "path"),
        "https://ex.divio-media.org/",
    ),
    "ex.aldryn-media.io.s3-eu-central-1.amazonaws.com/?domain=ex.aldryn-media.io": (
        ("ex.aldryn-media.io", "https://s3-eu-central-1.amazonaws.com/", "eu-central-1", "path"),
        "https://ex.aldryn-media.io/",
    ),
    "bkt.s3.eu-central-1.amazonaws.com/?auth=s3v4&domain=cdn.example.com": (
        ("bkt", "https://s3.eu-central-1.amazonaws.com/", "eu-central-1", "auto"),
        "https://cdn.example.com/",
    ),
    "ex-765.sos-ch-dk-2.exo.io/?auth=s3": (
        ("ex-765", "https://sos-ch-dk-2.exo.io/", "ch-dk-2", "auto"),
        "https://sos-ch-dk-2.exo.io/ex-765/",
    ),
    "bkt.s3.amazonaws.com/prefix/dir?domain=cdn.example.com": (
        ("bkt", "https://s3.amazonaws.com/", "", "auto"),
        "https://cdn.example.com/prefix/dir/",
    ),
    "bkt.s3.amazonaws.com/prefix/dir/?url=https%3A%2F%2Fcdn.example.com%2Fm%2F": (
        ("bkt", "https://s3.amazonaws.com/", "", "auto"),
        "https://cdn.example.com/prefix/dir/",
    ),
    "my.bkt.fra1.digitaloceanspaces.com/": (
        ("my.bkt", "https://fra1.digitaloceanspaces.com/", "", "path"),
        "https://fra1.digitaloceanspaces.com/my.bkt/",
    ),
    "bkt-s3-x.s3.amazonaws.com/": (
        ("bkt-s3-x", "https://s3.amazonaws.com/", "", "auto"),
        "https://s3.amazonaws.com/bkt-s3-x/",
    ),
    "foo.s3-bar.baz.s3.eu-west-1.amazonaws.com/": (
        ("foo", "https://s3-bar.baz.s3.eu-west-1.amazonaws.com/", "bar", "auto"),
        "https://s3-bar.baz.s3.eu-west-1.amazonaws.com/foo/",
    ),
    "my.bkt/dir?endpoint=http%3A%2F%2F127.0.0.1%3A9000&region_name=here": (
        ("my.bkt", "http://127.0.0.1:9000", "here", "path"),
        "http://127.0.0.1:9000/my.bkt/dir/",
    ),
}


def storage_of(rest: str) -> S3Storage:
    """Return the storage of a DSN without its start."""
    storage = from_dsn(f"s3://key:secret@{rest}")
    assert isinstance(storage, S3Storage)
    return storage


@pytest.mark.parametrize("rest", VECTORS)
def test_dsn(rest: str) -> None:
    expected, base_url = VECTORS[rest]
    storage = storage_of(rest)
    style = cast("Any", storage.client.meta.config).s3["addressing_style"]
    assert (storage.bucket, storage.endpoint, storage.region, style) == expected
    assert storage.url(NAME) == base_url + QUOTED

    # Where no other host is for the public, the client has to find the file at the same URL.
    signed = variant(storage, signed=True, public_url="").url(NAME)
    assert signed.partition("?")[0] == replace(storage, public_url="").url(NAME)


@pytest.mark.parametrize(
    ("rest", "attribute", "expected"),
    [
        ("bkt.s3.amazonaws.com", "acl", "public-read"),
        ("bkt.s3.amazonaws.com?acl=", "acl", ""),
        ("bkt.s3.amazonaws.com?acl=private", "acl", "private"),
        ("bkt.s3.amazonaws.com", "auth", ""),
        ("bkt.s3.amazonaws.com?auth=", "auth", ""),
        ("bkt.s3.amazonaws.com?auth=s3", "auth", "s3"),
        ("bkt.s3.amazonaws.com?auth=s3v4", "auth", "s3v4"),
        ("bkt.s3.amazonaws.com", "signed", False),
        ("bkt.s3.amazonaws.com?qs_auth=True", "signed", True),
        ("bkt.s3.amazonaws.com?qs_auth=1", "signed", True),
        ("bkt.s3.amazonaws.com?qs_auth=off", "signed", False),
        ("bkt.s3.amazonaws.com?addressing_style=virtual", "addressing_style", "virtual"),
        ("bkt.s3.amazonaws.com/a/b", "prefix", "a/b/"),
        ("bkt.s3.amazonaws.com/a/b/", "prefix", "a/b/"),
        ("bkt.s3.amazonaws.com/", "prefix", ""),
        ("bkt.s3.amazonaws.com?domain=cdn.example", "public_url", "https://cdn.example"),
        ("bkt.s3.amazonaws.com?url=http%3A%2F%2Fcdn.example", "public_url", "http://cdn.example"),
        ("bkt.sos-ch-dk-2.exo.io?region_name=there", "region", "there"),
        ("bkt.s3.dualstack.eu-west-1.amazonaws.com", "region", "eu-west-1"),
        ("bkt.s3.eu-west-1.amazonaws.com?region_name=there", "region", "eu-west-1"),
    ],
)
def test_dsn_sets(rest: str, attribute: str, expected: object) -> None:
    assert getattr(storage_of(rest), attribute) == expected


def test_key_and_secret_are_percent_decoded() -> None:
    storage = from_dsn("S3://K%2BEY:se%2Fcr%2Bet%40@bkt.s3.amazonaws.com/")
    assert isinstance(storage, S3Storage)
    assert (storage.access_key, storage.secret_key) == ("K+EY", "se/cr+et@")


def test_secret_is_not_shown() -> None:
    assert "secret" not in repr(storage_of("bkt.s3.amazonaws.com/")).replace("secret_key", "")


def test_client_has_a_region_though_the_dsn_has_none() -> None:
    assert storage_of("my.bkt.fra1.digitaloceanspaces.com").client.meta.region_name == "us-east-1"


def test_virtual_host_is_in_the_urls() -> None:
    storage = storage_of("bkt.s3.eu-central-1.amazonaws.com/?addressing_style=virtual&qs_auth=true")
    assert storage.base_url == "https://bkt.s3.eu-central-1.amazonaws.com/"
    assert storage.url("a.txt").startswith("https://bkt.s3.eu-central-1.amazonaws.com/a.txt?")


@pytest.mark.parametrize(
    ("dsn", "message"),
    [
        ("s3://key:top/secret@bkt.s3.amazonaws.com/", "must be percent-encoded"),
        ("s3://key:top#secret@bkt.s3.amazonaws.com/", "must be percent-encoded"),
        ("s3://key:top?secret@bkt.s3.amazonaws.com/", "must be percent-encoded"),
        ("s3://key:top]secret@bkt.s3.amazonaws.com/", "must be percent-encoded"),
        ("s3://key:top[secret@bkt.s3.amazonaws.com/", "must be percent-encoded"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com:443/", "has a port"),
        ("s3://key:topsecret@minio:9000/bkt", "has a port"),
        ("s3://key:topsecret@bkt/", "names no bucket and service"),
        ("s3://key:topsecret@s3.amazonaws.com/bkt", "names no bucket and service"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com/?auth=s3v5", "has an unknown auth"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com/?addressing_style=x", "unknown addressing_style"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com/?url=%2Fmedia%2F", "url that is no whole URL"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com/?url=%2F%2Fcdn%2F", "url that is no whole URL"),
        ("s3://key:topsecret@bkt/?endpoint=minio:9000", "endpoint that is no whole URL"),
        ("s3://key:topsecret@bkt/?endpoint=ftp%3A%2F%2Fminio", "endpoint that is no whole URL"),
        ("s3://key:topsecret@bkt/?endpoint=http%3A%2F%2F%5Bx", "endpoint that is no whole URL"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com/?domain=a%2Fb", "domain that is no host name"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com/?domain=a%20b", "domain that is no host name"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com/?domain=..", "domain that is no host name"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com/?domain=top;secret", "domain that is no host"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com/?domain=top%E2%84%82", "domain that is no host"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com/?url=http://t%EF%BC%8F/", "url that is no whole"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com/?region_name=a%20b", "region_name that is no"),
        ("s3://key:topsecret@bkt.s3.a;b/", "names no bucket"),
        ("s3://key:topsecret@/?endpoint=http%3A%2F%2Fminio", "names no bucket"),
    ],
)
def test_unusable_dsn_is_refused_without_being_shown(dsn: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        from_dsn(dsn)
    assert "secret@" not in str(caught.value)
    assert "top" not in str(caught.value)
    assert caught.value.__cause__ is None


# The variables that Divio sets beside the DSN.
SPLIT = {
    "DEFAULT_STORAGE_BUCKET": "bkt.divio-media.org",
    "DEFAULT_STORAGE_ACCESS_KEY_ID": "key",
    "DEFAULT_STORAGE_SECRET_ACCESS_KEY": "se/cr%2Bet",
    "DEFAULT_STORAGE_REGION": "eu-central-1",
    "DEFAULT_STORAGE_CUSTOM_DOMAIN": "bkt.divio-media.org",
}


def test_split_variables_make_a_storage() -> None:
    storage = config.load(SPLIT)["MEDIA_STORAGE"]
    assert storage == S3Storage(
        bucket="bkt.divio-media.org",
        access_key="key",
        secret_key="se/cr%2Bet",
        endpoint="https://s3.eu-central-1.amazonaws.com",
        region="eu-central-1",
        public_url="https://bkt.divio-media.org",
        max_age=3600,
    )
    assert storage.url(NAME) == f"https://bkt.divio-media.org/{QUOTED}"


def test_split_variables_may_name_another_service() -> None:
    environ = SPLIT | {
        "DEFAULT_STORAGE_ENDPOINT_URL": "https://sos-ch-dk-2.exo.io",
        "DEFAULT_STORAGE_CUSTOM_DOMAIN": " ",
    }
    storage = config.load(environ)["MEDIA_STORAGE"]
    assert storage.url("a") == "https://sos-ch-dk-2.exo.io/bkt.divio-media.org/a"


def test_without_a_bucket_the_split_variables_make_no_storage() -> None:
    assert config.load(SPLIT | {"DEFAULT_STORAGE_BUCKET": " "})["MEDIA_STORAGE"] is None


def test_dsn_wins_over_the_split_variables() -> None:
    dsn = {"DEFAULT_STORAGE_DSN": "s3://key:secret@other.s3.amazonaws.com/", "MEDIA_MAX_AGE": "60"}
    storage = config.load(SPLIT | dsn)["MEDIA_STORAGE"]
    assert (storage.bucket, storage.max_age) == ("other", 60)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("DEFAULT_STORAGE_REGION", "eu west", "is no region."),
        ("DEFAULT_STORAGE_CUSTOM_DOMAIN", "a/b", "is no host name."),
        ("DEFAULT_STORAGE_ENDPOINT_URL", "no-url", "is no whole URL."),
        ("DEFAULT_STORAGE_ENDPOINT_URL", "http://[x", "is no whole URL."),
    ],
)
def test_unusable_variable_is_the_one_that_is_named(name: str, value: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(SPLIT | {name: value})
    assert str(caught.value).splitlines()[1:] == [f"- {name}: {problem}"]
