"""Views to download a file of evidence, and to withdraw evidence with a reason."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from assignments.access import access_of
from plan.actions.views import read_detail
from plan.evidence import kinds, storage
from plan.lookup import find_action, find_plan
from plan.models import Evidence, Plan
from plan.updates.forms import WithdrawalForm, typed_withdrawal
from plan.updates.record import withdraw_evidence
from plan.updates.views import open_panel, page_form_urls
from pmqa_tracker import clock
from pmqa_tracker.long_names import download_name
from pmqa_tracker.typed_text import reads_typed_text, typed_text
from pmqa_tracker.views import NotFound
from pmqa_tracker.write_once import NotAllowedError

# If a browser opens the file anyway, it runs and loads nothing.
POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"


@require_safe
def evidence_file(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Download the file of a piece of evidence, always as an attachment; withdrawn evidence answers 410."""
    plan = find_plan(request, slug)
    evidence = _find(plan, pk)
    if evidence.withdrawn:
        return render(request, "plan/evidence_gone.html", {"evidence": evidence}, status=410)
    try:
        file = storage.open_stored(evidence.file)
    except FileNotFoundError:
        raise NotFound(
            _("The file “%(name)s” is not on the server any more; tell the administrator.") % {"name": evidence.title},
            [(evidence.action.ref, reverse("action_detail", args=[slug, evidence.action.ref]))],
        ) from None
    kind = kinds.KINDS.get(evidence.kind)
    response = FileResponse(
        file,
        as_attachment=True,
        filename=download_name(evidence.original_name),
        content_type=kind.content_type if kind else "application/octet-stream",
    )
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    response._csp_exempt = True  # the middleware would replace this policy with the site's own
    return response


@reads_typed_text(typed_withdrawal)
@require_POST
def evidence_withdraw(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Withdraw a piece of evidence with a reason; its row stays in the history.

    A second withdrawal answers 409 and shows both reasons.
    """
    plan = find_plan(request, slug)
    evidence = _find(plan, pk, with_links=True)
    access = access_of(request)
    form = WithdrawalForm(request.POST)
    if not form.is_valid():
        action = find_action(plan, evidence.action.ref)
        context = read_detail(request, plan, open_panel(action, access, page_form_urls(plan, action)), access)
        return render(request, "plan/action_detail.html", context | {"unexplained": evidence.pk}, status=422)
    reason = form.cleaned_data["reason"].strip()
    try:
        withdrawal = withdraw_evidence(evidence=evidence, access=access, reason=reason, at=clock.now())
    except NotAllowedError as error:
        raise PermissionDenied(str(error)) from error
    if (withdrawal.by_id, withdrawal.reason) != (request.user.pk, reason):
        context = {"evidence": _find(plan, pk, with_links=True), "typed": typed_text(request)}
        return render(request, "plan/evidence_gone.html", context, status=409)
    messages.success(request, _("“%(name)s” is withdrawn; the history shows why.") % {"name": evidence.title})
    return redirect(reverse("action_detail", args=[slug, evidence.action.ref]) + f"#update-{evidence.update_id}")


def _find(plan: Plan, pk: int, *, with_links: bool = False) -> Evidence:
    """Return a piece of evidence of the plan that is a file or, `with_links`, a link.

    Raises:
        NotFound: it does not exist.
    """
    rows = Evidence.objects.select_related("action", "withdrawal__by").filter(action__plan=plan, pk=pk)
    evidence = (rows if with_links else rows.exclude(file="")).first()
    if evidence is None:
        raise NotFound(_("This plan has no such evidence."))
    return evidence
