"""Tests neither read nor write the features that are kept on disk."""

import os

os.environ["MANIFPT_CACHE"] = "off"
