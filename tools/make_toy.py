#!/usr/bin/env python3
"""Writes what the command tests start from, some kilobytes:

    toy/                     a BERT of three layers and 8 channels with random weights, as a Hugging Face folder
    no-pooler.safetensors    its weights without the pooler
    pickle-code.bin          a pytorch_model.bin whose pickle asks for os.system

    python3 tools/make_toy.py tests/files
"""
import collections
import json
import os
import pickle
import random
import struct
import sys
import zipfile

Shape = collections.namedtuple("Shape", "hidden heads layers inner positions words")
WORDS = """[PAD] [UNK] [CLS] [SEP] [MASK] . , ? ! ' - | how do i get what is where can my a the to lost new card pin account
change rate exchange fee money top up transfer cash open close why was not ##s ##ed ##ing ##er ##al 1 2 caf ##e ##port
pass phone find 中 文""".split()
TOY = Shape(8, 2, 3, 16, 64, len(WORDS))


def tensors(shape):
    """Name and shape of each tensor, in the words of Hugging Face's BertModel."""
    hidden = shape.hidden
    yield "embeddings.word_embeddings.weight", (shape.words, hidden)
    yield "embeddings.position_embeddings.weight", (shape.positions, hidden)
    yield "embeddings.token_type_embeddings.weight", (2, hidden)
    yield from norm("embeddings.LayerNorm", hidden)
    for i in range(shape.layers):
        layer = f"encoder.layer.{i}."
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            yield from dense(layer + "attention." + name, hidden, hidden)
        yield from norm(layer + "attention.output.LayerNorm", hidden)
        yield from dense(layer + "intermediate.dense", shape.inner, hidden)
        yield from dense(layer + "output.dense", hidden, shape.inner)
        yield from norm(layer + "output.LayerNorm", hidden)
    yield from dense("pooler.dense", hidden, hidden)


def dense(name, out, inner):
    yield name + ".weight", (out, inner)
    yield name + ".bias", (out,)


def norm(name, hidden):
    yield name + ".weight", (hidden,)
    yield name + ".bias", (hidden,)


def values(name, shape, rng):
    """Large enough that every weight shows in the output; layer norm's scale around 1."""
    count = 1
    for size in shape:
        count *= size
    centre = 1.0 if name.endswith("LayerNorm.weight") else 0.0
    return [rng.gauss(centre, 0.4) for _ in range(count)]


def safetensors(wanted):
    rng = random.Random(20190417)
    header, data = {}, b""
    for name, shape in filter(lambda row: wanted(row[0]), tensors(TOY)):
        raw = b"".join(struct.pack("<f", x) for x in values(name, shape, rng))
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def config(shape):
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": shape.hidden,
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "intermediate_size": shape.inner,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": 2,
        "vocab_size": shape.words,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "layer_norm_eps": 1e-12,
        "initializer_range": 0.02,
        "pad_token_id": 0,
    }


class Code:
    """What a pickle must never be allowed to do."""

    def __reduce__(self):
        return os.system, ("touch pickle-was-run",)


def write_pickle(path):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (("data.pkl", pickle.dumps(Code(), 2)), ("version", b"3\n")):
            archive.writestr(zipfile.ZipInfo("archive/" + name), data)


def main(folder):
    toy = os.path.join(folder, "toy")
    os.makedirs(toy, exist_ok=True)
    with open(os.path.join(toy, "config.json"), "w") as f:
        f.write(json.dumps(config(TOY), indent=2) + "\n")
    with open(os.path.join(toy, "vocab.txt"), "w", encoding="utf-8") as f:
        f.write("".join(word + "\n" for word in WORDS))
    with open(os.path.join(toy, "model.safetensors"), "wb") as f:
        f.write(safetensors(lambda name: True))
    with open(os.path.join(folder, "no-pooler.safetensors"), "wb") as f:
        f.write(safetensors(lambda name: not name.startswith("pooler")))
    write_pickle(os.path.join(folder, "pickle-code.bin"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
