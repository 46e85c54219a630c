"""The picture of the method: from real images to the name of the model.

`python book/_ext/pipeline_figure.py` writes it into `book/pipeline.html`, in one form
for wide pages and one for phones.  The small images are real views, samples and nearest
artifacts of GM-Photo, so the picture shows what the method computes.
"""

import io
from base64 import b64encode
from pathlib import Path

import numpy as np
from PIL import Image

from manifpt_utils import DataManifold, load
from manifpt_utils.notebook.pictures import signed, symmetric_limit

PAGE = Path(__file__).parents[1] / "pipeline.html"
PHOTO, MODEL = "gm-photo/coffee", "dcgan"
CHOSEN = [1, 13, 4, 7, 10, 22]  # samples that differ in what they show
SIDE, GAP = 44, 4  # of a small image
TITLE = (
    "The method in five steps: real and generated images are embedded; the closest "
    "point of the manifold of real images to each generated image is found; the "
    "difference of the two is the artifact; all artifacts of a model are its "
    "fingerprint; a classifier learns to name the model from an artifact."
)
CAPTION = (
    "The method, after the paper's Fig. 2, with images of GM-Photo (coffee, samples of "
    "DCGAN). Artifacts are shown around mid-grey; the bars of step 5 are drawn by hand."
)
WIDE, TALL = (784, 388), (360, 840)


def images():
    """The small images, by name."""
    data = load(PHOTO, models=[MODEL])
    samples = data.images[MODEL][CHOSEN]
    found = DataManifold("rgb").fit(data.real).project(samples)
    artifacts = found.artifact.reshape(samples.shape)
    grey = 255 * signed(artifacts, symmetric_limit(artifacts))
    rows = {
        "real": data.real[:6],
        "generated": samples,
        "closest": data.real[found.index[:1, 0]],
        "artifact": grey.round().astype(np.uint8),
    }
    return {f"{k}{i}": image for k, row in rows.items() for i, image in enumerate(row)}


def encoded(image):
    """An image as the address of a PNG with 64 colours."""
    file = io.BytesIO()
    Image.fromarray(image).quantize(64, dither=0).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


# --- pieces, drawn from their upper left corner ------------------------------------


def at(x, y, *pieces):
    """Pieces moved to a place."""
    return f'<g transform="translate({x} {y})">{"".join(pieces)}</g>'


def text(x, y, words, kind=""):
    name = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{name}>{words}</text>'


def sub(symbol, index):
    """A symbol with an index below the line."""
    return f'<tspan class="symbol">{symbol}</tspan><tspan class="small" dy="4">{index}'


def box(width, height):
    return f'<rect class="box" width="{width}" height="{height}" rx="8"/>'


def arrow(x1, y1, x2, y2, layout):
    ends = f'x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"'
    return f'<line class="arrow" {ends} marker-end="url(#pipeline-{layout}-head)"/>'


def thumb(name, x, y, side=SIDE):
    """One small image; the images themselves are given once for both layouts."""
    place = f'x="{x}" y="{y}" width="{side}" height="{side}"'
    return f'<use href="#pipeline-{name}" {place}/>'


def thumbs(names, columns=3):
    step = SIDE + GAP
    return "".join(
        thumb(name, i % columns * step, i // columns * step)
        for i, name in enumerate(names)
    )


def step(number, words):
    """The heading of a step, its number in a disc."""
    disc = f'<circle class="disc" cx="9" cy="-15" r="9.5"/>{text(9, -10, number, "on")}'
    return disc + text(25, -10, words, "step")


def inputs():
    """Real and generated images, two pieces."""
    real = [f"real{i}" for i in range(6)]
    made = [f"generated{i}" for i in range(3)]
    return (
        text(0, -10, "real images") + thumbs(real),
        text(0, -10, "generated images", "model") + thumbs(made),
    )


def embedding(columns):
    """Step 1, its four spaces below or beside each other."""
    names = ["RGB", "FREQ", "SL", "SSL"]
    width, height = (340, 46) if columns == 4 else (104, 148)
    places = [(i % columns, i // columns) for i in range(4)]
    words = [
        text(width * (c + 0.5) / columns, 30 + 34 * r, name, "middle")
        for name, (c, r) in zip(names, places, strict=True)
    ]
    return step(1, "embed") + box(width, height) + "".join(words)


def manifold():
    """Step 2: a curve with the real images, a sample beside it, its closest point."""
    x = np.linspace(6, 224, 45)
    y = 105 - 42 * np.sin(x / 46) + 0.04 * x
    curve = " L".join(f"{a:.0f} {b:.0f}" for a, b in zip(x, y, strict=True))
    dots = [
        f'<circle class="dot" cx="{x[i]:.0f}" cy="{y[i]:.0f}" r="4"/>'
        for i in range(2, 45, 4)
    ]
    foot = np.array([x[26], y[26]])
    run, rise = x[27] - x[25], y[27] - y[25]
    tip = foot + 60 / np.hypot(run, rise) * np.array([rise, -run])  # at a right angle
    return "".join(
        [
            step(2, "find the closest real point"),
            f'<path class="curve" d="M{curve}"/>',
            *dots,
            f'<line class="gap" x1="{foot[0]:.0f}" y1="{foot[1]:.0f}" '
            f'x2="{tip[0]:.0f}" y2="{tip[1]:.0f}"/>',
            f'<circle class="sample" cx="{tip[0]:.0f}" cy="{tip[1]:.0f}" r="7"/>',
            f'<circle class="foot" cx="{foot[0]:.0f}" cy="{foot[1]:.0f}" r="6"/>',
            text(round(tip[0]) + 13, round(tip[1]) + 4, sub("x", "G</tspan>"), "model"),
            text(round(foot[0]) - 24, round(foot[1]) + 18, "x*", "symbol"),
            text(206, 136, "M", "symbol quiet"),
        ]
    )


def difference():
    """Step 3: sample minus closest real image is the artifact."""
    side, between = 62, 26
    names = ["generated0", "closest0", "artifact0"]
    labels = [sub("x", "G</tspan>"), "x*", "a"]
    drawn = [step(3, "subtract: artifact")]
    for i, (name, label) in enumerate(zip(names, labels, strict=True)):
        x = i * (side + between)
        drawn += [thumb(name, x, 0, side), text(x + side / 2, 80, label, "middle it")]
    signs = [text(side + 13 + i * 88, 37, s, "middle sign") for i, s in enumerate("−=")]
    return "".join([*drawn, *signs])


def fingerprint():
    """Step 4: the artifacts of one model together."""
    names = [f"artifact{i}" for i in range(6)]
    width, height = 3 * SIDE + 2 * GAP + 16, 2 * SIDE + GAP + 16
    frame = f'<rect class="set" width="{width}" height="{height}" rx="10"/>'
    return step(4, "collect: fingerprint") + frame + at(8, 8, thumbs(names))


def classifier():
    """Step 5: shares of a decision, the right one the largest."""
    bars = {"DCGAN": 62, "Glow": 16, "DDPM": 9}
    drawn = [step(5, "name the model"), box(156, 116)]
    for i, (name, length) in enumerate(bars.items()):
        y, kind = 22 + 32 * i, "bar" if i else "bar best"
        drawn.append(text(10, y + 12, name))
        drawn.append(
            f'<rect class="{kind}" x="78" y="{y}" width="{length}" height="15"/>'
        )
    return "".join(drawn)


# --- the two layouts ----------------------------------------------------------------


def wide():
    real, made = inputs()
    go = "wide"
    return "".join(
        [
            at(0, 64, real) + at(0, 240, made),
            arrow(146, 112, 184, 140, go) + arrow(146, 262, 184, 232, go),
            at(192, 112, embedding(1)),
            arrow(300, 186, 330, 160, go),
            at(336, 44, manifold()),
            arrow(450, 204, 450, 234, go),
            at(332, 276, difference()),
            arrow(578, 307, 608, 307, go),
            at(614, 258, fingerprint()),
            arrow(692, 220, 692, 188, go),
            at(614, 64, classifier()),
        ]
    )


def tall():
    real, made = inputs()
    go = "tall"
    return "".join(
        [
            at(10, 32, real) + at(206, 32, made),
            arrow(80, 132, 80, 158, go) + arrow(276, 84, 276, 158, go),
            at(10, 200, embedding(4)),
            arrow(180, 252, 180, 280, go),
            at(66, 320, manifold()),
            arrow(180, 486, 180, 514, go),
            at(61, 556, difference()),
            arrow(236, 646, 130, 690, go),
            at(8, 716, fingerprint()),
            arrow(170, 770, 192, 770, go),
            at(200, 716, classifier()),
        ]
    )


def drawing(layout, size, content):
    """One layout as an SVG with a title and a head for its arrows."""
    name = f"pipeline-{layout}"
    head = (
        f'<marker id="{name}-head" viewBox="0 0 10 10" refX="9" refY="5" '
        'markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="head" d="M0 0 L10 5 L0 10 Z"/></marker>'
    )
    return (
        f'<svg class="{layout}" viewBox="0 0 {size[0]} {size[1]}" role="img" '
        f'aria-labelledby="{name}-title">\n<title id="{name}-title">{TITLE}</title>\n'
        f"<defs>{head}</defs>\n{content}\n</svg>"
    )


def symbols(found):
    """The small images, for both layouts to use."""
    parts = [
        f'<symbol id="pipeline-{name}" viewBox="0 0 32 32">'
        f'<image href="{encoded(image)}" width="32" height="32"/></symbol>'
        for name, image in found.items()
    ]
    return '<svg class="store" aria-hidden="true">' + "\n".join(parts) + "</svg>"


def figure():
    """The whole figure in HTML."""
    return "\n".join(
        [
            '<figure class="pipeline">',
            symbols(images()),
            drawing("wide", WIDE, wide()),
            drawing("tall", TALL, tall()),
            f"<figcaption>{CAPTION}</figcaption>\n</figure>\n",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(figure(), encoding="utf-8")
