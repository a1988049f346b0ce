#!/bin/bash
# transformers 5.24.0: models take any keyword argument and ignore those that they do not know, head_mask among them, which 4.57.6 obeyed.
#
# BertModel, RobertaModel and DistilBertModel end in **kwargs. A misspelled attention mask, or a name from another library, gives the vectors of no mask; a
# head_mask of zeros, which in 4.57.6 turned heads off, turns none off; DistilBERT takes token_type_ids. No error, no warning. 4.57.6 raised a TypeError for
# the misspelled ones, and for token_type_ids.
#
# Seen:   outputs move by 0 under attn_mask, attention_maks, head_mask, and by 1.4 to 3.3 under the same mask as attention_mask
# Hurts:  studies of heads that ran under version 4: every head now looks as if it did not matter; and a batch of texts whose mask has a typing error
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.15.0 transformers==5.24.0
cd "$folder"
CUDA_VISIBLE_DEVICES='' venv/bin/python - <<'PROGRAM'
import torch
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel, RobertaConfig, RobertaModel

torch.manual_seed(0)
sizes = dict(vocab_size=60, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, max_position_embeddings=18, initializer_range=0.3)
models = [BertModel(BertConfig(**sizes, intermediate_size=40)), RobertaModel(RobertaConfig(**sizes, intermediate_size=40)),
          DistilBertModel(DistilBertConfig(**sizes, hidden_dim=40))]
ids, mask = torch.tensor([[0, 10, 11, 12, 13, 2]]), torch.tensor([[1, 1, 0, 0, 0, 0]])
for model in models:
    with torch.no_grad():
        plain = model.eval()(ids).last_hidden_state
        moved = lambda **more: float((model(ids, **more).last_hidden_state - plain).abs().max())
        right = moved(attention_mask=mask)
        wrong = {"attn_mask": moved(attn_mask=mask), "attention_maks": moved(attention_maks=mask), "head_mask": moved(head_mask=torch.zeros(2, 3))}
        if isinstance(model, DistilBertModel):
            wrong["token_type_ids"] = moved(token_type_ids=torch.ones_like(ids))
    print(f"{type(model).__name__}: attention_mask moves the output by {right:.2g}, {wrong}")
    assert right > 0.5 and not any(wrong.values())
PROGRAM
