"""Support of the tests: strategies, files, checks that several of them share."""
