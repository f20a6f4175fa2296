"""Read settings from the environment, each with its own check.

A wrong value raises ImproperlyConfigured with one sentence that names the variable. The sentence repeats the value only
if it cannot contain a password.
"""

import hashlib
import re
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured


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
    value = env.str(name, default="").strip().rstrip("/")
    if value and not re.fullmatch(r"https?://[^/\s?#]+", value):
        raise ImproperlyConfigured(
            f"{name} must be the web address of the site, such as https://pmqa.example.go.th, not “{value}”. / "
            f"{name} ต้องเป็นที่อยู่เว็บไซต์ของระบบ เช่น https://pmqa.example.go.th ไม่ใช่ “{value}”"
        )
    return value


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
