#!/bin/sh
# Programs that are no Python package. Usage: requirements/programs.sh NAME…, of: python3 make git venv chromium libatomic1
# (a library that the driver of the browser tests is linked with, which Chromium does not bring along).
# What is missing is installed where that is allowed (root, apt-get), without a question. Where it is not, a sentence says what to
# install; tests that need it are then skipped with that reason. With CI=true a missing program is an error.
set -eu
python=${PYTHON:-python3}

is_there() {
	case $1 in
	venv) "$python" -c 'import ensurepip, venv' 2>/dev/null ;;
	libatomic1) ls /lib/*/libatomic.so.1 /usr/lib/*/libatomic.so.1 /usr/lib64/libatomic.so.1 2>/dev/null | grep -q . ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

missing() {
	for name; do is_there "$name" || echo "$name"; done
}

packages() {
	for name; do case $name in venv) echo python3-venv ;; *) echo "$name" ;; esac done
}

apt() {
	DEBIAN_FRONTEND=noninteractive timeout 900 apt-get -y -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 \
		-o Acquire::http::Timeout=60 "$@" </dev/null
}

wanted=$(missing "$@")
[ -n "$wanted" ] || exit 0
# shellcheck disable=SC2046,SC2086  # names hold no spaces, here and below
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	log=$(mktemp)
	echo "Installing" $(packages $wanted) "with apt-get (it may take some minutes)"
	{ apt update && apt install --no-install-recommends $(packages $wanted); } >"$log" 2>&1 || tail -n 20 "$log" >&2
	rm -f "$log"
fi
left=$(missing "$@")
[ -n "$left" ] || exit 0
# shellcheck disable=SC2046,SC2086
echo "Missing:" $left". On Debian and Ubuntu: apt-get install" $(packages $left) >&2
[ "${CI:-}" != true ] || exit 1
