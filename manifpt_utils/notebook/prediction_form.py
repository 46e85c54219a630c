"""What a chapter asks before a result, and the result beside it, as parts of the book.

Without JavaScript the question and its options can be read, and the result says what
the run found; with the book's `prediction.js` the browser keeps what the reader chose
and sets it beside the result.
"""

from hashlib import sha256
from html import escape

from .judging import UNITS
from .questions import LETTERS
from .quiz_form import inline_html

CLASS = "prediction"  # by which the book's style and script find it

_FORM = """\
<section class="{kind}" data-prediction="{name}" aria-label="Your guess">
<form class="quiz-question" data-version="{version}" data-kind="{form}">
<fieldset>
<legend><strong>Your guess.</strong> {ask}</legend>
{controls}
</fieldset>
<button type="submit" hidden>Keep what I expect</button>
<p class="quiz-feedback" role="status" aria-live="polite"></p>
</form>
</section>
"""
_FOUND = """\
<p class="{kind}-found" data-prediction="{name}" data-result="{result}"\
 aria-live="polite"><em>{about}.</em> <span class="{kind}-yours"></span> \
{source}: <strong>{words}</strong>. <span class="{kind}-verdict"></span></p>
"""


def prediction_html(name, asked):
    """HTML of the question before a result.

    Parameters
    ----------
    name : str
        Of the chapter.
    asked : Prediction
        Filled with the values of a run.

    Returns
    -------
    str

    Examples
    --------
    >>> from manifpt_utils.notebook.questions import Prediction
    >>> words = {"id": "share", "about": "The share", "ask": "How many?"}
    >>> asked = Prediction(kind="number", unit="%", **words)
    >>> 'type="text"' in prediction_html("03_attribution", asked)
    True
    """
    # What was expected of another wording is not kept.
    version = sha256(asked.model_dump_json().encode()).hexdigest()[:8]
    return _FORM.format(
        kind=CLASS,
        name=_key(name, asked),
        version=version,
        form=asked.kind,
        ask=inline_html(asked.ask),
        controls=_controls(asked),
    )


def found_html(name, asked, *, result, words):
    """HTML of the result that an expectation is compared with.

    Parameters
    ----------
    name : str
        Of the chapter.
    asked : Prediction
    result : str, bool or number
        What is compared.
    words : str
        What is shown of it.

    Returns
    -------
    str
    """
    return _FOUND.format(
        kind=CLASS,
        name=_key(name, asked),
        about=inline_html(asked.about),
        source=inline_html(asked.source),
        result=escape(str(result)),
        words=inline_html(words),
    )


def _key(name, asked):
    return escape(f"{name} {asked.id}")


def _controls(asked):
    if asked.kind == "number":
        unit = f", in {UNITS[asked.unit]}" if asked.unit else ""
        return (
            f'<label class="quiz-number">I expect{unit} '
            '<input type="text" inputmode="decimal" autocomplete="off" name="number" '
            f'data-unit="{asked.unit or ""}"></label>'
        )
    lettered = zip(LETTERS, asked.options, strict=False)
    return "\n".join(
        f'<label class="quiz-option"><input type="radio" name="answer" '
        f'value="{letter}" data-value="{escape(str(option.value))}"> '
        f"<span>{inline_html(option.text)}</span></label>"
        for letter, option in lettered
    )
