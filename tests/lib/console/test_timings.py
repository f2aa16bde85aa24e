from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from lib.console.timings import WINDOW, Timings, percentile

SECONDS = st.floats(0, 1e6)


@given(st.lists(SECONDS, min_size=1))
def test_percentiles_lie_in_order_between_the_least_and_the_most(values: list[float]) -> None:
    median, p95 = percentile(values, 50), percentile(values, 95)
    slack = 1e-9 * max(values)
    assert min(values) - slack <= median <= p95 + slack
    assert p95 <= max(values) + slack


@given(st.lists(st.tuples(st.sampled_from(["/a", "/b"]), SECONDS), max_size=50))
def test_every_request_is_counted_under_its_route(requests: list[tuple[str, float]]) -> None:
    timings = Timings(CollectorRegistry())
    for route, seconds in requests:
        timings.add("GET", route, 200, seconds)
    rows = {row.route: row for row in timings.rows()}
    for route in ("/a", "/b"):
        took = [seconds for each, seconds in requests if each == route]
        assert bool(took) == (f"GET {route}" in rows)
        if took:
            row = rows[f"GET {route}"]
            assert (row.requests, row.slowest) == (len(took), max(took))


def test_only_the_last_requests_are_kept_and_all_are_counted() -> None:
    registry = CollectorRegistry()
    timings = Timings(registry)
    timings.add("GET", "/", 200, 99.0)
    for _ in range(WINDOW):
        timings.add("GET", "/", 200, 0.001)
    [row] = timings.rows()
    assert (row.requests, row.slowest) == (WINDOW + 1, 0.001)
    told = generate_latest(registry).decode()
    assert f'regie_console_request_seconds_count{{method="GET",route="/",status="200"}} {WINDOW + 1}.0' in told
