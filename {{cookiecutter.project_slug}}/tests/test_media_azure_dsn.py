"""Azure storages as Divio describes them in a DSN."""

import base64

import pytest

from {{ cookiecutter.package_name }}.media import from_dsn
from {{ cookiecutter.package_name }}.media.azure import AzureStorage

NAME = "a b/\xfc+c.txt"
QUOTED = "a%20b/%C3%BC%2Bc.txt"

KEY = "Pz8/Pj4+c2VjcmV0LWtleQ=="  # has all that is special in base64
SAS = "sv=2026-06-06&sr=c&sp=racwdl&sig=top%2Bsecret%3D"
SAS_SECRET = base64.b64encode(SAS.encode()).decode()


def storage_of(rest: str, secret: str = "c2VjcmV0") -> AzureStorage:
    """Return the storage of a DSN without its start."""
    storage = from_dsn(f"az://acct:{secret}@{rest}", max_age=60)
    assert isinstance(storage, AzureStorage)
    assert storage.max_age == 60
    return storage


@pytest.mark.parametrize(
    ("rest", "base_url"),
    [
        ("blob.core.windows.net/public-media", "https://acct.blob.core.windows.net/public-media/"),
        ("blob.core.windows.net/public-media/", "https://acct.blob.core.windows.net/public-media/"),
        ("blob.core.chinacloudapi.cn/abc", "https://acct.blob.core.chinacloudapi.cn/abc/"),
        ("blob.core.windows.net/abc?domain=cdn.example", "https://cdn.example/abc/"),
        ("blob.core.windows.net/abc?domain=cdn.example:8443", "https://cdn.example:8443/abc/"),
        ("blob.core.windows.net/abc?url=http%3A%2F%2Fcdn.example%2Fm", "http://cdn.example/abc/"),
        ("blob.core.windows.net/abc?url=https://a.example&domain=b", "https://a.example/abc/"),
        ("blob.core.windows.net/abc?url=&domain=", "https://acct.blob.core.windows.net/abc/"),
        ("/abc?endpoint=http%3A%2F%2F127.0.0.1%3A10000%2Facct", "http://127.0.0.1:10000/acct/abc/"),
        ("azurite/abc?endpoint=http://azurite:10000/acct/", "http://azurite:10000/acct/abc/"),
        ("/abc?endpoint=http://azurite:10000/acct&domain=a.example", "https://a.example/abc/"),
    ],
)
def test_url(rest: str, base_url: str) -> None:
    storage = storage_of(rest)
    assert storage.base_url == base_url
    assert storage.url(NAME) == base_url + QUOTED


@pytest.mark.parametrize(
    ("rest", "url"),
    [
        ("blob.core.windows.net/abc?domain=a.example", "https://acct.blob.core.windows.net/abc"),
        ("/abc?endpoint=http://127.0.0.1:10000/acct", "http://127.0.0.1:10000/acct/abc"),
    ],
)
@pytest.mark.parametrize("secret", ["c2VjcmV0", SAS_SECRET], ids=["key", "sas"])
def test_client_asks_the_service(rest: str, url: str, secret: str) -> None:
    with storage_of(rest, secret).client as client:
        assert client.url.partition("?")[0] == url


@pytest.mark.parametrize(
    ("secret", "key", "sas"),
    [
        (KEY, KEY, ""),
        (KEY.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D"), KEY, ""),
        (KEY.rstrip("="), KEY, ""),
        (SAS_SECRET, "", SAS),
        (SAS_SECRET.rstrip("="), "", SAS),
        # An ASCII key that is no query, and one whose bytes are no text.
        ("c2ln", "c2ln", ""),
        ("/3NpZz0x".replace("/", "%2F"), "/3NpZz0x", ""),
    ],
)
def test_key_or_sas_token(secret: str, key: str, sas: str) -> None:
    storage = storage_of("blob.core.windows.net/abc", secret.replace("/", "%2F"))
    assert (storage.key, storage.sas) == (key, sas)


@pytest.mark.parametrize("secret", ["c2VjcmV0", SAS_SECRET], ids=["key", "sas"])
def test_secret_is_not_shown(secret: str) -> None:
    storage = storage_of("blob.core.windows.net/abc", secret)
    for text in (repr(storage), storage.base_url, storage.url("a")):
        assert "secret" not in text
        assert "sig=" not in text


@pytest.mark.parametrize(
    ("dsn", "message"),
    [
        ("az://acct:top/secret@blob.core.windows.net/abc", "must be percent-encoded"),
        ("az://acct:top#secret@blob.core.windows.net/abc", "must be percent-encoded"),
        ("az://acct:top?secret@blob.core.windows.net/abc", "must be percent-encoded"),
        ("az://acct:top[secret@blob.core.windows.net/abc", "must be percent-encoded"),
        ("az://acct:topsecret@blob.core.windows.net:443/abc", "has a port"),
        ("az://acct:topsecret@azurite:10000/abc", "has a port"),
        ("az://:topsecret@blob.core.windows.net/abc", "names no account"),
        ("az://top_acct:secret@blob.core.windows.net/abc", "names no account"),
        ("az://acct:topsecret@blob.core.windows.net", "names no container"),
        ("az://acct:topsecret@blob.core.windows.net/", "names no container"),
        ("az://acct:topsecret@blob.core.windows.net/top/abc", "names no container"),
        ("az://acct:topsecret@blob.core.windows.net/Top", "names no container"),
        ("az://acct:topsecret@/abc", "names no service"),
        ("az://acct:topsecret@top;host/abc", "names no service"),
        ("az://acct@blob.core.windows.net/abc", "has no key and no SAS token"),
        ("az://acct:@blob.core.windows.net/abc", "has no key and no SAS token"),
        ("az://acct:top-secret@blob.core.windows.net/abc", "has no key and no SAS token"),
        ("az://acct:sig%3Dtop%E2%84%82@blob.core.windows.net/abc", "has no key and no SAS token"),
        ("az://acct:topsecret@/abc?endpoint=top:10000", "endpoint that is no whole URL"),
        ("az://acct:topsecret@/abc?endpoint=ftp://top", "endpoint that is no whole URL"),
        ("az://acct:topsecret@/abc?endpoint=http://host/?sig=top", "endpoint that is no whole URL"),
        ("az://acct:topsecret@host/abc?url=%2Ftop%2F", "url that is no whole URL"),
        ("az://acct:topsecret@host/abc?domain=a%2Ftop", "domain that is no host name"),
        ("az://acct:topsecret@host/abc?domain=top%E2%84%82", "domain that is no host name"),
    ],
)
def test_unusable_dsn_is_refused_without_being_shown(dsn: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        from_dsn(dsn)
    assert "top" not in str(caught.value)
    assert caught.value.__cause__ is None
