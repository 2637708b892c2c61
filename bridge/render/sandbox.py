"""Where templates run: Jinja's immutable sandbox with everything taken out that a text does not need.

There are no globals, the filters and tests are ours, and the only attributes that exist are the names of our own
maps and a few of ``loop``: what a value's Python type can do is out of reach, whatever the syntax tree says.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from jinja2 import StrictUndefined, Template, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import test_defined, test_even, test_none, test_odd, test_undefined

from bridge.render.filters import FILTERS
from bridge.render.variables import Fields

LOOP_NAMES: Final = frozenset({"index", "index0", "first", "last", "length", "revindex"})
TESTS: Final = {
    "defined": test_defined,
    "undefined": test_undefined,
    "none": test_none,
    "odd": test_odd,
    "even": test_even,
}


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of every text."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A name of one of our maps, or of ``loop``; nothing else has attributes."""
        if isinstance(obj, Fields):
            value = obj.read(attribute)
            return self.undefined(name=attribute) if value is None else value
        if isinstance(obj, LoopContext) and attribute in LOOP_NAMES:
            return getattr(obj, attribute)
        return self.undefined(f"nothing here has a part called {attribute!r}")

    def getitem(self, obj: Any, argument: Any) -> Any:
        """``labels["a-b"]``: the same as an attribute."""
        return self.getattr(obj, str(argument))

    def call(self, *_args: Any, **_kwargs: Any) -> Any:
        """Nothing can be called."""
        raise TypeError("a text calls nothing")


def _shown(value: object) -> object:
    """A list or a map by itself says nothing; its members do."""
    return "" if isinstance(value, list | Fields) else value


@cache
def sandbox() -> Sandbox:
    """The one environment; templates compiled in it may be rendered by any thread."""
    made = Sandbox(
        undefined=StrictUndefined,
        autoescape=False,  # an SMS is plain text
        cache_size=0,
        finalize=_shown,
    )
    made.globals = {}
    made.filters = dict(FILTERS)
    made.tests = dict(TESTS)
    return made


def compiled(tree: nodes.Template, name: str) -> Template:
    """A checked syntax tree as a template."""
    environment = sandbox()
    return Template.from_code(environment, environment.compile(tree, name, name), {})
