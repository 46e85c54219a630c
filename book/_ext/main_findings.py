"""The section "What this book finds": sentences from the stored results.

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
    "same": "neither measurably more nor less often right",
}
# Name of the finding -> title, sentence and the page that shows how it was found.
PARTS = {
    "away": (
        "Do artifacts travel better than images?",
        "Trained on one photograph and tested on the other one of its pair, a "
        "classifier that is shown artifacts is {change} than one that is shown the "
        "images, in four transfers within two pairs of photographs",
        "executed/04_cross_dataset.ipynb",
    ),
    "filter": (
        "Does the closest real image matter, or would any filter do?",
        "In RGB, on the photograph of the training and on another one, with few "
        "labelled images and with many, a classifier of artifacts from the nearest "
        "real image is {change} than a classifier of high-passed images (images minus "
        "their own blur), for which no real image is needed",
        "executed/13_ladder.ipynb",
    ),
    "fine": (
        "Does the closest real image help with fine errors?",
        "If views of two photographs are given fine errors of known kind, such as "
        "traces of upsampling, blur or noise, a classifier of artifacts from the "
        "nearest real image is {change} than a classifier of the images or of "
        "high-passed ones, whichever is better",
        "executed/15_regime.ipynb",
    ),
    "coarse": (
        "And with coarse ones?",
        "If the errors are of colour, brightness or shape, which a filter hardly sees, "
        "it is {change} than the better one of these two",
        "executed/15_regime.ipynb",
    ),
    "learned": (
        "And an artifact that a network learned from real images?",
        "In RGB, in the same tests as the filter above, a classifier of the noise that "
        "a denoiser finds in an image is {change} than a classifier of high-passed "
        "images; the denoiser was trained on real images alone",
        "executed/13_ladder.ipynb",
    ),
    "right images": (
        "Does it matter which real images the network learned from?",
        "In the same tests, a classifier is {change} with a denoiser of the "
        "photograph in question than with one that was trained on other photographs",
        "executed/13_ladder.ipynb",
    ),
    "home, many": (
        "Do artifacts help at home, with many labelled images?",
        "On the photograph of the training, with 100 images per model, a classifier "
        "of artifacts is {change} than a classifier of the images themselves",
        "executed/08_baselines.ipynb",
    ),
    "home, few": (
        "And with a handful of labelled images?",
        "On the photograph of the training, with five images per model, a classifier "
        "of RGB artifacts is {change} than a classifier of the images themselves",
        "executed/08_baselines.ipynb",
    ),
    "coverage": (
        "Do more real images help?",
        "In RGB, on the photograph of the training, with five images per model, where "
        "they help most, a classifier of artifacts from the nearest of 50,000 real "
        "images is {change} than one of artifacts from the nearest of 100",
        "executed/07_when_artifacts_help.ipynb",
    ),
    "best earlier": (
        "Are artifacts ahead of the earlier methods?",
        "On the paper's own lists of models, the paper's artifact, from the nearest "
        "real image, in the space that is best on the other photographs is "
        "{change} than the earlier method that is best there; in the paper the best of "
        "four artifacts is ahead of the best of eight earlier methods on every list",
        "executed/08_baselines.ipynb",
    ),
    "origin": (
        "Do artifacts hide what a model was trained on?",
        "Asked on which photograph a model was trained, a classifier of artifacts is "
        "{change} than a classifier of the images themselves; according to the paper "
        "it should be less often right",
        "executed/08_baselines.ipynb",
    ),
}


def sentences():
    """The findings as a Markdown list, whose words depend on the numbers."""
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
