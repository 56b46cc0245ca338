"""Sets of ids of many shapes, as Python sets: the oracle of the bitmap tests."""

import random

CONTAINER = 1 << 16
LARGEST = (1 << 32) - 1


def shapes() -> dict[str, set[int]]:
    """By name. The seed is fixed, so that a failure can be repeated."""
    chance = random.Random(20261122)

    def some(count: int, below: int) -> set[int]:
        return set(chance.sample(range(below), count))

    return {
        "smallest": {0},
        "largest": {LARGEST},
        "ends": {0, LARGEST},
        "array, one less": some(4095, CONTAINER),
        "array, full": some(4096, CONTAINER),
        "bitset, smallest": some(4097, CONTAINER),
        "container, full": set(range(CONTAINER, 2 * CONTAINER)),
        "dense": some(60_000, 120_000),
        "sparse": some(5_000, LARGEST),
        "runs": {value for value in range(300_000) if value % 1000 < 700},
        "three containers": {1, CONTAINER, 2 * CONTAINER},
        "four containers": {1, CONTAINER, 2 * CONTAINER, 3 * CONTAINER + 5},
        "mixed": set(range(100_000)) | some(3_000, 10_000_000) | {value * 2 for value in range(200_000, 250_000)},
    }


def summary(members: set[int]) -> str:
    """What the programs of other languages print of a set: count, smallest, largest, and a sum by place."""
    ordered = sorted(members)
    by_place = sum((place + 1) * value for place, value in enumerate(ordered)) % (1 << 40)
    return f"{len(ordered)} {ordered[0]} {ordered[-1]} {by_place}"
