"""The end of an error message about an unknown name."""

from difflib import get_close_matches


def suggestion(name, known):
    """End of an error message: the nearest known name, and all of them.

    >>> suggestion("spcae", ["space", "seed"])
    " did you mean 'space'? Known: seed, space."
    """
    near = get_close_matches(str(name), [str(item) for item in known], n=1)
    hint = f" did you mean {near[0]!r}?" if near else ""
    return f"{hint} Known: {', '.join(sorted(map(str, known)))}."


def check_options(options, known):
    """Refuse the first option that is not known.

    Raises
    ------
    ValueError
        The nearest known option is suggested.
    """
    for name in options:
        if name not in known:
            raise ValueError(f"unknown option {name!r};{suggestion(name, known)}")
