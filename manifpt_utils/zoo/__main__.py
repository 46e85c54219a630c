"""`python -m manifpt_utils.zoo` is `manifpt zoo`."""

from .command import command

if __name__ == "__main__":
    command(prog_name="manifpt zoo")
