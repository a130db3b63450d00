"""One execution, from a reference and inputs to a durable record. Start reading at `run.py`."""
