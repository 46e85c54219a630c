"""`manifpt audit`: what it says, what it writes, and what it never writes over."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from pictures import noise, write_folder, write_images
from PIL import Image

from manifpt_utils._support.printable import printable
from manifpt_utils.images import audit_report
from manifpt_utils.images.audit import audit
from manifpt_utils.images.audit_command import command
from manifpt_utils.images.audit_report import file_rows, page
from manifpt_utils.images.copies import digests
from manifpt_utils.images.image_files import read_image

HOSTILE = "<script>alert(1)</script>\"' onerror=x &amp;\x1b[2J\u202e.png"


@pytest.fixture
def root(tmp_path):
    """Class b is of another quality, and holds a copy and a near copy of a's."""
    root = write_folder(tmp_path / "mine", suffix=".jpg", quality=95)
    write_images(root / "b", noise(20, seed=2), suffix=".jpg", quality=50)
    first = read_image(root / "a" / "000.jpg")[0]
    Image.fromarray(first).save(root / "b" / "copy.png")
    Image.fromarray(first.clip(0, 254) + np.uint8(1)).save(root / "b" / "near.png")
    return root


@pytest.fixture
def alike(tmp_path):
    return write_folder(tmp_path / "alike")


def called(*arguments):
    return CliRunner().invoke(command, list(map(str, arguments)))


def refused(*arguments):
    """The message of a call that ends with one line of error."""
    done = called(*arguments)
    assert done.exit_code == 1 and "Traceback" not in done.output
    [line] = done.output.splitlines()
    return line


# What is said


def test_the_headline_comes_first_with_chance_null_and_remedy(root):
    done = called(root)
    assert done.exit_code == 0
    assert re.match(
        r"A classifier that sees only how the files are stored, and no pixel, names "
        r"the class of \d\d% of the files \(all classes\)\. Chance is 33%, and the "
        r"best .* reaches \d\d%\.",
        done.output,
    )
    assert "use --normalise jpeg90: alone it makes the files equal" in done.output
    assert "all classes" in done.output and "models alone" in done.output
    assert "Files: real 20, a 20, b 22." in done.output
    assert "a/000.jpg = b/copy.png" in done.output
    assert "a/000.jpg ~ b/near.png" in done.output


def test_files_that_are_stored_alike_are_said_to_be(alike):
    text = called(alike).output
    assert text.startswith("A classifier that sees") and "does not tell" in text
    assert "Warning" not in text and "normalise" not in text


def test_some_models_alone(root):
    text = called(root, "--models", "a").output
    assert "Files: real 20, a 20." in text and "models alone" not in text


def test_what_no_normalisation_reaches_is_said(alike):
    write_images(alike / "a", np.repeat(noise(20)[..., :1], 3, axis=-1))
    assert "No normalisation removes what differs here" in called(alike).output


# What is written


def test_the_table_has_a_row_for_every_file(root, tmp_path):
    assert called(root, "--csv", tmp_path / "x.csv").exit_code == 0
    table = pd.read_csv(tmp_path / "x.csv", index_col=["class", "file"])
    assert len(table) == 62 and set(table["quality"].dropna()) == {50, 95}
    assert table.loc[("b", "copy.png"), "copy_of"] == "a/000.jpg"
    assert table["copy_of"].notna().sum() == 1
    near = table.loc[("b", "near.png")]
    assert near["near_copy_of"] == "a/000.jpg" and 0 < near["difference"] <= 2
    assert table.loc[("a", "000.jpg"), "near_copy_of"] == "b/near.png"


def test_the_report_is_one_file_that_asks_for_nothing(root, tmp_path):
    assert called(root, "--html", tmp_path / "x.html").exit_code == 0
    text = (tmp_path / "x.html").read_text()
    assert not re.search(r"(src|href)=(?!\"data:)|@import|url\(|<script|https?:", text)
    assert "default-src 'none'" in text and "color-scheme: light dark" in text
    for heading in ("Facts that differ", "Files per class", "Sizes", "Near copies"):
        assert heading in text
    assert text.count("data:image/png;base64,") == 4
    assert "8 x 8" in text and "JPEG, jpeg, 50, RGB, 8" in text


def test_a_report_of_one_way_of_storage_has_no_empty_tables(alike):
    text = page(audit(alike), alike)
    assert "What to do" not in text and text.count("<p>None.</p>") == 3


@pytest.mark.parametrize("where", ["file", "class"])
def test_hostile_names_are_text(root, tmp_path, where):
    if where == "file":
        name = HOSTILE.replace("/", "∕")
        (root / "b" / "copy.png").rename(root / "b" / name)
    else:
        name = HOSTILE.replace("/", "∕")
        (root / "b").rename(root / name)
    done = called(root, "--html", tmp_path / "x.html", "--csv", tmp_path / "x.csv")
    assert done.exit_code == 0
    text = (tmp_path / "x.html").read_text()
    assert "<script" not in text and "\x1b" not in text + done.output
    assert "\u202e" not in text + done.output
    body = re.sub(r"<(meta|img)([^>]*)>", r"<\1\2/>", text.split("-->")[1])
    words = "".join(ElementTree.fromstring(body).itertext())
    assert printable(name) in words  # the markup is whole, and the name is in it
    table = pd.read_csv(tmp_path / "x.csv", index_col=["class", "file"])
    assert name in table.index.get_level_values(where)


def test_a_file_that_is_gone_has_no_picture(root):
    found = audit(root)
    (root / "b" / "copy.png").unlink()
    assert page(found, root).count("data:image/png;base64,") == 3


def test_long_lists_are_cut_and_say_so(tmp_path, monkeypatch):
    monkeypatch.setattr(audit_report, "MOST_ROWS", 2)
    root = write_folder(tmp_path / "mine")
    write_images(root / "a", np.tile(noise(3, seed=1), (7, 1, 1, 1)))
    text = page(audit(root), root)
    assert "The first 2 of 3." in text and "and 3 more." in text


def test_rows_name_the_first_copy_and_the_nearest_near_copy():
    found = file_rows(audit_of([noise(1)[0]] * 3))
    assert list(found["copy_of"]) == ["", "a/0", "a/0"]
    assert found["near_copy_of"].isna().all()


def audit_of(images):
    """An audit of PNG files of one class."""
    from manifpt_utils.images.audit import compare
    from manifpt_utils.images.file_facts import Facts
    from manifpt_utils.images.near_copies import signatures

    facts = Facts("PNG", "", True, np.nan, "", "", "RGB", 8, False, 8, 8)
    keys = [("a", str(i)) for i in range(len(images))]
    index = pd.MultiIndex.from_tuples(keys, names=["class", "file"])
    files = pd.DataFrame([facts] * len(images), index, columns=Facts._fields)
    return compare(files.assign(digest=digests(images)), signatures(images))


# What is not written


def test_an_earlier_report_is_replaced_and_nothing_else(root, tmp_path):
    for option, name in (("--csv", "x.csv"), ("--html", "x.html")):
        target = tmp_path / name
        target.write_text("my thesis")
        message = refused(root, option, target)
        assert "exists and is no earlier report; choose another name" in message
        assert target.read_text() == "my thesis"
        assert called(root, option, target, "--force").exit_code == 0
        first = target.read_text()
        assert called(root, option, target).exit_code == 0
        assert target.read_text() == first


def test_reports_are_not_put_among_images(root):
    message = refused(root, "--csv", root / "b" / "x.csv")
    assert "lies among the images" in message and len(list(root.rglob("*.csv"))) == 0
    assert called(root, "--csv", root / "x.csv").exit_code == 0
    assert called(root).exit_code == 0  # a file beside the classes is none of them


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--html", "none/x.html"], "none is no folder; make it first"),
        (["--normalise", "png"], "say where with --output"),
        (["-o", "new"], "--output and --size are for a normalised copy; say which"),
        (["--models", "c"], "unknown model 'c'"),
        (["--normalise", "png", "-o", "{root}"], "lie in each other; choose a folder"),
        (["--normalise", "png", "-o", "{root}/new"], "lie in each other"),
        (["--normalise", "png", "-o", "{root}/.."], "lie in each other"),
        (
            ["--normalise", "png", "-o", "{root}/../full"],
            "exists already; choose a new",
        ),
        (["--normalise", "png", "-o", "{root}/../file"], "file exists already"),
        (["--normalise", "png", "-o", "{root}/../x/y"], "x is no folder; make it"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(root, options, message):
    (root.parent / "full").mkdir()
    (root.parent / "full" / "x").touch()
    (root.parent / "file").touch()
    before = sorted(root.parent.rglob("*"))
    assert message in refused(root, *(x.format(root=root) for x in options))
    assert sorted(root.parent.rglob("*")) == before


def test_unknown_normalisations_are_usage_errors(root):
    assert called(root, "--normalise", "gif").exit_code == 2


def test_a_copy_is_written_and_audits_clean_but_not_in_silence(root, tmp_path):
    (root / "b" / "copy.png").unlink()
    (root / "b" / "near.png").unlink()
    done = called(root, "--normalise", "jpeg90", "--output", tmp_path / "new")
    assert done.exit_code == 0 and done.output.endswith("wrote " + f"{tmp_path}/new\n")
    text = called(tmp_path / "new").output
    assert "does not tell the classes apart" in text.splitlines()[0]
    assert "Warning: these files were written with normalise='jpeg90'" in text


def test_too_few_files_are_not_called_alike(tmp_path):
    write_images(tmp_path / "real", noise(5))
    write_images(tmp_path / "m1", noise(1, seed=1))
    text = called(tmp_path).output
    assert "too few files" in text.splitlines()[0]
    assert "does not tell" not in text and "Empty DataFrame" not in text


def test_both_reports_cannot_be_one_file(alike, tmp_path):
    done = called(alike, "--csv", tmp_path / "x", "--html", tmp_path / "x")
    assert done.exit_code == 1 and "name two files" in done.output


def test_the_headline_is_that_of_classes_that_are_told_apart(alike):
    found = audit(alike)
    scores = pd.DataFrame(
        {"accuracy": [0.4, 0.9], "chance": [0.3, 0.5], "null": [0.5, 0.6]},
        index=["all classes", "models alone"],
    )
    text = audit_report.headline(found._replace(accuracies=scores))
    assert "90% of the files (models alone). Chance is 50%" in text
    assert "60%" in text
