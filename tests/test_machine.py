"""What the tests need of a machine comes from where the README says, in that order."""

from pathlib import Path

import pytest

from tests.harness import databases, machine
from tests.harness.databases import source_of
from tests.harness.processes import add_program

PROGRAMS = {"postgres": ["initdb", "postgres"], "mysql": ["mysqld"]}

either_kind = pytest.mark.parametrize("kind", PROGRAMS)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder with programs, empty."""
    monkeypatch.setattr(databases, "SERVERS_OF_DEBIAN", [])
    monkeypatch.setenv("PATH", str(tmp_path))
    for kind in PROGRAMS:
        monkeypatch.delenv(f"TEST_{kind.upper()}_URL", raising=False)
    return tmp_path


@either_kind
def test_server_is_the_one_that_a_url_names(
    kind: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROGRAMS[kind]:
        add_program(path / name)
    monkeypatch.setenv(f"TEST_{kind.upper()}_URL", f"{kind}://user@host/")

    with source_of(kind)() as url:
        assert url == f"{kind}://user@host"


@either_kind
def test_server_is_else_a_program_else_a_container(kind: str, path: Path) -> None:
    assert source_of(kind) is None

    add_program(path / "docker")
    assert source_of(kind) is databases.IN_CONTAINER[kind]

    for name in PROGRAMS[kind]:
        add_program(path / name)
    assert source_of(kind) is databases.FROM_PROGRAM[kind]


@pytest.mark.parametrize(
    ("user", "installer", "installed"), [(0, True, True), (0, False, False), (1000, True, False)]
)
def test_root_on_debian_installs_what_is_missing(
    user: int, installer: bool, installed: bool, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands, said = [], []
    monkeypatch.setattr(machine, "run", lambda *command, **_: commands.append(command))
    monkeypatch.setattr("os.geteuid", lambda: user)
    monkeypatch.setenv("CI", "false")
    if installer:
        add_program(path / "apt-get")

    for _ in range(2):  # the second time it is there
        if installed:
            assert machine.provide(lambda: commands, "server", said.append)
        else:
            with pytest.raises(pytest.skip.Exception, match="There is no server"):
                machine.provide(lambda: commands, "server", said.append)

    assert commands == [("make", "bootstrap")] * installed
    assert said == ["There is no server: installing what 'make bootstrap' does."] * installed


def test_continuous_integration_skips_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("CI", "true")

    def find() -> None:
        raise AssertionError("the reason")

    with pytest.raises(pytest.fail.Exception, match=r"no server.*\nthe reason"):
        machine.provide(find, "server", print)
