"""The components that pages are made of: links, chips, cards, tables. A component does not depend on a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from core import text
from core.reading import Query
from dashboard import export
from dashboard import texts as word
from dashboard.aria import aria
from dashboard.figure import spark
from dashboard.state import PageState

Child = Component | str | None


def link(content: Any, href: str, *, current: bool = False, name: str = "", says: str = "") -> Component:
    """A link within the dashboard; `current` marks the current choice, `name` is its class. `says` is what a screen reader says instead of the content."""
    more = {**({"current": "true"} if current else {}), **({"label": says} if says else {})}
    return html.A(content, href=href, className=name or None, **aria(**more))


def name(text: str, most: int = 40) -> Child:
    """A name, cut if it is long, with the whole name in its tooltip."""
    return text if len(text) <= most else html.Span(word.cut(text, most), title=text)


def value(segment: str) -> str:
    """The value of a segment within its dimension: `UA` for `carrier=UA`. The segment of a cross is given whole."""
    return text.unquote(segment if "," in segment else segment.split("=", 1)[-1])


def crumbs(*steps: tuple[str, str | None]) -> Component:
    """Breadcrumbs: (text, address); the page itself has no address."""
    items = [html.Li(link(name(said), href) if href else html.Span(name(said), **aria(current="page"))) for said, href in steps]
    return html.Nav(html.Ol(items), className="crumbs", **aria(label="Breadcrumb"))


def chips(*filters: tuple[str, str, str]) -> Component | None:
    """Chips of the filters of a page: (name, value, address without it). None if there is no filter."""
    if not filters:
        return None
    items = [
        html.Li([html.Span(name, className="faint"), f" {value} ", html.A("✕", href=href, **aria(label=f"Remove {name} {value}"))])
        for name, value, href in filters
    ]
    return html.Ul(items, className="chips", **aria(label="Filters"))


def sign(icon: str, words: str) -> Component:
    """A sign with its meaning for people who cannot see it, and as a tooltip."""
    return html.Span([html.Span(icon, **aria(hidden="true")), html.Span(words, className="unseen")], title=words)


def choice(name: str, options: Iterable[tuple[Any, str, bool]]) -> Component:
    """A row of links of which one is current: (text, address, current)."""
    items = [link(text, href, current=current) for text, href, current in options]
    return html.Div(
        [html.Span(name, className="faint"), html.Div(items, className="segmented")],
        className="choice",
        role="group",
        **aria(label=name),
    )


def search(key: str, label: str, value: str, *, hint: str = "Part of a name, then Enter", width: int = 240) -> Component:
    """A field for text that sets `key` of the address, on Enter or when it is left."""
    made: Component = dmc.TextInput(id={"pick": key}, label=label, value=value, debounce=True, size="xs", w=width, placeholder=hint)
    return made


def tabs(name: str, entries: Iterable[tuple[str, str, bool]], *, small: bool = False) -> Component:
    """The pages of one thing: (text, address, current). A `small` row stands below another one."""
    links = [link(text, href, current=current) for text, href, current in entries]
    return html.Nav(links, className="tabs small" if small else "tabs", **aria(label=name))


def pages(state: PageState, rows: int, size: int, href: Callable[[PageState], str]) -> Component | None:
    """Links to the pages of a table of `rows` rows, `size` on a page; None if there is only one."""
    last = -(-rows // size)
    if last < 2:
        return None
    at = min(state.page, last)
    steps = [("◀ Before", max(at - 1, 1), False), (f"{at} of {last}", at, True), ("After ▶", min(at + 1, last), False)]
    return choice("Page", [(text, href(state.but(page=page)), current) for text, page, current in steps])


def select(key: str, label: str, value: str, options: Sequence[tuple[str, str]], usual: str = "", width: int = 240) -> Component:
    """A searchable list that sets `key` of the address: options are (value, text). The `usual` value is left out of the address. Of options with one value the first is taken: the browser would show no page."""
    texts = dict(reversed(options))
    made: Component = dmc.Select(
        id={"pick": f"{key}={usual}"},
        label=label,
        value=value,
        data=[{"value": item, "label": text} for item, text in {item: texts[item] for item, _ in options}.items()],
        searchable=len(options) > 8,
        allowDeselect=False,
        openOnFocus=False,
        scrollAreaProps={"viewportProps": {"tabIndex": -1}},  # else Tab would stop at the list, which then vanishes with the focus
        selectFirstOptionOnChange=True,
        size="xs",
        w=width,
        comboboxProps={"withinPortal": False},
        maxDropdownHeight=320,
    )
    return made


def slider(key: str, label: str, value: int, most: int, usual: int, marks: Sequence[tuple[int, str]]) -> Component:
    """A slider over the whole numbers from 0 to `most`, which sets `key` of the address when it is left; `marks` are (number, text). The `usual` value is left out of the address."""
    made: Component = dmc.Slider(
        id={"pick": f"{key}={usual}"},
        value=value,
        max=most,
        marks=[{"value": place, "label": text} for place, text in marks],
        thumbLabel=label,
        label=None,
        updatemode="mouseup",
        className="slider",
    )
    return made


def badge(verdict: str, reason: str | None = None, *, limited: bool = True) -> Component:
    """A verdict as icon, words and colour."""
    name, icon, words = word.state_of(verdict, reason, limited=limited)
    return _badge(name, icon, words)


def mark(verdict: str, words: str) -> Component:
    """Words with the icon and the colour of a verdict."""
    name, icon, _ = word.state_of(verdict, None, limited=True)
    return _badge(name, icon, words)


def _badge(name: str, icon: str, words: str) -> Component:
    return html.Span([html.Span(icon, **aria(hidden="true")), " ", words], className=f"badge {name}")


def line(values: Sequence[float | None], sentence: str, *, zero: bool = False) -> Child:
    """A spark line, with a sentence for people who cannot see it."""
    picture = spark.spark(values, zero=zero)
    if not picture:
        return html.Span(word.NONE, className="faint")
    mask = f'url("{picture}")'
    return html.Span(html.Span(sentence, className="unseen"), className="spark", style={"maskImage": mask, "WebkitMaskImage": mask})


def card(title: str, content: Any, *, note: Any = None, foot: Any = None, level: int = 2) -> Component:
    """A titled card. `note` says what the numbers are of, `foot` where they come from."""
    heading = html.H2(title) if level == 2 else html.H3(title)
    head = html.Div([heading, html.P(note, className="faint") if note else None], className="head")
    return html.Section([head, *several(content), html.Div(foot, className="foot") if foot else None], className="card")


def several(content: Any) -> list[Any]:
    """A flat list of children, because Dash draws no list within a list."""
    return content if isinstance(content, list) else [content]


def figures(*facts: tuple[str, str, Any]) -> Component:
    """The numbers at the top of a page: (name, value, note); the note is a text or components."""
    items = [
        html.Div([html.Dt(name), html.Dd([html.Strong(value), *([html.Span(of, className="faint")] if isinstance(of, str) else of)])])
        for name, value, of in facts
    ]
    return html.Dl(items, className="facts")


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], *, caption: str, numbers: Sequence[int] = ()) -> Component:
    """A table; `numbers` are the columns that are aligned to the right. The first column names the row.

    On a telephone the column of badges stays visible while the others are scrolled, if there is only one such column.
    """
    states = {index for row in rows for index, content in enumerate(row) if str(getattr(content, "className", "")).startswith("badge")}

    def cell(kind: Any, index: int, content: Any, **more: Any) -> Component:
        name = "number" if index in numbers else "state" if states == {index} else None
        made: Component = kind(content, className=name, **more)
        return made

    body = [
        html.Tr(
            [
                cell(html.Th if index == 0 else html.Td, index, content, **({"scope": "row"} if index == 0 else {}))
                for index, content in enumerate(row)
            ]
        )
        for row in rows
    ]
    return html.Div(
        html.Table(
            [
                html.Caption(caption, className="unseen"),
                html.Thead(html.Tr([cell(html.Th, index, text, scope="col") for index, text in enumerate(head)])),
                html.Tbody(body),
            ]
        ),
        className="scroll",
        tabIndex="0",
        role="region",
        **aria(label=caption),
    )


def source(query: Query) -> list[Component]:
    """The source of the numbers: links to the readings in the API, and as CSV."""
    search = export.search(query)
    return [
        html.A("JSON", href=f"/v1/readings?{search}", target="_blank", rel="noopener"),
        html.A("CSV", href=f"{export.PATH}?{search}", download="readings.csv"),
        html.Details([html.Summary("Show query"), html.Code(f"GET /v1/readings?{search}")]),
    ]


def empty(title: str, *why: Any) -> Component:
    """The text in place of something empty: why it is empty, and what to do next."""
    return html.Div(
        [html.P(title, className="title"), *(html.P(text) if isinstance(text, str) else text for text in why)], className="empty"
    )


def notice(texts: Sequence[str]) -> Component | None:
    """A notice of the parts of the address that could not be read."""
    return html.Div([html.P(f"Ignored in this link: {text}") for text in texts], className="notice", role="status") if texts else None
