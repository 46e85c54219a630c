"""Bad and hostile files: one clear error, one warning, or an image, and no more."""

import io
import os
import shutil
import struct
import warnings
import zlib

import numpy as np
import pytest
from pictures import noise, write_folder
from PIL import Image

from manifpt_utils.images import image_files
from manifpt_utils.images.audit import audit
from manifpt_utils.images.folder import from_folder
from manifpt_utils.images.image_files import read_image

UNREAD = "is empty, damaged, or of a format that is not read here .* convert it to PNG"
DAMAGED = "cannot be read .*; replace or remove the file"
LARGE = "more than 16,777,216 pixels; reduce it or remove the file"
PART = "is only part of an image"


@pytest.fixture
def root(tmp_path):
    return write_folder(tmp_path / "mine", n=5)


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(kind, body, *, check=None):
    check = zlib.crc32(kind + body) if check is None else check
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)


def png(*chunks, width=8, height=8, rows=None):
    """A PNG file written by hand, with chunks between its header and its pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = bytes(8 * 25) if rows is None else rows
    body = chunk(b"IHDR", header) + b"".join(chunks)
    body += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def bmp(width, height):
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + head + bytes(192)


def tiff(width, height):
    """A TIFF file of no pixels that claims a size."""
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (262, 3, 1), (273, 4, 8)]
    tags += [(277, 3, 1), (278, 4, height), (279, 4, 64)]
    rows = b"".join(struct.pack("<HHII", tag, kind, 1, x) for tag, kind, x in tags)
    return struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(tags)) + rows


def gif(width, height):
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b";"


def jpeg_of(width, height):
    """A JPEG file whose header claims another size than its pixels have."""
    content = encoded(Image.fromarray(noise(1)[0]), "JPEG")
    place = content.index(b"\xff\xc0") + 5
    return content[:place] + struct.pack(">HH", height, width) + content[place + 4 :]


IMAGE = Image.fromarray(noise(1)[0])
PHOTO = Image.fromarray(noise(1, size=(64, 64))[0])
ZIP_OF_ZEROS = zlib.compress(bytes(100_000_000), 9)
REFUSED = {
    "svg.png": (
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        UNREAD,
    ),
    "page.jpg": (b"<!doctype html><script>alert(1)</script>", UNREAD),
    "archive.png": (b"PK\x03\x04" + bytes(100), UNREAD),
    "script.png": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\nshowpage",
        UNREAD,
    ),
    "paper.png": (encoded(IMAGE, "PDF"), UNREAD),
    "icon.png": (encoded(IMAGE, "ICO", sizes=[(8, 8)]), UNREAD),
    "netpbm.png": (encoded(IMAGE, "PPM"), UNREAD),
    "zeros.png": (bytes(1000), UNREAD),
    "only_signature.png": (b"\x89PNG\r\n\x1a\n", UNREAD),
    "flipped_bit.png": (png(rows=bytes(200))[:-20] + b"x" * 20, DAMAGED),
    "wrong_check.png": (png(chunk(b"PLTE", bytes(3), check=1)), f"{UNREAD}|{DAMAGED}"),
    "no_rows.png": (png(rows=b""), DAMAGED),
    "few_rows.png": (png(rows=bytes(60)), DAMAGED),
    "no_width.png": (png(width=0), f"{UNREAD}|{DAMAGED}"),
    "text_bomb.png": (png(chunk(b"zTXt", b"k\0\0" + ZIP_OF_ZEROS)), DAMAGED),
    "profile_bomb.png": (png(chunk(b"iTXt", b"k\0\1\0\0\0" + ZIP_OF_ZEROS)), DAMAGED),
    "bomb.png": (png(width=100_000, height=100_000), LARGE),
    "bomb.bmp": (bmp(50_000, 50_000), LARGE),
    "bomb.tif": (tiff(60_000, 60_000), LARGE),
    "bomb.gif": (gif(60_000, 60_000), f"{LARGE}|{UNREAD}"),
    "bomb.jpg": (jpeg_of(60_000, 60_000), LARGE),
    "no_end.jpg": (encoded(PHOTO, "JPEG")[:-2], PART),
    "no_scan.jpg": (encoded(PHOTO, "JPEG")[:200], f"{PART}|{DAMAGED}|{UNREAD}"),
    "half.webp": (encoded(PHOTO, "WEBP")[:500], f"{DAMAGED}|{UNREAD}"),
    "half.bmp": (encoded(PHOTO, "BMP")[:500], DAMAGED),
    "hollow.tif": (tiff(8, 8)[:-40], f"{DAMAGED}|{UNREAD}"),
}


def both(root):
    """The error of the audit, after that of loading, which must be the same."""
    with pytest.raises(ValueError) as loading:
        from_folder(root)
    with pytest.raises(ValueError) as error:
        audit(root)
    assert str(error.value) == str(loading.value)
    assert "\n" not in str(error.value)
    return error


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_is_refused_by_name_with_a_remedy(root, name):
    content, message = REFUSED[name]
    (root / "a" / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        audit(root)
    assert str(root / "a" / name) in str(error.value)
    with pytest.raises(ValueError):
        from_folder(root)


READ = {
    "texts.png": png(*[chunk(b"tEXt", b"k%d\0v" % i) for i in range(10_000)]),
    "behind.png": png() + b"#!/bin/sh\necho hostile",
    "named.jpg": png(),
    "unknown_chunk.png": png(chunk(b"abCd", bytes(100))),
    "long_comment.jpg": encoded(IMAGE, "JPEG", comment=b"<script>" * 4000),
    "bad_profile.jpg": encoded(IMAGE, "JPEG", icc_profile=b"no profile" * 20),
    "bad_exif.jpg": encoded(IMAGE, "JPEG", exif=b"Exif\0\0II*\0" + b"\xff" * 40),
    "odd_turn.jpg": encoded(IMAGE, "JPEG", exif=b"Exif\0\0" + tiff(8, 8)),
}


@pytest.mark.parametrize("name", READ)
def test_odd_files_that_hold_an_image_are_read_in_silence(root, name):
    (root / "a" / name).write_bytes(READ[name])
    with warnings.catch_warnings(action="error"):
        pixels, facts = read_image(root / "a" / name)
        found = audit(root)
    assert pixels.shape == (8, 8, 3) and (facts.width, facts.height) == (8, 8)
    assert len(found.files) == 16


# Files that do not stay as they are


def replaced(monkeypatch, name, act):
    """Let something act on one file as soon as its header was read."""
    check = image_files._check_header

    def late(image, path):
        check(image, path)
        if path.name == name:
            act(path)

    monkeypatch.setattr(image_files, "_check_header", late)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda path: path.unlink(), "000.png vanished while it was read; wait until"),
        (
            lambda path: path.write_bytes(png()),
            "000.png changed while it was read; wait",
        ),
        (
            lambda path: os.replace(shutil.copy(path, path.with_name("x")), path),
            "000.png changed while it was read",
        ),
    ],
)
def test_a_file_that_changes_while_it_is_read_is_refused(
    root, monkeypatch, act, message
):
    replaced(monkeypatch, "000.png", act)
    with pytest.raises(ValueError, match=f"real/{message}"):
        audit(root)


def test_a_file_that_vanishes_after_it_was_listed_is_named(root, monkeypatch):
    replaced(monkeypatch, "000.png", lambda p: (root / "b" / "004.png").unlink(True))
    with pytest.raises(ValueError, match="b/004.png vanished while it was read"):
        audit(root)


# Folders


def link_out(root):
    (root.parent / "secret.png").write_bytes(png())
    (root / "a" / "link.png").symlink_to(root.parent / "secret.png")


def link_up(root):
    (root / "a" / "link.png").symlink_to(root / "b" / "000.png")


def loop(root):
    (root / "a" / "link.png").symlink_to(root / "a" / "link.png")


def nested(root):
    (root / "a" / "more").mkdir()


def pipe(root):
    os.mkfifo(root / "a" / "pipe.png")


def emptied(root):
    for path in (root / "a").iterdir():
        path.unlink()


def hidden_only(root):
    emptied(root)
    (root / "a" / ".hidden.png").write_bytes(png())


def no_models(root):
    shutil.rmtree(root / "a")
    shutil.rmtree(root / "b")


def no_text(root):
    name = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    (root / "a" / "000.png").rename(root / "a" / name)


def class_is_no_text(root):
    (root / "a").rename(root / b"caf\xe9".decode("utf-8", "surrogateescape"))


def damaged_record(root):
    (root / "normalised.json").write_text('{"normalise": "png"')


def false_record(root):
    (root / "normalised.json").write_text('{"normalise": "png", "warnings": [7]}')


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (link_out, "a/link.png is a symbolic link out of its folder, to .*secret.png"),
        (link_up, "a/link.png is a symbolic link out of its folder"),
        (loop, "a/link.png is a symbolic link to nothing; remove it"),
        (nested, "a/more is a folder; put its images directly into"),
        (pipe, "a/pipe.png is not a file; remove it"),
        (emptied, "a holds no images; fill it or remove the folder"),
        (hidden_only, "a holds no images; fill it or remove the folder"),
        (no_text, r"a/caf\\udce9.png is not text in UTF-8; rename it"),
        (class_is_no_text, r"mine/caf\\udce9 is not text in UTF-8; rename it"),
        (no_models, "mine holds no sub-folder besides real/; add one"),
        (lambda r: shutil.rmtree(r / "real"), "no sub-folder real/"),
        (lambda r: shutil.rmtree(r), "mine is not a folder"),
        (damaged_record, "normalised.json is damaged .*write the folder again by"),
        (false_record, "normalised.json is damaged .*text is missing.*remove the file"),
    ],
)
def test_a_folder_that_cannot_be_read_is_named_with_a_remedy(root, change, message):
    change(root)
    assert both(root).match(message)


def test_what_may_not_be_read_is_named_with_the_remedy(root, monkeypatch):
    # The superuser may read everything, so the refusal is put in place of the file.
    def refuse(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(image_files.Image, "open", refuse)
    with pytest.raises(ValueError, match="permission to read .*000.png.*chmod u.r"):
        audit(root)


# Classes of one file, and of none that differ


def test_a_class_of_one_file_has_no_part_in_the_accuracy(root):
    for i in range(1, 5):
        (root / "a" / f"00{i}.png").unlink()
    IMAGE.save(root / "a" / "000.png", "JPEG")
    found = audit(root)
    assert found.differences.empty and found.warnings == []
    assert list(found.accuracies.index) == ["all classes"]
    assert len(found.files) == 11


def test_classes_of_one_file_each_have_no_accuracy(tmp_path):
    found = audit(write_folder(tmp_path, n=1))
    assert found.accuracies.empty and not found.telling and found.warnings == []


def test_images_of_one_pixel(tmp_path):
    root = write_folder(tmp_path, size=(1, 1))
    assert set(audit(root).files["width"]) == {1}


def test_hostile_names_are_no_commands_in_warnings(root):
    name = "x\x1b[2J\n.png"
    (root / "a" / name).write_bytes((root / "b" / "000.png").read_bytes())
    [message] = audit(root).warnings
    assert "a/x\\x1b[2J\\n.png = b/000.png" in message


def test_the_order_of_facts_does_not_come_from_the_order_of_files(root):
    first = audit(root).accuracies
    for path in (root / "a").iterdir():
        path.rename(path.with_name(f"z{path.name}"))
    assert audit(root).accuracies.equals(first)
    assert np.isfinite(first.to_numpy()).all()
