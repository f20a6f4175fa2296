"""Read settings from the environment, each with its own check.

A wrong value raises ImproperlyConfigured with one sentence that names the variable. The sentence repeats the value only
if it cannot contain a password.
"""

import hashlib
import re
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

# Class of a cache → its options. Pages do not wait long for a server. Not the database: GET would write.
CACHE_OPTIONS: dict[str, dict[str, int | str]] = {
    "LocMemCache": {"MAX_ENTRIES": 600},
    "FileBasedCache": {"MAX_ENTRIES": 600},
    "DummyCache": {},
    "RedisCache": {
        "socket_timeout": 1,
        "socket_connect_timeout": 1,
        "serializer": "pmqa_tracker.page_cache.PlainBytes",
    },
    "PyLibMCCache": {},
}


def secret(env: environ.Env, name: str) -> str:
    """Read a variable verbatim; django-environ treats a leading `$` as a reference to another variable."""
    return env.ENVIRON.get(name, "")


def day(env: environ.Env, name: str) -> date | None:
    """Read a day in ISO format (Anno Domini); None if it is not set."""
    value = env.str(name, default="")
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} must be a day such as 2020-05-15, not “{value}”. / "
            f"{name} ต้องเป็นวันที่รูปแบบ ปี ค.ศ.-เดือน-วัน เช่น 2020-05-15 ไม่ใช่ “{value}”"
        ) from None


def refuse_demonstration(**values: object) -> None:
    """Refuse settings that only a demonstration or a developer may use.

    Raises:
        ImproperlyConfigured: one of the values is set; the message names the variables.
    """
    if names := ", ".join(name for name, value in values.items() if value):
        raise ImproperlyConfigured(
            f"{names} belongs to a demonstration, and PMQA_PRODUCTION is on: write a .env for this server as "
            f"docs/install.md says. / {names} ใช้ได้เฉพาะระบบสาธิต แต่กำหนด PMQA_PRODUCTION ไว้ "
            "โปรดจัดทำไฟล์ .env สำหรับเครื่องแม่ข่ายนี้ตามคู่มือ docs/th/install.md"
        )


def time_zone(env: environ.Env, name: str, *, default: str) -> str:
    """Read the name of a time zone that this machine knows."""
    value = env.str(name, default=default)
    try:
        return ZoneInfo(value).key
    except (LookupError, ValueError, OSError):
        raise ImproperlyConfigured(
            f"{name} must be a time zone this machine knows (package tzdata), such as Asia/Bangkok, not “{value}”. / "
            f"{name} ต้องเป็นชื่อเขตเวลาที่เครื่องนี้รู้จัก (แพ็กเกจ tzdata) เช่น Asia/Bangkok ไม่ใช่ “{value}”"
        ) from None


def fraction(env: environ.Env, name: str, *, default: float) -> float:
    """Read a number from 0 to 1."""
    value = env.str(name, default=str(default))
    try:
        number = float(value)
    except ValueError:
        number = -1
    if not 0 <= number <= 1:
        raise ImproperlyConfigured(
            f"{name} must be a number from 0 to 1, such as {default}, not “{value}”. / "
            f"{name} ต้องเป็นตัวเลขตั้งแต่ 0 ถึง 1 เช่น {default} ไม่ใช่ “{value}”"
        )
    return number


def whole_number(env: environ.Env, name: str, *, default: int, least: int, most: int) -> int:
    """Read a whole number from `least` to `most`."""
    value = env.str(name, default=str(default)).strip()
    if not (value.isdecimal() and value.isascii() and least <= int(value) <= most):
        raise ImproperlyConfigured(
            f"{name} must be a whole number from {least} to {most}, such as {default}, not “{value}”. / "
            f"{name} ต้องเป็นจำนวนเต็มตั้งแต่ {least} ถึง {most} เช่น {default} ไม่ใช่ “{value}”"
        )
    return int(value)


def choice(env: environ.Env, name: str, *choices: str, default: str) -> str:
    """Read one of several words."""
    value = env.str(name, default=default).strip().lower()
    if value not in choices:
        words = ", ".join(choices)
        raise ImproperlyConfigured(
            f"{name} must be one of {words}, not “{value}”. / {name} ต้องเป็นค่าใดค่าหนึ่งต่อไปนี้: {words} ไม่ใช่ “{value}”"
        )
    return value


def networks(env: environ.Env, name: str) -> list[IPv4Network | IPv6Network]:
    """Read addresses and networks separated by commas, such as 10.0.0.5,192.168.1.0/24."""
    found = []
    for value in env.list(name, default=[]):
        try:
            found.append(ip_network(value.strip()))
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} must be addresses or networks such as 10.0.0.5,192.168.1.0/24, not “{value}”. / "
                f"{name} ต้องเป็นที่อยู่หรือเครือข่าย เช่น 10.0.0.5,192.168.1.0/24 ไม่ใช่ “{value}”"
            ) from None
    return found


def names(env: environ.Env, name: str, *, allowed: tuple[str, ...]) -> frozenset[str]:
    """Read some of the allowed names, separated by commas; none if it is not set."""
    found = frozenset(part for each in env.str(name, default="").split(",") if (part := each.strip()))
    if wrong := ", ".join(sorted(found - set(allowed))):
        known = ", ".join(allowed)
        raise ImproperlyConfigured(
            f"{name} must be some of {known}, separated by commas, not “{wrong}”. / "
            f"{name} ต้องเป็นคำเหล่านี้ คั่นด้วยจุลภาค: {known} ไม่ใช่ “{wrong}”"
        )
    return found


def whole_numbers(env: environ.Env, name: str, *, default: str, count: int, most: int) -> tuple[int, ...]:
    """Read whole numbers from 0 to `most`, separated by commas."""
    value = env.str(name, default=default)
    numbers = [part.strip() for part in value.split(",")]
    if len(numbers) != count or not all(part.isdecimal() and part.isascii() and int(part) <= most for part in numbers):
        raise ImproperlyConfigured(
            f"{name} must be {count} whole numbers from 0 to {most}, such as {default}, not “{value}”. / "
            f"{name} ต้องเป็นจำนวนเต็ม {count} จำนวน แต่ละจำนวนตั้งแต่ 0 ถึง {most} เช่น {default} ไม่ใช่ “{value}”"
        )
    return tuple(map(int, numbers))


def port(env: environ.Env, name: str, *, kept_in: Path, default: int = 8000) -> int:
    """Read the port of the site from the environment, otherwise from the file `kept_in`, otherwise use `default`."""
    kept = kept_in.read_text().strip() if kept_in.is_file() else ""
    usable = kept if kept.isdecimal() and 1 <= int(kept) <= 65535 else default
    return whole_number(env, name, default=int(usable), least=1, most=65535)


def cookie_suffix(*parts: object) -> str:
    """Return a short name for an installation, made of values that no other installation shares."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:10]


def site_url(env: environ.Env, name: str) -> str:
    """Read the URL of the site, without a slash at the end; "" if it is not set."""
    return _checked_address(
        name, env.str(name, default="").strip().rstrip("/"), r"https?://[^/\s?#]+",
        "the web address of the site, such as https://pmqa.example.go.th",
        "ที่อยู่เว็บไซต์ของระบบ เช่น https://pmqa.example.go.th",
    )  # fmt: skip


def web_address(env: environ.Env, name: str) -> str:
    """Read an address of another system, which must be secret on its way; "" if it is not set."""
    return _checked_address(
        name, env.str(name, default="").strip(), r"(https://|http://127\.0\.0\.1[:/])\S+",
        "a web address that begins with https://", "ที่อยู่เว็บที่ขึ้นต้นด้วย https://",
    )  # fmt: skip


def directory_url(env: environ.Env, name: str) -> str:
    """Read the address of an LDAP server; "" if it is not set."""
    return _checked_address(
        name, env.str(name, default="").strip(), r"ldaps?://[^/\s?#]+/?",
        "the address of an LDAP server, such as ldaps://ldap.example.go.th",
        "ที่อยู่เครื่องแม่ข่าย LDAP เช่น ldaps://ldap.example.go.th",
    )  # fmt: skip


def _checked_address(name: str, value: str, pattern: str, english: str, thai: str) -> str:
    """Return the value of a variable; raise ImproperlyConfigured if it is set and does not match the pattern."""
    if value and not re.fullmatch(pattern, value):
        raise ImproperlyConfigured(f"{name} must be {english}, not “{value}”. / {name} ต้องเป็น{thai} ไม่ใช่ “{value}”")
    return value


def cache(env: environ.Env, name: str) -> dict[str, object]:
    """Read the URL of the cache of pages; by default it is the memory of each process.

    Memory and files hold 600 pages, of 128 KB at most and mostly about 20; a server limits itself.
    """
    url = env.str(name, default="") or "locmemcache://pages"
    try:
        config = env.cache_url_config(url)
    except (environ.ImproperlyConfigured, ValueError, KeyError):
        config = {}
    options = CACHE_OPTIONS.get(str(config.get("BACKEND")).rsplit(".", 1)[-1])
    if options is None:
        raise ImproperlyConfigured(
            f"{name} must be the address of a cache such as redis://127.0.0.1:6379/1 (docs/configuration.md). / "
            f"{name} ต้องเป็นที่อยู่ของแคช เช่น redis://127.0.0.1:6379/1 (docs/configuration.md)"
        )
    return {**config, "OPTIONS": {**options, **config.get("OPTIONS", {})}}


def email(env: environ.Env, name: str) -> dict[str, object]:
    """Read Django's mail settings from a URL; without one, mail is written to the console."""
    try:
        return env.email_url(name, default="consolemail://")
    except (ImproperlyConfigured, LookupError, ValueError):
        raise ImproperlyConfigured(
            f"{name} is not a mail address the tracker understands; write smtp+tls://user:password@host:587, or leave "
            f"it out to see mail on the console. / {name} ไม่ใช่ที่อยู่เครื่องแม่ข่ายอีเมลที่ระบบรองรับ โปรดระบุเป็น "
            f"smtp+tls://ผู้ใช้:รหัสผ่าน@เครื่อง:587 หรือไม่ต้องระบุเพื่อแสดงอีเมลบนหน้าจอคำสั่ง"
        ) from None


def folder(env: environ.Env, name: str, *, default: Path) -> Path:
    """Read the path of a folder, and create the folder if it is missing."""
    path = Path(env.str(name, default=str(default)))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name} must be a folder the tracker can make and write into; “{path}” is not ({error.strerror}). / "
            f"{name} ต้องเป็นโฟลเดอร์ที่ระบบสร้างและเขียนได้ แต่ “{path}” ใช้ไม่ได้"
        ) from None
    return path


def storages(env: environ.Env, name: str, *, folders: dict[str, Path]) -> dict[str, dict[str, object]]:
    """Read where files are stored: in a bucket of an S3-compatible service, or on the local disk if it is not set.

    Args:
        env: the environment; the variable is a URL such as "s3://key:secret@host:9000/bucket?region=th-1&https=off".
        name: of the variable.
        folders: the folder of each storage on the local disk. In a bucket, its files lie below the folder's name.

    Returns:
        The entries of Django's `STORAGES`. The storage "default" lies in `MEDIA_ROOT` on the local disk.
    """
    if not (url := secret(env, name)):
        options = {key: {} if key == "default" else {"location": folder} for key, folder in folders.items()}
        backend = "pmqa_tracker.file_storage.LocalStorage"
        return {key: {"BACKEND": backend, "OPTIONS": options[key]} for key in folders}
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query, strict_parsing=bool(parts.query))
        bucket = parts.path.strip("/")
        is_complete = parts.username and parts.password and parts.hostname and bucket and "/" not in bucket
        if parts.scheme != "s3" or not is_complete or not query.keys() <= {"region", "https"} or parts.port == 0:
            raise ValueError
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} is not an address of a storage service; write s3://key:secret@host/bucket, or leave it out to "
            f"keep files in DATA_DIR. / {name} ไม่ใช่ที่อยู่ของบริการจัดเก็บไฟล์ โปรดระบุในรูปแบบ s3://คีย์:รหัสลับ@เครื่อง/บักเก็ต "
            f"หรือไม่ต้องกำหนดตัวแปรนี้หากเก็บไฟล์ไว้ใน DATA_DIR"
        ) from None
    scheme = "http" if query.get("https") == ["off"] else "https"
    service = {
        "endpoint_url": f"{scheme}://{parts.netloc.rpartition('@')[2]}",
        "bucket_name": bucket,
        "access_key": unquote(parts.username),
        "secret_key": unquote(parts.password),
        "region_name": query.get("region", ["us-east-1"])[0],
    }
    backend = "pmqa_tracker.shared_storage.SharedStorage"
    return {key: {"BACKEND": backend, "OPTIONS": service | {"location": folders[key].name}} for key in folders}
