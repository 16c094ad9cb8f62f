"""What pipelines do by schedule, with real cruft and pip-audit, up to a forge's API."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.conftest import Bake
from tests.harness.choices import CONTEXT, PROJECT, TWO_CORES, Answers
from tests.harness.forge import JOB_TOKEN, UPDATE_TOKEN, Forge, forge
from tests.harness.http_server import Handler, serve
from tests.harness.pipelines import BASH, github_workflow, gitlab_pipeline, holds
from tests.harness.processes import add_program, environment, finish, install_program, run
from tests.harness.updates import LOCKS, change, commit, create, git, make_template, release

OLD, NEW = CONTEXT["_version"], "77.7"
PAGE = "my_flask_app/pages.py"
WORKFLOW = ".github/workflows/ci.yml"
# What owners changed, and where that meets the new release.
EDITS = {
    "nothing": [],
    "elsewhere": [("README.md", "# My Flask App", "# Mine")],
    "the same line": [(PAGE, "Hello, World!", "Hello, all of you!")],
    # git merges nothing where a file is gone, and so rejects each conflict.
    "the same line and a file that is gone": [
        (PAGE, "Hello, World!", "Hello, all of you!"),
        (".editorconfig", "root", "# Mine\nroot"),
    ],
}

# The command of GitHub: keeps its arguments, and fails where Actions may not open a pull request.
GH = """printf '%s\\n' "$@" >../pull-request
test -z "$FORBIDDEN" || { echo 'GitHub Actions is not permitted to create pull requests'; exit 1; }
"""

PIP_AUDIT = "2.10.1"

Jobs = dict[str, dict]
Update = Callable[..., tuple[Path, Path]]
Propose = Callable[..., CompletedProcess[str]]
Requested = Callable[[Forge], tuple[str, ...]]

forges = pytest.mark.parametrize("host", ["github", "gitlab"])


@pytest.fixture(scope="session")
def jobs(bake: Bake) -> dict[str, Jobs]:
    """The scheduled jobs of both pipelines."""
    workflow = github_workflow(bake(ci="github"), "weekly")["jobs"]
    pipeline = gitlab_pipeline(bake(ci="gitlab"))
    return {"github": workflow, "gitlab": {name: pipeline[name] for name in workflow}}


def commands(job: dict) -> list[str]:
    """Return what a job runs."""
    return job.get("script") or [step["run"] for step in job["steps"] if "run" in step]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of the template with two releases, and work on the next."""
    template = make_template(tmp_path_factory.mktemp("scheduled") / "template")
    project = template / PROJECT.name
    change(project / "{{cookiecutter.package_name}}" / "pages.py", "Hello, World!", "Hello, Divio!")
    change(project / "pyproject.toml", '    "flask>=', '    "humanize>=4.12",\n    "flask>=')
    (project / ".editorconfig").unlink()
    release(template, NEW)

    git(template, "switch", "-q", "--create", "next")
    change(project / "README.md", "\n## Run\n", "\nA new line.\n\n## Run\n")
    commit(template)
    git(template, "switch", "-q", "main")
    return template


@pytest.fixture(scope="session")
def update(
    jobs: dict[str, Jobs], template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Update:
    """Run the job that updates a project, once; return its repository, and where it ran."""

    @cache
    def update(edits: str, version: str = OLD) -> tuple[Path, Path]:
        folder = tmp_path_factory.mktemp("update")
        project = create(template, folder / "owner", {}, "--checkout", version)
        for path, old, new in EDITS[edits]:
            change(project / path, old, new)
            commit(project)
        git(folder, "clone", "-q", str(project), "runner")
        run(*BASH, "-c", commands(jobs["github"]["update"])[-1], folder=folder / "runner")
        return project, folder / "runner"

    return update


@pytest.fixture
def propose(host: str, jobs: dict[str, Jobs], tmp_path: Path) -> Propose:
    """Run the job that proposes the update of a bundle."""
    add_program(tmp_path / "bin" / "gh", GH)

    def propose(forge: Forge, bundle: Path, **variables: str) -> CompletedProcess[str]:
        runner = tmp_path / "runner"
        if not runner.exists():
            git(tmp_path, "clone", "-q", "--depth=1", f"file://{forge.project}", str(runner))
        (runner / "update.bundle").write_bytes(bundle.read_bytes())
        address = f"{forge.url}/owner/project"
        if host == "gitlab":
            # As its runner leaves them, in shells/abstract.go of gitlab-org/gitlab-runner.
            other = address.replace("://", "://gitlab-ci-token:other@")
            git(runner, "config", f"url.{other}.git.insteadOf", f"{address}.git")
            git(runner, "config", "credential.helper", "!echo password=other;:")
        given = {
            "github": {
                "GITHUB_SERVER_URL": forge.url,
                "GITHUB_REPOSITORY": "owner/project",
                "GH_TOKEN": JOB_TOKEN,
            },
            "gitlab": {"CI_PROJECT_URL": address, "UPDATE_TOKEN": UPDATE_TOKEN},
        }
        env = environment(tmp_path / "bin") | {"GIT_TERMINAL_PROMPT": "0"} | given[host] | variables
        lines = commands(jobs[host]["propose"])[-1]
        done = finish(*BASH, "-c", lines, folder=runner, env=env)
        said = done.stdout + done.stderr
        assert JOB_TOKEN not in said
        assert UPDATE_TOKEN not in said
        return done

    return propose


@pytest.fixture
def requested(host: str, tmp_path: Path) -> Requested:
    """Return the title and the text of the request that was opened, if any."""

    def requested(server: Forge) -> tuple[str, ...]:
        kept = tmp_path / "pull-request" if host == "github" else server.project / "push-options"
        match kept.read_text().splitlines() if kept.exists() else []:
            case ["pr", "create", "--head", branch, "--title", title, "--body", text]:
                assert branch in server.branches
                return title, text
            case ["merge_request.create", title, text]:
                assert title.startswith("merge_request.title=")
                assert text.startswith("merge_request.description=")
                return title.partition("=")[2], text.partition("=")[2]
            case other:
                assert other == []
                return ()

    return requested


def branch_of(template: Path) -> str:
    return f"template-{git(template, 'rev-parse', 'HEAD')[:10]}"


@pytest.mark.parametrize("version", [NEW, "next"])
def test_nothing_is_handed_on_where_no_release_is_newer(
    version: str, update: Update, jobs: dict[str, Jobs]
) -> None:
    project, runner = update("nothing", version)

    assert git(runner, "status", "--porcelain") == ""
    assert git(runner, "rev-parse", "HEAD") == git(project, "rev-parse", "HEAD")
    assert jobs["github"]["propose"]["if"] == "needs.update.outputs.bundle"
    run(*BASH, "-c", "\n".join(commands(jobs["gitlab"]["propose"])), folder=runner)


@forges
def test_new_release_is_proposed_with_its_lock(
    template: Path,
    update: Update,
    propose: Propose,
    requested: Requested,
    tmp_path: Path,
) -> None:
    project, runner = update("elsewhere")
    branch = branch_of(template)

    with forge(tmp_path, project) as server:
        done = propose(server, runner / "update.bundle")

    assert done.returncode == 0, done
    assert server.branches == {
        branch: git(runner, "rev-parse", "HEAD").strip(),
        "main": git(project, "rev-parse", "HEAD").strip(),
    }
    text = (
        "What is new is in the CHANGELOG.md of the template. Changes to files that you moved are "
        'not in this: see "Files that you moved" in README.md.'
    )
    assert requested(server) == (f"Update from the template to {NEW}", text)
    assert server.text(branch, "README.md").startswith("# Mine\n")
    assert "Hello, Divio!" in server.text(branch, PAGE)
    for lock in LOCKS:
        assert "\nhumanize==" in server.text(branch, lock)


@forges
@pytest.mark.parametrize(
    ("edits", "place"),
    [("the same line", PAGE), ("the same line and a file that is gone", f"{PAGE}.rej")],
)
def test_conflicts_are_named_and_shown(
    edits: str,
    place: str,
    template: Path,
    update: Update,
    propose: Propose,
    requested: Requested,
    tmp_path: Path,
) -> None:
    project, runner = update(edits)
    branch = branch_of(template)

    with forge(tmp_path, project) as server:
        done = propose(server, runner / "update.bundle")

    assert done.returncode == 0, done
    title, text = requested(server)
    assert title == f"Update from the template to {NEW}, with conflicts: {place}"
    assert f"There are conflicts in {place}: mend them on this branch" in text
    assert "all of you!" in server.text(branch, PAGE)
    assert "Divio!" in server.text(branch, place)
    assert server.branches["main"] == git(project, "rev-parse", "HEAD").strip()


@forges
def test_branch_that_exists_is_left_alone(
    template: Path, update: Update, propose: Propose, requested: Requested, tmp_path: Path
) -> None:
    project, runner = update("the same line")
    branch = branch_of(template)

    with forge(tmp_path, project) as server:
        propose(server, runner / "update.bundle")
        git(runner, "fetch", "-q", str(server.project), branch)
        git(runner, "checkout", "-q", "--detach", "FETCH_HEAD")
        git(runner, "commit", "-q", "--allow-empty", "-m", "Mend the conflict")
        git(runner, "push", "-q", str(server.project), f"HEAD:{branch}")
        before = server.branches, requested(server)
        done = propose(server, runner / "update.bundle")

    assert done.returncode == 0, done
    assert f"The branch {branch} is there already, and stays as it is." in done.stdout
    assert (server.branches, requested(server)) == before


@pytest.mark.parametrize("host", ["github"])
def test_it_tells_what_to_do_where_workflows_may_not_change(
    update: Update, propose: Propose, requested: Requested, tmp_path: Path
) -> None:
    project, _ = update("elsewhere")
    git(tmp_path, "clone", "-q", str(project), "changed")
    change(tmp_path / "changed" / WORKFLOW, "name: CI", "name: Tests")
    commit(tmp_path / "changed")
    bundle = tmp_path / "changed" / "update.bundle"
    git(tmp_path / "changed", "bundle", "create", "-q", bundle.name, "HEAD^..HEAD")

    with forge(tmp_path, project) as server:
        done = propose(server, bundle)
        assert done.returncode == 1, done
        assert (
            f"refusing to allow a GitHub App to create or update workflow `{WORKFLOW}`"
            in done.stderr
        )
        assert '::error::Set the secret UPDATE_TOKEN, see "Every week" in README.md' in done.stdout
        assert [*server.branches] == ["main"]
        assert requested(server) == ()

        done = propose(server, bundle, GH_TOKEN=UPDATE_TOKEN)
        assert done.returncode == 0, done
        assert len(server.branches) == 2


@pytest.mark.parametrize("host", ["github"])
def test_it_tells_what_to_do_where_actions_may_open_no_pull_request(
    template: Path, update: Update, propose: Propose, tmp_path: Path
) -> None:
    project, runner = update("elsewhere")

    with forge(tmp_path, project) as server:
        done = propose(server, runner / "update.bundle", FORBIDDEN="1")

    assert done.returncode == 1, done
    branch = branch_of(template)
    assert f'::error::Open a pull request of {branch} by hand, and see "Every week"' in done.stdout
    assert branch in server.branches


@pytest.mark.parametrize("host", ["gitlab"])
@pytest.mark.parametrize("token", ["", "expired"])
def test_it_tells_what_to_do_without_a_token(
    token: str, update: Update, propose: Propose, requested: Requested, tmp_path: Path
) -> None:
    project, runner = update("elsewhere")

    with forge(tmp_path, project) as server:
        done = propose(server, runner / "update.bundle", UPDATE_TOKEN=token)

    assert done.returncode != 0, done
    assert 'Set the variable UPDATE_TOKEN, see "Every week" in README.md' in done.stdout
    assert [*server.branches] == ["main"]
    assert requested(server) == ()


def test_it_tells_what_to_do_where_the_template_cannot_be_had(
    jobs: dict[str, Jobs], bake: Bake, tmp_path: Path
) -> None:
    project = bake(ci="github").folder
    cruft = {"template": str(tmp_path / "gone"), "commit": "0" * 40, "context": {}}
    (project / ".cruft.json").write_text(json.dumps(cruft))
    commit(project)

    done = finish(*BASH, "-c", commands(jobs["github"]["update"])[-1], folder=project)

    assert done.returncode != 0, done
    assert 'Make it by hand: see "Update from the template" in README.md.' in done.stdout


@pytest.mark.parametrize(
    ("source", "branch", "expected"),
    [
        ("schedule", "main", ["audit", "update", "propose"]),
        ("push", "main", ["check"]),
        ("merge_request_event", "", ["check"]),
        ("push", "idea", []),
    ],
)
def test_a_schedule_runs_them_and_nothing_else(
    source: str, branch: str, expected: list[str], bake: Bake
) -> None:
    values = {"$CI_PIPELINE_SOURCE": source, "$CI_COMMIT_BRANCH": branch}
    values["$CI_DEFAULT_BRANCH"] = "main"
    pipeline = gitlab_pipeline(bake(ci="gitlab"))
    runs = {
        name: [holds(rule["if"], **values) for rule in job["rules"]]
        for name, job in pipeline.items()
    }
    assert [name for name in runs if any(runs[name])] == expected

    workflow = github_workflow(bake(ci="github"), "weekly")
    assert [*workflow["on"]] == ["schedule", "workflow_dispatch"]


def test_both_update_by_the_same_lines_in_the_whole_history(jobs: dict[str, Jobs]) -> None:
    (install, *github), (quiet, *gitlab) = (commands(jobs[host]["update"]) for host in jobs)

    assert github == gitlab
    assert install == quiet.replace(" --quiet", "")
    # Without the history git rejects what is a conflict with it.
    assert jobs["github"]["update"]["steps"][0]["with"]["fetch-depth"] == 0
    assert jobs["gitlab"]["update"]["variables"] == {"GIT_DEPTH": 0}


def test_what_runs_the_hooks_of_the_template_gets_no_token_that_may_write(
    jobs: dict[str, Jobs],
) -> None:
    github, gitlab = jobs["github"], jobs["gitlab"]

    assert github["update"]["permissions"] == {"contents": "read"}
    assert [name for name in github if "secrets." in json.dumps(github[name])] == ["propose"]
    for job in github.values():
        [checkout] = [step for step in job["steps"] if "checkout@" in step.get("uses", "")]
        assert checkout["with"]["persist-credentials"] is False
    # A variable is for an environment, or for all jobs.
    assert [name for name in gitlab if "environment" in gitlab[name]] == ["propose"]
    assert not re.search(r"cruft (check|update)|make|pip", json.dumps(commands(gitlab["propose"])))


@pytest.fixture(scope="session")
def pip_audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the command, in an environment of its own."""
    return install_program(tmp_path_factory.mktemp("pip-audit"), f"pip-audit=={PIP_AUDIT}")


@contextmanager
def osv(vulnerable: str) -> Iterator[tuple[str, list[str]]]:
    """Serve OSV's API, which knows a vulnerability of a package: its address, and who asked."""
    asked: list[str] = []

    class Api(Handler):
        def answer(self) -> None:
            query = json.loads(self.body())
            asked.append(query["package"]["name"])
            known = [{"id": "PYSEC-2026-1", "affected": []}] if asked[-1] == vulnerable else []
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"vulns": known}).encode())

    with serve(Api) as url:
        yield url, asked


@pytest.mark.sample(TWO_CORES)
def test_audit_fails_where_a_locked_version_is_vulnerable(
    answers: Answers, jobs: dict[str, Jobs], pip_audit: Path, bake: Bake, tmp_path: Path
) -> None:
    install, audit = commands(jobs["github"]["audit"])
    assert install == f"pip install pip-audit=={PIP_AUDIT}"
    assert commands(jobs["gitlab"]["audit"]) == [
        f"pip install --quiet pip-audit=={PIP_AUDIT}",
        audit,
    ]
    project = bake(**answers)
    locked = set(re.findall(r"^([\w-]+)==", project.text("requirements.txt"), re.MULTILINE))
    for vulnerable in ("", "flask"):
        with osv(vulnerable) as (address, asked):
            settings = {"PIP_AUDIT_VULNERABILITY_SERVICE": "osv", "PIP_AUDIT_OSV_URL": address}
            env = environment(pip_audit) | settings | {"XDG_CACHE_HOME": str(tmp_path)}
            done = finish(*BASH, "-c", audit, folder=project.folder, env=env)
        assert done.returncode == bool(vulnerable), done
        assert ("PYSEC-2026-1" in done.stdout) == bool(vulnerable), done
        # Without those that this machine needs none of.
        assert {*asked} <= locked
        assert {"flask", "sqlalchemy", "whitenoise"} <= {*asked}
