"""Links of the hash chain of a plan's log."""

import json
from datetime import UTC
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from plan.log.content import digest
from pmqa_tracker.append_only import AppendOnly


class LogLink(AppendOnly):
    """An entry of a plan's log in its hash chain: `hash` covers the entry and all entries before it.

    It repeats what names the entry, so that one that is missing can still be named. Plan and links stay apart: the
    chain outlives a plan whose import is undone.
    """

    ORGANIZATION = "plan__organization"
    address = None  # the entry has it

    plan = models.ForeignKey(
        "plan.Plan", on_delete=models.DO_NOTHING, db_constraint=False, related_name="links", verbose_name=_("plan")
    )
    number = models.PositiveBigIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=40, help_text="Label of the model of the entry")
    entry = models.BigIntegerField(_("entry"))
    ref = models.CharField(_("ref"), max_length=200, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("made by")
    )
    at = models.DateTimeField(_("at"))
    content = models.CharField(_("digest of its content"), max_length=64)
    hash = models.CharField(_("hash"), max_length=64)

    class Meta:
        verbose_name = _("link of a log")
        verbose_name_plural = _("links of logs")
        constraints = (
            models.UniqueConstraint(fields=("plan", "number"), name="log_link_number_once"),
            models.UniqueConstraint(fields=("kind", "entry"), name="log_link_entry_once"),
        )

    def __str__(self) -> str:
        return f"{self.plan_id} · {self.number}"

    def compute_hash(self, before: str) -> str:
        """Return the hash of the link that follows the hash of another one; "" for the first."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        values: list[Any] = [before, self.plan_id, self.number, self.kind, self.entry, self.ref, self.by_id, at]
        return digest(json.dumps([*values, self.content], ensure_ascii=False, separators=(",", ":")))
