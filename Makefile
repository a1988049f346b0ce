# A thin front to CMake and the scripts in tools/. `make demo` and `make test` install what a bare Debian 12 lacks; the others say what they miss.
#   make            build into build/            make install    PREFIX=/usr/local DESTDIR=
#   make demo       the whole way, once          make sanitize   build and test under ASan and UBSan
#   make test       build, fetch a model, test   make clang      build and test with clang, warnings are errors
#   make bench      measure                      make fuzz       FUZZ_SECONDS=60 for each target
#   make tsan       what threads do, under ThreadSanitizer
#   make format     clang-format 14              make model      the model that the demo and the golden tests use
#   make faults     each allocation and each system call of the command fails once (FAULTS_FLAGS="--verb train"); it is killed; its files are damaged
#   make viewers    Chromium, TensorBoard, onnxruntime and gguf, with which tests look at reports and exports
#   make judge-module FOLDER=... MODULE=...   a module's ids of texts and pairs beside those of its tokenizer.json
#   make judge-tokenizers TOKENIZERS="NAME=TOKENIZER.JSON ..."   pipelines beside the package tokenizers, on thousands of texts each
#   make bench-peers  beside other engines       make bench-peers-training, make accuracy   beside PyTorch: time, metrics
#                     PYTHON= one that has the packages of bench/peers/requirements.txt, else one is made
#   make compare      beside an earlier commit, BASE=02ee2f0: bits and speed (COMPARE_FLAGS="--quick": a few minutes)
# BERT_FLAGS adds options for cmake (BERT_FLAGS=-DBERT_WERROR=ON), CTEST_FLAGS for ctest (CTEST_FLAGS="-R golden"), JOBS limits what runs at once.
SHELL := /bin/bash
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
JOBS ?= $(shell nproc)
BASE ?= 02ee2f0
MODEL := .cache/all-MiniLM-L6-v2
CONFIGURE = cmake -G Ninja -S . -Wno-dev
BUILD = ninja -j $(JOBS) -C
TEST = ctest --output-on-failure -j $(JOBS) $(CTEST_FLAGS) --test-dir

.PHONY: all deps demo test model bench judge-tokenizers judge-module bench-peers bench-peers-training accuracy compare install format sanitize tsan clang viewers faults fuzz clean

all:
	@$(CONFIGURE) -B build $(BERT_FLAGS) > /dev/null || { echo "tools/install-deps.sh installs what is missing"; exit 1; }
	@$(BUILD) build

deps:
	@tools/install-deps.sh

model: | deps
	@$(MAKE) --no-print-directory all
	@tools/fetch-model.sh $(MODEL)

demo: model
	@tools/demo.sh

test: model
	@$(TEST) build

bench: all # oneDNN's threads spin no longer than ours
	@$(BUILD) build bench_all
	@export GOMP_SPINCOUNT=10000; for b in build/bench/bench_*; do [ ! -x $$b ] || [ -d $$b ] || $$b || exit 1; done

judge-tokenizers: all # PYTHON: one with tokenizers 0.23.3
	@shared=$${BERT_SHARED:-../shared}; folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	$${PYTHON:-python3} tests/hf/make_pipelines.py judge $$folder $$shared/data/wiki $$shared/golden/tokenizer/families.txt $(TOKENIZERS) && \
	build/tests/test_text_pipeline_golden $$folder/*.json

judge-module: all # the same for texts and pairs that are cut: FOLDER, with a tokenizer.json, and the MODULE that was imported from it
	@shared=$${BERT_SHARED:-../shared}; \
	$${PYTHON:-python3} tests/hf/judge_module.py build/bert $(FOLDER) $(MODULE) $$shared/data/wiki $$shared/golden/tokenizer/families.txt

bench-peers: model
	@bench/peers/infer.py $(PEERS_FLAGS)

bench-peers-training: model
	@bench/peers/finetune.py $(PEERS_FLAGS)

accuracy: model
	@bench/peers/accuracy.py $(PEERS_FLAGS)

compare: model
	@bench/compare/compare.py --base $(BASE) $(COMPARE_FLAGS)

install: all
	@DESTDIR="$(DESTDIR)" cmake --install build --prefix "$(PREFIX)"

format:
	@find include src tests bench examples -name '*.[ch]' -exec clang-format-14 -i {} +

sanitize: model
	@$(CONFIGURE) -B build-sanitize -DBERT_SANITIZE=ON -DBERT_BENCH=OFF $(BERT_FLAGS) > /dev/null
	@$(BUILD) build-sanitize
	@$(TEST) build-sanitize

tsan: deps
	@$(CONFIGURE) -B build-tsan -DBERT_SANITIZE=thread -DBERT_BENCH=OFF $(BERT_FLAGS) > /dev/null
	@$(BUILD) build-tsan bert test_api_threads test_base_threads
	@$(TEST) build-tsan -R '^(base/threads|api/threads|cli/(predict|embed|tokenize|train|stop))$$'

clang: model
	@tools/install-deps.sh clang
	@CC=clang $(CONFIGURE) -B build-clang -DBERT_WERROR=ON $(BERT_FLAGS) > /dev/null
	@$(BUILD) build-clang all bench_all
	@$(TEST) build-clang

# What some tests look at reports and exports with; they skip where it is not there.
viewers:
	@tools/install-deps.sh chromium fonts-dejavu-core python3-venv
	@[ -e build/venv/viewers ] || { python3 -m venv build/venv && build/venv/bin/pip install -q tensorboard onnx onnxruntime gguf && touch build/venv/viewers; }

faults: all
	@build/tests/faults tests/files $(FAULTS_FLAGS)
	@nice -n 19 tests/faults/kills.sh build/bert 200 200
	@$(CONFIGURE) -B build-sanitize -DBERT_SANITIZE=ON -DBERT_BENCH=OFF $(BERT_FLAGS) > /dev/null
	@$(BUILD) build-sanitize bert
	@nice -n 19 tests/faults/damage.py build-sanitize/bert 50

fuzz:
	@tools/install-deps.sh clang
	@CC=clang $(CONFIGURE) -B build-fuzz -DBERT_FUZZ=ON -DBERT_TESTS=OFF -DBERT_BENCH=OFF $(BERT_FLAGS) > /dev/null
	@$(BUILD) build-fuzz fuzz_all
	@tools/fuzz.sh build-fuzz $(FUZZ_SECONDS)

clean:
	@rm -rf build build-sanitize build-tsan build-clang build-fuzz
