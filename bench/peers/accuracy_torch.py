"""Learns the tasks of accuracy_tasks.py with PyTorch and transformers' layers, under the same settings as libbert.

    accuracy_torch.py [--tasks mrpc,stsb,...] [--seeds 1,2,3]      appends one JSON line for each task and seed to build/accuracy/torch.jsonl

What is there is not run again. The layers that are not tuned run once, without dropout, and their outputs are kept: the same numbers, sooner.
"""
import argparse
import json
import os
import time

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from transformers import BertModel

import metrics
from accuracy_tasks import DROPOUT, LABEL_RANGE, MODEL, SEEDS, SETTING, TASKS, WORK, data_file, prepare, read_rows
from onednn_linear import use_onednn

RESULTS = f"{WORK}/torch.jsonl"


# ---- rows: sequences of tokens and what is true of them ---------------------------------------------------------------------

class Rows:
    """A file's rows, encoded. A row has one sequence (similarity: two) and a target (tokens: one for each word that was not cut off)."""

    def __init__(self, task, path, tokenizer, labels):
        rows = read_rows(path)
        self.labels = labels or sorted({t for r in rows for t in (r["label"] if task.kind == "tokens" else [r["label"]])})
        number = {label: k for k, label in enumerate(self.labels)}
        self.truth = [r["label"] for r in rows]
        words = task.kind == "tokens"
        if task.kind == "similarity":
            texts = [t for r in rows for t in (r["text"], r["text_pair"])]
        else:
            texts = [(r["text"], r["text_pair"]) if "text_pair" in r else r["text"] for r in rows]
        encoded = tokenizer.encode_batch(texts, is_pretokenized=words)
        self.parts = len(texts) // len(rows)
        self.ids, self.segments = [torch.tensor(e.ids) for e in encoded], [torch.tensor(e.type_ids) for e in encoded]
        self.length = np.array([len(i) for i in self.ids]).reshape(len(rows), self.parts).sum(1)
        if words:
            self.first = [first_pieces(e.word_ids) for e in encoded]  # (token, word) of every word that is not cut off
            self.target = [torch.tensor([number[r["label"][w]] for _, w in f]) for r, f in zip(rows, self.first)]
        elif task.kind in ("regression", "similarity"):
            low, high = LABEL_RANGE
            self.target = torch.tensor([(r["label"] - low) / (high - low) for r in rows], dtype=torch.float32)
        else:
            self.target = torch.tensor([number[r["label"]] for r in rows])

    def sequences(self, rows):
        """Places of the sequences of some rows; of two texts, all first ones before all second ones."""
        return [r * self.parts + k for k in range(self.parts) for r in rows]

    def __len__(self):
        return len(self.length)


def first_pieces(word_ids):
    return [(i, w) for i, w in enumerate(word_ids) if w is not None and w != (word_ids[i - 1] if i else None)]


def batches_by_length(rows, size):
    order = np.argsort(rows.length, kind="stable")
    return [order[i:i + size] for i in range(0, len(order), size)]


def batches_shuffled(rows, size, window, random):
    """Shuffled, cut into windows, each sorted by length and cut into batches, these shuffled: libbert's way."""
    order, out = random.permutation(len(rows)), []
    for i in range(0, len(order), size * window):
        part = order[i:i + size * window]
        part = part[np.argsort(rows.length[part], kind="stable")]
        out += [part[k:k + size] for k in range(0, len(part), size)]
    random.shuffle(out)
    return out


# ---- the model ------------------------------------------------------------------------------------------------------------

def attention_bias(lengths):
    """(n, 1, 1, T): 0 at tokens, -inf at padding"""
    mask = torch.arange(max(lengths))[None, :] >= torch.tensor(lengths)[:, None]
    return torch.zeros(mask.shape).masked_fill(mask, -torch.inf)[:, None, None, :]


def read_bert():
    return use_onednn(BertModel.from_pretrained(MODEL, attn_implementation="sdpa"))


@torch.inference_mode()
def frozen_outputs(bert, n_frozen, rows):
    """For every sequence the output of the layers that are not tuned: list of (T, H)."""
    bert.eval()
    out = [None] * len(rows.ids)
    order = sorted(range(len(rows.ids)), key=lambda i: len(rows.ids[i]))
    for i in range(0, len(order), 64):
        batch = order[i:i + 64]
        lengths = [len(rows.ids[k]) for k in batch]
        x = bert.embeddings(input_ids=pad_sequence([rows.ids[k] for k in batch], batch_first=True),
                            token_type_ids=pad_sequence([rows.segments[k] for k in batch], batch_first=True))
        bias = attention_bias(lengths)
        for layer in bert.encoder.layer[:n_frozen]:
            x = layer(x, bias)
        for k, vectors, n in zip(batch, x, lengths):
            out[k] = vectors[:n].clone()
    return out


class Learner(torch.nn.Module):
    """The tuned layers and the head of a task, from the outputs of the frozen layers to a loss or a prediction."""

    def __init__(self, task, layers, hidden, n_labels):
        super().__init__()
        self.task, self.layers = task, layers
        width = {"binary": 1, "regression": 1, "similarity": 0}.get(task.kind, n_labels)
        self.dropout = torch.nn.Dropout(DROPOUT)
        self.head = torch.nn.Linear(hidden, width) if width else None
        if width:
            torch.nn.init.xavier_uniform_(self.head.weight)
            torch.nn.init.zeros_(self.head.bias)

    def forward(self, rows, kept, batch):
        """Logits (n, K), or (n) where there is one; for similarity the cosines (n)."""
        places = rows.sequences(batch)
        lengths = [len(kept[i]) for i in places]
        x, bias = pad_sequence([kept[i] for i in places], batch_first=True), attention_bias(lengths)
        for layer in self.layers:
            x = layer(x, bias)
        if self.task.kind == "tokens":
            x = torch.cat([x[k, [i for i, _ in rows.first[r]]] for k, r in enumerate(batch)])
            return self.head(self.dropout(x))
        keep = (bias == 0).float()[:, 0, 0, :, None]
        x = (x * keep).sum(1) / keep.sum(1)
        if self.task.kind == "similarity":
            return F.cosine_similarity(x[:len(batch)], x[len(batch):])
        x = self.head(self.dropout(x))
        return x.squeeze(1) if x.shape[1] == 1 else x

    def loss(self, rows, kept, batch):
        z = self(rows, kept, batch)
        if self.task.kind == "tokens":
            return F.cross_entropy(z, torch.cat([rows.target[r] for r in batch]))
        target = rows.target[batch]
        if self.task.kind == "multiclass":
            return F.cross_entropy(z, target)
        return F.binary_cross_entropy_with_logits(z, target.float()) if self.task.kind == "binary" else F.mse_loss(z, target)

    @torch.inference_mode()
    def measure(self, rows, kept):
        self.eval()
        said = [None] * len(rows)
        for batch in batches_by_length(rows, 64):
            z = self(rows, kept, batch)
            if self.task.kind == "tokens":
                z = z.argmax(1).split([len(rows.first[r]) for r in batch])
            elif self.task.kind == "multiclass":
                z = z.argmax(1)
            for r, value in zip(batch, z):
                said[r] = value
        if self.task.kind == "tokens":
            return metrics.tags(rows.truth, [tags_of(rows, r, said[r]) for r in range(len(rows))])
        said, truth = torch.stack(said).numpy(), rows.target.numpy()
        if self.task.kind in ("regression", "similarity"):
            return metrics.numbers(truth, said)
        return metrics.classes(truth, said > 0 if self.task.kind == "binary" else said)


def tags_of(rows, r, said):
    """A tag for every word; those that were cut off are O."""
    tags = ["O"] * len(rows.truth[r])
    for (_, word), k in zip(rows.first[r], said):
        tags[word] = rows.labels[k]
    return tags


# ---- learning -------------------------------------------------------------------------------------------------------------

def make_optimizer(learner):
    decayed = [p for p in learner.parameters() if p.dim() > 1]
    others = [p for p in learner.parameters() if p.dim() == 1]  # biases and norms
    return torch.optim.AdamW([{"params": decayed, "weight_decay": SETTING["weight_decay"]}, {"params": others, "weight_decay": 0.0}],
                             lr=SETTING["learning_rate"], betas=(SETTING["beta_1"], SETTING["beta_2"]), eps=SETTING["epsilon"], fused=True)


def linear_schedule(optimizer, steps):
    warm = int(SETTING["warmup"] * steps)
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: s / warm if s < warm else (steps - s) / (steps - warm))


def learn(task, seed, data, kept):
    """Metrics on the validation rows after each epoch."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    bert = read_bert()
    layers = bert.encoder.layer[len(bert.encoder.layer) - SETTING["n_tune_layers"]:]
    learner = Learner(task, layers, bert.config.hidden_size, len(data["train"].labels))
    optimizer, size = make_optimizer(learner), SETTING["batch_size"]
    schedule = linear_schedule(optimizer, SETTING["epochs"] * -(-len(data["train"]) // size))
    epochs = []
    for _ in range(SETTING["epochs"]):
        learner.train()
        losses = []
        for batch in batches_shuffled(data["train"], size, SETTING["length_window"], random):
            loss = learner.loss(data["train"], kept["train"], batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learner.parameters(), SETTING["clip_norm"])
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        epochs.append({"loss": float(np.mean(losses)), **learner.measure(data["valid"], kept["valid"])})
    return epochs


def done():
    if not os.path.exists(RESULTS):
        return set()
    with open(RESULTS, encoding="utf-8") as f:
        return {(r["task"], r["seed"]) for r in map(json.loads, f)}


def run_task(task, seeds):
    tokenizer = Tokenizer.from_file(f"{MODEL}/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(task.seq_len)
    bert = read_bert()
    n_frozen = len(bert.encoder.layer) - SETTING["n_tune_layers"]
    data, kept, labels = {}, {}, None
    for part in ("train", "valid"):
        data[part] = Rows(task, data_file(f"{WORK}/data", task, part), tokenizer, labels)
        labels = data[part].labels
        kept[part] = frozen_outputs(bert, n_frozen, data[part])
    for seed in seeds:
        start = time.monotonic()
        epochs = learn(task, seed, data, kept)
        best = max(epochs, key=lambda e: e[task.shown[0]])
        line = {"task": task.name, "seed": seed, "best_epoch": epochs.index(best) + 1, "best": {m: best[m] for m in task.shown},
                "epochs": epochs, "seconds": round(time.monotonic() - start, 1), "torch": torch.__version__}
        with open(RESULTS, "a", encoding="utf-8") as f:
            f.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", default=",".join(t.name for t in TASKS))
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
    prepare(f"{WORK}/data")
    for task in TASKS:
        seeds = [s for s in map(int, options.seeds.split(",")) if (task.name, s) not in done()]
        if task.name in options.tasks.split(",") and seeds:
            run_task(task, seeds)


if __name__ == "__main__":
    main()
