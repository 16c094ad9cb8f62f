"""Media in S3, or in a service that speaks its protocol."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Literal, cast
from urllib.parse import quote, urlsplit

from . import content_types, names
from .file import File

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client

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
    max_age: seconds that caches keep a file
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
    max_age: int = 0

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
        options: dict[str, Any] = {"ContentType": content_types.content_type(name)}
        # Divio's CDN obeys it: https://docs.divio.com/background/caching/
        scope = "public" if self.acl == "public-read" and not self.signed else "private"
        options["CacheControl"] = f"{scope}, max-age={self.max_age}"
        if content_types.is_download(name):
            options["ContentDisposition"] = "attachment"
        if self.acl:
            options["ACL"] = self.acl
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
            name = names.alternative(name)

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

    def list(self, prefix: str = "") -> Iterator[File]:
        pages = self.client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix + prefix):
            for found in page.get("Contents", []):
                name = found["Key"].removeprefix(self.prefix)
                if name and not name.endswith("/"):  # a folder that the console made
                    yield File(name, found["Size"], found["LastModified"])

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


def status(error: "ClientError") -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]
