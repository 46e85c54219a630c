"""A small quiz for tests: one question of every kind, with values of a run."""

import yaml

from manifpt_utils.metrics.intervals import Interval
from manifpt_utils.notebook.questions import filled, read_questions

SINGLE = {
    "id": "q1",
    "kind": "single",
    "ask": "The gain is {gain:points}. What now?",
    "hints": ["Look at both ends.", "Is zero inside?"],
    "answer": "gain",
    "options": [
        {"value": "ahead", "text": "ahead", "feedback": "All of it is above zero."},
        {"value": "behind", "text": "behind", "feedback": "All of it is below zero."},
        {"value": "undecided", "text": "neither", "feedback": "Zero is inside."},
    ],
}
MULTIPLE = {
    "id": "q2",
    "kind": "multiple",
    "ask": "Which are even?",
    "options": [
        {"right": True, "text": "two", "feedback": "Two is."},
        {"right": False, "text": "three", "feedback": "Three is odd."},
        {"right": True, "text": "four", "feedback": "Four is."},
        {"right": False, "text": "five", "feedback": "Five is odd."},
    ],
}
NUMBER = {
    "id": "q3",
    "kind": "number",
    "ask": "How often?",
    "unit": "%",
    "answer": "share",
    "tolerance": 0.02,
    "if_right": "So it is.",
    "if_wrong": "Read the table.",
    "slips": [{"answer": "chance", "feedback": "That is chance."}],
}
ORDER = {
    "id": "q4",
    "kind": "order",
    "ask": "Put in order.",
    "options": [
        {"by": "near", "text": "nearest of {n}", "feedback": "Nearest errs by {near}."},
        {"by": "hull", "text": "hull", "feedback": "The hull errs by {hull}."},
        {"by": 0, "text": "exact", "feedback": "Exact errs by nothing."},
    ],
}
QUESTIONS = [SINGLE, MULTIPLE, NUMBER, ORDER]
VALUES = {
    "gain": Interval(0.043, 0.012, 0.074, 4, 0.02),
    "share": 0.4,
    "chance": 0.1,
    "near": 0.5,
    "hull": 0.2,
    "n": 1000,
}


def write(folder, questions, name="03_test"):
    """A file of questions: its path."""
    path = folder / f"{name}.yml"
    path.write_text(yaml.safe_dump({"questions": questions}), encoding="utf-8")
    return path


def asked(folder, questions=QUESTIONS, **values):
    """Questions as a run with these values asks them."""
    path = write(folder, questions)
    return filled(read_questions(path), VALUES | values, source=path.name)
