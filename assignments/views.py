"""The page of whoever may not do something."""

from django.http import HttpRequest, HttpResponse

from assignments.access import access_of
from pmqa_tracker.views import render_refusal


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 in the site's look: the reason, who can change it, and every word that was sent."""
    access = access_of(request)
    return render_refusal(request, "403.html", status=403, reason=str(exception) or access.why_not_here, access=access)
