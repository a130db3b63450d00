"""What became of a version, and of the labels that it was to get."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from cuewire.cli.output import write, write_json
from cuewire.cli.prompt_options import flags
from cuewire.cli.session import Session
from cuewire.model.errors import Forbidden
from cuewire.wire.versions import VersionShape

if TYPE_CHECKING:
    from cuewire.blocking import BlockingApp
    from cuewire.model.prompts import PromptVersion


def tell_version(
    session: Session, app: BlockingApp, version: PromptVersion, *, asked: Collection[str] = (), verb: str = "is"
) -> None:
    """Write which labels a version carries; and on stderr, of those asked for that it does not, how they get there."""
    if session.is_json:
        write_json(VersionShape.of(version))
        return
    write(f"{version.prompt}@{version.number} {verb} {', '.join(version.labels) or 'without a label'}\n")
    for line in _left_out(app, version, [label for label in dict.fromkeys(asked) if label not in version.labels]):
        print(f"note: {line}", file=sys.stderr)


def to_label(version: PromptVersion, label: str) -> str:
    """Return the command that moves a label to a version."""
    return f"cuewire prompts label {version.prompt} {label} {version.number}{flags(version)}"


def _left_out(app: BlockingApp, version: PromptVersion, labels: Collection[str]) -> Iterator[str]:
    if not labels:
        return
    from cuewire.registry.labels import next_step

    prompt = str(version.prompt_id)
    try:
        found = app.reviews.list(prompt, status="pending")
        waiting = {review.label: review for review in found if review.number == version.number}
        rules = {rule.label: rule for rule in app.reviews.rules(prompt)}
    except Forbidden:  # who may publish need not be allowed to read
        waiting, rules = {}, {}
    for label in labels:
        if label in waiting and label in rules:
            yield f"{label} waits for review {waiting[label].id}: {next_step(rules[label], waiting[label])}"
        else:
            yield f"{label} did not move; ask for it with: {to_label(version, label)}"
