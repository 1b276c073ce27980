"""The page of users and tokens: who one is here, what each role may do, and for admins who has a token."""

from __future__ import annotations

from dash import html

from core.principal import Role
from dashboard import components as piece
from dashboard import texts as word
from dashboard.panel import Page, ask
from dashboard.person import person, role
from dashboard.ports import Reader

_MAY = {
    Role.VIEWER: "reads",
    Role.SENDER: "also sends events",
    Role.OPERATOR: "also rebuilds panes, acts on episodes and silences, sends notifications again, asks for retrainings and decides on them",
    Role.EDITOR: "also changes and deletes definitions",
    Role.ADMIN: "also reads the audit and removes data",
}
_ADD = """tokens:
  - name: ada
    token_file: /run/secrets/ada
    role: editor"""


async def draw(reader: Reader, _search: str = "") -> Page:
    """The own name and role, the roles, and the principals."""
    heading = html.Div([html.H1("Users and tokens"), html.P("Who may do what here.", className="faint")], className="title")
    own, mine = person.get(), role.get()
    facts = piece.figures(("You are", word.cut(own or "nobody"), ""), ("Role", str(mine), _MAY[mine]))
    roles = piece.table(("Role", "What it may do"), [(str(one), said) for one, said in _MAY.items()], caption="Roles")
    body = [heading, facts, piece.card("Roles", roles, note="Each may do what those above it may.")]
    if mine is not Role.ADMIN:
        why = f"Your role is {mine}. Who has a token is for the role admin."
        return Page("Users and tokens", [*body, piece.card("Tokens", piece.empty("Not for your role", why))])
    known = await ask(reader.principals)
    way = [html.P("A token is a line of the settings, and a process reads them when it starts:"), html.Pre(_ADD)]
    if not known:
        why = "Without tokens everyone on this machine may do everything."
        return Page("Users and tokens", [*body, piece.card("Tokens", piece.empty("No token", why, *way))])
    rows = [(piece.name(one.name, 40), str(one.role), _MAY[one.role]) for one in sorted(known)]
    title = f"{word.count(len(known))} token{'' if len(known) == 1 else 's'}"
    return Page(
        "Users and tokens", [*body, piece.card(title, [piece.table(("Name", "Role", "What it may do"), rows, caption=title), *way])]
    )
