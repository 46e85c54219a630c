"""What this book finds: nine sentences with numbers, from the stored results.

`python book/_ext/main_findings.py` writes them into `book/welcome.md`, and a test holds
the page to the results.
"""

from pathlib import Path

from manifpt_utils.notebook.findings import count, points, verdict
from manifpt_utils.study.main_findings import main_findings

PAGE = Path(__file__).parents[1] / "welcome.md"
START, END = "<!-- main findings -->", "<!-- end of main findings -->"
WORDS = {
    "ahead": "more often right",
    "behind": "less often right",
    "same": "neither more nor less often right, as far as these results can tell,",
}
# Name of the finding -> title, sentence and the page that shows how it was found.
PARTS = {
    "away": (
        "Do artifacts travel better than images?",
        "Trained on one photograph and tested on another, a classifier that is shown "
        "artifacts is {change} than one that is shown the images",
        "executed/04_cross_dataset.ipynb",
    ),
    "filter": (
        "Does the closest real image matter, or would any filter do?",
        "Between pixels, at home and away, with few labelled images and with many, a "
        "classifier of artifacts with the nearest real image is {change} than one of "
        "images less their own blur, which knows no real image",
        "executed/13_ladder.ipynb",
    ),
    "learned": (
        "And an artifact that a network learned from real images?",
        "In the same tests a classifier of what a denoiser, trained on real images "
        "alone, takes for noise is {change} than one of images less their own blur",
        "executed/13_ladder.ipynb",
    ),
    "right images": (
        "Does it matter which real images the network learned from?",
        "In the same tests a denoiser of the photograph in question makes a classifier "
        "{change} than one that was trained on other photographs",
        "executed/13_ladder.ipynb",
    ),
    "home, many": (
        "Do they help at home, with many labelled images?",
        "On the photograph of the training, with 100 images per model, a classifier of "
        "artifacts is {change} than one of images",
        "executed/08_baselines.ipynb",
    ),
    "home, few": (
        "And with a handful of labelled images?",
        "With five images per model, a classifier of artifacts between pixels is "
        "{change} than one of pixels",
        "executed/03_attribution.ipynb",
    ),
    "coverage": (
        "Do more real images help?",
        "Taken from the nearest of 50,000 real images instead of 100, artifacts make a "
        "classifier {change}",
        "executed/07_when_artifacts_help.ipynb",
    ),
    "best earlier": (
        "Are artifacts ahead of the earlier methods?",
        "On the paper's own lists of models, the artifact with its own estimate, the "
        "nearest real image, in the space that is best on the other photographs is "
        "{change} than the earlier method that is best there; in the paper the best of "
        "four artifacts is ahead of the best of eight earlier methods on every list",
        "executed/08_baselines.ipynb",
    ),
    "origin": (
        "Do artifacts hide what a model was trained on?",
        "Asked on which photograph a model was trained, a classifier of artifacts is "
        "{change} than one of images; the paper wants it to be less often right",
        "executed/08_baselines.ipynb",
    ),
}


def sentences():
    """The findings in Markdown, one item each, in words that the numbers choose."""
    found = main_findings()
    return "\n".join(_item(found[name], *parts) for name, parts in PARTS.items())


def _item(finding, title, sentence, link):
    change = verdict(finding.difference, **WORDS)
    unit = count(finding.difference.n, finding.unit)
    size = points(finding.difference._replace(n=unit))
    return f"- **[{title}]({link})** {sentence.format(change=change)}: {size}."


def with_findings(page):
    """The page with its findings replaced."""
    before, _, rest = page.partition(START)
    return f"{before}{START}\n{sentences()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(with_findings(PAGE.read_text(encoding="utf-8")))
