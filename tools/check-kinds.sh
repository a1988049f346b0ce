#!/bin/sh
# Checks that nothing but the list of tasks and the kinds' own files names a task or a kind of label: others ask the task's row (src/task/tasks.h).
# Whether there is a task at all, BERT_TASK_AUTO, anybody may ask.
# usage: tools/check-kinds.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"
named=$(find src -name '*.[ch]' ! -path 'src/task/tasks.c' ! -path 'src/task/label_kind.h' ! -path 'src/task/kind_*.c' \
    -exec grep -HnE 'BERT_TASK_[A-Z]|\bKIND_[A-Z]' {} + | sed 's/BERT_TASK_AUTO//g' | grep -E 'BERT_TASK_|KIND_' || true)
if [ -n "$named" ]; then
    echo "tasks and kinds of label named outside their files:" >&2
    echo "$named" >&2
    exit 1
fi
