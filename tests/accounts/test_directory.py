"""Login by a directory: with a real LDAP server where one is installed, and everywhere with a stand-in for the library.

The stand-in shows only what our part of it does; `slapd` and requirements-ldap.txt are needed for the rest.
"""

import shutil
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from types import ModuleType

import pytest
from django.contrib.auth.backends import ModelBackend
from django.test import Client

from accounts.attempts import GUESSES
from assignments.models import User
from tests.factories import UserFactory
from tests.hold.site import START_SECONDS, is_open

pytestmark = pytest.mark.django_db
SLAPD = shutil.which("slapd") or shutil.which("slapd", path="/usr/sbin")
HAS_LIBRARY = find_spec("ldap") is not None and find_spec("django_auth_ldap") is not None
BASE = "dc=example,dc=org"
CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "dc=example,dc=org"
directory {folder}
"""
PEOPLE = """
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: uid=somchai,dc=example,dc=org
objectClass: inetOrgPerson
uid: somchai
cn: Somchai
sn: Somchai
mail: somchai@x.go.th
userPassword: of the directory

dn: uid=stranger,dc=example,dc=org
objectClass: inetOrgPerson
uid: stranger
cn: Stranger
sn: Stranger
userPassword: of the directory
"""


class StandIn(ModelBackend):
    """In place of `LDAPBackend`: knows one password for existing people."""

    def authenticate(self, request, username=None, password=None, **kwargs):
        return User.objects.filter(username=username).first() if password == "of the directory" else None


@pytest.fixture
def slapd(tmp_path, settings):
    """A directory on this machine, and the settings for it."""
    import ldap
    from django_auth_ldap.config import LDAPSearch

    (tmp_path / "data").mkdir()
    conf, ldif = tmp_path / "slapd.conf", tmp_path / "people.ldif"
    conf.write_text(CONFIGURATION.format(folder=tmp_path / "data"))
    ldif.write_text(PEOPLE)
    subprocess.run([SLAPD, "-T", "add", "-f", conf, "-l", ldif], check=True, capture_output=True, timeout=60)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"ldap://127.0.0.1:{probe.getsockname()[1]}"
    settings.AUTH_LDAP_SERVER_URI, settings.AUTH_LDAP_NO_NEW_USERS = url, True
    settings.AUTH_LDAP_USER_SEARCH = LDAPSearch(BASE, ldap.SCOPE_SUBTREE, "(|(uid=%(user)s)(mail=%(user)s))")
    settings.AUTH_LDAP_CONNECTION_OPTIONS = {ldap.OPT_NETWORK_TIMEOUT: 5, ldap.OPT_TIMEOUT: 5}
    server = subprocess.Popen([SLAPD, "-d", "0", "-h", url, "-f", conf], stderr=subprocess.DEVNULL)
    end = time.monotonic() + START_SECONDS
    while not is_open(int(url.rsplit(":", 1)[1])):
        assert server.poll() is None
        assert time.monotonic() < end
        time.sleep(0.1)
    yield server
    server.kill()
    server.wait()


@pytest.fixture(params=["stand-in", "slapd"])
def directory(request, settings, monkeypatch):
    """The directory in use; the server that runs, or None."""
    server = None
    if request.param == "slapd":
        if not (SLAPD and HAS_LIBRARY):
            pytest.skip("slapd or requirements-ldap.txt is missing")
        server = request.getfixturevalue("slapd")
    elif not HAS_LIBRARY:
        library = ModuleType("django_auth_ldap.backend")
        library.LDAPBackend = StandIn
        for name in ("django_auth_ldap", "django_auth_ldap.backend"):
            monkeypatch.setitem(sys.modules, name, library)
        monkeypatch.delitem(sys.modules, "accounts.directory", raising=False)
    else:
        monkeypatch.setattr("django_auth_ldap.backend.LDAPBackend.authenticate", StandIn.authenticate)
    settings.AUTHENTICATION_BACKENDS = ["accounts.backend.AccountBackend", "accounts.directory.DirectoryBackend"]
    yield server
    sys.modules.pop("accounts.directory", None)


def log_in(username, password):
    browser = Client()
    return browser, browser.post("/login/", {"username": username, "password": password}).status_code


def test_people_with_an_account_log_in_with_the_password_of_the_directory(directory):
    person = UserFactory(username="somchai", email="somchai@x.go.th", password="!")
    UserFactory(username="local")
    browser, status = log_in("Somchai@x.go.th", "of the directory")
    assert (status, browser.get("/password/").status_code) == (302, 200)
    assert log_in("stranger", "of the directory")[1] == 200  # known there, not here
    assert log_in("somchai", "")[1] == 200
    assert User.objects.count() == 2
    assert [log_in("somchai", "wrong")[1] for _number in range(GUESSES + 1)] == [200] * (GUESSES - 0) + [429]
    person.is_active = False
    person.save()
    assert browser.get("/password/").url == "/login/?next=/password/"
    if directory:
        directory.kill()
        directory.wait()
        assert log_in("local", "a long password for tests")[1] == 302
