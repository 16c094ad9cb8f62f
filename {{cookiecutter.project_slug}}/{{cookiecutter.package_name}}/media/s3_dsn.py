"""S3 storages as Divio describes them, in the dialect of its django-storage-url.

https://docs.divio.com/reference/work-media-storage
"""

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote, urlsplit

from .s3 import S3Storage

# What separates the bucket from the service in a host of AWS. The first in this list counts.
# https://docs.aws.amazon.com/general/latest/gr/s3.html
AWS_SEPARATORS = [
    ".s3-accesspoint-fips.dualstack.",
    ".s3-fips.dualstack.",
    ".s3-accesspoint.dualstack.",
    ".s3.dualstack.",
    ".s3-accesspoint.",
    ".s3-fips.",
    ".s3-",
    ".s3.",
]

# With a port, or without.
HOST = "[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*(:[0-9]{1,5})?"

CHOICES = {"auth": ["s3", "s3v4"], "addressing_style": ["auto", "path", "virtual"]}


def storage(dsn: str, max_age: int = 0) -> S3Storage:
    """Return the storage of s3://key:secret@bucket.service/prefix?option=value.

    The options are acl, addressing_style, auth, domain, qs_auth (for `signed`), region_name and
    url. One more is ours: with endpoint=http%3A%2F%2Fhost%3A9000 the host is the bucket alone.
    Raises ValueError, which shows no part of the DSN.
    """
    parts = urlsplit(dsn)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    try:
        has_port = parts.port is not None
    except ValueError:
        message = "cannot be read. In its secret /, #, ?, @, [ and ] must be percent-encoded."
        raise ValueError(message) from None
    if has_port:
        message = "has a port. Name the service in the option endpoint instead."
        raise ValueError(message)
    for option, values in CHOICES.items():
        if options.get(option) and options[option] not in values:
            message = f"has an unknown {option}. Known are {', '.join(values)}."
            raise ValueError(message)
    endpoint = parsed_option(options, "endpoint", whole_url)
    url = urlsplit(parsed_option(options, "url", whole_url))
    public_url = parsed_option(options, "domain", https_url)
    bucket, region = parts.hostname or "", parsed_option(options, "region_name", region_name)
    if not re.fullmatch(HOST, bucket):
        message = "names no bucket."
        raise ValueError(message)
    if not endpoint:
        bucket, endpoint, region = split_host(bucket, region)
    prefix = parts.path.strip("/")
    return S3Storage(
        bucket=bucket,
        access_key=unquote(parts.username or ""),
        secret_key=unquote(parts.password or ""),
        endpoint=endpoint,
        region=region,
        prefix=prefix and f"{prefix}/",
        # Of the option url only scheme and host count: the path of a file is that of its key.
        public_url=f"{url.scheme}://{url.netloc}" if url.netloc else public_url,
        acl=options.get("acl", "public-read"),
        auth=options.get("auth", ""),
        addressing_style=options.get("addressing_style", ""),
        signed=options.get("qs_auth", "").lower() in {"1", "true", "yes", "on"},
        max_age=max_age,
    )


def parsed_option(options: dict[str, str], name: str, parse: Callable[[str], str]) -> str:
    """Return what `parse` makes of an option, "" where it is not set."""
    if not options.get(name):
        return ""
    try:
        return parse(options[name])
    except ValueError as error:
        message = f"has an option {name} that {error}"
        raise ValueError(message) from None


def whole_url(text: str) -> str:
    """Return `text` if it is an HTTP URL with a host. Raises ValueError."""
    if not re.fullmatch(rf"https?://{HOST}(/\S*)?", text):
        message = "is no whole URL."
        raise ValueError(message)
    return text


def https_url(host: str) -> str:
    """Return the URL of a host. Raises ValueError."""
    if not re.fullmatch(HOST, host):
        message = "is no host name."
        raise ValueError(message)
    return f"https://{host}"


def region_name(text: str) -> str:
    """Return `text` if it can be a part of a host. Raises ValueError."""
    if not re.fullmatch("[A-Za-z0-9-]+", text):
        message = "is no region."
        raise ValueError(message)
    return text


def split_host(host: str, region: str) -> tuple[str, str, str]:
    """Return bucket, endpoint and region (blank if unknown) of a host in a DSN.

    `region` counts for services other than AWS. Raises ValueError.
    """
    for separator in AWS_SEPARATORS:
        bucket, found, service = host.partition(separator)
        label = service.partition(".")[0]
        if found and label not in {"control", "control-fips"}:
            endpoint = f"https://{separator.lstrip('.')}{service}/"
            return bucket, endpoint, "" if label == "amazonaws" else label

    # Another provider: the last three labels are the service, the first of them ends in the
    # region, as in bucket.sos-ch-dk-2.exo.io.
    bucket, *service_labels = host.rsplit(".", 3)
    if not bucket or len(service_labels) != 3:  # noqa: PLR2004
        message = "names no bucket and service. Its host must look like bucket.s3.amazonaws.com."
        raise ValueError(message)
    region = region or service_labels[0].partition("-")[2]
    return bucket, f"https://{'.'.join(service_labels)}/", region
