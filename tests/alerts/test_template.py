"""Templates: tried when they are applied, shut in, and never in the way of a notification."""

from __future__ import annotations

import json
import time

import pytest

from alerts.destination.document import destination_from
from alerts.destination.kind import kind
from alerts.destination.template import preview
from core.episode import Delivery
from core.error import ConfigError

BODY = {"type": "destination.test", "timestamp": "2013-07-03T00:00:00Z", "data": {"sentence": "Nothing is <wrong>.", "url": "http://x/"}}
SLACK = {"destination": "team", "kind": "slack", "url": "https://hooks.example.org/x"}


def sent(template: str) -> str:
    delivery = Delivery(id="msg_1", destination="d", episode="", type="destination.test", body=json.dumps(BODY), created=0, due=0)
    destination = destination_from({**SLACK, "template": template})
    body = json.loads(kind("slack").render(destination.settings, delivery, 0).body)
    said: str = body["blocks"][1]["text"]["text"]
    return said


def test_a_template_is_the_sentence_and_is_escaped_as_each_kind_does() -> None:
    """What it prints is text for the receiver."""
    assert sent("*{{ title | upper }}*: {{ sentence }}").endswith("*TEST FROM WATCHKEEPER*: Nothing is &lt;wrong&gt;.")


def test_the_built_in_sentence_is_sent_if_a_template_fails() -> None:
    """A field that the example has and this notice has not."""
    assert sent("{{ facts['Value'] }}").endswith("Nothing is &lt;wrong&gt;.")
    assert sent("{{ facts['Value'] | default('none') }}").endswith("none")


@pytest.mark.parametrize(
    "template",
    [
        "",
        " ",
        "{{ title",
        "{{ nothing }}",
        "{% if false %}x{% endif %}",
        "{{ title.center(1000000000) }}",
        "{{ title | center(1000000000) }}",
        "{{ 'x' * 1000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ '%1000000000d' % 1 }}",
        "{% for a in title %}{% for b in title %}{{ b }}{% endfor %}{% endfor %}",
        "{{ title.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ range(10) }}",
        "{% set a = title ~ title %}{% set b = a ~ a %}{{ b }}",
        "{% with a = title ~ title %}{{ a }}{% endwith %}",
        "{{ title | join(sentence) | join(sentence) }}",
        "{% include '/etc/passwd' %}",
        "{% macro a() %}{% endmacro %}",
        "x" * 5_000,
        "{{ 1 | round(-999999999) }}",
        "{{ 1 | round(999999999) }}",
        "{{ title | round }}",
        "{% for a in title %}" + "x" * 3_900 + "{% endfor %}",
        "{% for a in " + "sentence ~ " * 300 + "title %}" + "{{ sentence }}" * 30 + "{% endfor %}",
        "{% for a in facts recursive %}x{% endfor %}",
        "{% filter upper %}{{ title }}{% endfilter %}",
        "{% if true %}" * 120 + "x" + "{% endif %}" * 120,
        "{{ " + "(" * 1_900 + "1" + ")" * 1_900 + " }}",
        "{{ " + "-" * 3_900 + "1 }}",
    ],
)
def test_what_is_no_template_or_wants_too_much_is_refused_when_it_is_applied(template: str) -> None:
    """Quickly, by the name of the field, and with a remedy."""
    began = time.process_time()
    with pytest.raises(ConfigError, match="destination `team`: `template`") as refused:
        destination_from({**SLACK, "template": template})
    assert refused.value.remedy
    assert time.process_time() - began < 5


def test_what_a_template_makes_ends_where_it_is_cut() -> None:
    """A loop over a list is short, and what is printed beyond the limit is not gathered. A number is rounded to a few places."""
    assert len(preview("{% for name in facts %}" + "{{ title }}" * 300 + "{% endfor %}")) == 2_000
    assert preview("{{ 1.26 | round(1) }} {{ 2.5 | round }}") == "1.3 2.0"


def test_a_preview_shows_an_example() -> None:
    """Loops, facts and links by name."""
    assert preview("{{ level }}{% for name in facts %} {{ name }} {{ facts[name] }}{% endfor %}") == "critical Value 0.31"
