"""Token counts as JSON."""

from __future__ import annotations

from cuewire.wire.shapes import Shape


class UsageShape(Shape, frozen=True):
    """Token counts; null where the provider reported nothing."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
