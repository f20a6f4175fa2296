"""The current time and day of the site; the only module that reads the clock.

Views and commands read it and pass it on; all other code takes the day or the moment as an argument.
"""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone

# The clocks of two machines may differ by this much; a moment further in the future shows that a clock was set back.
SLACK = timedelta(minutes=5)


def now() -> datetime:
    """Return the current moment, aware. With `PMQA_TODAY` set: the current time of day on that day."""
    moment = timezone.localtime()
    frozen_on = settings.PMQA_TODAY
    if frozen_on is not None:
        moment = moment.replace(year=frozen_on.year, month=frozen_on.month, day=frozen_on.day)
    return moment


def today() -> date:
    """Return the current day in the site's time zone, or `PMQA_TODAY` if it is set."""
    return now().date()
