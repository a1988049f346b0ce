#!/bin/bash
# scikit-learn 1.9.1: adding one wrong answer lowers macro F1 for a second reason, since it changes what the mean is over.
#
# average="macro" is the mean over the classes that occur in the truth or in the predictions, not over the classes that the model has. With three classes, a
# test set without the third one and no mistake, it is 1.0 over two; one answer of the third class brings the third, with an F1 of 0, into the mean. So two
# models that are measured on the same rows have their means taken over different numbers of classes, and a class without rows is free until it is guessed
# once. labels= makes it the model's classes.
#
# Seen:   all right: 1.000 (over the model's classes 0.667); one of four wrong, as the absent class: 0.556; the same as a present class: 0.733
# Hurts:  who compares models on small or stratified test sets with rare classes: one stray answer costs 18 points more than another mistake.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cd "$folder"
venv/bin/python - <<'PROGRAM'
from sklearn.metrics import f1_score

truth = [0, 0, 1, 1]
right = f1_score(truth, truth, average="macro")
over_all = f1_score(truth, truth, labels=[0, 1, 2], average="macro", zero_division=0)
absent = f1_score(truth, [0, 0, 1, 2], average="macro")
present = f1_score(truth, [0, 0, 1, 0], average="macro")
print(f"all right: {right:.3f} (over the model's classes {over_all:.3f}); one of four wrong, as the absent class: {absent:.3f}; "
      f"the same as a present class: {present:.3f}")
assert right == 1 and abs(over_all - 2 / 3) < 1e-9 and abs(absent - 5 / 9) < 1e-9 and abs(present - 11 / 15) < 1e-9
PROGRAM
