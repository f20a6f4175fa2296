"""The 403 page."""

from django.http import HttpRequest, HttpResponse

from assignments.access import access_of
from pmqa_tracker.views import render_refusal


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Render the 403 page: the reason, who can change it, and the text that the user sent."""
    access = access_of(request)
    return render_refusal(request, "403.html", status=403, reason=str(exception) or access.why_not_here, access=access)
