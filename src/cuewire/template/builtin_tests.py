"""What the editor says of the tests that Jinja2 brings, in our words: name, form, meaning, example, result."""

from __future__ import annotations

_COMPARED = (
    ("eq equalto", "Equal to another value; the same as ==.", "True"),
    ("ne", "Not equal to another value; the same as !=.", "False"),
    ("lt lessthan", "Less than another value; the same as <.", "False"),
    ("le", "Not more than another value; the same as <=.", "True"),
    ("gt greaterthan", "More than another value; the same as >.", "False"),
    ("ge", "Not less than another value; the same as >=.", "True"),
)

BUILTIN_TESTS: tuple[tuple[str, str, str, str, str], ...] = (
    ("is boolean", "is boolean", "True or false.", "{{ true is boolean }}", "True"),
    ("is callable", "is callable", "Something that can be called.", "{{ range is callable }}", "True"),
    ("is defined", "is defined", "Given, or set in the template.", "{{ x is defined }}", "False"),
    ("is divisibleby", "is divisibleby(num)", "Divisible without remainder.", "{{ 6 is divisibleby(3) }}", "True"),
    ("is escaped", "is escaped", "Marked as safe for web pages; no text here is.", "{{ 'a' is escaped }}", "False"),
    ("is even", "is even", "An even number.", "{{ 2 is even }}", "True"),
    ("is false", "is false", "False itself, not what counts as it.", "{{ 0 is false }}", "False"),
    ("is filter", "is filter", "The name of a filter.", "{{ 'upper' is filter }}", "True"),
    ("is float", "is float", "A number with decimal places.", "{{ 1.5 is float }}", "True"),
    ("is in", "is in(seq)", "An item of a list, key of a mapping, or part of a text.", "{{ 1 is in([1]) }}", "True"),
    ("is integer", "is integer", "A whole number.", "{{ 1 is integer }}", "True"),
    ("is iterable", "is iterable", "What a loop can go over.", "{{ [1] is iterable }}", "True"),
    ("is lower", "is lower", "Text in small letters.", "{{ 'a' is lower }}", "True"),
    ("is mapping", "is mapping", "A mapping of keys to values.", "{{ {'a': 1} is mapping }}", "True"),
    ("is none", "is none", "None itself.", "{{ none is none }}", "True"),
    ("is number", "is number", "A number of any kind.", "{{ 1.5 is number }}", "True"),
    ("is odd", "is odd", "An odd number.", "{{ 2 is odd }}", "False"),
    ("is sameas", "is sameas(other)", "The very same object.", "{{ none is sameas(none) }}", "True"),
    ("is sequence", "is sequence", "A list, or what has items by number.", "{{ [1] is sequence }}", "True"),
    ("is string", "is string", "Text.", "{{ 'a' is string }}", "True"),
    ("is test", "is test", "The name of a test.", "{{ 'even' is test }}", "True"),
    ("is true", "is true", "True itself, not what counts as it.", "{{ 1 is true }}", "False"),
    ("is undefined", "is undefined", "Neither given nor set.", "{{ x is undefined }}", "True"),
    ("is upper", "is upper", "Text in capital letters.", "{{ 'a' is upper }}", "False"),
    *(
        (f"is {name}", f"is {name}(b)", text, f"{{{{ 2 is {name}(2) }}}}", result)
        for names, text, result in _COMPARED
        for name in names.split()
    ),
)
