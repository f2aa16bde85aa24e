from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import InputError
from lib.offers.analyse.profile import MOST_BYTES, Profile, read_profile

EXAMPLE = Path(__file__).resolve().parents[4] / "docs/profile-example.toml"
SMALL = """
about = "Backend developer"
[[criteria]]
name = "Skills"
description = "5: Python"
weight = 2
words = ["python", ["django", "flask"]]
[[criteria]]
name = "Place"
description = "5: Lyon"
places = ["Lyon", "69"]
"""


def read(tmp_path: Path, text: str | bytes) -> Profile:
    path = tmp_path / "profile.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_profile(path)


def test_the_example_of_the_documentation_can_be_read() -> None:
    profile = read_profile(EXAMPLE)
    assert [each.name for each in profile.criteria][:3] == ["Skills", "Level", "Place"]
    assert profile.criteria[0].words[:2] == (("python",), ("django", "flask", "fastapi"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("about =", "# who I am\nabout  ="),
        ('"Backend developer"', '"""\n  Backend\n  developer\n"""'),
        ("weight = 2", "weight = 2.0"),
        ('name = "Skills"\ndescription = "5: Python"', 'description = "5: Python"\nname = " Skills "'),
        ('["python", ["django", "flask"]]', '[["flask", "django"], ["python"]]'),
        ('description = "5: Lyon"', 'description = "5: Lyon"\nweight = 1'),
    ],
)
def test_what_means_the_same_has_the_same_digest(tmp_path: Path, before: str, after: str) -> None:
    assert before in SMALL
    assert read(tmp_path, SMALL.replace(before, after)).digest == read(tmp_path, SMALL).digest


def test_the_order_of_criteria_means_nothing(tmp_path: Path) -> None:
    head, first, second = SMALL.split("[[criteria]]")
    turned = f"{head}[[criteria]]{second}[[criteria]]{first}"
    assert read(tmp_path, turned).digest == read(tmp_path, SMALL).digest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Backend developer", "Backend engineer"),
        ("weight = 2", "weight = 3"),
        ("5: Python", "5: Python only"),
        ('"Skills"', '"Craft"'),
        ('["django", "flask"]', '"django", "flask"'),
        ('"69"', '"38"'),
        ('places = ["Lyon", "69"]', 'places = ["Lyon", "69"]\nremote = "full"'),
        ('places = ["Lyon", "69"]', ""),
    ],
)
def test_what_means_something_else_has_another_digest(tmp_path: Path, before: str, after: str) -> None:
    assert before in SMALL
    assert read(tmp_path, SMALL.replace(before, after)).digest != read(tmp_path, SMALL).digest


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("weight = 2", "wieght = 2", r"criteria\.1\.wieght: there is no such key"),
        ("weight = 2", "weight = 0", r"criteria\.1\.weight: .*greater than 0"),
        ("weight = 2", "weight = nan", r"criteria\.1\.weight: .*finite"),
        ("weight = 2", "weight = inf", r"criteria\.1\.weight: .*finite"),
        ("weight = 2", 'weight = "2"', r"criteria\.1\.weight: .*number"),
        ("weight = 2", "weight = true", r"criteria\.1\.weight: .*number"),
        ('"Place"', '"skills"', "two criteria are called “skills”"),
        ('"Place"', '"  "', r"criteria\.2\.name"),
        ('"python", [', "[], [", r"criteria\.1\.words\.1"),
        ('["Lyon", "69"]', '["Lyon", 69]', r"criteria\.2\.places\.2: .*string"),
        ('places = ["Lyon", "69"]', 'remote = "sometimes"', r"criteria\.2\.remote"),
        ('places = ["Lyon", "69"]', 'contracts = ["PQR"]', "“PQR” is no contract"),
        ('about = "Backend developer"', "", "about: Field required"),
        ("about", "about = 1\nabout", "is not TOML"),
    ],
)
def test_what_is_wrong_is_said_with_the_file_and_the_key(tmp_path: Path, before: str, after: str, words: str) -> None:
    assert before in SMALL
    with pytest.raises(InputError, match=words) as wrong:
        read(tmp_path, SMALL.replace(before, after, 1))
    assert str(tmp_path / "profile.toml") in str(wrong.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"about = '\xff'", "no text in UTF-8"),
        (b"# " + b"x" * MOST_BYTES, "256 KB at most"),
        (b"a = " + b"[" * 20_000, "is not TOML"),
        (b"about = 'x'\ncriteria = []", "criteria: .*at least 1"),
    ],
)
def test_files_that_are_no_profile_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(tmp_path, content)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mine\.toml: the profile cannot be read \(No such file"):
        read_profile(tmp_path / "mine.toml")


@given(st.binary(max_size=300))
def test_no_file_does_harm(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_profile(path)
