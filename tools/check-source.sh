#!/bin/sh
# Checks of the sources that no compiler makes: a function, a type and a file have names of their own in all of src, no pointer loses
# its const by way of a number (-Wcast-qual sees the other ways), a header of ours says `#pragma once` (the public one, which
# any compiler may read, has a guard), and no line is longer than 120 columns.
# usage: tools/check-source.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"
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

definitions $(find src -name '*.[ch]') | awk '
    { files[$1] = files[$1] " " $2; n[$1]++ }
    END { for (name in n) if (n[name] > 1) print name ": defined in" files[name] }' | sort >"$bad"
find src -name '*.[ch]' | sed 's,.*/,,' | sort | uniq -d | sed 's/$/: two files of that name/' >>"$bad"
grep -rnE '\*\)\(uintptr_t\)' src --include='*.[ch]' | sed 's/$/    (const cast away)/' >>"$bad" || true
grep -rL '^#pragma once$' src tests bench --include='*.h' | sed 's/$/: no `#pragma once`/' >>"$bad" || true
# Columns are characters.
LC_ALL=C.UTF-8 grep -rnE '.{121,}' src include tests bench examples --include='*.[ch]' |
    sed 's/^\([^:]*:[0-9]*\):.*/\1: longer than 120 columns/' >>"$bad" || true

if [ -s "$bad" ]; then
    cat "$bad" >&2
    exit 1
fi
