"""A forge's git server: a repository over HTTP, for those who have a token."""

import base64
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

from tests.harness.http_server import Handler, serve
from tests.harness.processes import add_program, environment, run
from tests.harness.updates import git

JOB_TOKEN, UPDATE_TOKEN = "token-of-the-job", "token-of-the-owner"

# Keeps the push options, which are how GitLab makes a merge request, and refuses as GitHub does.
PRE_RECEIVE = """set -e
for number in $(seq 0 $((GIT_PUSH_OPTION_COUNT - 1))); do
    eval "echo \\"\\$GIT_PUSH_OPTION_$number\\"" >>push-options
done
read old new name
if [ "$REMOTE_USER" = %s ]; then
    for path in $(git diff --name-only main "$new" -- .github/workflows); do
        echo "refusing to allow a GitHub App to create or update workflow" \\
            "\\`$path\\` without \\`workflows\\` permission"
        exit 1
    done
fi
"""


@dataclass(frozen=True)
class Forge:
    """The server at `url` has the bare repository `project`."""

    url: str
    project: Path

    @property
    def branches(self) -> dict[str, str]:
        """The commits of the branches."""
        listed = git(self.project, "for-each-ref", "--format=%(refname:short) %(objectname)")
        return dict(line.split() for line in listed.splitlines())

    def text(self, branch: str, path: str) -> str:
        return git(self.project, "show", f"{branch}:{path}")


@contextmanager
def forge(folder: Path, source: Path) -> Iterator[Forge]:
    """Serve a copy of a repository as owner/project."""
    project = folder / "owner" / "project.git"
    git(folder, "clone", "-q", "--bare", str(source), str(project))
    git(project, "config", "receive.advertisePushOptions", "true")
    add_program(project / "hooks" / "pre-receive", PRE_RECEIVE % JOB_TOKEN)

    class GitServer(Handler):
        def answer(self) -> None:
            given = self.headers.get("Authorization", "").removeprefix("Basic ")
            _, _, token = base64.b64decode(given).decode().partition(":")
            if token not in {JOB_TOKEN, UPDATE_TOKEN} or token in run(
                "ps", "-A", "-ww", "-o", "args="
            ):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="forge"')
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            answer = subprocess.run(
                ["git", "http-backend"],
                env=environment()
                | {
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "GIT_PROJECT_ROOT": str(folder),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                    "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "REMOTE_USER": token,
                    "REQUEST_METHOD": self.command,
                },
                input=self.body(),
                capture_output=True,
            ).stdout
            headers, _, body = answer.partition(b"\r\n\r\n")
            fields = message_from_bytes(headers)
            self.send_response(int(fields.get("Status", "200").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    with serve(GitServer) as url:
        yield Forge(url, project)
