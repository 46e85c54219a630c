"""The teaching kit: slides, handouts, questions and a printed book.

`python -m teaching`, or `make kit`, writes it from the executed chapters and the
rendered book.
"""
