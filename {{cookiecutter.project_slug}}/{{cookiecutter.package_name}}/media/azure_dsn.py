"""Azure storages as Divio describes them, in the dialect of its django-storage-url.

https://docs.divio.com/reference/work-media-storage
"""

import base64
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qs, parse_qsl, unquote, urlsplit

from .azure import AzureStorage

# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
ACCOUNT = "[a-z0-9]{3,24}"
CONTAINER = "[a-z0-9](-?[a-z0-9]){2,62}"

# With a port, or without.
HOST = "[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*(:[0-9]{1,5})?"
WHOLE_URL = rf"https?://{HOST}(/[^\s?#]*)?"

OPTIONS = {
    "domain": (HOST, "host name"),
    "endpoint": (WHOLE_URL, "whole URL"),
    "url": (WHOLE_URL, "whole URL"),
}


def storage(dsn: str, max_age: int = 0) -> AzureStorage:
    """Return the storage of az://account:secret@blob.core.windows.net/container?option=value.

    The secret is the account's key, or a SAS token in base64. The options are domain and url.
    One more is ours: endpoint=http%3A%2F%2Fhost%3A10000%2Faccount is the URL of the account at
    a service of its own, and the host counts for nothing then.
    Raises ValueError, which shows no part of the DSN.
    """
    parts = urlsplit(dsn)
    options = dict(parse_qsl(parts.query))
    if problem := next(problems(parts, options), ""):
        raise ValueError(problem)
    account = parts.username or ""
    key, sas = key_and_sas(unquote(parts.password or ""))
    url = urlsplit(options.get("url", ""))
    public_url = f"https://{options['domain']}" if "domain" in options else ""
    return AzureStorage(
        account=account,
        container=parts.path.strip("/"),
        endpoint=options.get("endpoint", f"https://{account}.{parts.hostname}").rstrip("/"),
        key=key,
        sas=sas,
        # Of the option url only scheme and host count: the path of a file is the blob's.
        public_url=f"{url.scheme}://{url.netloc}" if url.netloc else public_url,
        max_age=max_age,
    )


def problems(parts: SplitResult, options: dict[str, str]) -> Iterator[str]:
    """Yield what is wrong with a DSN besides its secret."""
    try:
        if parts.port is not None:
            yield "has a port. Name the service in the option endpoint instead."
    except ValueError:
        yield "cannot be read. In its secret /, #, ?, @, [ and ] must be percent-encoded."
    if not re.fullmatch(ACCOUNT, parts.username or ""):
        yield "names no account."
    if not re.fullmatch(CONTAINER, parts.path.strip("/")):
        yield "names no container. Its path must look like /public-media."
    if "endpoint" not in options and not re.fullmatch(HOST, parts.hostname or ""):
        yield "names no service. Its host must look like blob.core.windows.net."
    for option, (form, what) in OPTIONS.items():
        if option in options and not re.fullmatch(form, options[option]):
            yield f"has an option {option} that is no {what}."


def key_and_sas(secret: str) -> tuple[str, str]:
    """Return the key and the SAS token of a secret, one of which is blank. Raises ValueError."""
    padded = secret + "=" * (-len(secret) % 4)
    try:
        decoded = base64.b64decode(padded, validate=True)
    except ValueError:
        decoded = b""
    if not decoded:
        message = "has no key and no SAS token: either must be there, in base64."
        raise ValueError(message)
    if decoded.isascii() and "sig" in parse_qs(decoded.decode()):
        return "", decoded.decode()
    return padded, ""
