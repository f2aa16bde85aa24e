from lib.console.hosts import allowed_hosts, is_loopback


def test_the_port_of_the_web_is_left_out_by_browsers() -> None:
    assert {"localhost", "localhost:80", "[::1]", "[::1]:80"} <= allowed_hosts("127.0.0.1", 80)
    assert "localhost" not in allowed_hosts("127.0.0.1", 8321)
    for host in ("fd00::1", "[fd00::1]"):
        assert "[fd00::1]:8321" in allowed_hosts(host, 8321)


def test_what_only_this_machine_reaches_is_known() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.2", "studio.example", "", "127.0.0.1.evil.example")))
