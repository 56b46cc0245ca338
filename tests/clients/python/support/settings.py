"""Flags of `convoke serve` that the tests rely on."""

MEMORY_LIMIT_FLAGS = ("--query-memory", "64MB")
SPILL_FLAGS = ("--query-memory", "128MB")
TIME_LIMIT_FLAGS = ("--query-seconds", "2")
