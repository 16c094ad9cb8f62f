"""Media in S3, or in a service that speaks its protocol."""

import mimetypes
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Literal, cast
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from . import names

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client

# What separates the bucket from the service in a host of AWS. The first in this list counts.
# https://docs.aws.amazon.com/general/latest/gr/s3.html
MARKERS = [
    ".s3-accesspoint-fips.dualstack.",
    ".s3-fips.dualstack.",
    ".s3-accesspoint.dualstack.",
    ".s3.dualstack.",
    ".s3-accesspoint.",
    ".s3-fips.",
    ".s3-",
    ".s3.",
]

CHOICES = {"auth": ["s3", "s3v4"], "addressing_style": ["auto", "path", "virtual"]}

SIGNED_URL_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class S3Storage:
    """Media in a bucket. All but its name and endpoint may be blank.

    endpoint: the URL of the service
    region: what signatures name; us-east-1 where it is blank
    prefix: the folder of all files in the bucket, ending in a slash
    public_url: scheme and host under which the public sees the files; the bucket's own where
        it is blank
    acl: who may read a saved file. Divio's buckets show the public only what is "public-read";
        a bucket without access control lists needs a blank one.
    auth: the version of signatures, s3 or s3v4; boto3 chooses where it is blank
    addressing_style: "path", "virtual" or "auto"; a bucket with dots needs "path", because its
        name as a part of the host would match no certificate
    signed: give out URLs that are signed and end after an hour, for files that are not public
    """

    bucket: str
    endpoint: str
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    region: str = ""
    prefix: str = ""
    public_url: str = ""
    acl: str = "public-read"
    auth: str = ""
    addressing_style: str = ""
    signed: bool = False

    @classmethod
    def from_dsn(cls, dsn: str) -> "S3Storage":
        """Make the storage from s3://key:secret@bucket.service/prefix?option=value.

        The parts mean what they mean to Divio's django-storage-url, and so do the options: acl,
        addressing_style, auth, domain, qs_auth (for `signed`), region_name and url. One more is
        ours: with endpoint=http%3A%2F%2Fhost%3A9000 the host in the DSN is the bucket alone.
        """
        parts = urlsplit(dsn)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            has_port = parts.port is not None
        except ValueError:
            message = "cannot be read. In its secret /, #, ? and @ must be percent-encoded."
            raise ValueError(message) from None
        if has_port:
            message = "has a port. Name the service in the option endpoint instead."
            raise ValueError(message)
        check_options(options)
        host = parts.hostname
        if not host:
            message = "names no bucket."
            raise ValueError(message)
        if endpoint := options.get("endpoint", ""):
            bucket, region = host, options.get("region_name", "")
        else:
            bucket, endpoint, region = split_host(host, options.get("region_name", ""))
        public_url = f"https://{options['domain']}" if options.get("domain") else ""
        if options.get("url"):
            # Only its scheme and host count: the path of a file is that of its key.
            public_url = "{0.scheme}://{0.netloc}".format(urlsplit(options["url"]))
        prefix = parts.path.strip("/")
        return cls(
            bucket=bucket,
            access_key=unquote(parts.username or ""),
            secret_key=unquote(parts.password or ""),
            endpoint=endpoint,
            region=region,
            prefix=prefix and f"{prefix}/",
            public_url=public_url,
            acl=options.get("acl", "public-read"),
            auth=options.get("auth", ""),
            addressing_style=options.get("addressing_style", ""),
            signed=options.get("qs_auth", "").lower() in {"1", "true", "yes", "on"},
        )

    @property
    def style(self) -> Literal["auto", "path", "virtual"]:
        style = self.addressing_style or ("path" if "." in self.bucket else "auto")
        return cast("Literal['auto', 'path', 'virtual']", style)

    @property
    def base_url(self) -> str:
        service = urlsplit(self.endpoint)
        bucket_url = f"{service.scheme}://{service.netloc}/{self.bucket}"
        if self.style == "virtual":
            bucket_url = f"{service.scheme}://{self.bucket}.{service.netloc}"
        # A signature holds for the service, not for a public host in front of it.
        public_url = "" if self.signed else self.public_url
        return f"{public_url or bucket_url}/{self.prefix}"

    @cached_property
    def client(self) -> "S3Client":
        # Most processes never touch media, and boto3 takes long to import.
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=self.region or "us-east-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(
                signature_version=self.auth or None,
                s3={"addressing_style": self.style},
                # Seconds. Two calls with a second attempt each end before the load balancer's 30.
                connect_timeout=2,
                read_timeout=5,
                retries={"total_max_attempts": 2},
                # Other services than AWS may not know the checksums that boto3 would send.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def save(self, name: str, stream: IO[bytes], *, overwrite: bool = False) -> str:
        name = names.safe(name)
        # put_object holds little in memory, where upload_fileobj would hold a hundred megabytes.
        # But it has to know the length, and starts over from the very beginning.
        if stream.seekable() and stream.tell() == 0:
            return self._put(name, stream, overwrite=overwrite)
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(stream, copy)
            copy.seek(0)
            return self._put(name, copy, overwrite=overwrite)

    def _put(self, name: str, stream: IO[bytes], *, overwrite: bool) -> str:
        options: dict[str, Any] = {"ACL": self.acl} if self.acl else {}
        if content_type := mimetypes.guess_type(name)[0]:
            options["ContentType"] = content_type
        if not overwrite:
            # Not every service knows this condition, so there is a look before, too.
            options["IfNoneMatch"] = "*"
        while True:
            if overwrite or not self.exists(name):
                try:
                    self.client.put_object(
                        Bucket=self.bucket, Key=self._key(name), Body=stream, **options
                    )
                except self.client.exceptions.ClientError as error:
                    if status(error) != HTTPStatus.PRECONDITION_FAILED:
                        raise
                    stream.seek(0)
                else:
                    return name
            name = names.free(name)

    def open(self, name: str) -> BinaryIO:
        try:
            found = self.client.get_object(Bucket=self.bucket, Key=self._key(name))
        except self.client.exceptions.NoSuchKey:
            raise FileNotFoundError(name) from None
        return cast("BinaryIO", found["Body"])

    def delete(self, name: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=self._key(name))

    def exists(self, name: str) -> bool:
        try:
            self.client.head_object(Bucket=self.bucket, Key=self._key(name))
        except self.client.exceptions.ClientError as error:
            if status(error) != HTTPStatus.NOT_FOUND:
                raise
            return False
        return True

    def list(self, prefix: str = "") -> Iterator[str]:
        pages = self.client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix + prefix):
            for found in page.get("Contents", []):
                yield found["Key"].removeprefix(self.prefix)

    def url(self, name: str) -> str:
        if self.signed:
            return self.client.generate_presigned_url(
                "get_object",
                Params={"Bucket": self.bucket, "Key": self._key(name)},
                ExpiresIn=SIGNED_URL_SECONDS,
            )
        return self.base_url + quote(names.checked(name))

    def check(self) -> None:
        self.client.head_bucket(Bucket=self.bucket)

    def _key(self, name: str) -> str:
        return self.prefix + names.checked(name)


def check_options(options: dict[str, str]) -> None:
    """Raise ValueError if the value of an option cannot be used."""
    for option, values in CHOICES.items():
        if options.get(option) and options[option] not in values:
            message = f"has an unknown {option}. Known are {', '.join(values)}."
            raise ValueError(message)
    for option in ("endpoint", "url"):
        if options.get(option) and not is_whole_url(options[option]):
            message = f"has an option {option} that is no whole URL."
            raise ValueError(message)
    if "/" in options.get("domain", ""):
        message = "has an option domain that is no host name."
        raise ValueError(message)


def dsn_of_parts(  # noqa: PLR0913
    *, bucket: str, access_key: str, secret_key: str, region: str, domain: str, endpoint: str
) -> str:
    """Return a DSN for a bucket, which is on AWS where `endpoint` is blank."""
    options = {
        "endpoint": endpoint or f"https://s3.{region or 'us-east-1'}.amazonaws.com",
        "region_name": region,
        "domain": domain,
    }
    credentials = f"{quote(access_key, safe='')}:{quote(secret_key, safe='')}"
    return f"s3://{credentials}@{bucket}/?{urlencode(options)}"


def is_whole_url(text: str) -> bool:
    try:
        return bool(urlsplit(text).netloc)
    except ValueError:
        return False


def status(error: "ClientError") -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]


def split_host(host: str, region: str) -> tuple[str, str, str]:
    """Return bucket, endpoint and region (blank if unknown) of a host in a DSN.

    `region` counts for services other than AWS. Raises ValueError.
    """
    for marker in MARKERS:
        bucket, found, service = host.partition(marker)
        label = service.partition(".")[0]
        if found and label not in {"control", "control-fips"}:
            endpoint = f"https://{marker.lstrip('.')}{service}/"
            return bucket, endpoint, "" if label == "amazonaws" else label

    # Another provider: the last three labels are the service, the first of them ends in the
    # region, as in bucket.sos-ch-dk-2.exo.io.
    bucket, *service_labels = host.rsplit(".", 3)
    if not bucket or len(service_labels) != 3:  # noqa: PLR2004
        message = "names no bucket and service. Its host must look like bucket.s3.amazonaws.com."
        raise ValueError(message)
    region = region or service_labels[0].partition("-")[2]
    return bucket, f"https://{'.'.join(service_labels)}/", region
