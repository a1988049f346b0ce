#!/usr/bin/env python3
"""Encoders of other families go through libbert and come out the same. Each checkpoint of tests/arch/files is imported; the model and its frozen file are
exported; of both folders transformers computes the numbers that stand beside the checkpoint (make_families.py says which). Where it has a tokenizer,
`bert embed --pooling none` gives transformers' last hidden states, `bert predict` its probabilities. An ONNX file of the model gives
them in onnxruntime, too. Needs what check_hf.py needs.

    python3 tests/hf/check_families.py --bert build/bert [NAME...]
"""
import argparse
import json
import os
import sys
import tempfile

import check_hf
import numpy
import torch
from check_hf import HERE, TEXTS, Bert, expect, report
from safetensors.numpy import load_file
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

FILES = os.path.join(HERE, "..", "arch", "files")


def check_golden(name, folder, golden):
    """Weights went through as they were, so in float64 nothing is lost but by the order of sums."""
    model, info = AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation="eager", output_loading_info=True)
    expect(name + ": every weight is there, none is left over", {key: sorted(names) for key, names in info.items() if names}, {})
    for rows, outputs in ("", ("hidden_0", "hidden_1", "hidden_2", "logits")), ("odd.", ("hidden_0", "hidden_2")):
        ids, mask = (torch.tensor(golden[rows + key]).long() for key in ("input_ids", "input_mask"))
        segments = {"token_type_ids": torch.tensor(golden["segment_ids"]).long()} if rows + "segment_ids" in golden else {}
        with torch.no_grad():
            output = model.double().eval()(input_ids=ids, attention_mask=mask, output_hidden_states=True, **segments)
        found = {"hidden_%d" % k: (h * mask[:, :, None]).numpy() for k, h in enumerate(output.hidden_states)}
        found["logits"] = output.logits.numpy()
        for key in outputs:
            report("%s: %s%s" % (name, rows, key), found[key], golden[rows + key], 1e-12)


def check_graph(bert, name, source, golden):
    """The model as an ONNX file, where onnxruntime is there."""
    try:
        import onnxruntime
    except ImportError as missing:
        print("skipped:", missing)
        return
    session = onnxruntime.InferenceSession(bert.make("export", source, name + ".onnx", "--format", "onnx"), providers=["CPUExecutionProvider"])
    ids, mask = (golden[key].astype("i8") for key in ("input_ids", "input_mask"))
    feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": golden.get("segment_ids", 0 * ids).astype("i8")}
    found = session.run(None, {i.name: feed[i.name] for i in session.get_inputs()})[0]
    report(name + ": probabilities of the graph in onnxruntime", found, check_hf.softmax(golden["logits"]), 1e-4)


def check_vectors(bert, name, source, folder, tolerance):
    """A row for each token of each text."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    lines = bert("embed", "-m", source, bert.input, "--pooling", "none").splitlines()
    with torch.no_grad():
        theirs = [model(**tokenizer(text, return_tensors="pt", truncation=True)).last_hidden_state[0].numpy() for text in TEXTS]
    ours = [json.loads(line)["embedding"] for line in lines]
    expect(name + ": tokens of each text", [len(rows) for rows in ours], [len(rows) for rows in theirs])
    report(name + ": last hidden states", numpy.concatenate(ours), numpy.concatenate(theirs), tolerance)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=sorted(os.listdir(FILES)), metavar="NAME", help="folders of tests/arch/files (default: all)")
    parser.add_argument("--bert", default="build/bert", help="the command (default: %(default)s)")
    parser.add_argument("--tolerance", type=float, default=1e-5, help="of an element or probability (default: %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        bert = Bert(options.bert, folder)
        for name in options.names:
            checkpoint = os.path.join(FILES, name)
            model = bert.make("import", checkpoint, name)
            reads_texts = os.path.exists(os.path.join(checkpoint, "vocab.txt"))  # what reads ids alone is not frozen
            sources = [(model, "exported")]
            if reads_texts:
                sources.append((bert.make("freeze", model, name + ".frozen"), "frozen and exported"))
            check_graph(bert, name, model, load_file(os.path.join(checkpoint, "golden.safetensors")))
            for source, words in sources:
                words = "%s, %s" % (name, words)
                back = bert.make("export", source, words, "--format", "hf")
                check_golden(words, back, load_file(os.path.join(checkpoint, "golden.safetensors")))
                if reads_texts:
                    check_vectors(bert, words, source, back, options.tolerance)
                    report(words + ": probabilities", bert.scores(source), check_hf.probabilities(back, None), options.tolerance)
    print("%d differ" % check_hf.failures if check_hf.failures else "all the same")
    return 1 if check_hf.failures else 0


if __name__ == "__main__":
    sys.exit(main())
