"""The rocket's links lead to what the pages workflow pushes."""

import re
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[3]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text())
REPOSITORY = urlsplit(CONFIG["repository"]["url"]).path.strip("/")
JOBS = yaml.safe_load((ROOT / ".github/workflows/pages.yml").read_text())["jobs"]


def steps(job, key):
    return [step[key] for step in JOBS[job]["steps"] if key in step]


def pushed():
    """Branch and folder of the notebooks that the workflow pushes, and their names."""
    (upload,) = [w for w in steps("build", "with") if w.get("name") == "executed"]
    (download,) = [w for w in steps("executed", "with") if w.get("name") == "executed"]
    (script,) = steps("executed", "run")
    folder, pattern = upload["path"].rsplit("/", 1)
    assert download["path"] == folder, "the artifact holds what lies in the folder"
    assert f"git add --force {folder}\n" in script
    branch = re.search(r"git push --force origin (\S+)", script)[1]
    assert f"git checkout -B {branch}" in script
    return branch, folder, pattern


@pytest.fixture(scope="module")
def links(site):
    """The launch links of every page: path below the site -> addresses."""
    found = {}
    for page in site.rglob("*.html"):
        soup = BeautifulSoup(page.read_text(), "html.parser")
        hrefs = [a["href"] for a in soup.find_all("a", href=True)]
        name = page.relative_to(site).with_suffix("").as_posix()
        found[name] = [x for x in hrefs if re.match(r"https://(mybinder|colab)\.", x)]
    return found


def test_every_launch_link_opens_a_notebook_that_is_pushed(site, links):
    branch, folder, pattern = pushed()
    assert pattern == "*.ipynb" and branch == CONFIG["repository"]["branch"]
    launched = {name: found for name, found in links.items() if found}
    chapters = {p.stem for p in (ROOT / "notebooks").glob("[0-9]*.py")}
    assert set(launched) == {f"{folder}/{name}" for name in chapters}
    for name, found in launched.items():
        assert len(found) == 2, name
        for address in found:
            parts = urlsplit(address)
            if parts.netloc.startswith("colab"):
                expected = f"/github/{REPOSITORY}/blob/{branch}/{name}.ipynb"
                assert parts.path == expected
            else:
                assert parts.path == f"/v2/gh/{REPOSITORY}/{branch}"
                (opened,) = parse_qs(parts.query)["urlpath"]
                assert unquote(opened) == f"tree/{name}.ipynb"


def test_a_launched_notebook_finds_or_gets_the_package():
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.py")):
        text = path.read_text()
        assert f'REPOSITORY = "{CONFIG["repository"]["url"]}"' in text, path.name
        assert 'COMMIT = "main"' in text and '"-e", ".[book]"' in text, path.name
