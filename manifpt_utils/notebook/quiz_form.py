"""A quiz as a form of the book: real controls, folded answers, no script needed.

Without JavaScript the questions, the hints and the answers can be read; with the book's
`quiz.js` an answer is checked and the reason told.  Texts are Markdown on one line;
whatever else is in them is shown as it is.
"""

from hashlib import sha256
from html import escape

from markdown_it import MarkdownIt

from .questions import LETTERS
from .quiz import as_asked

CLASS = "quiz"  # by which the book's style and script find a quiz
_SHORT = MarkdownIt("commonmark", {"html": False}).disable(
    ["link", "image", "autolink"]
)
_UNITS = {"%": ", in percent", "points": ", in percentage points", None: ""}

_FRAME = """\
<section class="{kind}" data-quiz="{name}" aria-label="Questions on this page">
<p class="quiz-title"><strong>Questions on this page</strong></p>
<p class="quiz-progress" role="status"></p>
{questions}
<button type="button" class="quiz-again" hidden>Start again</button>
</section>
"""
_FOLDED = """\
<details class="quiz-fold">
<summary>Test yourself: {n} on this page</summary>
{quiz}
</details>
"""
_FORM = """\
<form class="quiz-question" data-id="{id}" data-kind="{kind}" data-version="{version}">
<fieldset>
<legend>{place}. {ask}{what}</legend>
{controls}
</fieldset>
<button type="submit" hidden>Check</button>
<p class="quiz-feedback" role="status" aria-live="polite"></p>
{hints}
<details class="quiz-answer"><summary>Answer</summary>{answer}</details>
</form>
"""
_WHAT = {
    "single": "",
    "multiple": " <small>(all that are right)</small>",
    "number": "",
    "order": " <small>(1 is the {first})</small>",
}


def quiz_html(name, questions):
    """HTML of a quiz, checked in the page by the book's `quiz.js`.

    Parameters
    ----------
    name : str
        Name under which the browser keeps the progress.
    questions : list of Question
        Questions that hold the values of a run.

    Returns
    -------
    str

    Examples
    --------
    >>> quiz_html("03_attribution", [])[:49]
    '<section class="quiz" data-quiz="03_attribution" '
    """
    forms = (_form(place, question) for place, question in enumerate(questions, 1))
    return _FRAME.format(kind=CLASS, name=escape(name), questions="\n".join(forms))


def folded_quiz(name, questions):
    """The quiz of a page, folded behind a line that opens it, because pages are long.

    Parameters
    ----------
    name, questions
        As for `quiz_html`.

    Returns
    -------
    str
    """
    n = "one question" if len(questions) == 1 else f"{len(questions)} questions"
    return _FOLDED.format(n=n, quiz=quiz_html(name, questions))


def _form(place, question):
    # Answers to another run, or to another wording, are not kept.
    version = sha256(question.model_dump_json().encode()).hexdigest()[:8]
    return _FORM.format(
        id=question.id,
        kind=question.kind,
        version=version,
        place=place,
        ask=inline_html(question.ask),
        what=_WHAT[question.kind].format(first=question.first),
        controls=_controls(question),
        hints=_hints(question.hints),
        answer=_answer(question),
    )


def inline_html(text):
    """Markdown on one line as HTML, without links, pictures and HTML of its own.

    >>> inline_html("*a* & b")
    '<em>a</em> &amp; b'
    """
    return _SHORT.renderInline(text)


def _controls(question):
    if question.kind == "number":
        return (
            f'<label class="quiz-number">Your answer{_UNITS[question.unit]} '
            '<input type="text" inputmode="decimal" autocomplete="off" name="number">'
            "</label>"
        )
    make = _select if question.kind == "order" else _tick
    lettered = zip(LETTERS, question.options, strict=False)
    return "\n".join(make(letter, option, question) for letter, option in lettered)


def _tick(letter, option, question):
    kind = "radio" if question.kind == "single" else "checkbox"
    return (
        f'<label class="quiz-option"><input type="{kind}" name="answer" '
        f'value="{letter}"> <span>{inline_html(option.text)}</span></label>'
    )


def _select(letter, option, question):
    numbers = range(1, len(question.options) + 1)
    places = "".join(f'<option value="{n}">{n}</option>' for n in numbers)
    return (
        f'<label class="quiz-option"><select name="{letter}">'
        f'<option value="">–</option>{places}</select> '
        f"<span>{inline_html(option.text)}</span></label>"
    )


def _hints(hints):
    """Each hint inside the one before, so that they unfold step by step."""
    html = ""
    for hint in reversed(hints):
        title = "Another hint" if hint != hints[0] else "Hint"
        summary = f"<summary>{title}</summary>"
        inner = f"{summary}<p>{inline_html(hint)}</p>{html}"
        html = f'<details class="quiz-hint">{inner}</details>'
    return html


def _answer(question):
    if question.kind == "number":
        return _number_answer(question)
    told = _placed(question) if question.kind == "order" else _marked(question)
    items = "".join(
        f'<li data-letter="{letter}" {mark}>'
        f"<strong>{inline_html(option.text.removesuffix('.'))}</strong>: "
        f'{words}. <span class="quiz-why">{inline_html(option.feedback)}</span></li>'
        for letter, option, (mark, words) in zip(
            LETTERS, question.options, told, strict=False
        )
    )
    return f'<ul data-first="{question.first}">{items}</ul>'


def _marked(question):
    """For every option: an attribute for the script, and a word for the reader."""
    words = {True: "right", False: "wrong"}
    rights = [bool(option.right) for option in question.options]
    return [(f'data-right="{right:d}"', words[right]) for right in rights]


def _placed(question):
    """The same for options to be put in order: the deciding value, and the place."""
    values = [option.by for option in question.options]
    order = sorted(values, reverse=question.first == "largest")
    return [(f'data-by="{v!r}"', f"{order.index(v) + 1}") for v in values]


def _number_answer(question):
    slips = "".join(
        f'<template data-slip="{slip.answer!r}">{inline_html(slip.feedback)}</template>'
        for slip in question.slips
    )
    return (
        f'<p data-answer="{question.answer!r}" data-tolerance="{question.tolerance!r}" '
        f'data-unit="{question.unit or ""}">{escape(as_asked(question))}. '
        f'<span class="quiz-why">{inline_html(question.if_right)}</span></p>{slips}'
        f'<template data-wrong="1">{inline_html(question.if_wrong)}</template>'
    )
