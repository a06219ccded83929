"""The default rule in NumPy: aggregate_numpy.py COUNT P ROUNDS prints the best time of two ways to write it, as a line of JSON."""

import json
import sys
import time

import numpy

count, size, rounds = (int(text) for text in sys.argv[1:4])
noise = numpy.random.default_rng(1).random(size + count, dtype=numpy.float32) * 2 - 1
reference = noise[count:].copy()
updates = numpy.empty((count, size), dtype=numpy.float32)
for i in range(count):
    updates[i] = 0.01 * (reference + numpy.float32(0.7) * noise[i : i + size])
base = numpy.full(size, 0.5, dtype=numpy.float32)
target = numpy.sqrt(numpy.dot(reference, reference))


def weigh(squares, dots):
    norms = numpy.sqrt(squares)
    weights = numpy.maximum(dots / (norms * target), 0)
    median = numpy.sort(norms[weights > 0])[(numpy.count_nonzero(weights > 0) - 1) // 2]
    return weights * numpy.minimum(median, target) / norms, weights.sum()


def by_matrix():
    factors, total = weigh(numpy.einsum("ij,ij->i", updates, updates), updates @ reference)
    return base - (factors.astype(numpy.float32) @ updates) / total


def by_row():
    squares = numpy.array([numpy.dot(u, u) for u in updates])
    factors, total = weigh(squares, numpy.array([numpy.dot(u, reference) for u in updates]))
    moved = numpy.zeros(size, dtype=numpy.float32)
    for u, factor in zip(updates, factors):
        moved += numpy.float32(factor) * u
    return base - moved / total


best = {}
for _ in range(rounds):
    for way in (by_matrix, by_row):
        start = time.perf_counter()
        way()
        ms = (time.perf_counter() - start) * 1000
        best[way.__name__] = min(best.get(way.__name__, ms), ms)
print(json.dumps({"version": numpy.__version__, "matrixMs": best["by_matrix"], "rowMs": best["by_row"]}))
