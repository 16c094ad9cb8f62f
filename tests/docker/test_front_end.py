"""The image of a project with a front-end build."""

from tests.conftest import Bake
from tests.harness import images
from tests.harness.choices import TWO_CORES
from tests.harness.engine import PREFIX, container, docker
from tests.harness.processes import eventually, run
from tests.harness.recipes import Recipe

# In the place of Node's image, so that none but the project's own has to be pulled.
NODE = """
FROM {base}
RUN apt-get update -qq && apt-get install --yes -qq --no-install-recommends nodejs npm >/dev/null
"""


def test_image_has_the_bundle_and_not_what_built_it(bake: Bake) -> None:
    project = bake(**TWO_CORES[0])
    Recipe("front-end").put_into(project)
    run("npm", "install", "--package-lock-only", folder=project.folder)
    node, dockerfile = f"{PREFIX}-node", project.folder / "Dockerfile"
    file = NODE.format(base=images.Image(project, "").base)
    run("docker", "build", f"--tag={node}", "-", stdin=file, timeout=900)
    assert "FROM node:22-slim AS front-end\n" in dockerfile.read_text()
    dockerfile.write_text(dockerfile.read_text().replace("node:22-slim", node))

    image = images.build(project, "front-end")

    with container(image.name, options=("--env=STAGE=test", "--env=SECRET_KEY=secret")) as web:
        eventually(web.is_answering, "an answer")
        assert "characters left" in web.get("/static/app.js").text
        assert web.get("/static/app.js", **{"Accept-Encoding": "br"}).headers["Content-Encoding"]
    docker("run", "--rm", image.name, "sh", "-c", "command -v node || ls node_modules", fails=True)
