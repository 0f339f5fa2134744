"""Text that a spreadsheet must not run: names of files and classes end up in CSV files that people open there."""

from __future__ import annotations

# What a spreadsheet takes for the start of a formula (OWASP, "CSV Injection"), full-width forms included. Such a value
# is written behind an apostrophe, and so is one that starts with one, so that the true value can be read back.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")


def guarded(value: str) -> str:
    """A value that no spreadsheet takes for a formula.

    >>> guarded("=1+1"), guarded("cat")
    ("'=1+1", 'cat')
    """
    return f"'{value}" if value.startswith(_FORMULA) else value


def unguarded(value: str) -> str:
    """What :func:`guarded` was given.

    >>> unguarded("'=1+1"), unguarded("cat")
    ('=1+1', 'cat')
    """
    return value.removeprefix("'")
