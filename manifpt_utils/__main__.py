"""`python -m manifpt_utils` is the console command `manifpt`."""

from .cli import main

main(prog_name="manifpt")
