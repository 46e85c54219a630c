"""Where the project keeps its files; the only place that knows."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # of a checkout
PACKAGE = ROOT / "manifpt_utils"
DATA = ROOT / "data"
