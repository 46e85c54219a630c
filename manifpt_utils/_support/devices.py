"""The devices of torch that can be used here."""


def devices():
    """Names of the devices that torch can compute on, the CPU first.

    Examples
    --------
    >>> devices()[0]
    'cpu'
    """
    import torch  # takes a second, and is not needed where "cpu" is asked for

    return ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]


def named(device):
    """The name of a device that is here: "auto" is the first GPU, if there is one.

    Parameters
    ----------
    device : str
        "cpu", "cuda", "cuda:0" and so on, or "auto".

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such device here.

    Examples
    --------
    >>> named("cpu")
    'cpu'
    """
    if device == "cpu":
        return device
    here = devices()
    if device == "auto":
        return here[:2][-1]
    if device == "cuda" and len(here) > 1 or device in here:
        return device
    raise ValueError(f"auto or one of the devices that are here: {_listed(here)}")


def _listed(here):
    return ", ".join(here) if len(here) > 1 else "cpu, because torch sees no GPU"
