"""What the divio-cli asks of Divio's API when it deploys, answered by a server of this machine."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.harness.http_server import Handler, serve
from tests.harness.processes import run

TOKEN = "0123456789abcdef0123456789abcdef01234567"
APPLICATION = "11111111-2222-3333-4444-555555555555"
ENVIRONMENT = "test-environment"


@dataclass
class ControlPanel:
    """An application on Divio; each of its deployments has ended when it is asked for twice.

    succeeds: whether the deployments do, one by one
    started: which were begun by the API
    """

    succeeds: list[bool]
    started: list[str] = field(default_factory=list)
    deployments: list[str] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    address: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that have the CLI ask here, over HTTP, as by a proxy."""
        return {"DIVIO_ZONE": "http://control.divio.com", "HTTP_PROXY": self.address}

    def begin(self) -> str:
        self.deployments.append(f"deployment-{len(self.deployments)}")
        return self.deployments[-1]

    def state(self, name: str) -> dict:
        ended = name in self.ended
        if name in self.asked:
            self.ended.add(name)
        self.asked.add(name)
        succeeds = self.succeeds[self.deployments.index(name)] if ended else None
        end = "2026-01-01T00:00:00Z" if ended else None
        return {"uuid": name, "ended_at": end, "percent": 50, "status": "?", "success": succeeds}

    def answer(self, method: str, url: str, content: dict) -> dict | None:
        parts = urlsplit(url)
        query = {name: value for name, [value] in parse_qs(parts.query).items()}
        match method, parts.path.removeprefix("/apps/v3").strip("/").split("/"):
            case "GET", ["environments"] if query == {"application": APPLICATION, "slug": "test"}:
                return {"results": [{"uuid": ENVIRONMENT}]}
            case "GET", ["deployments"] if query["environment"] == ENVIRONMENT:
                return {"results": [{"uuid": name} for name in reversed(self.deployments)]}
            case "GET", ["deployments", name]:
                return self.state(name)
            case "POST", ["deployments"] if content["environment"] == ENVIRONMENT:
                self.started.append(self.begin())
                return {"uuid": self.started[-1]}
        return None


@contextlib.contextmanager
def control_panel(*succeeds: bool) -> Iterator[ControlPanel]:
    panel = ControlPanel(list(succeeds))

    class Api(Handler):
        def answer(self) -> None:
            content = json.loads(self.body() or "{}")
            if TOKEN in run("ps", "-A", "-w", "-w", "-o", "args="):
                status, answer = 500, "the token is in the list of processes"
            elif self.headers["Authorization"] != f"Token {TOKEN}":
                status, answer = 401, "no such token"
            else:
                answer = panel.answer(self.command, self.path, content)
                status = 404 if answer is None else 200
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serve(Api) as url:
        panel.address = url
        yield panel
