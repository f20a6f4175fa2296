"""The one place that asks what time it is.

Read at the edge (a view, a command) and passed in; everything below takes the day or the moment as an argument.
"""

from datetime import date, datetime

from django.conf import settings
from django.utils import timezone


def now() -> datetime:
    """The present moment, aware. With `PMQA_TODAY` set, the real time of day on that day."""
    moment = timezone.localtime()
    frozen_on = settings.PMQA_TODAY
    if frozen_on is not None:
        moment = moment.replace(year=frozen_on.year, month=frozen_on.month, day=frozen_on.day)
    return moment


def today() -> date:
    """The present day in the site's time zone, or `PMQA_TODAY` where that is set."""
    return now().date()
