"""Notebooks executed by papermill: the plan, the jobs, and a record of all runs."""
