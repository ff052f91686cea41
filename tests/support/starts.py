"""Tables at a start that tests can choose."""

from fastfm_cy.model.starts import Starts


def start(table, scale, key=0):
    """Draw the factors of all features."""
    table.start_key = key
    Starts(scale).write(table)
