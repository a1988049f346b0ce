#!/bin/sh
# Installs what the build and the tests need on Debian 12 and its kin, and the packages named besides. Asks nothing; does nothing
# where nothing is missing.
# usage: tools/install-deps.sh [PACKAGE...]
set -eu
packages="gcc libc6-dev cmake ninja-build pkg-config ca-certificates
    libdnnl-dev libutf8proc-dev libjansson-dev libprotobuf-c-dev protobuf-c-compiler
    zlib1g-dev libminizip-dev libcurl4-openssl-dev libcmocka-dev $*"

if ! command -v apt-get >/dev/null; then
    command -v cmake >/dev/null && exit 0 # another system: CMake says what it does not find
    echo "this system has no apt-get; install what these Debian packages hold: $packages" >&2
    exit 1
fi

missing=
for p in $packages; do
    dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -q '^installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

echo "installing:$missing" >&2
as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "run as root: apt-get install$missing" >&2; exit 1; }
    as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq >&2
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing </dev/null >&2
