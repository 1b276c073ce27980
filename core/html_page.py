"""The frame of an HTML page that stands alone: of a mail, of a form."""

from __future__ import annotations

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{head}
<title>{title}</title>
</head>
<body{style}>
{body}
</body>
</html>
"""


def html_page(title: str, head: str, body: str, style: str = "") -> str:
    """The page. All texts are HTML; `style` is that of the body, where the `head` may hold none."""
    return _PAGE.format(title=title, head=head, body=body, style=f' style="{style}"' if style else "")
