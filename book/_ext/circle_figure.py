"""A figure that computes: a point off a circle, and estimates of its closest point.

`figure` writes what stands on the page before `book/_static/touch.js` wakes it up: one
place of the point, the estimates of the package there, and the data of all others.
"""

import json
import math

import numpy as np

from manifpt_utils.method.known_manifolds import circle
from manifpt_utils.method.manifold import DataManifold

UNIT = 200  # length 1 in the SVG
SIZES = [6, 8, 12, 16, 24, 32, 48, 64, 96, 128]  # numbers of real points
N, POINT, SEED = 12, [0.66, 0.6], 31  # at the start
ESTIMATES = {
    "nearest": {"estimator": "nearest"},
    "tangent": {"estimator": "tangent", "k": 5, "m": 1},
    "hull": {"estimator": "hull", "k": 2},
}
WORDS = {
    "exact": "exact: the closest point of the circle",
    "nearest": "nearest: the nearest real point",
    "tangent": "tangent: the leading direction of the 5 nearest real points",
    "hull": "hull: the straight line through the 2 nearest real points",
}
MARKS = {  # shapes of the palette, around the origin
    "exact": "M0 -8 L7 5 L-7 5 Z",
    "nearest": "M-5.5 -5.5 H5.5 V5.5 H-5.5 Z",
    "tangent": "M0 8 L7 -5 L-7 -5 Z",
    "hull": "M0 -8 L8 0 L0 8 L-8 0 Z",
}
TITLE = (
    "A circle with twelve real points on it, and a generated point outside, at the "
    "upper right. Strokes lead to it from four estimates of its closest point: from "
    "the circle itself and from two straight lines that run along the circle they are "
    "short; from the nearest real point the stroke is longer and slanted."
)
CHART_TITLE = (
    "How far three estimates of the closest point are from the exact one, against the "
    "number of real points from 6 to 128, on logarithmic axes: with many points the "
    "error of the nearest real point is the largest of the three."
)
CAPTION = (
    "A generated point, four estimates of its closest point on the circle, and the "
    "artifacts: the strokes from there to the point. The thin lines are the straight "
    "lines on which the tangent and the hull look for it; the hull's estimate is drawn "
    "a little towards the middle of its two points, as everywhere in this book. In the "
    "plane, the hull of three neighbours would be everything, and the artifact nothing."
)
LEFT, TOP, WIDTH, HEIGHT, LOW, HIGH = 46, 32, 290, 210, -3, 0  # of the chart


def points():
    """All real points (128, 2), of which the first n are used."""
    return circle().sample(SIZES[-1], seed=SEED)


def estimates(x, n):
    """Closest points (2,) by every estimate of the package, from n real points."""
    x = np.array([x])
    real = points()[:n]
    found = {"exact": circle().closest(x)[0]}
    for kind, options in ESTIMATES.items():
        found[kind] = DataManifold(None, **options).fit(real).project(x).x_star[0]
    return found


def place(x):
    """A point of the plane in the SVG."""
    return UNIT * x[0], -UNIT * x[1]


def ends(a, b):
    names = zip(("x1", "y1", "x2", "y2"), (*a, *b), strict=True)
    return " ".join(f'{name}="{value:.1f}"' for name, value in names)


def support(a, b):
    """Ends of the line through a, at a right angle to the way to b."""
    along = np.array([b[1] - a[1], a[0] - b[0]])
    along = 60 * along / np.linalg.norm(along)
    return ends(np.subtract(a, along), np.add(a, along))


def drawn_kind(kind, star, x):
    """Stroke, mark and line of one estimate."""
    a, b = place(star), place(x)
    name = f'data-kind="{kind}"'
    shapes = f'<line class="stroke" {name} {ends(a, b)}/>'
    if kind in ("tangent", "hull"):
        shapes = f'<line class="support" {name} {support(a, b)}/>' + shapes
    at = f'transform="translate({a[0]:.1f} {a[1]:.1f})"'
    return f'{shapes}<path class="mark" {name} {at} d="{MARKS[kind]}"/>'


def plane():
    """The circle, the real points, the estimates, and the generated point."""
    dots = "".join(
        f'<circle{"" if i < N else " class=off"} r="4" cx="{x:.1f}" cy="{y:.1f}"/>'
        for i, (x, y) in enumerate(map(place, points()))
    ).replace("class=off", 'class="off"')
    kinds = "".join(drawn_kind(k, s, POINT) for k, s in estimates(POINT, N).items())
    x, y = place(POINT)
    return (
        '<svg viewBox="-230 -230 460 460" role="img" aria-labelledby="circle-plane">'
        f'<title id="circle-plane">{TITLE}</title>'
        f'<circle class="manifold" r="{UNIT / math.sqrt(2):.1f}"/>'
        f'<g class="real">{dots}</g>{kinds}'
        f'<g class="generated" transform="translate({x:.1f} {y:.1f})">'
        '<circle class="hold" r="34"/><circle r="9"/></g></svg>'
    )


def at_size(n):
    """Horizontal place of a number of real points in the chart."""
    return LEFT + WIDTH * math.log(n / SIZES[0]) / math.log(SIZES[-1] / SIZES[0])


def at_level(error):
    level = min(max(math.log10(max(error, 1e-9)), LOW), HIGH)
    return TOP + HEIGHT * (HIGH - level) / (HIGH - LOW)


def errors(kind):
    """Places of the errors of an estimate, by the number of real points."""
    places = {}
    for n in SIZES:
        found = estimates(POINT, n)
        error = np.linalg.norm(found[kind] - found["exact"])
        places[n] = at_size(n), at_level(error)
    return places


def curve(kind):
    """The errors of an estimate, with its mark where the figure is now."""
    places = errors(kind)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places.values())
    x, y = places[N]
    at = f'transform="translate({x:.1f} {y:.1f})"'
    return (
        f'<polyline class="curve-of" data-kind="{kind}" points="{points}"/>'
        f'<path class="at-now" data-kind="{kind}" {at} d="{MARKS[kind]}"/>'
    )


def axes():
    """Ticks and names of the chart."""
    right, below = LEFT + WIDTH, TOP + HEIGHT
    parts = [f'<text x="{LEFT}" y="16">off the exact closest point by</text>']
    for power in range(LOW, HIGH + 1):
        y = at_level(10.0**power)
        parts.append(f'<line class="grid" {ends((LEFT, y), (right, y))}/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 5:.1f}" class="end">{10**power:g}')
        parts.append("</text>")
    for n in SIZES[::3]:
        x = f'x="{at_size(n):.1f}"'
        parts.append(f'<text {x} y="{below + 18}" class="middle">{n}</text>')
    middle = f'x="{LEFT + WIDTH / 2}" y="{below + 38}"'
    parts.append(f'<text {middle} class="middle">number of real points</text>')
    return "".join(parts)


def chart():
    """Errors against the number of real points, and where the figure is now."""
    lines = "".join(map(curve, ESTIMATES))
    x = at_size(N)
    return (
        '<svg viewBox="0 0 350 290" role="img" aria-labelledby="circle-chart">'
        f'<title id="circle-chart">{CHART_TITLE}</title>{axes()}'
        f'<line class="now" {ends((x, TOP), (x, TOP + HEIGHT))}/>{lines}</svg>'
    )


def row(kind, star, exact):
    """A line of the table: the estimate, its artifact, and how wrong it is."""
    numbers = (np.linalg.norm(np.subtract(POINT, star)), np.linalg.norm(star - exact))
    cells = "".join(f"<td>{number:.3f}</td>" for number in numbers)
    mark = (
        '<svg class="key" viewBox="-9 -9 18 18" aria-hidden="true">'
        f'<path data-kind="{kind}" d="{MARKS[kind]}"/></svg>'
    )
    tick = f'<input type="checkbox" checked data-kind="{kind}" data-sleeping hidden>'
    words = f"<label>{tick} {mark} {WORDS[kind]}</label>"
    return f'<tr data-kind="{kind}"><th scope="row">{words}</th>{cells}</tr>'


def numbers():
    """The table of the estimates."""
    found = estimates(POINT, N)
    rows = "".join(row(kind, star, found["exact"]) for kind, star in found.items())
    return (
        '<table class="numbers"><thead><tr><th scope="col">estimate of the closest '
        'point</th><th scope="col">length of the artifact</th><th scope="col">off the '
        f"exact one by</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def controls():
    """What needs the script: a slider and a button."""
    last = len(SIZES) - 1
    return (
        '<div class="controls" data-sleeping hidden><label>Real points <input '
        f'type="range" min="0" max="{last}" step="1" value="{SIZES.index(N)}"></label> '
        f"<output>{N}</output> <button type=button>Play: more and more</button></div>"
        '<p class="keys" data-sleeping hidden>Drag the point, or press the arrow keys '
        "(shift for larger steps); + and − change the number of real points.</p>"
    )


def data():
    """What the script computes with."""
    turns = circle().coordinates(SIZES[-1], seed=SEED)[:, 0].tolist()
    found = {"turns": turns, "sizes": SIZES, "n": N, "point": POINT}
    return f'<script type="application/json">{json.dumps(found)}</script>'


def figure():
    """The whole figure in HTML."""
    return (
        f'<figure class="touch touch-circle"><div class="parts"><div class="pad">'
        f'{plane()}</div><div class="side">{controls()}{numbers()}{chart()}</div></div>'
        '<p class="visually-hidden" aria-live="polite"></p><p class="asleep">Without '
        "JavaScript the figure shows one place of the point.</p>"
        f"{data()}<figcaption>{CAPTION}</figcaption></figure>"
    )
