"""What the Python sides of the benches share."""
import time


def median(f, runs=15):
    """Median ms of so many calls, after three to warm up."""
    for _ in range(3):
        f()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return sorted(times)[runs // 2] * 1e3
