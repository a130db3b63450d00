"""The one command of these checks, see `python checks/clients/run.py --help`; it only finds the project's folder."""

import sys
from importlib import import_module
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])
sys.exit(import_module("checks.clients.suite").main())
