"""What guards a label, and what happened to prompts, by whom."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, PrimaryKeyConstraint, String, Table, Text

from cuewire.stores.columns import Instant, JsonText
from cuewire.stores.schema.names import Name, Number, metadata, project

label_rules = Table(
    "label_rules",
    metadata,
    project(),
    Column("prompt_id", Number, nullable=False),
    Column("label", Name, nullable=False),
    Column("role", String(16), nullable=False),
    Column("needs_review", Boolean, nullable=False),
    Column("checks", JsonText, nullable=False),
    # SqlReviewStore.rules; of all prompts where the prompt is 0
    PrimaryKeyConstraint("project_id", "prompt_id", "label"),
    sqlite_with_rowid=False,
)

reviews = Table(
    "reviews",
    metadata,
    Column("id", Number, primary_key=True),
    project(),
    Column("prompt_id", Number, ForeignKey("prompts.id"), nullable=False),
    Column("label", Name, nullable=False),
    Column("version_id", Number, ForeignKey("versions.id"), nullable=False),
    Column("status", String(16), nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", Instant),
    Column("comment", Text, nullable=False),
    Column("checks", JsonText, nullable=False),
    CheckConstraint("status IN ('pending', 'approved', 'rejected', 'withdrawn')", name="status"),
)
# SqlReviewStore.list
Index(None, reviews.c.project_id, reviews.c.id)
# SqlReviewStore.list of a prompt, and ask
Index(None, reviews.c.project_id, reviews.c.prompt_id, reviews.c.id)
# SqlReviewStore.list of those that wait, and SqlLabelRuleStore.set_rule
Index(None, reviews.c.project_id, reviews.c.status, reviews.c.id)

events = Table(
    "events",
    metadata,
    Column("id", Number, primary_key=True),
    project(),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Name, nullable=False),
    Column("prompt_id", Number),
    Column("data", JsonText, nullable=False),
)
# SqlEventStore.list of a prompt
Index(None, events.c.project_id, events.c.prompt_id, events.c.id)
# SqlEventStore.list and last
Index(None, events.c.project_id, events.c.id)
