"""Upload handlers limit the stored size of a file and keep its real size."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.test import RequestFactory

from pmqa_tracker.upload_limit import MEGABYTE, CappedUploadHandler


@pytest.fixture(autouse=True)
def _limits(settings):
    settings.PMQA_EVIDENCE_MB = 3
    settings.FILE_UPLOAD_HANDLERS = [
        f"{handler.__module__}.{handler.__name__}" for handler in (MemoryFileUploadHandler, CappedUploadHandler)
    ]


def posted(**contents):
    files = {field: SimpleUploadedFile(f"{field}.pdf", content) for field, content in contents.items()}
    return RequestFactory().post("/", files).FILES


def test_too_large_file_is_cut_but_keeps_its_size():
    content = bytes(range(256)) * (5 * MEGABYTE // 256) + b"end"
    file = posted(large=content)["large"]
    assert file.size == 5 * MEGABYTE + 3
    assert Path(file.temporary_file_path()).stat().st_size == 3 * MEGABYTE + 1
    assert file.read() == content[: 3 * MEGABYTE + 1]


def test_file_within_the_limit_is_stored_completely():
    content = b"ab" * (MEGABYTE * 3 // 2)
    file = posted(whole=content)["whole"]
    assert (file.size, file.read()) == (3 * MEGABYTE, content)


def test_limit_applies_to_each_file_of_a_request():
    files = posted(large=bytes(4 * MEGABYTE), small=b"%PDF-1.4")
    assert {field: (file.size, len(file.read())) for field, file in files.items()} == {
        "large": (4 * MEGABYTE, 3 * MEGABYTE + 1),
        "small": (8, 8),
    }


def test_small_file_stays_in_memory():
    file = posted(small=b"%PDF-1.4")["small"]
    assert (file.size, file.read(), hasattr(file, "temporary_file_path")) == (8, b"%PDF-1.4", False)
