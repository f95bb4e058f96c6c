#!/bin/sh
# One-shot: the namespace, and the search attributes that orders carry. Running it again changes nothing.
#
# A server that has just started, or has just made a namespace, does not know it for some seconds. So nothing is done once and trusted:
# each step is tried until the server itself describes what it should have brought about.
set -eu
attributes='OmsNumber:Keyword OmsCustomer:Keyword OmsChannel:Keyword OmsPO:Keyword OmsTotalMinor:Int OmsPhase:Keyword'
every=${RETRY_EVERY:-2}
tries=${RETRIES:-90}

operator() { temporal operator "$@" 2>&1; }

has_namespace() {
	said=$(operator namespace describe --namespace "$TEMPORAL_NAMESPACE") ||
		{ said=$(operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"); return 1; }
}

has_attributes() {
	said=$(operator search-attribute list --namespace "$TEMPORAL_NAMESPACE") || return 1
	missing=''
	for attribute in $attributes; do
		case $said in
		*"${attribute%%:*}"*) ;;
		*) missing="$missing $attribute" ;;
		esac
	done
	[ -n "$missing" ] || return 0
	for attribute in $missing; do
		said=$(operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "${attribute%%:*}" --type "${attribute##*:}") || return 1
	done
	return 1
}

until_true() { # until_true STEP
	left=$tries
	until "$1"; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || { echo "Temporal at $TEMPORAL_ADDRESS: $1 is not true after $tries tries; it said: $said" >&2; exit 1; }
		sleep "$every"
	done
}

until_true has_namespace
until_true has_attributes
