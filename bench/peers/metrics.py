"""The metrics of docs/accuracy.md, from what is true and what was said."""
import numpy as np


def precision_recall_f1(hit, said, there):
    precision, recall = hit / max(said, 1), hit / max(there, 1)
    return 2 * precision * recall / (precision + recall) if hit else 0.0


def classes(truth, said):
    """truth, said: (n) class numbers. f1 is that of class 1, f1_macro the mean over the classes, mcc that of two classes."""
    each = [precision_recall_f1(np.sum((truth == k) & (said == k)), np.sum(said == k), np.sum(truth == k)) for k in np.unique(truth)]
    out = {"accuracy": float(np.mean(truth == said)), "f1_macro": float(np.mean(each))}
    if len(each) == 2:
        out.update(f1=float(each[1]), mcc=pearson(truth, said) if said.any() and not said.all() else 0.0)
    return out


def pearson(x, y):
    return float(np.corrcoef(x, y)[0, 1])


def ranks(x):
    """Places in order from 0; equal values share the mean of theirs."""
    _, group, size = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(size) - (size + 1) / 2)[group]


def numbers(truth, said):
    return {"pearson": pearson(truth, said), "spearman": pearson(ranks(truth), ranks(said))}


def entities(tags):
    """The set of (kind, first word, end) that BIO tags mark; an I- that follows no tag of its kind begins one, as in seqeval."""
    found, kind, first = set(), None, 0
    for i, tag in enumerate([*tags, "O"]):
        prefix, _, here = tag.partition("-")
        if kind is not None and (prefix != "I" or here != kind):
            found.add((kind, first, i))
            kind = None
        if prefix != "O" and kind is None:
            kind, first = here, i
    return found


def tags(truth, said):
    """truth, said: lists of sentences, each a list of BIO tags."""
    both = [(entities(t), entities(s)) for t, s in zip(truth, said)]
    return {"f1": precision_recall_f1(*(sum(map(len, column)) for column in zip(*((t & s, s, t) for t, s in both))))}
