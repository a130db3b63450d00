"""Text in, text out: Jinja2 templates parsed within limits, rendered in an immutable sandbox, in bounded time."""
