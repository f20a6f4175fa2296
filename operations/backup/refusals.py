"""Why a backup is refused or cannot be made, in a sentence for the administrator."""

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NOT_A_BACKUP = _("“%(file)s” is not a backup of this site. Choose a file that manage.py backup has made.")
DAMAGED = _(
    "“%(file)s” is damaged or incomplete (%(what)s). Nothing was changed; use another backup, or fetch this one again."
)
NEWER = _(
    "“%(file)s” was made by a newer release (%(what)s is unknown here). Install that release, then restore the backup."
)


class BackupError(Exception):
    """A backup that cannot be made, read or restored; as a string, the reason and what to do in both languages."""

    def __init__(self, sentence: Promise, **values: object) -> None:
        super().__init__(sentence)
        self.sentence, self.values = sentence, values

    def __str__(self) -> str:
        return in_both_languages(self.sentence, **self.values)


def in_both_languages(sentence: Promise, **values: object) -> str:
    """Return a sentence in English and Thai: a command does not know who reads it."""
    said = []
    for language in ("en", "th"):
        with translation.override(language):
            said.append(str(sentence) % values if values else str(sentence))
    return " / ".join(said)
