"""Runs one peer over pairs and single texts; prints one JSON object with its rates and latencies.

    infer_peer.py --peer NAME --model FOLDER --files FOLDER --pairs FILE [--rows N] [--threads N] [--vectors FILE.npy]
    infer_peer.py --peer NAME ... --first          only the vector of one text: for the time from the start of the process

--vectors keeps the pairs' vectors. FOLDER of --files is what prepare_peers.py wrote. Batches of 32, of like length, padded to their longest.
"""
import argparse
import json
import os
import statistics
import sys
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--peer", required=True)
parser.add_argument("--model", required=True)
parser.add_argument("--files", required=True)
parser.add_argument("--pairs")
parser.add_argument("--rows", type=int, default=2000)
parser.add_argument("--full", type=int, default=256, help="texts of 128 tokens")
parser.add_argument("--threads", type=int, default=os.cpu_count())
parser.add_argument("--vectors")
parser.add_argument("--first", action="store_true")
options = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = os.environ["RAYON_NUM_THREADS"] = str(options.threads)

import numpy as np  # noqa: E402  (the number of threads is set before)

from pairs import batches, encode, read_pairs, tokenizer_of  # noqa: E402

BATCH = 32
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def mean(tokens, mask):
    weight = mask[..., None].astype(np.float32)
    return (np.asarray(tokens) * weight).sum(1) / weight.sum(1)


# ---- the peers: each a function of (ids, mask, segments) to vectors, or of a list of those ---------------------------------

def pytorch(bf16):
    import torch
    from transformers import BertModel
    torch.set_num_threads(options.threads)
    model = BertModel.from_pretrained(options.model, attn_implementation="sdpa", add_pooling_layer=False).eval()

    def run(ids, mask, segments):
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            mask_ = torch.from_numpy(mask)
            tokens = model(torch.from_numpy(ids), mask_, torch.from_numpy(segments)).last_hidden_state.float()
            weight = mask_[..., None].float()
            return ((tokens * weight).sum(1) / weight.sum(1)).numpy()
    return run, None


def onnx_runtime(file):
    import onnxruntime
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = options.threads, 1
    session = onnxruntime.InferenceSession(f"{options.files}/{file}", settings, providers=["CPUExecutionProvider"])
    return lambda *arrays: session.run(None, dict(zip(INPUTS, arrays)))[0], None


def openvino(file, precision, hint):
    import openvino as ov
    settings = {"PERFORMANCE_HINT": hint, "INFERENCE_NUM_THREADS": options.threads, "INFERENCE_PRECISION_HINT": precision}
    compiled = ov.Core().compile_model(f"{options.files}/{file}", "CPU", settings)
    request = compiled.create_infer_request()

    def run(*arrays):
        return request.infer(dict(zip(INPUTS, arrays)), share_inputs=True)[0].copy()

    def run_many(list_of_arrays):
        out, queue = [None] * len(list_of_arrays), ov.AsyncInferQueue(compiled)

        def keep(done, i):
            out[i] = done.get_output_tensor(0).data.copy()
        queue.set_callback(keep)
        for i, arrays in enumerate(list_of_arrays):
            queue.start_async(dict(zip(INPUTS, arrays)), i)
        queue.wait_all()
        return out
    return run, run_many if hint == "THROUGHPUT" else None


def ctranslate2(kind):
    import ctranslate2 as ct
    encoder = ct.Encoder(f"{options.files}/ctranslate2-{kind}", device="cpu", compute_type=kind, inter_threads=1, intra_threads=options.threads)

    def view(array):
        return ct.StorageView.from_array(np.ascontiguousarray(array, np.int32))

    def run(ids, mask, segments):
        out = encoder.forward_batch(view(ids), lengths=view(mask.sum(1)), token_type_ids=segments.tolist())
        return mean(out.last_hidden_state, mask)
    return run, None


PEERS = {
    "torch-fp32": lambda: pytorch(False),
    "torch-bf16": lambda: pytorch(True),
    "onnxruntime-fp32": lambda: onnx_runtime("optimised.onnx"),
    "onnxruntime-int8": lambda: onnx_runtime("int8.onnx"),
    "openvino-fp32": lambda: openvino("fp32.xml", "f32", "LATENCY"),
    "openvino-fp32-throughput": lambda: openvino("fp32.xml", "f32", "THROUGHPUT"),
    "openvino-bf16": lambda: openvino("fp32.xml", "bf16", "LATENCY"),
    "openvino-int8": lambda: openvino("int8.xml", "f32", "LATENCY"),
    "openvino-int8-throughput": lambda: openvino("int8.xml", "f32", "THROUGHPUT"),
    "ctranslate2-fp32": lambda: ctranslate2("float32"),
    "ctranslate2-int8": lambda: ctranslate2("int8"),
}


# ---- what is measured -----------------------------------------------------------------------------------------------------

def seconds(work, least=1.0):
    """The least time of a piece of work that is done at least three times, as `bert bench` takes it."""
    times, start = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - start < least:
        before = time.perf_counter()
        work()
        times.append(time.perf_counter() - before)
    return min(times)


def random_texts(n, tokens):
    """Texts of so many tokens -> (ids, mask, segments)"""
    ids = np.random.default_rng(0).integers(1000, 30000, (n, tokens))
    return ids, np.ones_like(ids), np.zeros_like(ids)


def main():
    tokenizer = tokenizer_of(options.model)
    run, run_many = PEERS[options.peer]()
    if options.first:
        print(run(*batches(encode(tokenizer, ["How do I save my hair from getting thin and frizzy?"]), 1)[0][1]).shape)
        sys.stdout.flush()
        os._exit(0)  # what a library does on its way out is not what is measured

    def vectors(ready):
        arrays = [a for _, a in ready]
        return run_many(arrays) if run_many else [run(*a) for a in arrays]

    texts = read_pairs(options.pairs, options.rows)
    rows = encode(tokenizer, texts)
    ready = batches(rows, BATCH)
    vectors(ready[:2] + ready[-2:])
    figures = {"peer": options.peer, "rows": len(rows), "tokens": sum(len(ids) for ids, _ in rows)}
    figures["tokenised_per_second"] = len(rows) / seconds(lambda: vectors(ready))
    figures["texts_per_second"] = len(rows) / seconds(lambda: vectors(batches(encode(tokenizer, texts), BATCH)))
    full = [(None, random_texts(BATCH, 128)) for _ in range(options.full // BATCH)]
    figures["full_per_second"] = BATCH * len(full) / seconds(lambda: vectors(full))
    one, times = random_texts(1, 16), []
    for k in range(220):
        before = time.perf_counter()
        run(*one)
        times.append(time.perf_counter() - before)
    figures["latency_ms"] = 1e3 * statistics.median(times[20:])
    if options.vectors:
        ready = batches(encode(tokenizer_of(options.model, 512), texts), BATCH)  # none is cut: where a pair is cut is not what is compared
        out = np.zeros((len(rows), run(*one).shape[1]), np.float32)
        for (numbers, _), part in zip(ready, vectors(ready)):
            out[numbers] = part
        np.save(options.vectors, out)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
