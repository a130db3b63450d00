"""Cuewire over HTTP: a guard in front, hot routes on bare ASGI, the others on FastAPI. Knows no database."""
