#!/usr/bin/env python3
"""Folders go to transformers and sentence-transformers and come back, with the same predictions. Needs torch, transformers and
sentence-transformers; where they are missing it says so and ends with status 77.

Theirs to ours: models with random weights made in torch are saved by transformers, CrossEncoder or SentenceTransformer and imported.
Ours to theirs: those, and models that `bert train` makes, are exported (of a frozen file, too) and loaded by transformers' AutoModelFor...,
CrossEncoder and SentenceTransformer.

    python3 tests/hf/check_hf.py --bert build/bert [--encoder .cache/all-MiniLM-L6-v2]
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
warnings.filterwarnings("ignore")
try:
    import numpy
    import torch
    import transformers
    from sentence_transformers import CrossEncoder, SentenceTransformer, models as steps
    from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer, BertConfig
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
HERE = os.path.dirname(os.path.abspath(__file__))
TOY = os.path.join(HERE, "..", "files", "toy")
TEXTS = ["how do i get a new card", "what is the exchange rate", "card",
         "i lost my card , where can i get a new one ?", "Zürich's naïve café",
         "the rate is 1,234.5", "a " * 90]
PAIRS = ["where can i get a new card", "is there a fee", "my card", "how long does it take", "what is the fee", "a new rate", "b"]
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
failures = 0


def report(words, ours, theirs, tolerance):
    global failures
    ours, theirs = numpy.asarray(ours, "f8"), numpy.asarray(theirs, "f8")
    same_shape = ours.shape == theirs.shape
    difference = float(numpy.abs(ours - theirs).max()) if same_shape and ours.size else 0.0
    fine = same_shape and difference <= tolerance
    failures += not fine
    found = "%.2g" % difference if same_shape else "%s, not %s" % (ours.shape, theirs.shape)
    print("ok    " if fine else "FAILED", "%-72s" % words, found, flush=True)


def expect(words, found, expected):
    global failures
    failures += found != expected
    print("ok    " if found == expected else "FAILED", words, "" if found == expected else "%r, expected %r" % (found, expected), flush=True)


# ---- ours -----------------------------------------------------------------------------------------------------------------------------------

class Bert:
    """The command."""

    def __init__(self, path, folder):
        self.path, self.folder = os.path.abspath(path), folder
        self.input = os.path.join(folder, "texts.jsonl")
        self.pairs = os.path.join(folder, "pairs.jsonl")
        with open(self.input, "w") as one, open(self.pairs, "w") as two:
            for text, pair in zip(TEXTS, PAIRS):
                print(json.dumps({"text": text}), file=one)
                print(json.dumps({"text": text, "text_pair": pair}), file=two)

    def __call__(self, *arguments):
        done = subprocess.run([self.path, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit("bert %s: %s" % (" ".join(map(str, arguments)), done.stderr))
        return done.stdout

    def rows(self, command, model, pairs):
        out = os.path.join(self.folder, "out.npy")
        self(command, "-m", model, self.pairs if pairs else self.input, "--format", "npy", "-o", out)
        return numpy.load(out)

    def scores(self, model, pairs=True):
        return self.rows("predict", model, pairs)

    def vectors(self, model):
        return self.rows("embed", model, False)

    def entities(self, model):
        return [[(e["label"], e["start"], e["end"], e["score"]) for e in json.loads(line)["entities"]]
                for line in self("predict", "-m", model, self.input).splitlines()]

    def fresh(self, name):
        return os.path.join(self.folder, name)

    def make(self, verb, source, name, *options):
        """A new file or folder from another by import, freeze or export."""
        target = self.fresh(name)
        self(verb, source, "-o", target, *options)
        return target


# ---- theirs ---------------------------------------------------------------------------------------------------------------------------------

def logits(folder, kind, pairs=True):
    """Of every text, each alone and cut as the tokenizer says; a list, for tokens have as many rows as the text."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model, info = kind.from_pretrained(folder, output_loading_info=True)
    wrong = {key: sorted(names) for key, names in info.items() if names}
    expect("%s: every weight is there, none is left over" % os.path.basename(folder), wrong, {})
    out = []
    for text, pair in zip(TEXTS, PAIRS):
        batch = tokenizer(*((text, pair) if pairs else (text,)), return_tensors="pt", truncation=True)
        with torch.no_grad():
            out.append(model.eval()(**batch).logits[0].double().numpy())
    return out


def softmax(z):
    e = numpy.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + numpy.exp(-z))


def probabilities(folder, problem):
    z = numpy.stack(logits(folder, AutoModelForSequenceClassification))
    return {"regression": lambda x: x, "multi_label_classification": sigmoid}.get(problem, softmax)(z)


def entities(folder):
    """The label of each word's first piece; B- begins, I- of the same type goes on."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    names = AutoModelForTokenClassification.from_pretrained(folder).config.id2label
    found = []
    for text, z in zip(TEXTS, logits(folder, AutoModelForTokenClassification, pairs=False)):
        p = softmax(z)
        offsets = tokenizer(text, truncation=True, return_offsets_mapping=True)["offset_mapping"]
        row, open_type, at = [], None, 0
        for word in text.split():
            start = text.index(word, at)
            at = start + len(word)
            first = next((i for i, (a, b) in enumerate(offsets) if a < b and a == start), None)
            tag, score = (names[int(p[first].argmax())], p[first].max()) if first is not None else ("O", 0.0)
            if tag == "O":
                open_type = None
            elif tag[0] == "I" and tag[2:] == open_type:
                row[-1] = row[-1][:2] + (at, row[-1][3] + [score])
            else:
                open_type = tag[2:]
                row.append((open_type, start, at, [score]))
        found.append([(label, start, end, float(numpy.mean(scores))) for label, start, end, scores in row])
    return found


def report_entities(words, ours, theirs, tolerance):
    expect("%s: %d entities stand in the same places" % (words, sum(map(len, theirs))), [[e[:3] for e in row] for row in ours],
           [[e[:3] for e in row] for row in theirs])
    report(words + ": their scores", [e[3] for row in ours for e in row], [e[3] for row in theirs for e in row], tolerance)


def random_model(kind, vocabulary, **settings):
    """A small BERT whose outputs differ from text to text."""
    torch.manual_seed(7)
    config = BertConfig(vocab_size=vocabulary, hidden_size=48, num_hidden_layers=3, num_attention_heads=4, intermediate_size=80,
                        max_position_embeddings=64, initializer_range=0.25, **settings)
    model = kind(config)
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter, std=0.2)
    return model


# ---- the two ways ---------------------------------------------------------------------------------------------------------------------------

def there_and_back(bert, name, folder, ours, theirs, compare, tolerance):
    """A folder of theirs is imported; the model and its frozen file are exported; all predict the same. ours, theirs: predictions of a path."""
    model = bert.make("import", folder, name + "-ours")
    compare(name + ", imported", ours(model), theirs(folder), tolerance)
    frozen = bert.make("freeze", model, name + ".frozen")
    for source, words in ((model, "exported"), (frozen, "frozen and exported")):
        back = bert.make("export", source, "%s-%s" % (name, words.split()[0]), "--format", "hf")
        compare("%s, %s" % (name, words), ours(source), theirs(back), tolerance)
    return model


def check_classifiers(bert, tokenizer, tolerance):
    from transformers import BertForSequenceClassification
    cases = [("two", 2, None), ("three", 3, "single_label_classification"), ("many", 4, "multi_label_classification"),
             ("number", 1, "regression")]
    for name, n, problem in cases:
        words = {i: "word %d" % i for i in range(n)}
        settings = dict(id2label=words, label2id={w: i for i, w in words.items()}, problem_type=problem) if problem else dict(num_labels=n)
        folder = bert.fresh(name)
        random_model(BertForSequenceClassification, len(tokenizer), **settings).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        there_and_back(bert, name, folder, bert.scores, lambda path, problem=problem: probabilities(path, problem), report, tolerance)


def check_tokens(bert, tokenizer, tolerance):
    from transformers import BertForTokenClassification
    folder = bert.fresh("tokens")
    random_model(BertForTokenClassification, len(tokenizer), id2label=dict(enumerate(TAGS)),
                 label2id={t: i for i, t in enumerate(TAGS)}).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    there_and_back(bert, "tokens", folder, bert.entities, entities, report_entities, tolerance)


def check_cross_encoders(bert, tokenizer, tolerance):
    from transformers import BertForSequenceClassification
    pairs = list(zip(TEXTS, PAIRS))
    for name, activation, column in (("cross-sigmoid", torch.nn.Sigmoid(), 1), ("cross-identity", torch.nn.Identity(), 0)):
        base, folder = bert.fresh(name + "-base"), bert.fresh(name)
        random_model(BertForSequenceClassification, len(tokenizer), num_labels=1).save_pretrained(base)
        tokenizer.save_pretrained(base)
        encoder = CrossEncoder(base, device="cpu", activation_fn=activation)
        encoder.save_pretrained(folder)
        expected = encoder.predict(pairs, show_progress_bar=False)
        ranked = encoder.rank(TEXTS[0], PAIRS)
        model = bert.make("import", folder, name + "-ours")
        report(name + ", imported", bert.scores(model)[:, column], expected, tolerance)
        for source, words in ((model, "exported"), (bert.make("freeze", model, name + ".frozen"), "frozen and exported")):
            back = bert.make("export", source, "%s-%s" % (name, words.split()[0]), "--format", "hf")
            again = CrossEncoder(back, device="cpu")
            expect("%s, %s: outputs and activation" % (name, words), (again.num_labels, repr(again.activation_fn)), (1, repr(activation)))
            report("%s, %s" % (name, words), again.predict(pairs, show_progress_bar=False), expected, tolerance)
            ranking = again.rank(TEXTS[0], PAIRS)
            expect("%s, %s: ranked the same" % (name, words), [r["corpus_id"] for r in ranking], [r["corpus_id"] for r in ranked])
            report("%s, %s: scores of the ranking" % (name, words), [r["score"] for r in ranking], [r["score"] for r in ranked], tolerance)


def encode(folder):
    return SentenceTransformer(folder, device="cpu").encode(TEXTS)


def check_sentences(bert, tokenizer, tolerance):
    from transformers import BertModel
    base = bert.fresh("encoder")
    random_model(BertModel, len(tokenizer)).save_pretrained(base)
    tokenizer.save_pretrained(base)
    for mode in ("mean", "cls", "max", "mean_sqrt_len_tokens"):
        for normal in (False, True):
            name = "sentences-%s%s" % (mode, "-normal" if normal else "")
            encoder = steps.Transformer(base, max_seq_length=40)
            modules = [encoder, steps.Pooling(48, pooling_mode=mode)] + [steps.Normalize()] * normal
            folder = bert.fresh(name)
            SentenceTransformer(modules=modules, device="cpu").save_pretrained(folder)
            there_and_back(bert, name, folder, bert.vectors, encode, report, tolerance * (1 if normal else 4))


def check_encoder(bert, folder, tolerance):
    there_and_back(bert, "encoder-" + os.path.basename(folder), folder, bert.vectors, encode, report, tolerance)


# ---- models of our own ----------------------------------------------------------------------------------------------------------------------

def write_tables(bert):
    """A table for each task, from the toy's pairs."""
    with open(os.path.join(HERE, "..", "files", "toy-train.tsv")) as f:
        rows = [line.rstrip("\n").split("\t") for line in f][1:]
    label = {"binary": lambda i, y: y, "multiclass": lambda i, y: "abc"[i % 3], "multilabel": lambda i, y: ["a", "b", "a,c"][i % 3],
             "regression": lambda i, y: str(int(y) * 3 + i % 2), "similarity": lambda i, y: str(int(y) * 5 - i % 2)}
    paths = {}
    for task, of in label.items():
        paths[task] = bert.fresh(task + ".jsonl")
        with open(paths[task], "w") as f:
            for i, (a, b, y) in enumerate(rows):
                print(json.dumps({"text": a, "text_pair": b, "label": of(i, y)}), file=f)
    paths["tokens"] = bert.fresh("tokens.jsonl")
    with open(paths["tokens"], "w") as f:
        for a, _, _ in rows:
            print(json.dumps({"text": a, "label": " ".join(TAGS[len(w) % 5] for w in a.split())}), file=f)
    return paths


def check_trained(bert, module, seq_len, tolerance):
    tables = write_tables(bert)
    cases = [("binary", "cls", 0), ("multiclass", "cls", 0), ("multilabel", "cls", 0), ("regression", "cls", 0), ("binary", "cls_raw", 0),
             ("multiclass", "cls_raw", 8), ("regression", "cls_raw", 8), ("tokens", "none", 0), ("similarity", "mean", 0),
             ("similarity", "cls", 0)]
    problems = {"multilabel": "multi_label_classification", "regression": "regression"}
    for task, pooling, hidden in cases:
        name = "%s-%s-%s%s" % (os.path.basename(module), task, pooling, "-hidden" * (hidden > 0))
        model = bert.fresh(name)
        bert("train", "--module", module, "--train", tables[task], "-o", model, "--task", task, "--pooling", pooling, "--head-hidden", hidden,
             "--epochs", 2, "--learning-rate", "0.01", "--n-tune-layers", 1, "--seq-len", seq_len, "--quiet", "--no-report")
        back = bert.make("export", model, name + "-theirs", "--format", "hf")
        if task == "tokens":
            report_entities(name, bert.entities(model), entities(back), tolerance)
        elif task == "similarity":
            report(name, bert.vectors(model), encode(back), tolerance)
        else:
            report(name, bert.scores(model), probabilities(back, problems.get(task)), tolerance)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bert", default="build/bert", help="the command (default: %(default)s)")
    parser.add_argument("--encoder", default=None, help="a sentence-transformers folder to go there and back with, too")
    parser.add_argument("--tolerance", type=float, default=1e-5, help="of a probability, value or element (default: %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        bert = Bert(options.bert, folder)
        toy = bert.make("import", TOY, "toy")
        tokenizer = AutoTokenizer.from_pretrained(toy)
        check_classifiers(bert, tokenizer, options.tolerance)
        check_tokens(bert, tokenizer, options.tolerance)
        check_cross_encoders(bert, tokenizer, options.tolerance)
        check_sentences(bert, tokenizer, options.tolerance)
        check_trained(bert, toy, 24, options.tolerance)
        if options.encoder:
            check_encoder(bert, options.encoder, options.tolerance)
            check_trained(bert, bert.make("import", options.encoder, "encoder-own"), 64, options.tolerance)
    print("%d differ" % failures if failures else "all the same")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
