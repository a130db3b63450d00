"""The tables for programs that read them themselves."""

from cuewire.stores.schema import prompt_performance, prompt_templates, trading_signals

__all__ = ["prompt_performance", "prompt_templates", "trading_signals"]
