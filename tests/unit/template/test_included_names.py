"""The inputs of a template are also those of the texts that it takes in, as far as they are rendered."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cuewire.model.includes import IncludedText, Includes
from cuewire.template.linked import linked
from cuewire.template.names import input_names

BASE = "{{ a }}{% block top %}{{ b }}{% endblock %}{% block end %}{{ c | default('') }}{% endblock %}"
TEXTS = {
    "plain@1": IncludedText(text="{{ x }}{{ y | default('') }}{{ now }}"),
    "outer@1": IncludedText(text="{% include 'plain' %}{{ z }}", pins={"plain": "plain@1"}),
    "base@1": IncludedText(text=BASE),
    "middle@1": IncludedText(
        text="{% extends 'base' %}{% block top %}{{ super() }}{{ m }}{% endblock %}", pins={"base": "base@1"}
    ),
}
PINS = {name: f"{name}@1" for name in ("plain", "outer", "base", "middle")}
CASES: Mapping[str, Mapping[str, bool]] = {
    "{{ w }}{% include 'plain' %}{{ v }}": {"w": True, "x": True, "y": False, "v": True},
    "{% include 'outer' %}": {"x": True, "y": False, "z": True},
    "{% set x = 1 %}{% include 'plain' %}": {"y": False},
    "{% for x in xs %}{% include 'plain' %}{% endfor %}": {"xs": True, "y": False},
    "{% if x is defined %}{% include 'plain' %}{% endif %}": {"x": False, "y": False},
    "{% include 'plain' without context %}": {},
    "{{ prompt('plain') | upper }}": {"x": True, "y": False},
    "{% extends 'base' %}": {"a": True, "b": True, "c": False},
    "{% extends 'base' %}{% block top %}{{ q }}{% endblock %}": {"a": True, "c": False, "q": True},
    "{% extends 'base' %}{% block top %}{{ super() }}{{ q }}{% endblock %}": {
        "a": True,
        "b": True,
        "c": False,
        "q": True,
    },
    "{% extends 'base' %}{% set a = z %}{{ lost }}{% block unknown %}{{ lost }}{% endblock %}": {
        "b": True,
        "c": False,
        "z": True,
    },
    "{% extends 'base' %}{% block end %}{{ self.more() }}{% endblock %}{% block more %}{{ r }}{% endblock %}": {
        "a": True,
        "b": True,
        "r": True,
    },
    "{% extends 'middle' %}{% block end %}{% endblock %}": {"a": True, "m": True, "b": True},
    "{% extends 'middle' %}{% block top %}{% endblock %}": {"a": True, "c": False},
}


@pytest.mark.contract("S0-05")
@pytest.mark.parametrize("source", CASES)
def test_inputs_are_found_in_what_is_taken_in(source: str) -> None:
    version = linked([source], Includes(pins=PINS, texts=TEXTS))

    assert list(input_names(*version).items()) == list(CASES[source].items())


def test_a_text_that_many_take_in_is_read_once() -> None:
    pins = {f"a{n}": f"a{n}@1" for n in range(8)}
    texts = {
        f"a{n}@1": IncludedText(text=f"{{% include 'a{n + 1}' %}}" * 500, pins={f"a{n + 1}": f"a{n + 1}@1"})
        for n in range(7)
    }
    texts["a7@1"] = IncludedText(text="{{ deep }}")

    version = linked(["{% include 'a0' %}"], Includes(pins=pins, texts=texts))

    assert input_names(*version) == {"deep": True}
