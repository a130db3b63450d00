"""Which templates read the time."""

from __future__ import annotations

import pytest

from cuewire.template.parse import parse
from cuewire.template.volatile import is_volatile


@pytest.mark.parametrize(
    "source",
    [
        "{{ now }}",
        "{{ today() }}",
        "{% for a in x %}{% if a > now.year %}{% endif %}{% endfor %}",
        "{% macro m() %}{{ now }}{% endmacro %}",
        "{{ x | ago }}",
        "{{ x | map('ago') | join }}",
        "{{ x | map(y) | join }}",
    ],
)
def test_a_template_that_may_read_the_time_is_volatile(source: str) -> None:
    assert is_volatile(parse(source).tree)


@pytest.mark.parametrize("source", ["text", "{{ x | date }}", "{{ x | map('upper') }}", "{{ x | map(attribute='a') }}"])
def test_others_are_not(source: str) -> None:
    assert not is_volatile(parse(source).tree)
