"""Errors of our own; everything else is Python's ValueError, TypeError or MemoryError."""

from __future__ import annotations


class DivergenceError(FloatingPointError):
    """Training, or a prediction, left the range of finite numbers.

    A fit that raises it leaves the estimator as it was before.
    """


class FileFormatError(ValueError):
    """A file is not what it should be: truncated, altered, or of another format."""


class ParseError(FileFormatError):
    """A line of a text file cannot be read.

    Attributes
    ----------
    file : str
        Its name.
    line, column : int
        Where, both counted from 1; the column in bytes.
    text : str
        The line, or as much of it as surrounds the place.
    expected : str
        What should stand there.
    """

    def __init__(self, file: str, line: int, column: int, text: str, expected: str) -> None:
        super().__init__(file, line, column, text, expected)
        self.file, self.line, self.column = file, line, column
        self.text, self.expected = text, expected

    def __str__(self) -> str:
        return (
            f"{self.file}, line {self.line}, column {self.column}: expected {self.expected}; "
            f"the line reads {self.text!r}."
        )


class ModelFileError(FileFormatError):
    """A file does not hold a model: of another kind, truncated, altered, or of a newer version."""
