"""Files of questions: errors that say what to write, and values that decide."""

from copy import deepcopy

import pytest
from quizzes import MULTIPLE, NUMBER, ORDER, QUESTIONS, SINGLE, VALUES, asked, write

from manifpt_utils.metrics.intervals import Interval
from manifpt_utils.notebook import questions
from manifpt_utils.notebook.questions import filled, names_in, read_questions

NAN = float("nan")


def changed(question, place, value):
    """A copy of a question with one of its parts replaced, or removed by None."""
    question = deepcopy(question)
    part, (*outer, last) = question, place
    for step in outer:
        part = part[step]
    if value is None:
        del part[last]
    else:
        part[last] = value
    return question


def test_values_are_written_into_all_texts(tmp_path):
    single, _, number, order = asked(tmp_path)
    assert single.ask == (
        "The gain is +4.3 points (95 % interval +1.2 to +7.4, n = 4). What now?"
    )
    assert order.options[0].text == "nearest of 1,000"
    assert order.options[1].feedback == "The hull errs by 0.20."
    assert (number.answer, number.tolerance) == (40, 2)  # in percent, as it is asked
    assert [slip.answer for slip in number.slips] == [10]


@pytest.mark.parametrize(
    ("low", "high", "right"),
    [
        (0.01, 0.07, "ahead"),
        (-0.07, -0.01, "behind"),
        (-0.1, 0.1, "neither"),
        (NAN, NAN, "neither"),  # one repetition
    ],
)
def test_an_interval_decides_which_option_is_right(tmp_path, low, high, right):
    single, *_ = asked(tmp_path, gain=Interval(0.03, low, high, 3, 0.1))
    assert [option.text for option in single.options if option.right] == [right]


def test_a_word_or_a_list_of_the_run_decides(tmp_path):
    (by_word,) = asked(tmp_path, [changed(SINGLE, ["ask"], "?")], gain="behind")
    assert [bool(option.right) for option in by_word.options] == [False, True, False]
    several = changed(changed(SINGLE, ["kind"], "multiple"), ["ask"], "?")
    (by_list,) = asked(tmp_path, [several], gain=["ahead", "undecided"])
    assert [bool(option.right) for option in by_list.options] == [True, False, True]


@pytest.mark.parametrize("missing", [None, NAN, Interval(NAN, NAN, NAN, 0, NAN)])
def test_a_missing_value_takes_its_questions_away(tmp_path, missing):
    assert [q.id for q in asked(tmp_path, gain=missing)] == ["q2", "q3", "q4"]
    assert [q.id for q in asked(tmp_path, hull=missing)] == ["q1", "q2", "q3"]


def test_a_condition_keeps_or_drops_a_question_and_an_option(tmp_path):
    conditional = changed(MULTIPLE, ["when"], "known")
    assert asked(tmp_path, [conditional], known=True)
    assert not asked(tmp_path, [conditional], known=False)
    optional = changed(MULTIPLE, ["options", 0, "when"], "known")
    (kept,) = asked(tmp_path, [optional], known=None)
    assert [option.text for option in kept.options] == ["three", "four", "five"]


def test_options_that_read_the_same_in_a_run_are_one(tmp_path):
    twice = changed(ORDER, ["options", 1, "text"], "nearest of {n}")
    (order,) = asked(tmp_path, [twice])
    assert [option.text for option in order.options] == ["nearest of 1,000", "exact"]


def test_no_value_is_markup(tmp_path):
    question = changed(MULTIPLE, ["ask"], "Is {model} *good*?")
    (found,) = asked(tmp_path, [question], model="<img src=x> *a*_b_")
    assert found.ask == r"Is \<img src=x\> \*a\*\_b\_ *good*?"


def test_names_are_those_of_texts_and_fields(tmp_path):
    read = read_questions(write(tmp_path, QUESTIONS))
    found = set().union(*map(names_in, read))
    assert found == set(VALUES)


@pytest.mark.parametrize(
    ("question", "place", "value", "message"),
    [
        (SINGLE, ["ask"], None, "q1: ask is missing; it must be text"),
        (SINGLE, ["ask"], " ", "q1: ask = ' ' must be text that is not empty"),
        (SINGLE, ["ask"], 5, "q1: ask = 5 must be text"),
        (SINGLE, ["id"], "first", "first: id = 'first' must be q and a number"),
        (SINGLE, ["kind"], "singel", "q1: kind = 'singel' must be single, multiple"),
        (SINGLE, ["hint"], ["x"], "q1: unknown key 'hint'; did you mean 'hints'"),
        (SINGLE, ["hints"], [5], "q1: hints = 5 must be a list of texts"),
        (SINGLE, ["hints"], "x", "q1: hints = 'x' must be a list of texts"),
        (SINGLE, ["options"], ["x"] * 27, "q1: options = .* at most 26 options"),
        (SINGLE, ["options", 1, "feedback"], None, "q1, option b: feedback is missing"),
        (SINGLE, ["options", 1], "x", "q1, option b must be a mapping"),
        (SINGLE, ["options", 0, "value"], None, "q1: option a: value is missing"),
        (SINGLE, ["options"], [], "q1: a question of kind single needs at least"),
        (SINGLE, ["ask"], "{gain:per}", "{gain:per} is unknown; .*percent"),
        (SINGLE, ["ask"], "a {", "write a brace twice if you mean the sign itself"),
        (SINGLE, ["ask"], "{gain.low}", "{gain.low} is not a name"),
        (MULTIPLE, ["options", 0, "right"], None, "q2: option a: right is missing"),
        (
            MULTIPLE,
            ["kind"],
            "single",
            "q2: exactly one option must be right, but 2 are",
        ),
        (NUMBER, ["tolerance"], None, "q3: tolerance is missing, which a question of"),
        (NUMBER, ["if_wrong"], None, "q3: if_wrong is missing"),
        (NUMBER, ["options"], MULTIPLE["options"], "q3: .* has no options"),
        (NUMBER, ["slips", 0, "feedback"], None, "q3, slip: feedback is missing"),
        (ORDER, ["options", 2, "by"], None, "q4: option c: by is missing"),
        (ORDER, ["options", 2, "by"], True, "q4, option c: by = True must be a number"),
    ],
)
def test_an_error_names_file_question_and_remedy(
    tmp_path, question, place, value, message
):
    path = write(tmp_path, [changed(question, place, value)])
    with pytest.raises(ValueError, match=rf"(?s)^03_test.yml:.*{message}"):
        read_questions(path)


def test_an_id_is_used_once(tmp_path):
    path = write(tmp_path, [SINGLE, MULTIPLE, SINGLE])
    with pytest.raises(ValueError, match="q1 is there 2 times"):
        read_questions(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("questions: [", "not valid YAML"),
        ("- a", "must hold the key `questions`"),
        ("questions: []", "must hold the key `questions`"),
        ("quests: []", "must hold the key `questions`"),
        ("", "must hold the key `questions`"),
    ],
)
def test_a_file_that_holds_no_questions_is_refused(tmp_path, text, message):
    path = tmp_path / "03_test.yml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_questions(path)


def test_a_missing_file_is_refused_with_its_neighbours(tmp_path):
    write(tmp_path, [SINGLE])
    with pytest.raises(ValueError, match="03_tset.yml.*did you mean '03_test'"):
        read_questions(tmp_path / "03_tset.yml")


def test_all_values_that_a_run_does_not_give_are_named(tmp_path):
    read = read_questions(write(tmp_path, QUESTIONS))
    few = {name: VALUES[name] for name in VALUES if name not in ("share", "n")}
    with pytest.raises(ValueError, match="q3: the run gives no share;(?s:.*)no n;"):
        filled(read, few, source="03_test.yml")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"share": "many"}, "q3: answer must be a number, but the run gives 'many'"),
        ({"share": True}, "q3: answer must be a number, but the run gives True"),
        ({"chance": "x"}, "q3: slip must be a number"),
        ({"hull": "x"}, "q4: by must be a number"),
    ],
)
def test_a_value_of_another_kind_is_refused(tmp_path, values, message):
    with pytest.raises(ValueError, match=f"(?s)^03_test.yml:.*{message}"):
        asked(tmp_path, **values)


def test_an_answer_that_no_option_has_is_refused(tmp_path):
    question = changed(SINGLE, ["ask"], "?")
    with pytest.raises(ValueError, match="q1: one option must be right .* but 0 are"):
        asked(tmp_path, [question], gain="sideways")


def test_the_example_of_the_module_is_right(tmp_path):
    text = questions.__doc__.partition("::\n")[2].partition("\nNames in braces")[0]
    path = tmp_path / "03_test.yml"
    path.write_text(text)
    (found,) = filled(read_questions(path), VALUES, source=path.name)
    assert [bool(option.right) for option in found.options] == [True, False, False]
