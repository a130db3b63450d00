"""What became of executions: outcomes, and those of trading signals with their daily figures by prompt version."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    String,
    Table,
    false,
    text,
)

from cuewire.stores.columns import ExecutionId, Instant, JsonText
from cuewire.stores.schema.names import Name, Number, execution_key, metadata, project

outcomes = Table(
    "outcomes",
    metadata,
    project(),
    Column("execution_id", ExecutionId, nullable=False),
    Column("name", Name, nullable=False),
    Column("value", JsonText, nullable=False),
    Column("reported_at", Instant, nullable=False),
    # SqlOutcomeStore.report and list
    PrimaryKeyConstraint("project_id", "execution_id", "name"),
    execution_key(),
    sqlite_with_rowid=False,
)

trading_signals = Table(
    "trading_signals",
    metadata,
    Column("id", Number, primary_key=True),
    project(),
    Column("symbol", Name, nullable=False),
    Column("strategy_id", Number, ForeignKey("scopes.id")),
    Column("direction", String(16), nullable=False),
    Column("entry_price", Float),
    Column("stop_price", Float),
    Column("target_price", Float),
    Column("confidence", Float),
    Column("generated_at", Instant, nullable=False),
    Column("execution_id", ExecutionId),
    Column("prompt_template_id", Number, ForeignKey("prompts.id")),
    Column("prompt_version", Number),
    Column("prompt_type", Name),
    Column("outcome", String(16), nullable=False, server_default=text("'pending'")),
    Column("actual_r_multiple", Float),
    Column("profit_loss", Float),
    Column("exit_price", Float),
    Column("exit_time", Instant),
    Column("outcome_updated_at", Instant),
    CheckConstraint("outcome IN ('pending', 'win', 'loss', 'breakeven', 'cancelled')", name="outcome"),
)
# the signals of a strategy
Index(None, trading_signals.c.project_id, trading_signals.c.strategy_id)
# the signals of an outcome
Index(None, trading_signals.c.project_id, trading_signals.c.outcome)
# the signals of a prompt
Index(None, trading_signals.c.project_id, trading_signals.c.prompt_template_id)

prompt_performance = Table(
    "prompt_performance",
    metadata,
    Column("id", Number, primary_key=True),
    project(),
    Column("prompt_template_id", Number, ForeignKey("prompts.id"), nullable=False),
    Column("prompt_version", Number, nullable=False),
    Column("strategy_id", Number, ForeignKey("scopes.id")),
    Column("evaluation_date", Date, nullable=False),
    Column("signals_generated", BigInteger, nullable=False),
    Column("total_profit_loss", Float),
    Column("win_count", BigInteger, nullable=False),
    Column("loss_count", BigInteger, nullable=False),
    Column("breakeven_count", BigInteger, nullable=False),
    Column("r_count", BigInteger, nullable=False),
    Column("avg_r_multiple", Float),
    Column("max_r_multiple", Float),
    Column("min_r_multiple", Float),
    Column("win_rate", Float),
    Column("avg_profit_per_trade", Float),
    Column("avg_loss_per_trade", Float),
    Column("is_dirty", Boolean, nullable=False, server_default=false()),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)
# One row for each day, version and strategy; two indexes, because no null equals another.
Index(
    "uq_prompt_performance_global",
    prompt_performance.c.project_id,
    prompt_performance.c.prompt_template_id,
    prompt_performance.c.prompt_version,
    prompt_performance.c.evaluation_date,
    unique=True,
    sqlite_where=prompt_performance.c.strategy_id.is_(None),
)
Index(
    "uq_prompt_performance_of_strategy",
    prompt_performance.c.project_id,
    prompt_performance.c.prompt_template_id,
    prompt_performance.c.prompt_version,
    prompt_performance.c.strategy_id,
    prompt_performance.c.evaluation_date,
    unique=True,
    sqlite_where=prompt_performance.c.strategy_id.is_not(None),
)
# the figures of a day
Index(None, prompt_performance.c.project_id, prompt_performance.c.evaluation_date)
