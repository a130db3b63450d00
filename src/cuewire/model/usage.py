"""Token counts of calls."""

from __future__ import annotations

from cuewire.model.values import Value


class Usage(Value, frozen=True):
    """Token counts as the provider reported them, never negative; None where it reported nothing.

    `cached_tokens` is the part of the input that was read from the provider's cache, `cache_write_tokens` the part that
    was written to it, `cache_write_1h_tokens` what of that is kept for an hour rather than minutes, which costs more.
    `reasoning_tokens` is the part of the output that was not shown.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None

    @property
    def total_tokens(self) -> int | None:
        """Input plus output; a missing side counts 0, both missing gives None."""
        if self.input_tokens is None and self.output_tokens is None:
            return None
        return (self.input_tokens or 0) + (self.output_tokens or 0)
