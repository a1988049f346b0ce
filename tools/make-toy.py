#!/usr/bin/env python3
"""Writes tests/files/toy: a BERT of two layers and 8 channels with random weights, as a Hugging Face folder of some kilobytes.

    python3 tools/make-toy.py tests/files/toy
"""
import json
import os
import random
import struct
import sys

HIDDEN, HEADS, LAYERS, INNER, POSITIONS = 8, 2, 2, 16, 32
WORDS = """[PAD] [UNK] [CLS] [SEP] [MASK] . , ? ! ' - | how do i get what is where can my a the to lost new card pin account
change rate exchange fee money top up transfer cash open close why was not ##s ##ed ##ing ##er ##al 1 2 caf ##e ##port
pass phone find 中 文""".split()


def tensors():
    """Name and shape of each tensor, in the words of Hugging Face's BertModel."""
    yield "embeddings.word_embeddings.weight", (len(WORDS), HIDDEN)
    yield "embeddings.position_embeddings.weight", (POSITIONS, HIDDEN)
    yield "embeddings.token_type_embeddings.weight", (2, HIDDEN)
    yield from norm("embeddings.LayerNorm")
    for i in range(LAYERS):
        layer = f"encoder.layer.{i}."
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            yield from dense(layer + "attention." + name, HIDDEN, HIDDEN)
        yield from norm(layer + "attention.output.LayerNorm")
        yield from dense(layer + "intermediate.dense", INNER, HIDDEN)
        yield from dense(layer + "output.dense", HIDDEN, INNER)
        yield from norm(layer + "output.LayerNorm")
    yield from dense("pooler.dense", HIDDEN, HIDDEN)


def dense(name, out, inner):
    yield name + ".weight", (out, inner)
    yield name + ".bias", (out,)


def norm(name):
    yield name + ".weight", (HIDDEN,)
    yield name + ".bias", (HIDDEN,)


def values(name, shape, rng):
    """Large enough that every weight shows in the output; layer norm's scale around 1."""
    count = 1
    for size in shape:
        count *= size
    centre = 1.0 if name.endswith("LayerNorm.weight") else 0.0
    return [rng.gauss(centre, 0.4) for _ in range(count)]


def safetensors():
    rng = random.Random(20190417)
    header, data = {}, b""
    for name, shape in tensors():
        raw = b"".join(struct.pack("<f", x) for x in values(name, shape, rng))
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


CONFIG = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "hidden_size": HIDDEN,
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "intermediate_size": INNER,
    "max_position_embeddings": POSITIONS,
    "type_vocab_size": 2,
    "vocab_size": len(WORDS),
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "layer_norm_eps": 1e-12,
    "initializer_range": 0.02,
    "pad_token_id": 0,
}


def main(folder):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "config.json"), "w") as f:
        f.write(json.dumps(CONFIG, indent=2) + "\n")
    with open(os.path.join(folder, "vocab.txt"), "w", encoding="utf-8") as f:
        f.write("".join(word + "\n" for word in WORDS))
    with open(os.path.join(folder, "model.safetensors"), "wb") as f:
        f.write(safetensors())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
