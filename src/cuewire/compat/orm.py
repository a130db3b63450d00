"""The tables that the seed systems know, as classes of SQLAlchemy's ORM; bring an engine of your own."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase, Mapped, relationship

from cuewire.wiring.orm import prompt_performance, prompt_templates, trading_signals

__all__ = ["PromptPerformance", "PromptTemplate", "TradingSignal"]

_same_version = (prompt_templates.c.prompt_id == prompt_performance.c.prompt_template_id) & (
    prompt_templates.c.version == prompt_performance.c.prompt_version
)
_their_version = [prompt_performance.c.prompt_template_id, prompt_performance.c.prompt_version]


class Base(DeclarativeBase):
    """What the classes share."""


class PromptTemplate(Base):
    """A version of a prompt: a row of the view `prompt_templates`, to be read only; publish through the App.

    `id` is that of the version, `prompt_id` that of the prompt. `is_active` is true of the version in production of a
    prompt that is active, `is_global` of prompts of no strategy. `performance` are its days, the oldest first.
    """

    __table__ = prompt_templates

    performance: Mapped[list[PromptPerformance]] = relationship(
        primaryjoin=_same_version,
        foreign_keys=_their_version,
        order_by=prompt_performance.c.evaluation_date,
        viewonly=True,
    )


class PromptPerformance(Base):
    """What a version of a prompt came to on a day: a row of the table `prompt_performance`."""

    __table__ = prompt_performance

    template: Mapped[PromptTemplate] = relationship(
        primaryjoin=_same_version, foreign_keys=_their_version, viewonly=True
    )


class TradingSignal(Base):
    """A signal and what became of it: a row of the table `trading_signals`."""

    __table__ = trading_signals
