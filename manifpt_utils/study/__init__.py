"""Declared experiments, their stored results, and the tables that are made of them."""
