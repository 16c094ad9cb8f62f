from base64 import b64encode
from pathlib import Path

import pytest
from conftest import MakeApp

HTTPS = {"Host": "a.example", "X-Forwarded-Proto": "https"}
SETTINGS = {
    "STAGE": "test",
    "SECRET_KEY": "a-random-key",
    "DOMAIN": "a.example",
    "DOMAIN_REDIRECTS": "b.example",
    "BASIC_AUTH": "j\xfcrg:a:b",
}


def sent(text: str, scheme: str = "Basic") -> dict[str, str]:
    return HTTPS | {"Authorization": f"{scheme} {b64encode(text.encode()).decode()}"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "a.example"}, 302),
        (HTTPS | {"Host": "b.example"}, 302),
        (HTTPS, 401),
        (sent("j\xfcrg:a"), 401),
        (sent("j\xfcrg:a:b", "Bearer"), 401),
        (sent("j\xfcrg:a:b", "basic"), 200),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("path", ["/tests/page", "/static/style.css", "/media/a"])
def test_password_opens_the_site_after_redirects(
    make_app: MakeApp, tmp_path: Path, path: str, headers: dict[str, str], status: int
) -> None:
    (tmp_path / "a").touch()
    app = make_app(**SETTINGS, DEFAULT_STORAGE_DSN=f"file://{tmp_path}?url=/media/")
    with app.test_client().get(path, headers=headers) as response:
        assert response.status_code == status
        assert response.location == (f"https://a.example{path}" if status == 302 else None)
        assert ("WWW-Authenticate" in response.headers) == (status == 401)
        assert response.headers.getlist("Cache-Control") == ["no-store"]
        assert response.headers["X-Robots-Tag"] == "noindex"
