"""Packages that only some readers need, and how to get those that are missing."""

from importlib import import_module


def extra(package, name):
    """Import a package that is installed with an extra of this package.

    Parameters
    ----------
    package : str
    name : str
        The extra that installs it.

    Returns
    -------
    module

    Raises
    ------
    ValueError
        If it is not installed; the message gives the command that installs it.

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
