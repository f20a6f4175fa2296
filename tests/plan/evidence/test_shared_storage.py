"""Evidence in an S3-compatible service, against moto: a test double of that service, not a real one."""

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import boto3
import environ
import pytest
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from moto.server import ThreadedMotoServer

from operations.doctor.machine_checks import check_storage
from operations.findings import Level
from plan.models.evidence import Evidence, remove_leftovers
from pmqa_tracker import environment
from tests.plan.evidence.hostile import good_files

pytestmark = pytest.mark.django_db
PDF = next(content for _name, content, kind in good_files() if kind == "pdf")
FOLDERS = {"default": Path("/data/evidence"), "prepared": Path("/data/prepared")}


def configured(url: str) -> dict:
    """Return the storages that a `STORAGE_URL` names."""
    env = environ.Env()
    env.ENVIRON = {"STORAGE_URL": url}
    return environment.storages(env, "STORAGE_URL", folders=FOLDERS)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Run the double on a free port; yield its host and port."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(server, settings):
    """The bucket of a site whose settings name it; it is empty."""
    name = f"pmqa-{uuid4().hex}"
    service = boto3.resource(
        "s3", endpoint_url=f"http://{server}", region_name="us-east-1",
        aws_access_key_id="key", aws_secret_access_key="se/cret",
    )  # fmt: skip
    made = service.create_bucket(Bucket=name)
    settings.STORAGES = settings.STORAGES | configured(f"s3://key:se%2Fcret@{server}/{name}?https=off")
    return made


def test_evidence_is_kept_in_the_bucket_and_given_only_to_whom_may_see_it(bucket, client, staff, action):
    page, op_id = f"/plans/2563/actions/{action.ref}/", str(uuid4())
    typed = {"version": 1, "op_id": op_id, "status_to": "BLOCKED", "progress_to": 0}
    file = SimpleUploadedFile("รายงาน.pdf", PDF, content_type="text/html")
    response = client.post(page, typed | {"files": [file]})
    assert response.status_code == 422
    ((token, _staged),) = response.context["panel"].form.staged_files
    response = client.post(page, typed | {"problem": "รอ", "kept": [token]})
    assert response.status_code == 302
    evidence = Evidence.objects.get()
    assert (evidence.sha256, evidence.size) == (sha256(PDF).hexdigest(), len(PDF))
    assert bucket.Object(f"evidence/{evidence.file}").get()["Body"].read() == PDF
    address = f"/plans/2563/evidence/{evidence.pk}/"
    given = client.get(address)
    assert b"".join(given.streaming_content) == PDF
    assert given.headers["Content-Length"] == str(len(PDF))
    assert given.headers["Content-Security-Policy"].startswith("sandbox")
    assert remove_leftovers(timezone.now() + timedelta(hours=26)) == 1
    assert [each.key for each in bucket.objects.all()] == [f"evidence/{evidence.file}"]
    default_storage.delete(evidence.file)
    assert client.get(address).status_code == 404
    client.logout()
    assert client.get(address).status_code == 302


def test_shared_storage_overwrites_nothing_and_leaves_its_folder_never(bucket):
    prepared = storages["prepared"]
    first, second = (prepared.save("a.xlsx", ContentFile(text)) for text in (b"one", b"two"))
    assert first != second
    assert sorted(each.key for each in bucket.objects.all()) == sorted([f"prepared/{first}", f"prepared/{second}"])
    assert prepared.open(first).read() == b"one"
    for name in ("../evidence/a", "/etc/passwd", "a/../../b"):
        with pytest.raises((SuspiciousOperation, FileNotFoundError)):
            prepared.open(name)
    with pytest.raises(FileNotFoundError):
        prepared.copy("gone", "b.xlsx")


def test_service_that_does_not_answer_is_an_os_error(bucket, settings):
    settings.STORAGES = settings.STORAGES | configured("s3://key:secret@127.0.0.1:1/bucket?https=off")
    for ask in (default_storage.exists, default_storage.open, default_storage.delete, default_storage.size):
        with pytest.raises(OSError, match=r"127\.0\.0\.1"):
            ask("2563/05/a")
    with pytest.raises(OSError, match=r"127\.0\.0\.1"):
        default_storage.save("2563/05/a", ContentFile(b"x"))


def test_address_of_the_service_is_read_or_refused():
    options = configured("s3://k%2F:p%40ss@s3.example.go.th:9000/pmqa?region=th-1")["default"]["OPTIONS"]
    assert options == {
        "endpoint_url": "https://s3.example.go.th:9000",
        "bucket_name": "pmqa",
        "access_key": "k/",
        "secret_key": "p@ss",
        "region_name": "th-1",
        "location": "evidence",
    }
    assert configured("")["prepared"]["OPTIONS"] == {"location": FOLDERS["prepared"]}
    for bad in (
        "http://k:s@host/b", "s3://k:s@host", "s3://host/b", "s3://k@host/b", "s3://k:s@host:x/b", "s3://k:s@/b",
        "s3://k:s@host/b/c", "s3://k:s@host/b?acl=public", "nonsense",
    ):  # fmt: skip
        with pytest.raises(ImproperlyConfigured) as refused:
            configured(bad)
        assert "STORAGE_URL" in str(refused.value)
        assert "k:s" not in str(refused.value)


def test_doctor_tries_the_bucket(bucket, settings, server, tmp_path):
    (found,) = check_storage()
    assert (found.level, list(bucket.objects.all())) == (Level.OK, [])
    settings.STORAGES = settings.STORAGES | configured(f"s3://key:se%2Fcret@{server}/nowhere?https=off")
    (found,) = check_storage()
    assert (found.level, "NoSuchBucket" in found.said_in("en")["text"]) == (Level.FAULT, True)
    assert "STORAGE_URL" in found.said_in("th")["advice"]
    settings.STORAGES = settings.STORAGES | configured("s3://key:secret@127.0.0.1:1/pmqa?https=off")
    assert [each.level for each in check_storage()] == [Level.FAULT]
