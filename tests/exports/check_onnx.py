"""check_onnx.py BERT MODEL FILE.onnx TEXTS [-v]: an exported ONNX file beside the model that it was made from.

onnx's checker takes the file; onnxruntime gives what `BERT predict` and `BERT embed` give for the lines of TEXTS, texts one by one and four at
a time, and so it does with the file that its optimiser for transformers makes (which needs torch; without it that is left out, and where all is
well nothing is said of it). Exit status 1 where a number differs by more than 1e-4, 2 where a
package is missing; -v tells the largest differences.
"""
import collections
import importlib.util
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as e:
    print("skipped: no python package %s" % e.name)
    sys.exit(2)

TOLERANCE = 1e-4
NAMES = ["input_ids", "attention_mask", "token_type_ids"]
bert, model, file, texts = sys.argv[1:5]
verbose = "-v" in sys.argv
failed = False


def run(*arguments):
    lines = subprocess.run([bert, *arguments], check=True, capture_output=True, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


def entities(probabilities, labels, text, starts):
    """Stretches of equal labels over the words of a text: a word has the label of its first piece."""
    found, at = [], 0
    for word in text.split():
        start = text.index(word, at)
        at = start + len(word)
        p = probabilities[starts.index(start)]
        tag = labels[int(p.argmax())]
        kind = tag[2:]
        if tag[0] != "O":
            if tag[0] == "B" or not found or found[-1]["end"] is None or found[-1]["label"] != kind:
                found.append({"label": kind, "start": start, "scores": []})
            found[-1].update(end=at)
            found[-1]["scores"].append(float(p.max()))
        elif found:
            found.append({"end": None})
    found = [e for e in found if e["end"] is not None]
    return [(e["label"], e["start"], e["end"], sum(e["scores"]) / len(e["scores"])) for e in found]


def expected(name, about):
    """What the command says, as one array a text, or the entities of each."""
    labels = json.loads(about["labels"])
    if name == "probabilities" and about["task"] == "tokens":
        return [[(e["label"], e["start"], e["end"], e["score"]) for e in x["entities"]] for x in run("predict", "-m", model, texts)]
    if name == "probabilities":
        return [np.array([x["scores"][label] for label in labels]) for x in run("predict", "-m", model, texts)]
    if name == "value":
        return [np.array([x["value"]]) for x in run("predict", "-m", model, texts)]
    pooling = ["--pooling", "none"] if name == "last_hidden_state" else []
    return [np.array(x["embedding"]) for x in run("embed", "-m", model, *pooling, texts)]


def difference(name, about, got, want, i):
    if name != "probabilities" or about["task"] != "tokens":
        return float(np.abs(got[: len(want)] - want).max()) if want.ndim > 1 else float(np.abs(got - want).max())
    # special tokens stand at (0, 0), so that a word at the start of the text is looked for behind [CLS]
    starts = [-1] + [start for start, _ in tokens[i]["offsets"]][1:-1]
    got = entities(got, json.loads(about["labels"]), lines[i], starts)
    if [e[:3] for e in got] != [e[:3] for e in want]:
        return float("inf")
    return max([abs(g[3] - w[3]) for g, w in zip(got, want)], default=0.0)


def compare(path, what, tell=True):
    """All outputs for all texts, one by one and in fours. tell: also where all is well."""
    global failed
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    outputs = [o.name for o in session.get_outputs()]
    worst = dict.fromkeys(outputs, 0.0)
    for together in (1, 4):
        for first in range(0, len(features), together):
            part = features[first : first + together]
            longest = max(sum(f["input_mask"]) for f in part)
            feed = [np.array([f[key][:longest] for f in part], dtype=np.int64) for key in ("input_ids", "input_mask", "segment_ids")]
            for name, values in zip(outputs, session.run(outputs, dict(zip(NAMES, feed)))):
                for i, value in enumerate(values, first):
                    worst[name] = max(worst[name], difference(name, about, value, wanted[name][i], i))
    for name, d in worst.items():
        failed |= not d <= TOLERANCE
        told = " (largest difference %.2g)" % d if verbose or not d <= TOLERANCE else ""
        if tell or not d <= TOLERANCE:
            print("%s: %s %s%s" % (what, name, "as bert gives it" if d <= TOLERANCE else "DIFFERS", told))


onnx.checker.check_model(file, full_check=True)
graph = onnx.load(file)
about = {p.key: p.value for p in graph.metadata_props}
assert not any(node.domain for node in graph.graph.node), "an operator that is not standard"
print("checked, operator set %d, task %s, labels %s" % (graph.opset_import[0].version, about["task"], about["labels"]))
session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
for kind, values in ("input", session.get_inputs()), ("output", session.get_outputs()):
    for value in values:
        print(kind, value.name, value.type, *value.shape)

features = run("tokenize", "-m", model, "--seq-len", about["seq_len"], texts)
tokens = run("tokenize", "-m", model, "--special", texts)
lines = open(texts, encoding="utf-8").read().split("\n")
wanted = {o.name: expected(o.name, about) for o in session.get_outputs()}
compare(file, "onnxruntime")


def compare_optimised():
    global failed
    from onnxruntime.transformers import optimizer

    layers = sum(w.name.endswith("attention.self.query.bias") for w in graph.graph.initializer)
    hidden = next(list(w.dims)[0] for w in graph.graph.initializer if w.name == "embeddings.LayerNorm.weight")
    reshape = next(node.input[1] for node in graph.graph.node if node.op_type == "Reshape")
    heads = next(onnx.numpy_helper.to_array(w)[2] for w in graph.graph.initializer if w.name == reshape)
    with tempfile.TemporaryDirectory() as folder:
        silent = os.dup(2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        fused = optimizer.optimize_model(file, model_type="bert", num_heads=int(heads), hidden_size=int(hidden), opt_level=1, use_gpu=False)
        os.dup2(silent, 2)
        fused.save_model_to_file(folder + "/fused.onnx")
        found = collections.Counter(node.op_type for node in fused.model.graph.node)
        if found["Attention"] != layers:
            print("attention of %d layers becomes %s" % (layers, dict(found)))
            failed = True
        compare(folder + "/fused.onnx", "optimised", verbose)


if importlib.util.find_spec("torch"):
    compare_optimised()
sys.exit(1 if failed else 0)
