"""The split into training and test images with which a source comes."""

import numpy as np


def left_out(source, contents):
    """Test images whose pixels are those of a training image.

    Parameters
    ----------
    source : Source
    contents : Series
        Digests of the pixels, indexed by class and file.

    Returns
    -------
    dict of str to bool array
        The images to leave out, for each class of which the source says which images
        are for the test.

    Raises
    ------
    ValueError
        If nothing would remain of a class.
    """
    digests = {name: contents.loc[name].to_numpy() for name in source.tested}
    parts = [digests[name][~tested] for name, tested in source.tested.items()]
    training = np.concatenate(parts) if parts else []
    found = {}
    for name, tested in source.tested.items():
        found[name] = tested & np.isin(digests[name], training)
        if found[name].sum() == tested.sum():
            raise ValueError(
                f"all test images of {name!r} in {source.origin} are copies of "
                "training images, so nothing remains to be tested; give others."
            )
    return found


def describe_left_out(copied):
    """Say how many test images `left_out` found; an empty text if it found none.

    >>> describe_left_out({"a": np.array([False, True]), "b": np.array([False])})
    'test images that are copies of training images are left out: 1 of a.'
    """
    counts = [f"{x.sum()} of {name}" for name, x in copied.items() if x.any()]
    if not counts:
        return ""
    said = "test images that are copies of training images are left out"
    return f"{said}: {', '.join(counts)}."
