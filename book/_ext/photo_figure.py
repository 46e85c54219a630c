"""A figure that computes: a box on the photograph, its view, and its artifact.

`figure` writes what stands on the page before `book/_static/touch.js` wakes it up: one
box, its view with an error, the nearest of some stored views, and the artifact.  The
script gets the reduced photograph, without loss, and the coordinates of the stored
views, and computes the views as the package does.
"""

import io
import json
from base64 import b64encode
from functools import cache

import numpy as np
from PIL import Image

from manifpt_utils.images.photograph import SHORT_SIDE, PhotoManifold
from manifpt_utils.method.manifold import DataManifold
from manifpt_utils.notebook.pictures import signed

PHOTO = "coffee"
SIZES = [10, 25, 50, 100, 200, 350, 500]  # numbers of stored views
N, BOX, STRENGTH, SEED = 100, [270.0, 205.0, 240.0], 0.5, 0  # at the start
CHECKERBOARD = 40  # grey levels at full strength
LIMIT = 8  # grey levels that are shown white, at least
ERRORS = {"checkerboard": "checkerboard", "blur": "blur", "noise": "noise"}
PARTS = {
    "generated": "view of the box, with the error",
    "closest": "nearest stored view",
    "artifact": "artifact: the first minus the second",
    "error": "the error that was added",
}
ALTS = {
    "generated": "A small view of the cup with a fine checkerboard over it.",
    "closest": "A small view of the cup, a little shifted.",
    "artifact": "Mid-grey with the rim of the cup, doubled, and the checkerboard.",
    "error": "Mid-grey with a regular checkerboard and nothing else.",
}
TITLE = (
    "A photograph of a cup of coffee on a table, with a square box around the cup, and "
    "a dashed box of about the same size a little beside it: the nearest stored view."
)
CAPTION = (
    "The solid box is reduced to 32 × 32 pixels and given an error, as a generator "
    "might; the dashed box is the nearest of the stored views. Artifact and error are "
    "drawn around mid-grey, on one scale. Photograph: Rachel Michetti, CC0, from "
    "scikit-image."
)


@cache
def manifold():
    return PhotoManifold(PHOTO)


def coordinates():
    """Coordinates (500, 3) of the stored views, with two digits after the point."""
    return manifold().coordinates(SIZES[-1], seed=SEED).round(2)


def with_checkerboard(view):
    """The error that the figure shows at the start."""
    signs = np.where(np.indices((32, 32)).sum(axis=0) % 2, -1, 1)[..., None]
    wrong = view + STRENGTH * CHECKERBOARD * signs
    return wrong.round().clip(0, 255)


@cache
def state():
    """The images of the first state, and the number of the nearest stored view."""
    (view,) = manifold().views([BOX]).astype(float)
    x, stored = with_checkerboard(view), manifold().views(coordinates()[:N])
    real = stored.reshape(N, -1).astype(np.float32)
    found = DataManifold(None).fit(real).project(x.reshape(1, -1).astype(np.float32))
    number = int(found.index[0, 0])
    images = {"generated": x, "closest": stored[number].astype(float)}
    images |= {"artifact": x - images["closest"], "error": x - view}
    return images, number


def address(image, kind="PNG", **options):
    """An image as the address of a picture."""
    file = io.BytesIO()
    Image.fromarray(np.asarray(image).round().astype(np.uint8)).save(
        file, kind, **options
    )
    return f"data:image/{kind.lower()};base64,{b64encode(file.getvalue()).decode()}"


def pictures():
    """The four small pictures."""
    images, _ = state()
    limit = max(np.abs(images["artifact"]).max(), LIMIT)
    shown = dict(images)
    for name in ("artifact", "error"):
        shown[name] = 255 * signed(images[name], limit)
    return "".join(
        f'<div><img data-part="{name}" src="{address(image)}" alt="{ALTS[name]}" '
        f'width="128" height="128"><span>{PARTS[name]}</span></div>'
        for name, image in shown.items()
    )


def box(name, place):
    x, y, side = place
    corner = f'x="{x - side / 2:.1f}" y="{y - side / 2:.1f}"'
    return f'<rect class="{name}" {corner} width="{side:.1f}" height="{side:.1f}"/>'


def photograph():
    """The photograph with the box and that of the nearest stored view."""
    height, width = manifold().photograph.shape[:2]
    picture = address(manifold().photograph, "JPEG", quality=80)
    found = coordinates()[state()[1]]
    size = f'width="{width}" height="{height}"'
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="photo-title">'
        f'<title id="photo-title">{TITLE}</title><image href="{picture}" {size}/>'
        f"{box('found', found)}{box('box', BOX)}</svg>"
    )


def slider(name, words, low, high, value, shown, step=1):
    label = f'<label for="photo-{name}">{words}</label>'
    bounds = f'min="{low}" max="{high}" step="{step}" value="{value}"'
    field = f'<input type="range" id="photo-{name}" name="photo-{name}" {bounds}>'
    return f'<p>{label} {field} <output for="photo-{name}">{shown}</output></p>'


def controls():
    """What needs the script: the error, its strength, the box, the stored views."""
    radios = "".join(
        f'<label><input type="radio" name="photo-error" value="{kind}"'
        f"{' checked' if kind == 'checkerboard' else ''}> {words}</label> "
        for kind, words in ERRORS.items()
    )
    low, high = manifold().bounds[2]
    return (
        '<div class="controls" data-sleeping hidden><fieldset><legend>Error</legend>'
        f"{radios}</fieldset>"
        + slider("strength", "Strength", 0, 100, 100 * STRENGTH, "50 %", 5)
        + slider("side", "Side of the box", low, high, BOX[2], round(BOX[2]))
        + slider("count", "Stored views", 0, len(SIZES) - 1, SIZES.index(N), N)
        + '</div><p class="keys" data-sleeping hidden>Drag the box, or press the arrow '
        "keys (shift for larger steps); + and − change its side.</p>"
    )


def words():
    """The numbers of the first state."""
    images, _ = state()
    artifact, error = images["artifact"].ravel(), images["error"].ravel()
    length, size = np.linalg.norm(artifact), np.linalg.norm(error)
    return (
        f"With {N} stored views, the artifact is {length:.0f} grey levels long. The "
        f"error that was added (checkerboard) is {size:.0f} long. Their directions "
        f"agree with a cosine of {artifact @ error / (length * size):.2f}."
    )


def reduced():
    """The photograph from which views are made, (160, 240, 3) uint8."""
    return manifold()._reduced.permute(0, 2, 1).numpy().astype(np.uint8)


def data():
    """What the script computes with."""
    found = {
        "photograph": address(reduced(), optimize=True),
        "pixel": min(manifold().photograph.shape[:2]) / SHORT_SIDE,
        "bounds": manifold().bounds.tolist(),
        "coordinates": coordinates().tolist(),
        "sizes": SIZES,
        "n": N,
        "box": BOX,
    }
    return f'<script type="application/json">{json.dumps(found)}</script>'


def figure():
    """The whole figure in HTML."""
    return (
        f'<figure class="touch touch-photo"><div class="pad">{photograph()}</div>'
        f'{controls()}<div class="views">{pictures()}</div>'
        f'<p class="words">{words()}</p>'
        '<p class="visually-hidden" aria-live="polite"></p><p class="asleep">Without '
        "JavaScript the figure shows one place of the box.</p>"
        f"{data()}<figcaption>{CAPTION}</figcaption></figure>"
    )
