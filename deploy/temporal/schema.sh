#!/bin/sh
# One-shot: bring Temporal's two databases to the schema of this admin-tools image. Running it again changes nothing:
# setup-schema leaves a database alone whose version is past the first, update-schema applies only what is missing.
set -eu
schema=/etc/temporal/schema/postgresql/v12
every=${RETRY_EVERY:-2}
tries=${RETRIES:-30}

tool() { # tool DATABASE COMMAND...: tried again while the database does not answer yet
	database=$1
	shift
	left=$tries
	until temporal-sql-tool --plugin postgres12 --ep "$POSTGRES_SEEDS" -p 5432 -u temporal --db "$database" "$@"; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || exit 1 # it has said why
		sleep "$every"
	done
}

tool temporal setup-schema -v 0.0
tool temporal update-schema -d "$schema/temporal/versioned"
tool temporal_visibility setup-schema -v 0.0
tool temporal_visibility update-schema -d "$schema/visibility/versioned"
