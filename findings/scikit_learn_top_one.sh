#!/bin/bash
# scikit-learn 1.9.1: top_k_accuracy_score with k=1 is not the accuracy of argmax, and what it is depends on the order of the labels.
#
# Among equal scores argmax takes the first class and top_k_accuracy_score the last one. Scores that are equal are no rarity: of an ensemble that votes, of a
# forest, of probabilities that were rounded to two digits or come from int8 logits. Here two voters disagree on every row; the same scores are right six
# times in ten or twice in ten.
#
# Seen:   accuracy of argmax 0.6, top-1 accuracy 0.2
# Hurts:  tables that put "top-1" beside "top-5" or beside another model's accuracy: ties alone move them, and renaming the labels moves them again.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cd "$folder"
venv/bin/python - <<'PROGRAM'
import numpy as np
from sklearn.metrics import accuracy_score, top_k_accuracy_score

truth = [0, 0, 0, 0, 0, 0, 2, 2, 1, 1]
votes = np.array([[0.5, 0, 0.5]] * len(truth))
by_argmax = accuracy_score(truth, votes.argmax(axis=1))
top_one = top_k_accuracy_score(truth, votes, k=1, labels=[0, 1, 2])
print(f"accuracy of argmax {by_argmax}, top-1 accuracy {top_one}")
assert by_argmax == 0.6 and top_one == 0.2
PROGRAM
