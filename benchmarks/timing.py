"""Processor time of tasks, for benchmarks that hold theirs against a peer's."""

import time


def fastest(tasks: dict, rounds: int) -> dict:
    """Return CPU seconds of each task, the best of rounds that alternate between them."""
    best = dict.fromkeys(tasks, float("inf"))
    for _ in range(rounds):
        for name, task in tasks.items():
            start = time.process_time()
            task()
            best[name] = min(best[name], time.process_time() - start)
    return best
