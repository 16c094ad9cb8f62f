"""Media in Azure Blob Storage."""

import io
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import quote

from . import content_types, names
from .file import File

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from azure.storage.blob import ContainerClient, StorageStreamDownloader

# Bytes. A larger file moves in parts of this size.
PART = 2 * 2**20


@dataclass(frozen=True, kw_only=True)
class AzureStorage:
    """Media in a container, whose files the public may read.

    endpoint: the URL of the account at the service
    key: the account's; blank where there is a SAS token
    sas: a shared access signature, the query of a URL
    public_url: scheme and host under which the public sees the files; the endpoint where it is
        blank
    max_age: seconds that caches keep a file
    """

    account: str
    container: str
    endpoint: str
    key: str = field(default="", repr=False)
    sas: str = field(default="", repr=False)
    public_url: str = ""
    max_age: int = 0

    @property
    def base_url(self) -> str:
        return f"{self.public_url or self.endpoint}/{self.container}/"

    @cached_property
    def client(self) -> "ContainerClient":
        # Most processes never touch media, and this takes long to import.
        from azure.core import credentials  # noqa: PLC0415
        from azure.storage.blob import ContainerClient, LinearRetry  # noqa: PLC0415

        # It tells of each request.
        logging.getLogger("azure").setLevel(logging.WARNING)
        return ContainerClient(
            self.endpoint,
            self.container,
            credential=credentials.AzureSasCredential(self.sas)
            if self.sas
            else credentials.AzureNamedKeyCredential(self.account, self.key),
            # The newest that the library knows may be too new for other services than Azure's.
            api_version="2023-11-03",
            max_single_put_size=PART,
            max_block_size=PART,
            # Of a download, the library has about ten in memory.
            max_single_get_size=PART // 4,
            max_chunk_get_size=PART // 4,
            # Seconds. Two calls with a second attempt each end before the load balancer's 30.
            connection_timeout=2,
            read_timeout=5,
            retry_policy=LinearRetry(backoff=1, retry_total=1, random_jitter_range=0),
        )

    def save(self, name: str, stream: IO[bytes], *, overwrite: bool = False) -> str:
        from azure.core.exceptions import ResourceExistsError  # noqa: PLC0415
        from azure.storage.blob import ContentSettings  # noqa: PLC0415

        name = names.safe(name)
        settings = ContentSettings(
            content_type=content_types.content_type(name),
            content_disposition="attachment" if content_types.is_download(name) else None,
            # Divio's CDN obeys it: https://docs.divio.com/background/caching/
            cache_control=f"public, max-age={self.max_age}",
        )
        # A copy, because the length must be known, and where the name is taken all is sent again.
        with tempfile.SpooledTemporaryFile(PART) as copy:
            shutil.copyfileobj(stream, copy)
            length = copy.tell()
            while True:
                copy.seek(0)
                try:
                    self.client.upload_blob(
                        name, copy, length=length, overwrite=overwrite, content_settings=settings
                    )
                except ResourceExistsError as error:
                    if cast("Any", error).error_code != "BlobAlreadyExists":
                        raise
                    name = names.alternative(name)
                else:
                    return name

    def open(self, name: str) -> BinaryIO:
        with missing_as_file_not_found(names.checked(name)):
            return io.BufferedReader(Download(self.client.download_blob(name)))

    def delete(self, name: str) -> None:
        with suppress(FileNotFoundError), missing_as_file_not_found(names.checked(name)):
            self.client.delete_blob(name)

    def exists(self, name: str) -> bool:
        return self.client.get_blob_client(names.checked(name)).exists()

    def list(self, prefix: str = "") -> Iterator[File]:
        for blob in self.client.list_blobs(name_starts_with=prefix):
            yield File(blob.name, blob.size, blob.last_modified)

    def url(self, name: str) -> str:
        return self.base_url + quote(names.checked(name))

    def check(self) -> None:
        # A SAS token of the container may list it, but not ask for its properties.
        next(self.client.list_blobs(results_per_page=1), None)


class Download(io.RawIOBase):
    """What the library downloads, as a file."""

    def __init__(self, source: "StorageStreamDownloader[bytes]") -> None:
        self.source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        data = self.source.read(len(view))
        view[: len(data)] = data
        return len(data)


@contextmanager
def missing_as_file_not_found(name: str) -> Iterator[None]:
    from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415

    try:
        yield
    except ResourceNotFoundError:
        raise FileNotFoundError(name) from None
