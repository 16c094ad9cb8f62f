"""A stand-in for Azure Blob Storage, of which it has what media/azure.py asks for.

Run beside the tests where TEST_AZURE_DSN names no real service. It prints its port. It knows each
key and each signature but "wrong".
"""

import re
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class Blob(NamedTuple):
    data: bytes
    headers: dict[str, str]


CONTAINERS: dict[str, dict[str, Blob]] = {}
# What is not part of a blob yet, by paths and identifiers.
BLOCKS: dict[tuple[str, str], bytes] = {}

KEPT = "Cache-Control", "Content-Disposition", "Content-Type"
BLOB = "<Blob><Name>{}</Name><Properties>{}</Properties></Blob>"
FACTS = (
    "<BlobType>BlockBlob</BlobType><Content-Length>{}</Content-Length>"
    "<Last-Modified>{}</Last-Modified>"
)
LIST = "<EnumerationResults><Blobs>{}</Blobs><NextMarker/></EnumerationResults>"


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.query.get("restype") == "container":
            CONTAINERS[self.container] = {}
        elif self.refused():
            return
        elif self.query.get("comp") == "block":
            BLOCKS[self.path_of_blob, self.query["blockid"]] = body
        elif self.headers["If-None-Match"] == "*" and self.blob in CONTAINERS[self.container]:
            self.fail(HTTPStatus.CONFLICT, "BlobAlreadyExists")
            return
        else:
            if self.query.get("comp") == "blocklist":
                blocks = re.findall("<Latest>(.+?)</Latest>", body.decode())
                body = b"".join(BLOCKS.pop((self.path_of_blob, block)) for block in blocks)
            found = {name: self.headers[f"x-ms-blob-{name}"] for name in KEPT}
            headers = {name: value for name, value in found.items() if value}
            CONTAINERS[self.container][self.blob] = Blob(body, headers)
        self.answer(HTTPStatus.CREATED)

    def do_GET(self) -> None:
        if self.query.get("comp") == "list":
            if not self.refused():
                self.answer(HTTPStatus.OK, self.list().encode(), {"Content-Type": "text/xml"})
        elif blob := self.found():
            size = len(blob.data)
            start, end = 0, size
            if asked := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("x-ms-range", "")):
                start, end = int(asked[1]), min(int(asked[2]) + 1, size)
                if start >= size:
                    self.fail(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "InvalidRange")
                    return
            headers = blob.headers | {"Content-Range": f"bytes {start}-{end - 1}/{size}"}
            status = HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK
            self.answer(status, blob.data[start:end], headers)

    def do_HEAD(self) -> None:
        if blob := self.found():
            self.answer(HTTPStatus.OK, b"", blob.headers)

    def do_DELETE(self) -> None:
        if self.found():
            del CONTAINERS[self.container][self.blob]
            self.answer(HTTPStatus.ACCEPTED)

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}

    @property
    def path_of_blob(self) -> str:
        return urlsplit(self.path).path

    @property
    def container(self) -> str:
        return self.path_of_blob.split("/")[2]

    @property
    def blob(self) -> str:
        return unquote(self.path_of_blob.split("/", 3)[3])

    def list(self) -> str:
        blobs = sorted(CONTAINERS[self.container].items())
        return LIST.format(
            "".join(
                BLOB.format(escape(name), FACTS.format(len(blob.data), formatdate(usegmt=True)))
                for name, blob in blobs
                if name.startswith(self.query.get("prefix", ""))
            )
        )

    def found(self) -> Blob | None:
        """Return the blob. Where there is none, answer so."""
        if self.refused():
            return None
        blob = CONTAINERS[self.container].get(self.blob)
        if not blob:
            self.fail(HTTPStatus.NOT_FOUND, "BlobNotFound")
        return blob

    def refused(self) -> bool:
        """Return whether nothing in the container can be had, and answer so."""
        if self.query.get("sig") == "wrong":
            self.fail(HTTPStatus.FORBIDDEN, "AuthenticationFailed")
        elif self.container not in CONTAINERS:
            self.fail(HTTPStatus.NOT_FOUND, "ContainerNotFound")
        else:
            return False
        return True

    def fail(self, status: HTTPStatus, code: str) -> None:
        self.answer(status, b"", {"x-ms-error-code": code})

    def answer(
        self, status: HTTPStatus, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        print(server.server_port, flush=True)  # noqa: T201
        server.serve_forever()
