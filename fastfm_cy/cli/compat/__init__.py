"""Commands with the flags and files of other programs: libFM's and libffm's."""
