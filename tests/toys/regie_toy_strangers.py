"""What strangers may write into every field, and how to see that it did no harm."""

from typing import Any

HOSTILE = (
    "\"'></title></script><script>window.pwned=1</script><img src=x onerror=window.pwned=1><svg onload=window.pwned=1>"
    "<!--{{7919*7907}}{%raw%}${7919*7907}\u202egnp.exe\u2066\u200b\u200d👩‍👩‍👧‍👦\x1b[31m javascript:window.pwned=1 "
)
LONG = "unbroken" * 30
TAIL = "⟨U+202E⟩gnp.exe⟨U+2066⟩"
"""What is shown of the directions in HOSTILE."""
ELEMENTS = "main :is(script, img, iframe, object, title, h1 *:not(bdi), svg:not(.ring, .lines, .spark))"
"""What no page of the console has, unless a text has become markup."""


def harmless(tab: Any) -> None:
    """Nothing of a text was run, and no element was made of it."""
    assert tab.evaluate("window.pwned") is None
    assert tab.locator(ELEMENTS).count() == 0
    assert "62615533" not in tab.evaluate(
        "[...document.querySelectorAll('h1, bdi')].map((each) => each.textContent).join()"
    )
    assert tab.evaluate("[...document.links].every((link) => /^https?:$/.test(link.protocol))")
