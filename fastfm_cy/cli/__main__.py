"""``python -m fastfm_cy.cli``."""

from . import main

main()
