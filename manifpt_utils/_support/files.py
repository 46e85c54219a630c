"""Files that are written whole or not at all."""

import os
import threading


def write_whole(path, content):
    """Write a text (UTF-8) or bytes under a temporary name, then move the file.

    Parameters
    ----------
    path : Path
        The folder must exist.
    content : str or bytes
    """
    data = content.encode() if isinstance(content, str) else content
    mine = f"{os.getpid()}.{threading.get_ident()}"  # others may write to path
    partial = path.with_name(f".{path.name}.{mine}")
    try:
        partial.write_bytes(data)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
