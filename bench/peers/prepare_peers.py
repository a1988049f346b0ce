"""Writes what the peers of infer.py read, from a Hugging Face folder: ONNX (as exported, optimised, int8), OpenVINO (float32, int8), CTranslate2.

    prepare_peers.py MODEL PAIRS OUT      PAIRS: a table to calibrate OpenVINO's int8 on (200 rows)

Everything pools by the mean over a text's tokens inside its graph, but for CTranslate2, which gives the last layer.
"""
import os
import sys

import torch
from torch import nn
from transformers import BertModel

from pairs import batches, encode, read_pairs, tokenizer_of

OPSET = 17
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class Pooled(nn.Module):
    """BertModel with its attention and mask written out in the form that graph optimisers know, and the mean over the tokens."""

    def __init__(self, model):
        super().__init__()
        self.model, self.heads = model, model.config.num_attention_heads

    def attend(self, layer, x, bias):
        n, t, width = x.shape
        project = layer.attention.self
        q, k, v = (f(x).view(n, t, self.heads, width // self.heads).permute(0, 2, 1, 3) for f in (project.query, project.key, project.value))
        scores = torch.matmul(q, k.transpose(-1, -2)) / (width // self.heads) ** 0.5
        context = torch.matmul(torch.softmax(scores + bias, -1), v).permute(0, 2, 1, 3).reshape(n, t, width)
        return layer.attention.output.LayerNorm(layer.attention.output.dense(context) + x)

    def forward(self, input_ids, attention_mask, token_type_ids):
        e = self.model.embeddings
        position = e.position_ids[:, :input_ids.shape[1]]
        x = e.LayerNorm(e.word_embeddings(input_ids) + e.position_embeddings(position) + e.token_type_embeddings(token_type_ids))
        bias = (1.0 - attention_mask[:, None, None, :].to(torch.float32)) * -10000.0
        for layer in self.model.encoder.layer:
            a = self.attend(layer, x, bias)
            x = layer.output.LayerNorm(layer.output.dense(nn.functional.gelu(layer.intermediate.dense(a))) + a)
        weight = attention_mask[:, :, None].to(torch.float32)
        return (x * weight).sum(1) / weight.sum(1)


def export_onnx(model, path):
    ids = torch.randint(1000, 20000, (2, 16))
    inputs = (ids, torch.ones_like(ids), torch.zeros_like(ids))
    axes = {name: {0: "batch", 1: "tokens"} for name in INPUTS}
    with torch.inference_mode():
        own, stock = Pooled(model)(*inputs), model(*inputs[:2], token_type_ids=inputs[2]).last_hidden_state.mean(1)
        if not torch.allclose(own, stock, atol=1e-5):
            sys.exit("the model for export is not the stock one")
    with torch.no_grad():
        torch.onnx.export(Pooled(model), inputs, path, input_names=list(INPUTS), output_names=["vector"], opset_version=OPSET, dynamo=False,
                          dynamic_axes={**axes, "vector": {0: "batch"}})


def onnxruntime_files(config, out):
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers import optimizer
    fused = optimizer.optimize_model(f"{out}/plain.onnx", model_type="bert", num_heads=config.num_attention_heads,
                                     hidden_size=config.hidden_size, opt_level=1, use_gpu=False)
    fused.save_model_to_file(f"{out}/optimised.onnx")
    quantize_dynamic(f"{out}/optimised.onnx", f"{out}/int8.onnx", per_channel=True, reduce_range=False, weight_type=QuantType.QInt8,
                     extra_options={"DefaultTensorType": 1})


def openvino_files(model_folder, pairs_file, out):
    import nncf
    import openvino
    openvino.save_model(openvino.Core().read_model(f"{out}/plain.onnx"), f"{out}/fp32.xml", compress_to_fp16=False)
    rows = encode(tokenizer_of(model_folder), read_pairs(pairs_file, 200))
    samples = [dict(zip(INPUTS, arrays)) for _, arrays in batches(rows, 1)]
    int8 = nncf.quantize(openvino.Core().read_model(f"{out}/plain.onnx"), nncf.Dataset(samples), model_type=nncf.ModelType.TRANSFORMER,
                         subset_size=len(samples), preset=nncf.QuantizationPreset.MIXED)
    openvino.save_model(int8, f"{out}/int8.xml")


def ctranslate2_folders(model_folder, out):
    import ctranslate2
    for kind in ("float32", "int8"):
        ctranslate2.converters.TransformersConverter(model_folder).convert(f"{out}/ctranslate2-{kind}", quantization=kind, force=True)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    model_folder, pairs_file, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    model = BertModel.from_pretrained(model_folder, add_pooling_layer=False).eval()
    export_onnx(model, f"{out}/plain.onnx")
    onnxruntime_files(model.config, out)
    openvino_files(model_folder, pairs_file, out)
    ctranslate2_folders(model_folder, out)


if __name__ == "__main__":
    main()
