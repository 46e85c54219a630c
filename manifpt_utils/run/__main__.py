"""`python -m manifpt_utils.run` is `manifpt run`."""

from .command import command

if __name__ == "__main__":
    command(prog_name="manifpt run")
