"""Where the project keeps its files; no other module knows."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # the folder of a checkout
PACKAGE = ROOT / "manifpt_utils"
DATA = ROOT / "data"
