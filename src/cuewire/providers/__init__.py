"""Providers: one module per wire format, each an implementation of the Provider port."""
