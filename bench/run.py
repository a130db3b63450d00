"""The one command of the suite, see `python bench/run.py --help`; it only finds the project's folder."""

import sys
from importlib import import_module
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)
sys.exit(import_module("bench.suite").main())
