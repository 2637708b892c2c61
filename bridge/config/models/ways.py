"""What a rule says for the ways besides SMS: a text of its own, a button, a picture, an agreed template.

URLs and words of buttons stand here as they are sent: no template is filled in, so nothing of a mail gets into them
(threats T16, T26).
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.config.models.base import Model
from bridge.config.units import Duration, SomeText, Text, Texts, Url


class Button(Model):
    """A button below a text in Viber; what it opens."""

    text: Texts
    url: Url


class Viber(Model):
    """What Viber shows in place of the rule's ``text``, and how long it is tried."""

    text: Texts | None = None
    validity: Duration | None = None
    button: Button | None = None
    image: Url | None = None


class Whatsapp(Model):
    """What WhatsApp shows in place of the rule's ``text``, and how long it is tried."""

    text: Texts | None = None
    validity: Duration | None = None
    image: Url | None = None


class Vk(Model):
    """VK takes agreed templates only: which, and what stands for its variables."""

    template: SomeText
    values: Mapping[SomeText, Text] = {}
