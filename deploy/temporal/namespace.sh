#!/bin/sh
# One-shot: the namespace, and the search attributes that orders carry. Running it again changes nothing.
set -eu

tries=0
until temporal operator cluster health >/dev/null 2>&1; do
	tries=$((tries + 1))
	[ "$tries" -lt 60 ] || { echo "Temporal at $TEMPORAL_ADDRESS did not become healthy in two minutes" >&2; exit 1; }
	sleep 2
done

temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
	temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"

# A server that has just made a namespace does not find it for some seconds.
tries=0
until known=$(temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE" 2>&1); do
	tries=$((tries + 1))
	[ "$tries" -lt 30 ] || { echo "$known" >&2; exit 1; }
	sleep 2
done
for attribute in OmsNumber:Keyword OmsCustomer:Keyword OmsChannel:Keyword OmsPO:Keyword OmsTotalMinor:Int OmsPhase:Keyword; do
	name=${attribute%%:*}
	case $known in
	*"$name"*) ;;
	*) temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$name" --type "${attribute##*:}" ;;
	esac
done
