"""Helpers of the client tests: no test lives here."""
