"""Flags of `convoke serve` and texts of its answers that more than one test relies on."""

MEMORY_LIMIT_FLAGS = ("--query-memory", "64MB")
TIME_LIMIT_FLAGS = ("--query-timeout", "2s")
