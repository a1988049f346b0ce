#!/usr/bin/env python3
"""Makes the checkpoints and numbers that families of encoders are tested with: tests/arch/files/NAME. Run by hand; the same seed gives the
same files. Needs torch and transformers (run with Python 3.11.7, torch 2.15.0, transformers 5.24.0, safetensors 0.8.0, numpy 2.4.6).

Of each family a tiny ...ForSequenceClassification with random float32 weights (no element is zero, norms lie around 1), as save_pretrained writes it:
config.json and model.safetensors; those with BERT's tokeniser have a vocab.txt, too. What transformers computes of it in float64, without dropout, is in golden.safetensors:

    input_ids, input_mask (5, 12)         I32; right-padded with the family's pad id
    segment_ids (5, 12)                   I32; where the family has segments
    hidden_0, hidden_1, hidden_2          (5, 12, 24) F64: of embeddings, first and last layer; rows at padding are zero
    G                                     (5, 12, 24) F64: random, zero at padding
    grad.NAME                             F64: of sum(G * hidden_2), for every parameter of the encoder; NAME is that in model.safetensors
    logits (5, 3), labels (5), loss (1)   F64, I32, F64: of the head; the mean cross entropy
    class_grad.NAME                       F64: of loss, for every parameter
    tokens.weight (5, 24), tokens.bias (5)    F32: a classifier of tokens, as ...ForTokenClassification has it
    tokens.logits (5, 12, 5)              F64: of it
    long.input_ids (1, 140), long.hidden_2 (1, 140, 24)   where the family's numbers depend on how far apart tokens are
    odd.input_ids, odd.input_mask (2, 12) I32: row 0 has a hole in its mask, row 1 a pad id under its mask
    odd.hidden_0, odd.hidden_2            (2, 12, 24) F64; rows where the mask is 0 are zero

In float32 transformers itself comes within 1.5e-6 of hidden_2, and 1e-6 of a gradient (L2 of the difference by that of the gradient; those of keys' biases are
0 but for rounding; ALBERT's, whose layers have one set, are sums over layers). Tanh-GELU moves hidden_2 by 7e-4, the other family's epsilon in the layers by 1.2e-5, in the embeddings, too, by 7e-4.

    python3 tests/hf/make_families.py [FOLDER]
"""
import copy
import os
import sys

import numpy
import torch
import transformers
from safetensors.numpy import save_file
from transformers import AlbertConfig, AutoModelForSequenceClassification, AutoModelForTokenClassification, DistilBertConfig, ElectraConfig, MPNetConfig, RobertaConfig

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "arch", "files")
SEED = 13
VOCAB, TAGS, LONG, T, LENGTHS = 60, 5, 140, 12, (12, 9, 5, 2, 1)
NAMES = ["bad", "fair", "good"]
LABELS = dict(id2label=dict(enumerate(NAMES)), label2id={name: i for i, name in enumerate(NAMES)})
LABELS_OF_ROWS = (2, 0, 1, 1, 0)
WORDS = """[PAD] [UNK] [CLS] [SEP] [MASK] . , - : ' ? ! a b c d e i s t the is my card new get where how what can do rate exchange fee lost there long take one
not very good bad fine was film food it and ##s ##ed ##ing ##er ##ly ##t ##a ##e ##i ##n ##d""".split()

BERTS = dict(vocab_size=VOCAB, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40)

# what is made: configuration, ids of start and end, the lowest id of a word
FAMILIES = {
    "distilbert": (DistilBertConfig(vocab_size=VOCAB, dim=24, n_layers=2, n_heads=3, hidden_dim=40, max_position_embeddings=16, **LABELS), 2, 3, 5),
    "roberta": (RobertaConfig(max_position_embeddings=18, type_vocab_size=1, layer_norm_eps=1e-5, **BERTS, **LABELS), 0, 2, 4),
    "electra": (ElectraConfig(embedding_size=16, max_position_embeddings=16, **BERTS, **LABELS), 2, 3, 5),
    "mpnet": (MPNetConfig(max_position_embeddings=LONG + 2, layer_norm_eps=1e-5, **BERTS, **LABELS), 0, 2, 4),
    "albert": (AlbertConfig(embedding_size=16, max_position_embeddings=16, classifier_dropout_prob=0.3, **BERTS, **LABELS), 2, 3, 5),
}


def fill(model, random):
    """Weights with real spread, so that a wrong head count, activation or norm shows; embeddings are small, so that the norm's epsilon shows, too."""
    for name, parameter in model.named_parameters():
        is_norm = "layernorm" in name.lower().replace("_", "")
        scale = 1 if "relative" in name else 0.2 if is_norm or name.endswith("bias") else 0.1 if "_embeddings" in name else 0.25
        value = random.normal(float(is_norm and name.endswith("weight")), scale, parameter.shape).astype("f4")
        assert value.all()
        parameter.data = torch.tensor(value)


def rows(random, start, end, low, pad):
    """Ids and mask of a row for each length."""
    ids, mask = numpy.full((len(LENGTHS), T), pad, "i4"), numpy.zeros((len(LENGTHS), T), "i4")
    for i, n in enumerate(LENGTHS):
        ids[i, :n] = random.integers(low, VOCAB, n)
        ids[i, n - 1] = end
        ids[i, 0] = start
        mask[i, :n] = 1
    return ids, mask


def odd_rows(ids, mask, pad):
    """A hole in the mask of one row, the pad id in the middle of another."""
    ids, mask = numpy.stack([ids[1], ids[1]]), numpy.stack([mask[1], mask[1]])
    mask[0, 4], ids[1, 4] = 0, pad
    return ids, mask


def run(model, ids, mask, **more):
    """The model's output and the hidden rows where the mask is 1."""
    as_long = [torch.tensor(a).long() for a in (ids, mask)]
    more = {key: torch.tensor(a).long() for key, a in more.items()}
    output = model(input_ids=as_long[0], attention_mask=as_long[1], output_hidden_states=True, **more)
    return output, [(h * as_long[1][:, :, None]).detach().numpy() for h in output.hidden_states]


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {name: p.grad.numpy().copy() for name, p in model.named_parameters() if p.grad is not None}


def token_classifier(model, random):
    """One over the same encoder, and its classifier's float32 weights."""
    config = copy.deepcopy(model.config)
    config.num_labels = TAGS
    tagger = AutoModelForTokenClassification.from_config(config).double().eval()
    tagger.load_state_dict({**tagger.state_dict(), **{name: p for name, p in model.state_dict().items() if name.startswith(model.base_model_prefix + ".")
                                                      and name in tagger.state_dict()}})
    weight, bias = random.normal(0, 0.25, (TAGS, 24)).astype("f4"), random.normal(0, 0.2, TAGS).astype("f4")
    tagger.classifier.weight.data, tagger.classifier.bias.data = torch.tensor(weight).double(), torch.tensor(bias).double()
    return tagger, {"tokens.weight": weight, "tokens.bias": bias}


def golden(model, random, start, end, low):
    pad = model.config.pad_token_id
    ids, mask = rows(random, start, end, low, pad)
    assert ((ids != pad) == mask).all()
    G = random.normal(0, 1, (*ids.shape, 24)) * mask[:, :, None]
    labels = numpy.array(LABELS_OF_ROWS, "i4")
    types = getattr(model.config, "type_vocab_size", 1) > 1
    segments = {"token_type_ids": random.integers(0, 2, ids.shape).astype("i4") * mask} if types else {}
    output, hidden = run(model, ids, mask, **segments)
    out = {"input_ids": ids, "input_mask": mask, "G": G, "labels": labels, **{"hidden_%d" % k: h for k, h in enumerate(hidden)}}
    out.update({"grad." + name: g for name, g in gradients(model, (torch.tensor(G) * output.hidden_states[-1]).sum()).items()})
    output, _ = run(model, ids, mask, labels=labels, **segments)
    out["logits"], out["loss"] = output.logits.detach().numpy(), output.loss.detach().numpy()
    out.update({"class_grad." + name: g for name, g in gradients(model, output.loss).items()})
    out.update({"segment_ids": a for a in segments.values()})
    tagger, weights = token_classifier(model, random)
    out.update(weights, **{"tokens.logits": run(tagger, ids, mask, **segments)[0].logits.detach().numpy() * mask[:, :, None]})
    if hasattr(model.config, "relative_attention_num_buckets"):
        long = random.integers(low, VOCAB, (1, LONG)).astype("i4")
        out.update({"long.input_ids": long, "long.hidden_2": run(model, long, numpy.ones_like(long))[1][2]})
    ids, mask = odd_rows(ids, mask, pad)
    _, hidden = run(model, ids, mask)
    out.update({"odd.input_ids": ids, "odd.input_mask": mask, "odd.hidden_0": hidden[0], "odd.hidden_2": hidden[2]})
    return {name: numpy.ascontiguousarray(a) for name, a in out.items()}


def main():
    torch.set_num_threads(1)
    for name, (config, start, end, low) in FAMILIES.items():
        folder = os.path.join(sys.argv[1] if len(sys.argv) > 1 else FOLDER, name)
        random = numpy.random.default_rng(SEED)
        config._attn_implementation = "eager"
        model = AutoModelForSequenceClassification.from_config(config).eval()
        fill(model, random)
        model.save_pretrained(folder)
        save_file(golden(model.double(), random, start, end, low), os.path.join(folder, "golden.safetensors"))
        for file in os.listdir(folder):
            os.chmod(os.path.join(folder, file), 0o644)
    assert len(WORDS) == len(set(WORDS)) == VOCAB
    path = os.path.join(os.path.dirname(folder), "albert", "config.json")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:  # its own class reads no word pieces
        f.write(text.rstrip()[:-2] + ',\n  "tokenizer_class": "BertTokenizer"\n}\n')
    for name in "distilbert", "electra", "albert":
        with open(os.path.join(os.path.dirname(folder), name, "vocab.txt"), "w") as f:
            print(*WORDS, sep="\n", file=f)


if __name__ == "__main__":
    main()
