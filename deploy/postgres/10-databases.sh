#!/bin/sh
# Runs once, when the PostgreSQL volume is empty: a database and a role for each service, and Temporal's two databases.
# A role owns its database and may not connect to another's.
set -eu

create() { # create ROLE PASSWORD DATABASE...
	role=$1 password=$2
	shift 2
	psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
		--set role="$role" --set password="$password" <<-'SQL'
		CREATE ROLE :"role" LOGIN PASSWORD :'password';
	SQL
	for database in "$@"; do
		psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
			--set role="$role" --set database="$database" <<-'SQL'
			CREATE DATABASE :"database" OWNER :"role" ENCODING 'UTF8' TEMPLATE template0;
			REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
		SQL
	done
}

create orders "$ORDERS_DB_PASSWORD" orders
create inventory "$INVENTORY_DB_PASSWORD" inventory
create fulfillment "$FULFILLMENT_DB_PASSWORD" fulfillment
create billing "$BILLING_DB_PASSWORD" billing
create notifications "$NOTIFICATIONS_DB_PASSWORD" notifications
create temporal "$TEMPORAL_DB_PASSWORD" temporal temporal_visibility
