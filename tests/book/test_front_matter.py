"""The pages and files that meet a newcomer first say what is true of the project."""

import json
import re
import subprocess
import tomllib
from types import SimpleNamespace

import launch_links
import pytest
import seen_figures
import yaml
from book_site import HTML, NOT_BUILT, ROOT, pages
from docutils import nodes

PAGES = {page.removesuffix(".html") for page in pages()}
ADDRESSES = yaml.safe_load((ROOT / "book" / "addresses.yml").read_text())
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text())
REDIRECTS = CONFIG["sphinx"]["config"]["redirects"]
GITHUB = "https://github.com/someone/something"
CHAPTER = "book/executed/03_attribution"


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


# --- the welcome page and the questions ---------------------------------------------


def test_what_you_will_see_is_what_the_script_draws():
    page = read("book/seen.html")
    for _, alt, caption in seen_figures.pictures():
        assert f'aria-label="{alt}"' in page, "run: python book/_ext/seen_figures.py"
        assert f"<figcaption>{caption}</figcaption>" in page


def test_each_way_in_has_five_steps_that_take_a_time():
    part = read("book/welcome.md").partition("## Three ways in")[2]
    ways = part.partition("\n## ")[0].split("\n**To ")[1:]
    assert [way.split()[0] for way in ways] == ["read", "run", "teach"]
    for way in ways:
        steps = re.findall(r"^(\d)\. (.+)$", way, re.M)
        assert [number for number, _ in steps] == list("12345")
        for _, step in steps:
            assert re.search(r"\(.*(minutes|hour|as long as you like).*\)", step), step


def test_every_answer_leads_to_a_longer_one():
    answers = re.split(r"^### ", read("book/faq.md"), flags=re.M)[1:]
    assert len(answers) >= 20
    for answer in answers[:-1]:  # how to cite leads to a file, not to a page
        assert re.search(r"\]\([\w/#.-]+\)", answer), answer


# --- addresses ----------------------------------------------------------------------


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_ever_published_resolves(address):
    if address in PAGES:
        return
    folder = address.rpartition("/")[0]
    target = f"{folder}/{REDIRECTS[address]}".removesuffix(".html")
    assert target in PAGES, f"{address} leads to {target}, which is no page"


def test_every_page_is_among_the_published_addresses():
    missing = sorted(PAGES - set(ADDRESSES))
    assert not missing, f"add to book/addresses.yml: {missing}"
    assert len(set(ADDRESSES)) == len(ADDRESSES)


@pytest.mark.skipif(not HTML.is_dir(), reason=NOT_BUILT)
@pytest.mark.parametrize("address", REDIRECTS)
def test_an_old_address_is_a_page_that_leads_on(address):
    page = (HTML / f"{address}.html").read_text(encoding="utf-8")
    assert REDIRECTS[address] in page
    assert (HTML / address).with_name(REDIRECTS[address]).is_file()


# --- links that start a chapter -----------------------------------------------------


def chapter_with_links(url, folder="/"):
    """What the hook makes of a chapter in a folder, as text and addresses."""
    title = nodes.title("", "Attribution")
    doctree = nodes.section("", title, nodes.paragraph("", "Text."))
    options = {"repository_url": url, "repository_branch": "main"}
    app = SimpleNamespace(
        config=SimpleNamespace(html_theme_options=options),
        env=SimpleNamespace(docname=CHAPTER),
        srcdir=folder,
    )
    launch_links.add_links(app, doctree)
    return doctree, [link["refuri"] for link in doctree.findall(nodes.reference)]


def clone_of(remote, folder):
    """A folder that looks as if it were cloned from an address."""
    for command in (["init", "--quiet"], ["remote", "add", "origin", remote]):
        subprocess.run(["git", "-C", folder, *command], check=True)
    return folder


def test_without_a_repository_a_chapter_has_no_such_link(tmp_path):
    doctree, addresses = chapter_with_links("", tmp_path)
    assert addresses == [] and len(doctree) == 2


@pytest.mark.parametrize(
    "remote",
    [
        GITHUB,
        f"{GITHUB}.git",
        "git@github.com:someone/something.git",
        "ssh://git@github.com/someone/something",
        "https://me:a-password@github.com/someone/something.git",
    ],
)
def test_in_a_clone_the_links_lead_to_where_it_came_from(remote, tmp_path):
    doctree, addresses = chapter_with_links("", clone_of(remote, tmp_path))
    assert len(addresses) == 3
    assert f"git clone --depth 1 {GITHUB} project" in doctree.astext()
    assert all("someone/something" in address for address in addresses)
    assert "password" not in f"{addresses} {doctree.astext()}"


def test_the_declared_repository_goes_before_the_clone(tmp_path):
    _, addresses = chapter_with_links(GITHUB, clone_of("git@github.com:a/b", tmp_path))
    assert all("someone/something" in address for address in addresses)


@pytest.mark.parametrize(
    "remote",
    [
        "https://example.org/a/b",
        "git@example.org:a/github.com/b",
        "https://example.org/github.com/a/b",
        "https://github.com.example.org/a/b",
        "../project",
    ],
)
def test_a_clone_from_elsewhere_has_no_such_link(remote, tmp_path):
    doctree, addresses = chapter_with_links("", clone_of(remote, tmp_path))
    assert addresses == [] and len(doctree) == 2


def test_with_a_repository_a_chapter_has_three():
    doctree, addresses = chapter_with_links(GITHUB)
    assert len(addresses) == 3
    assert isinstance(doctree[0], nodes.title)
    assert f"git clone --depth 1 {GITHUB}" in doctree.astext()


@pytest.mark.parametrize("name", sorted(p for p in PAGES if "/executed/" in p))
def test_links_lead_to_sources_that_are_there(name):
    source = f"notebooks/{name.rpartition('/')[2]}.ipynb"
    found = launch_links.links(GITHUB, "main", source)
    assert (ROOT / found["Colab"].partition("/blob/main/")[2]).is_file()
    assert (ROOT / found["Binder"].partition("?urlpath=lab/tree/")[2]).is_file()
    assert found["Codespaces"].endswith("someone/something/tree/main")


def test_what_the_services_read_is_there():
    # A folder .binder or binder would take precedence over environment.yml.
    assert (ROOT / "environment.yml").is_file()
    assert not (ROOT / ".binder").exists() and not (ROOT / "binder").exists()
    container = json.loads(read(".devcontainer/devcontainer.json"))
    target = container["postCreateCommand"].split()[1]
    assert re.search(rf"^{target}:", read("Makefile"), re.M)


@pytest.mark.parametrize("url", ["https://example.org/a/b", "github.com/a/b", "a/b"])
def test_an_address_that_no_service_knows_is_refused(url):
    with pytest.raises(ValueError, match=r"repository\.url = .* must be such as"):
        launch_links.links(url, "main", "notebooks/03_attribution.ipynb")


def test_the_declared_repository_can_be_linked():
    url = CONFIG["repository"]["url"]
    assert not url or launch_links.links(url, CONFIG["repository"]["branch"], "x")


# --- files of the repository ----------------------------------------------------------


def test_the_citation_is_complete_and_of_this_version():
    found = yaml.safe_load(read("CITATION.cff"))
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert {"cff-version", "message", "title", "authors"} <= set(found)
    assert found["cff-version"] == "1.2.0"
    assert found["version"] == project["version"]
    assert found["license"] == project["license"]
    assert found["title"] == CONFIG["title"]
    (paper,) = found["references"]
    assert "ManiFPT" in paper["title"] and len(paper["authors"]) == 3


def test_the_changelog_has_the_form_that_it_names():
    text = read("CHANGELOG.md")
    versions = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", text, re.M)
    assert versions[0] == ("Unreleased", "")
    assert all(date for _, date in versions[1:])
    kinds = set(re.findall(r"^### (.+)$", text, re.M))
    known = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Moved"}
    assert kinds <= known


def test_files_that_the_guide_for_contributors_names_exist():
    for path in re.findall(r"`([\w./-]+/[\w./-]+)`", read("CONTRIBUTING.md")):
        if "NN_slug" not in path:
            home = [ROOT / path, ROOT / "manifpt_utils" / path]
            assert any(place.exists() for place in home), path
