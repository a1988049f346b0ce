# The report in a browser: every page of tests/report/report.c holds its plots once Chromium has read it, none of them is wider than a phone's screen, and the
# picture of one, kept as tests/report.png in the build folder, is not blank.
build=$(dirname "$BERT")
for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    [ -n "$name" ] && browser=$(command -v "$name") && break
done
[ -n "${browser:-}" ] || { echo "skipped: no chromium, chromium-browser or google-chrome, and CHROMIUM is not set"; exit 77; }
[ -x "$build/tests/test_report_report" ] || { echo "skipped: tests/test_report_report is not built"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }

browse() {
    HOME=$PWD timeout 100 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars "$@" 2>/dev/null
}

mkdir pages
REPORT_PAGES=pages "$build/tests/test_report_report" >/dev/null 2>&1 || echo "no pages"
columns="--text-columns question1,question2 --label-column is_duplicate"
"$BERT" import files/toy -o module >/dev/null
"$BERT" train --module module --train files/toy-train.tsv --valid files/toy-valid.tsv -o model $columns --epochs 2 --batch-size 4 --quiet
cp model/report.html pages/trained.html
"$BERT" eval -m model files/toy-valid.tsv $columns --report pages/evaluated.html >/dev/null
# All at once, for the browser is slow to start: each page stands in a frame of a phone's width that is asked for its plots.
{
    echo "<!DOCTYPE html><body><script>let out='';window.onload=()=>{for(const f of document.querySelectorAll('iframe')){const d=f.contentDocument;"
    echo "const svg=[...d.querySelectorAll('svg')];out+=f.name+': '+svg.length+' plots, '+svg.filter(s=>s.getBBox().width>0).length+' drawn, '"
    echo "+(d.documentElement.scrollWidth<=390?'fits a phone':'is '+d.documentElement.scrollWidth+' wide')+';'}document.body.textContent='ANSWER '+out}</script>"
    for page in binary classes many multilabel regression tokens trained evaluated; do
        echo "<iframe name=$page src=pages/$page.html width=390 height=800></iframe>"
    done
} >all.html
browse --allow-file-access-from-files --virtual-time-budget=20000 --dump-dom "file://$PWD/all.html" | grep -o 'ANSWER [^<]*' | sed 's/ANSWER //' | tr ';' '\n' | sed '/^$/d'
browse --window-size=1000,1800 --screenshot="$PWD/report.png" "file://$PWD/pages/binary.html" >/dev/null
cp report.png "$build/tests/report.png"
colours=$(python3 "$here/../report/picture.py" report.png)
[ "$colours" -ge 50 ] && echo "the picture has colours" || echo "the picture has $colours colours"
