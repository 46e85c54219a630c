"""Samples of a local diffusers pipeline, written into the folder of a benchmark.

Nothing is downloaded, and no code or pickle in the pipeline's folder is run: its
weights must be safetensors.
"""

import inspect
import io
import json
import re
from pathlib import Path

from tqdm.auto import tqdm

from .._support.devices import named
from .._support.extras import extra
from .._support.files import sha256_of, write_whole
from .validation import check_integer

INDEX = "model_index.json"
NAME = re.compile(r"\w[\w.-]*")


def sample(pipeline, folder, name, *, n, seed=0, batch_size=8, steps=None, device=None):
    """Draw images from a pipeline into `<folder>/<name>/`, unless they exist already.

    Image `i` is drawn with the seed `seed + i`, whatever was drawn before.  The record
    `<folder>/<name>.json` says how to draw the same images again.

    Parameters
    ----------
    pipeline : str or Path
        A folder that `save_pretrained` of diffusers wrote.
    folder : str or Path
        Folder of the benchmark; made if it does not exist.
    name : str
        Name of the model.
    n : int
        Number of images at the end, with those that exist already.
    seed : int
    batch_size : int
        Images drawn at once.
    steps : int, optional
        Steps of the sampler; by default those of the pipeline.
    device : str, optional
        Device of torch, "cpu" by default.

    Returns
    -------
    Path
        The folder with the images.

    Raises
    ------
    ValueError
        If diffusers is not installed, the folder is not a pipeline with safetensors, it
        holds code, the name is not fit for a folder, or there are images of other
        settings.
    """
    check_integer(n, "n", 1)
    check_integer(seed, "seed", 0)
    check_integer(batch_size, "batch_size", 1)
    if not NAME.fullmatch(name) or name == "real":
        raise ValueError(
            f"name={name!r} cannot be the name of a model's folder; take letters, "
            "digits, points and dashes, but not 'real'."
        )
    device = named(device or "cpu")
    source = Path(pipeline).expanduser()
    home = Path(folder).expanduser()
    record = _record(source, seed, steps)
    images = home / name
    images.mkdir(parents=True, exist_ok=True)
    _check_record(home / f"{name}.json", record)
    missing = [i for i in range(n) if not (images / f"{i:06}.png").is_file()]
    if missing:
        _draw(_loaded(source, device), images, missing, seed, batch_size, steps)
    return images


def _record(source, seed, steps):
    """What determines the images; refuses a folder that is not a safe pipeline."""
    if not (source / INDEX).is_file():
        raise ValueError(
            f"{source} holds no {INDEX}; give a folder that save_pretrained of "
            "diffusers wrote. Nothing is downloaded here."
        )
    code = sorted(source.rglob("*.py"))
    if code:
        raise ValueError(
            f"{code[0]} is code, which is not run here; remove it if the pipeline is "
            "one that diffusers itself defines."
        )
    weights = sorted(source.rglob("*.safetensors"))
    if not weights:
        raise ValueError(
            f"{source} holds no weights as safetensors; load the pipeline once and "
            "save it by save_pretrained(..., safe_serialization=True)."
        )
    settings = sorted(source.rglob("*.json"))
    diffusers = extra("diffusers", "zoo")
    return {
        "pipeline": json.loads((source / INDEX).read_text("utf-8")).get("_class_name"),
        "diffusers": diffusers.__version__,
        "weights": {x.relative_to(source).as_posix(): sha256_of(x) for x in weights},
        "settings": {x.relative_to(source).as_posix(): sha256_of(x) for x in settings},
        "seed": seed,
        "seed of image i": "seed + i",
        "steps": steps,
    }


def _check_record(path, record):
    """Write the record, or compare it with that of the existing images."""
    if path.is_file():
        found = json.loads(path.read_text("utf-8"))
        other = [key for key in record if found.get(key) != record[key]]
        if other:
            raise ValueError(
                f"{path} is the record of images with another {other[0]}; choose "
                "another name, or remove the record and its folder."
            )
        return
    folder = path.parent / path.stem
    if any(folder.iterdir()):
        raise ValueError(
            f"{folder} holds images without a record; choose another name."
        )
    write_whole(path, json.dumps(record, indent=2))


def _loaded(source, device):
    """The pipeline on its device, from local safetensors alone."""
    import manifpt_utils._support.torchvision  # noqa: F401  (diffusers needs it first)

    diffusers = extra("diffusers", "zoo")
    try:
        pipeline = diffusers.DiffusionPipeline.from_pretrained(
            source,
            local_files_only=True,
            use_safetensors=True,
            low_cpu_mem_usage=False,
        )
    except (OSError, ValueError, AttributeError, KeyError) as error:
        raise ValueError(
            f"{source} cannot be loaded as a pipeline ({error}); save it again."
        ) from error
    if "batch_size" not in inspect.signature(pipeline.__call__).parameters:
        raise ValueError(
            f"{type(pipeline).__name__} of {source} needs a text or an image to start "
            "from; only pipelines that draw without one are sampled here."
        )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def _draw(pipeline, folder, missing, seed, batch_size, steps):
    import torch

    options = {} if steps is None else {"num_inference_steps": steps}
    with tqdm(total=len(missing), desc=f"sample {folder.name}", delay=2) as bar:
        for start in range(0, len(missing), batch_size):
            part = missing[start : start + batch_size]
            generators = [torch.Generator().manual_seed(seed + i) for i in part]
            found = pipeline(
                batch_size=len(part), generator=generators, output_type="pil", **options
            )
            for i, image in zip(part, found.images, strict=True):
                write_whole(folder / f"{i:06}.png", _encoded(image))
            bar.update(len(part))


def _encoded(image):
    file = io.BytesIO()
    image.convert("RGB").save(file, "PNG")
    return file.getvalue()
