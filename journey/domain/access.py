"""Who may do what: the roles of staff, the scopes of other systems' keys, and the limits of a session."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class Role(StrEnum):
    """What somebody is at the clinic. Everybody on staff may read; the rest is said by `MAY`."""

    COORDINATOR = "coordinator"  # enrolls patients and looks after them
    CLINICIAN = "clinician"  # the same, and approves content
    ADMIN = "admin"  # the same, and keeps settings and people
    AUDITOR = "auditor"  # reads, and changes nothing


class Power(StrEnum):
    """What a page or an act needs."""

    READ = "read"  # patients, messages, reports
    COORDINATE = "coordinate"  # enroll, change, write
    ADMINISTER = "administer"  # settings, people, keys
    AUDIT = "audit"  # the audit log
    OWN = "own"  # one's own account


MAY: dict[Power, frozenset[Role]] = {
    Power.READ: frozenset(Role),
    Power.COORDINATE: frozenset({Role.COORDINATOR, Role.CLINICIAN, Role.ADMIN}),
    Power.ADMINISTER: frozenset({Role.ADMIN}),
    Power.AUDIT: frozenset({Role.ADMIN, Role.AUDITOR}),
    Power.OWN: frozenset(Role),
}


class Scope(StrEnum):
    """What a key of another system may do."""

    READ = "read"
    WRITE = "write"


# Everybody who changes other people's access proves more than a password.
NEEDS_SECOND_FACTOR = frozenset({Role.ADMIN})
SETUP_LINK = timedelta(hours=24)
FIRST_PASSWORD = 12  # characters at least
