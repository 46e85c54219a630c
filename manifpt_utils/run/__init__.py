"""Notebooks executed by papermill: the plan, one job, the record of all executions."""
