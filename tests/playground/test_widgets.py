"""The controls: what they are set to is what is shown."""

import html
import re
from datetime import UTC, datetime

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from test_looking import encoded

from manifpt_utils.playground.looking import (
    MOST_BYTES,
    Change,
    changed,
    look,
    verdict_words,
)
from manifpt_utils.playground.widgets import EXACT, NO_KERNEL, OWN, Playground


@pytest.fixture
def playground(attributor, shown, known):
    return Playground(attributor, shown, manifold=known.manifold)


def said(playground):
    return html.unescape(re.sub("<[^>]+>", " ", playground.words.value)).strip()


def hand_over(playground, name, content):
    playground.source.value = OWN
    file = {"name": name, "type": "image/png", "size": len(content)}
    file |= {"content": memoryview(content), "last_modified": datetime.now(UTC)}
    playground.upload.value = (file,)


def test_it_begins_with_an_image_as_it_came(playground, attributor, shown):
    first = shown["dcgan"][0]
    np.testing.assert_array_equal(playground.image(), first)
    assert said(playground).startswith(verdict_words(look(attributor, first), 0.9))
    assert "the image is as it came" in said(playground)
    assert re.search('alt="The image, its closest point', playground.view.value)


def test_a_slider_changes_the_image_and_what_is_said(playground, attributor, shown):
    before = playground.view.value
    playground.quality.value = 30
    expected = look(attributor, changed(shown["dcgan"][0], Change(quality=30)))
    assert said(playground).startswith(verdict_words(expected, 0.9))
    assert "before the change" in said(playground)
    assert playground.view.value != before


def test_every_change_can_be_undone(playground):
    before = playground.view.value
    controls = playground.quality, playground.blur, playground.noise, playground.factor
    for control, value in zip(controls, (30, 1, 5, 0.5), strict=True):
        control.value = value
    assert playground.change() == Change(0.5, 1, 5, 30)
    playground.again.click()
    assert playground.change() == Change()
    assert playground.view.value == before


def test_another_source_and_number_show_another_image(playground, shown):
    playground.source.value = "ddpm"
    playground.number.value = 7
    np.testing.assert_array_equal(playground.before.image, shown["ddpm"][7])
    assert playground.number.max == len(shown["ddpm"]) - 1


def test_the_exact_closest_view_can_be_asked_for(playground):
    length = playground.before.length
    playground.closest.value = EXACT
    assert playground.before.length < length


def test_without_a_known_manifold_it_is_not_offered(attributor, shown):
    assert EXACT not in Playground(attributor, shown).closest.options


def test_a_model_that_the_classifier_has_not_met_is_marked(attributor, shown):
    playground = Playground(attributor, shown | {"vae": shown["ddpm"]})
    labels = dict(playground.source.options)
    assert labels["vae (the classifier has not met it)"] == "vae"


def test_an_image_of_ones_own_is_looked_at(playground):
    playground.source.value = OWN
    assert said(playground).startswith("Choose an image file")
    mine = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    hand_over(playground, "mine.png", encoded(mine))
    np.testing.assert_array_equal(playground.before.image, mine)
    assert playground.upload.value == ()  # it is not kept


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"some text", "notes<b>.png is empty, damaged, or of a format"),
        (bytes(6_000_000), "notes<b>.png has 6.0 million bytes, and at most 5"),
    ],
)
def test_a_bad_file_gets_one_sentence_and_no_picture(playground, content, words):
    hand_over(playground, "notes<b>.png", content)
    assert said(playground).startswith(words)
    assert "<b>.png" not in playground.words.value  # a name is text
    assert "folder" not in said(playground)  # the file lies in none
    assert 'class="file-problem"' in playground.words.value
    assert playground.view.value == ""
    mine = np.zeros((32, 32, 3), np.uint8)
    hand_over(playground, "mine.png", encoded(mine))
    np.testing.assert_array_equal(playground.before.image, mine)
    assert "file-problem" not in playground.words.value


def test_without_a_kernel_a_sentence_and_a_picture_stand_in(playground):
    InteractiveShell.instance()
    with capture_output() as captured:
        playground.show()
    InteractiveShell.clear_instance()
    guard, output = captured.outputs
    assert "application/vnd.jupyter.widget-view+json" in output.data
    assert output.data["text/plain"] == NO_KERNEL
    assert NO_KERNEL in output.data["text/html"]
    assert '<img src="data:image/png' in output.data["text/html"]
    assert str(MOST_BYTES) in guard.data["text/html"]
