#!/bin/bash
# What the entrypoint of PostgreSQL's image does with an empty data folder: initdb, the administrator's password, the scripts of
# /docker-entrypoint-initdb.d against a server that has only a socket. Then it becomes what it is told to run.
set -eu
export POSTGRES_USER=${POSTGRES_USER:-postgres}

if [ ! -s "$PGDATA/PG_VERSION" ]; then
	# shellcheck disable=SC2086  # several options
	initdb --pgdata "$PGDATA" --username "$POSTGRES_USER" --pwfile <(printf '%s\n' "$POSTGRES_PASSWORD") ${POSTGRES_INITDB_ARGS:-}
	printf "\nlisten_addresses = '*'\n" >>"$PGDATA/postgresql.conf"
	printf '\nhost all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
	pg_ctl --pgdata "$PGDATA" --options "-c listen_addresses=''" --wait start
	for script in /docker-entrypoint-initdb.d/*.sh; do
		echo "running $script"
		# As there: what may not be executed is read by this shell.
		# shellcheck disable=SC1090
		if [ -x "$script" ]; then "$script"; else . "$script"; fi
	done
	pg_ctl --pgdata "$PGDATA" --mode fast --wait stop
fi
exec "$@"
