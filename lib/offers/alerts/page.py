"""HTML of alerts: what people see of it, as HTML that can do nothing, and as lines."""

import re
from collections.abc import Iterator
from html import escape

import lxml.etree
import lxml.html

from lib.offers.alerts.lines import MOST_LINES, Line
from lib.offers.alerts.links import leads
from lib.offers.alerts.text import plain
from lib.offers.texts import harmless

LARGEST = 2_000_000
"""Characters of HTML that are looked at; a digest of a hundred offers has some 500,000."""

_LINK = "x-link"
_ANCHOR = re.compile(r"<(/?)a(?=[\s>/])", re.IGNORECASE)
_UNSEEN = re.compile(
    "script|style|head|title|noscript|template|svg|math|object|embed|applet|i?frame|frameset|textarea|select|option"
    "|input|audio|video|canvas|map|img|link|meta|base|basefont"
)
_INLINE = re.compile("span|b|strong|i|em|u|s|font|small|big|su[bp]|mark|tt|code|abbr|cite|q|label|nobr|wbr")
_VOID = re.compile("br|hr|wbr")
_HIDDEN = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0?\.?0+(?![.\d])"
    r"|max-height\s*:\s*0(?![.\d])|mso-hide\s*:\s*all|text-indent\s*:\s*-\d{3}|(?:left|top)\s*:\s*-\d{3})",
    re.IGNORECASE,
)
_SIZE = re.compile(r"(?:^|;)\s*font-size\s*:\s*([\d.]+)", re.IGNORECASE)
_NAME = re.compile(r"[a-z][a-z0-9]{0,15}")


def seen(html: str) -> str:
    """Return what people see of HTML: no script, style, comment, hidden element, picture, form, and no attribute but
    `href` of links of the web. Nothing is fetched, no entity is expanded but characters.
    """
    root = _parsed(html)
    return "".join(_kept(root)) if root is not None else ""


def lines_of_html(html: str) -> list[Line]:
    """Return the lines of HTML that `seen` returned, as a browser would break them, and at both ends of links."""
    root = _parsed(html)
    return _Reader().read(root) if root is not None else []


def _parsed(html: str) -> lxml.html.HtmlElement | None:
    # A card is often one link around a table; the parser, as HTML 4 has it, would end the link at the table.
    html = _ANCHOR.sub(rf"<\1{_LINK}", html[:LARGEST])
    # Not huge_tree: elements nested deeper than 256 are dropped.
    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        return lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (lxml.etree.LxmlError, ValueError, AssertionError):
        return None


def _kept(root: lxml.html.HtmlElement) -> Iterator[str]:
    walk = lxml.etree.iterwalk(root, events=("start", "end"))
    sizes = [True]  # whether text of the open elements has a size at which it can be seen
    dropped = None
    for event, element in walk:
        tag = element.tag
        if event == "start":
            if not isinstance(tag, str) or _UNSEEN.fullmatch(tag) or _hidden(element):
                dropped = element
                walk.skip_subtree()
                continue
            sizes.append(_sized(element, sizes[-1]))
            yield _opening(element)
            if element.text and sizes[-1]:
                yield escape(harmless(element.text), quote=False)
        elif element is dropped:
            dropped = None
        else:
            sizes.pop()
            yield _closing(element)
        if event == "end" and element.tail and sizes[-1]:
            yield escape(harmless(element.tail), quote=False)


def _hidden(element: lxml.html.HtmlElement) -> bool:
    return element.get("hidden") is not None or bool(_HIDDEN.search((element.get("style") or "")[:2000]))


def _sized(element: lxml.html.HtmlElement, before: bool) -> bool:
    found = _SIZE.search((element.get("style") or "")[:2000])
    return before if found is None else float(f"0{found[1].partition('.')[0]}") >= 1


def _opening(element: lxml.html.HtmlElement) -> str:
    href = leads(element.get("href") or "") if element.tag == _LINK else ""
    return f'<a href="{escape(href)}">' if href else f"<{_shown(element.tag)}>"


def _closing(element: lxml.html.HtmlElement) -> str:
    if element.tag == _LINK and leads(element.get("href") or ""):
        return "</a>"
    return "" if _VOID.fullmatch(element.tag) else f"</{_shown(element.tag)}>"


def _shown(tag: str) -> str:
    if tag in {"html", "body"}:
        return "div"  # several of them in a row are one page
    return tag if _NAME.fullmatch(tag) else "span"


class _Reader:
    """Goes through what is seen of HTML and takes down its lines."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._words: list[str] = []
        self._path: list[int] = []
        self._links: list[tuple[str, int]] = []
        """The open links, and how many lines there were when each began."""

    def read(self, root: lxml.html.HtmlElement) -> list[Line]:
        """Return the lines."""
        after_span = False
        for number, (event, element) in enumerate(lxml.etree.iterwalk(root, events=("start", "end"))):
            if len(self.lines) >= MOST_LINES:
                break
            inline = _INLINE.fullmatch(element.tag)
            # Texts in spans side by side, or in a span behind a text, are shown apart, as labels.
            span = event == "start" and element.tag == "span"
            if not inline or (span and (after_span or element.getparent().tag == "span")):
                self._break()
            if event == "start":
                self._path.append(number)
                if element.tag == _LINK:
                    self._links.append((element.get("href"), len(self.lines)))
                text = element.text
            else:
                if element.tag == _LINK:
                    self._end_of_link()
                self._path.pop()
                text = element.tail
            after_span = element.tag == "span" and event == "end"
            if text and not text.isspace():
                after_span = False
            self._words.append(text or "")
        self._break()
        return self.lines[:MOST_LINES]

    def _break(self) -> None:
        text = plain("".join(self._words))
        self._words.clear()
        if text:
            self.lines.append(Line(text, self._links[-1][0] if self._links else "", tuple(self._path)))

    def _end_of_link(self) -> None:
        link, begin = self._links.pop()
        if len(self.lines) == begin:
            self.lines.append(Line("", link, tuple(self._path)))
