#!/bin/sh
# Checks of the sources that no compiler makes: a function or type has a name of its own in all of src, and no pointer loses its
# const by way of a number (-Wcast-qual sees the other ways).
# usage: tools/check-source.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"
later='arch|convert|infer|model|net|task' # folders whose names are not held to this
bad=$(mktemp)
trap 'rm -f "$bad"' EXIT

# "NAME FILE" of what is defined: a function's opening brace stands alone, behind the line where its name is.
definitions() {
    awk '
        FNR == 1 { head = "" }
        /^[A-Za-z_].*\(/ && !/^(typedef|__attribute__)/ { head = $0 }
        $0 == "{" && head != "" && head !~ /OP\(/ { sub(/\(.*/, "", head); sub(/.*[ *]/, "", head); print head, FILENAME }
        /^[}{;]/ || /;$/ { head = "" }
        /^(typedef .*)?} [a-z_0-9]+;$/ { sub(/;$/, ""); print $NF, FILENAME }
        /^(typedef |static |const )*(struct|union|enum) [a-z_0-9]+ {/ { sub(/ {.*/, ""); print $NF, FILENAME }
    ' "$@" | sort -u
}

definitions $(find src -name '*.[ch]' | grep -vE "^src/($later)/") | awk '
    { files[$1] = files[$1] " " $2; n[$1]++ }
    END { for (name in n) if (n[name] > 1) print name ":" files[name] }' | sort >"$bad"
[ ! -s "$bad" ] || sed -i '1i names that two files of src define:' "$bad"
casts=$(grep -rnE '\*\)\(uintptr_t\)' src --include='*.[ch]' | grep -vE "^src/($later)/") && printf 'const cast away:\n%s\n' "$casts" >>"$bad"

if [ -s "$bad" ]; then
    cat "$bad" >&2
    exit 1
fi
