"""Text from outside, such as the name of a file, made fit for a screen."""


def printable(text):
    """Write control characters, and bytes that are no text, as escapes.

    A file name may hold the commands of a terminal, a line feed, or marks that turn the
    direction of writing around.

    Examples
    --------
    >>> printable("caf\u00e9.png"), printable("a" + chr(27) + "[2Jb" + chr(10))
    ('caf\u00e9.png', 'a\\x1b[2Jb\\n')
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))
