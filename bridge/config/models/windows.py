"""Time in the configuration: windows, calendars, quiet hours."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from bridge.config.models.base import HIDDEN, Model, keyed
from bridge.config.units import Dates, Days, HoursText, Many, Name, SomeText, Url, Word, ZoneOrPerson


class Ical(Model):
    """An iCalendar, in a file (path relative to the configuration) or behind a URL; exactly one is given."""

    file: SomeText | None = None
    url: Url | None = None


class Calendar(Model):
    """Days by name."""

    dates: Many[Dates] = ()
    ical: Ical | None = None


class Window(Model):
    """A stretch of time that comes again: a moment is inside when its wall clock in *zone* is."""

    hours: Many[HoursText] = ()  # none: the whole day
    days: Days | None = None  # None: all; of the day on which the window began
    calendar: Many[Name] = ()
    except_: Many[Name] = Field(default=(), alias="except")
    zone: ZoneOrPerson | None = None  # None: the configured one; in quiet: person
    any_: Many[WindowRef] = Field(default=(), alias="any")
    not_: WindowRef | None = Field(default=None, alias="not")


WindowRef = Annotated[
    Annotated[Name, Tag(HIDDEN + "text")] | Annotated[Window, Tag(HIDDEN + "map")], Discriminator(keyed)
]  # a named window, or one written in place


class Quiet(Model):
    """When not to disturb, and what becomes of what came meanwhile."""

    during: WindowRef
    then: Annotated[Literal["recheck", "drop"], Word] = "recheck"


Window.model_rebuild()
