#!/bin/sh
# Checks that each folder of src includes only what src/arrows.txt allows, and that bert.h includes nothing of ours.
# usage: tools/check-includes.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"
bad=$(mktemp)
trap 'rm -f "$bad"' EXIT

check_folder() { # FOLDER ALLOWED...
    allowed=$(printf '%s/|' "$@")'bert[.]h"'
    [ "$1" != formats ] || allowed="$allowed|[a-z0-9_]+[.]pb-c[.]h\"" # generated from src/formats/*.proto
    find "src/$1" -name '*.[ch]' -exec grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' {} + |
        grep -vE "include[[:space:]]*\"($allowed)" | sed "s|\$|    ($1 may include: bert.h $*)|" >>"$bad" || true
}

while IFS=: read -r folder allowed; do
    case $folder in '' | '#'*) continue ;; esac
    [ ! -d "src/$folder" ] || check_folder "$folder" $allowed
done <src/arrows.txt

for folder in src/*/; do
    grep -q "^$(basename "$folder"):" src/arrows.txt || echo "$folder: not in src/arrows.txt" >>"$bad"
done
grep -Hn '#[[:space:]]*include[[:space:]]*"' include/bert.h >>"$bad" || true

if [ -s "$bad" ]; then
    echo "includes against the arrows of src/arrows.txt:" >&2
    cat "$bad" >&2
    exit 1
fi
