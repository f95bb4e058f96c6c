"""Bring the databases of all services to this release, each fresh or from an older one: `python -m cli.migrate VAR`."""

import sys
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from cli.embedded import SERVICES, database_url
from services.runtime.migrations import DatabaseNotCurrent, database_of, upgrade


def main(var: Path) -> int:
    """0 when all are current; 78, and the sentence on stderr, when one is from a newer release."""
    for service in SERVICES:
        database = database_of(service, database_url(var, service))
        try:
            upgrade(database)
        except DatabaseNotCurrent as refusal:
            print(f"{service}: {refusal}", file=sys.stderr)
            return 78
        except DatabaseError as damage:
            print(
                f"{service}: {var / service}.db cannot be used ({damage.orig}): restore a backup of it", file=sys.stderr
            )
            return 78
        finally:
            database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
