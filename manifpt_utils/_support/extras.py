"""Packages that only some readers need, or one sentence on how to get them."""

from importlib import import_module


def extra(package, name):
    """Import a package that comes with an extra of ours.

    Parameters
    ----------
    package : str
    name : str
        The extra in which it is listed.

    Returns
    -------
    module

    Raises
    ------
    ValueError
        If it is not installed; the message has the command that installs it.

    Examples
    --------
    >>> extra("json", "parquet").__name__
    'json'
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"this needs the package {package}, which is not installed; run "
            f'pip install "manifpt-utils[{name}]".'
        ) from error
