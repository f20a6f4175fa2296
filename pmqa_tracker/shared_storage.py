"""Storage of files in a bucket of an S3-compatible service, which several web machines share.

Only `STORAGES` names this module, so that the client of the service is loaded only where one is used.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage

MEMORY_BYTES = 5 * 1024 * 1024  # a larger file is read through a temporary file


class SharedStorage(S3Storage):
    """Files in a bucket of an S3-compatible service."""

    def get_default_settings(self) -> dict[str, Any]:
        """Let a service that does not answer fail within seconds, not minutes."""
        config = Config(
            s3={"addressing_style": "path"},
            signature_version="s3v4",
            connect_timeout=5,
            read_timeout=20,
            retries={"total_max_attempts": 3},
        )
        return super().get_default_settings() | {
            "client_config": config, "file_overwrite": False, "max_memory_size": MEMORY_BYTES,
        }  # fmt: skip

    def _open(self, name: str, mode: str = "rb") -> File:
        with _as_os_errors():
            return super()._open(name, mode).open()  # fetches the content now, while an error can still be answered

    def _save(self, name: str, content: File) -> str:
        with _as_os_errors():
            return super()._save(name, content)

    def copy(self, source: str, target: str) -> None:
        """Copy a stored file within the service."""
        key = {"Bucket": self.bucket_name, "Key": self._normalize_name(source)}
        with _as_os_errors():
            self.bucket.Object(self._normalize_name(target)).copy(key)

    def exists(self, name: str) -> bool:
        with _as_os_errors():
            return super().exists(name)

    def delete(self, name: str) -> None:
        with _as_os_errors():
            super().delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with _as_os_errors():
            return super().listdir(path)

    def size(self, name: str) -> int:
        with _as_os_errors():
            return super().size(name)

    def get_modified_time(self, name: str) -> Any:
        with _as_os_errors():
            return super().get_modified_time(name)


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Raise what the client of the service raises as OSError, as the local disk does."""
    try:
        yield
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            raise FileNotFoundError(str(error)) from error
        raise OSError(str(error)) from error
    except (BotoCoreError, Boto3Error) as error:
        raise OSError(str(error)) from error
