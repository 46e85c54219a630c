"""Text from outside, such as the name of a file, made safe to print."""


def printable(text):
    r"""Write control characters, and bytes that are not text, as escapes.

    A file name may hold commands to a terminal, a line feed, or marks that reverse the
    direction of writing.

    Examples
    --------
    >>> printable("café.png"), printable("a" + chr(27) + "[2Jb" + chr(10))
    ('café.png', 'a\\x1b[2Jb\\n')
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))
