from deployments.images.building import index_settings
from deployments.images.listing import unique_bytes


def test_a_build_is_told_of_pips_index_where_it_can_reach_it() -> None:
    assert index_settings({"PIP_INDEX_URL": "https://user:secret@index.example/simple", "PIP_TRUSTED_HOST": "x"}) == {
        "PIP_INDEX_URL": "https://user:secret@index.example/simple",
        "PIP_TRUSTED_HOST": "x",
    }
    assert index_settings({"PIP_EXTRA_INDEX_URL": "file:///srv/index https://index.example/simple"}) == {
        "PIP_EXTRA_INDEX_URL": "https://index.example/simple"
    }
    assert index_settings({"PIP_INDEX_URL": "file:///srv/index", "PIP_TRUSTED_HOST": "x"}) == {}


def test_bytes_are_its_own_that_are_in_no_other_image() -> None:
    assert unique_bytes({"a": 1, "b": 10, "c": 100}, [{"a": 1}, {"a": 1, "c": 100}]) == 10
    assert unique_bytes({"a": 1}, []) == 1
