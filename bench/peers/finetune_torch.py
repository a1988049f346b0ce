"""Fine-tunes a classifier of pairs with PyTorch and transformers, and says how long that takes: one JSON line for each epoch.

    finetune_torch.py --variant plain --model DIR --train FILE --valid FILE    as most write it: padded to seq_len, eager, a plain loop of steps
    finetune_torch.py --variant best ...   frozen layers under inference mode, batches of like length padded to their longest, SDPA, fused Adam;
                                           --bf16: autocast; --onednn: float32 products by oneDNN; --compile: torch.compile;
                                           --frozen-dropout: dropout in the frozen layers, too

The same work as bert train: the last --tune layers, the pooler (tanh of the first token) and Dense(1) learn; binary cross-entropy; Adam.
The tables are tab-separated: question1, question2, is_duplicate.
"""
import argparse
import copy
import itertools
import json
import os
import resource
import time

STARTED = time.time()

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--variant", choices=("plain", "best"), required=True)
parser.add_argument("--model", required=True)
parser.add_argument("--train", required=True)
parser.add_argument("--valid", required=True)
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--batch-size", type=int, default=32)
parser.add_argument("--seq-len", type=int, default=64)
parser.add_argument("--tune", type=int, default=3, help="so many of the last layers learn")
parser.add_argument("--tune-all", action="store_true", help="all layers and the embeddings learn")
parser.add_argument("--learning-rate", type=float, default=1e-5)
parser.add_argument("--window", type=int, default=50, help="batches of like length are cut from windows of so many batches")
parser.add_argument("--threads", type=int, default=os.cpu_count())
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--attention", choices=("sdpa", "eager", "mixed"), help="mixed: sdpa where there is no dropout, eager where there is")
parser.add_argument("--frozen-dropout", action="store_true")
parser.add_argument("--bf16", action="store_true")
parser.add_argument("--onednn", action="store_true")
parser.add_argument("--bf16-products", action="store_true", help="float32 everywhere but inside oneDNN's products")
parser.add_argument("--compile", action="store_true")
options = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(options.threads)

import numpy as np  # noqa: E402  (the number of threads is set before)
import torch  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from transformers import BertModel  # noqa: E402

from onednn_linear import use_onednn  # noqa: E402

BEST = options.variant == "best"
# Of the frozen layers and of the tuned ones. With dropout SDPA is no fused kernel on a CPU.
ATTENTION = {"sdpa": ("sdpa", "sdpa"), "eager": ("eager", "eager"),
             "mixed": ("sdpa", "eager")}[options.attention or ("sdpa" if BEST else "eager")]


# ---- rows and batches -----------------------------------------------------------------------------------------------------

class Rows:
    def __init__(self, path):
        tokenizer = Tokenizer.from_file(os.path.join(options.model, "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(options.seq_len)
        with open(path, encoding="utf-8") as f:
            rows = [line.rstrip("\r\n").split("\t") for line in itertools.islice(f, 1, None)]
        encoded = tokenizer.encode_batch([(a, b) for a, b, _ in rows])
        self.labels = np.array([label for _, _, label in rows], np.float32)
        self.length = np.array([len(e.ids) for e in encoded])
        self.ids = np.zeros((len(rows), options.seq_len), np.int64)
        self.segments = np.zeros_like(self.ids)
        for i, e in enumerate(encoded):
            self.ids[i, :len(e.ids)], self.segments[i, :len(e.ids)] = e.ids, e.type_ids

    def batch(self, rows):
        """ids, mask, segments (n, T) and labels (n); T is seq_len, or the longest of them"""
        T = self.length[rows].max() if BEST else options.seq_len
        mask = np.arange(T)[None, :] < self.length[rows][:, None]
        return tuple(map(torch.from_numpy, (self.ids[rows, :T], mask, self.segments[rows, :T], self.labels[rows])))


def cut(rows, order):
    """Batches of an order of rows; best: those of like length together."""
    size, out = options.batch_size, []
    window = size * options.window if BEST else size
    for i in range(0, len(order), window):
        part = order[i:i + window]
        if BEST:
            part = part[np.argsort(rows.length[part], kind="stable")]
        out += [part[k:k + size] for k in range(0, len(part), size)]
    return out


def shuffled(rows, random):
    batches = cut(rows, random.permutation(len(rows.labels)))
    random.shuffle(batches)
    return batches


# ---- the model ------------------------------------------------------------------------------------------------------------

class Classifier(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.bert = BertModel.from_pretrained(options.model, attn_implementation=ATTENTION[0]).float()
        self.head = torch.nn.Linear(self.bert.config.hidden_size, 1)
        self.dropout = torch.nn.Dropout(self.bert.config.hidden_dropout_prob)
        layers = self.bert.encoder.layer
        self.n_frozen = 0 if options.tune_all else len(layers) - options.tune
        self.bert.requires_grad_(options.tune_all)
        for part in (*layers[self.n_frozen:], self.bert.pooler):
            part.requires_grad_(True)
        upper = copy.deepcopy(self.bert.config)
        upper._attn_implementation = ATTENTION[1]
        for layer in layers[self.n_frozen:]:
            layer.attention.self.config = upper

    def forward(self, ids, mask, segments):
        """(n) logits, as most write it"""
        pooled = self.bert(input_ids=ids, attention_mask=mask, token_type_ids=segments).pooler_output
        return self.head(self.dropout(pooled)).squeeze(1)


class Lower(torch.nn.Module):
    """The layers that are not tuned, in inference."""

    def __init__(self, model):
        super().__init__()
        self.embeddings, self.layers = model.bert.embeddings, model.bert.encoder.layer[:model.n_frozen]
        if options.bf16:
            self.layers.to(torch.bfloat16)  # once, not in every step; none where all learn

    def forward(self, ids, segments, bias):
        x = self.embeddings(input_ids=ids, token_type_ids=segments)
        if options.bf16:
            x, bias = x.to(torch.bfloat16), bias.to(torch.bfloat16)
        for layer in self.layers:
            x = layer(x, bias)
        return x


class Upper(torch.nn.Module):
    """The tuned layers and the head."""

    def __init__(self, model):
        super().__init__()
        self.layers, self.pooler = model.bert.encoder.layer[model.n_frozen:], model.bert.pooler
        self.head, self.dropout = model.head, model.dropout

    def forward(self, x, bias):
        for layer in self.layers:
            x = layer(x, bias)
        return self.head(self.dropout(self.pooler(x))).squeeze(1)


class Parted(torch.nn.Module):
    """The same classifier in two parts, of which the upper one alone knows gradients."""

    def __init__(self, model):
        super().__init__()
        self.lower, self.upper = Lower(model), Upper(model)
        compiled = (lambda part: torch.compile(part, dynamic=True)) if options.compile else (lambda part: part)
        self.run_lower, self.run_upper = compiled(self.lower), compiled(self.upper)

    def train(self, mode=True):
        super().train(mode)
        self.lower.train(mode and (options.frozen_dropout or options.tune_all))
        return self

    def forward(self, ids, mask, segments):
        bias = torch.zeros(mask.shape).masked_fill(~mask, torch.finfo(torch.float32).min)[:, None, None, :].expand(-1, 1, mask.shape[1], -1)
        with torch.set_grad_enabled(options.tune_all and torch.is_grad_enabled()):
            x = self.run_lower(ids, segments, bias)
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bf16):
            return self.run_upper(x, bias.to(x.dtype)).float()


def make_model():
    torch.manual_seed(options.seed)
    model = use_onednn(Classifier()) if options.onednn else Classifier()
    tuned = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(tuned, lr=options.learning_rate, eps=1e-7, fused=BEST)
    return Parted(model) if BEST else model, optimizer


# ---- epochs ---------------------------------------------------------------------------------------------------------------

def step(model, optimizer, batch):
    *inputs, labels = batch
    loss = F.binary_cross_entropy_with_logits(model(*inputs), labels)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss.item()


def train_epoch(model, optimizer, rows, random):
    model.train()
    batches = shuffled(rows, random)
    losses = [step(model, optimizer, rows.batch(b)) for b in batches]
    return float(np.average(losses, weights=[len(b) for b in batches]))


@torch.no_grad()
def validate(model, rows):
    model.eval()
    loss = right = 0
    order = np.argsort(rows.length, kind="stable") if BEST else np.arange(len(rows.labels))
    for b in cut(rows, order):
        *inputs, labels = rows.batch(b)
        z = model(*inputs)
        loss += F.binary_cross_entropy_with_logits(z, labels, reduction="sum").item()
        right += ((z > 0) == (labels > 0.5)).sum().item()
    return loss / len(rows.labels), right / len(rows.labels)


def say(event, **values):
    print(json.dumps({"event": event, **{k: round(v, 6) if isinstance(v, float) else v for k, v in values.items()}}), flush=True)


def main():
    torch.set_num_threads(options.threads)
    if options.bf16_products:
        torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    train, valid = Rows(options.train), Rows(options.valid)
    model, optimizer = make_model()
    random = np.random.default_rng(options.seed)
    say("data", train=len(train.labels), valid=len(valid.labels), tokens=int(train.length.sum()), valid_tokens=int(valid.length.sum()),
        hidden=model.upper.head.in_features if BEST else model.head.in_features, torch=torch.__version__)
    say("ready", seconds=time.time() - STARTED)
    for epoch in range(options.epochs):
        began, cpu = time.perf_counter(), time.process_time()
        loss = train_epoch(model, optimizer, train, random)
        trained, cpu = time.perf_counter(), time.process_time() - cpu
        seconds = trained - began
        valid_loss, accuracy = validate(model, valid)
        say("epoch", epoch=epoch + 1, train_seconds=seconds, train_cpu_seconds=cpu, samples_per_second=len(train.labels) / seconds, loss=loss,
            valid_seconds=time.perf_counter() - trained, valid_loss=valid_loss, accuracy=accuracy)
    say("end", seconds=time.time() - STARTED, peak_memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6)


if __name__ == "__main__":
    main()
