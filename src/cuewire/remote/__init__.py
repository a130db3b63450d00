"""Cuewire on a server: the App port over HTTP."""
