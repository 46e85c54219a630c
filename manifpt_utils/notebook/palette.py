"""The colours of the whole book: each method has one colour and one marker.

Figures are drawn in the colours below.  In a page of the book, each of them is a
variable of the style sheet, so that it can be lighter in dark mode
(`book/_static/manifpt.css`).
"""

INK = "#21272f"  # text and axes
QUIET = "#68717a"  # for helps: chance, null, lines to names
RULE = "#d3d7db"  # grid lines
PALETTE = {
    "blue": "#0072b2",
    "orange": "#c25100",
    "green": "#00805c",
    "purple": "#7b4fb5",
    "pink": "#c2407f",
    "gold": "#8a6d00",
    "brown": "#7d5642",
    "teal": "#007f91",
}
VARIABLES = {INK: "ink", QUIET: "quiet", RULE: "rule"}
VARIABLES |= {colour: name for name, colour in PALETTE.items()}
# With nine markers and eight colours, 72 classes differ in one of them.
MARKERS = "osD^vPX<>"
KIND_STYLE = {
    "raw": (INK, "o"),
    "nearest": (PALETTE["blue"], "s"),
    "hull": (PALETTE["orange"], "D"),
    "affine": (PALETTE["orange"], "D"),
    "exact": (PALETTE["green"], "^"),
    "searched in RGB": (PALETTE["green"], "<"),
    "tangent": (PALETTE["purple"], "v"),
    "denoiser": (PALETTE["pink"], "P"),
    "highpass": (PALETTE["gold"], "X"),
    "raw+denoiser": (PALETTE["pink"], "p"),
    "raw+highpass": (PALETTE["gold"], "p"),
    "pca": (PALETTE["brown"], "<"),
    "mean": (PALETTE["teal"], ">"),
    "median": (PALETTE["teal"], "h"),
    "random": (QUIET, "d"),
    "earlier": (QUIET, "p"),
}
FAMILY_STYLE = {
    "GAN": (PALETTE["blue"], "o"),
    "VAE": (PALETTE["orange"], "s"),
    "Flow": (PALETTE["green"], "^"),
    "Score": (PALETTE["purple"], "D"),
    "real": (QUIET, "*"),
}


def styles(names):
    """Colour and marker of each name, for any number of them.

    Kinds of representations and families of models look the same in the whole book;
    other names take colours and markers in turn.

    Examples
    --------
    >>> styles(["nearest"])["nearest"] == styles(["raw", "nearest"])["nearest"]
    True
    """
    known = KIND_STYLE | FAMILY_STYLE
    names = list(dict.fromkeys(names))
    others = [name for name in names if name not in known]
    colours = list(PALETTE.values())
    turn = {
        name: (colours[i % len(colours)], MARKERS[i % len(MARKERS)])
        for i, name in enumerate(others)
    }
    return {name: known.get(name) or turn[name] for name in names}


def fixed(colour, *, lighter=0.02):
    """A colour that no page changes, for marks on pictures and for pictures.

    Parameters
    ----------
    colour : str
        A colour of the palette, as "#rrggbb".
    lighter : float
        Share of white in it; with 0.25 it is visible on white and on black.

    Examples
    --------
    >>> fixed("#0072b2", lighter=0.25)
    '#4095c5'
    """
    channels = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    mixed = (round(channel + lighter * (255 - channel)) for channel in channels)
    return "#" + "".join(f"{channel:02x}" for channel in mixed)
