"""Two limits on names together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from cuewire.model.actors import common


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (["team/*"], ["team/a", "else"], ("team/a",)),
        (["team/*"], ["team/a*", "team*"], ("team/*", "team/a*")),
        (["team/a"], ["team/a"], ("team/a",)),
        (["secret/*"], ["team/*"], ()),
        ([""], ["team/*"], ()),
        (["*"], ["team/*"], ("team/*",)),
    ],
)
def test_what_is_common_to_two_limits_is_the_narrower_of_each_pair(
    one: Sequence[str], other: Sequence[str], both: tuple[str, ...]
) -> None:
    assert common(one, other) == common(other, one) == both
