/* libbert: fine-tune BERT on your own text, freeze the result into one file, predict with it.
 *
 *     checkpoint --import--> module --train--> model --freeze--> frozen model --> predictions, vectors
 *
 * How to read this header: what a thing is stands above it; every function says who owns what, what may fail and which
 * threads may call it. A function that can fail returns a bert_status and, where err is not NULL, fills it with a
 * message that names the file, the place, what was found and what was expected. Nothing here prints, exits, or keeps
 * global state but threads.
 * Threads that share work: one set for the process, started when first needed, one fewer than the most that one call
 * was to use. They serve any number of callers, sleep between calls and take no signals; what no free one comes for, or
 * none could be started for, the caller does. A child that is forked starts its own.
 * Handles that are NULL may be freed. Strings are UTF-8 and end with NUL; texts carry their length.
 * A thread needs 128 KB of stack for any call, beside what the caller's callbacks take (the smallest that Linux gives,
 * 16 KB, is too little). Options structs are filled by their ..._defaults() first; each has a table that lists its
 * fields (see bert_option).
 *
 * BERT is that of Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding"
 * (2018); names of tensors and inputs are those of its original source, google-research/bert, and of Hugging Face
 * transformers. */
#ifndef BERT_H
#define BERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BERT_VERSION "0.1.0"
#define BERT_API __attribute__((visibility("default")))

/* The version of the library that runs: BERT_VERSION of the header it was built with. */
BERT_API const char *bert_version(void);

/* ---- errors ------------------------------------------------------------------------------------------------------ */

typedef enum bert_status {
    BERT_OK = 0,
    BERT_ERR_ARGUMENT,    /* a value handed to a function is wrong or out of range */
    BERT_ERR_MEMORY,      /* memory ran out */
    BERT_ERR_IO,          /* the system refused to open, read, write or rename: missing, no permission, disk full */
    BERT_ERR_FORMAT,      /* a file is damaged or not what it should be */
    BERT_ERR_UNSUPPORTED, /* sound, but made for what this version does not do: a newer format, an unknown activation */
    BERT_ERR_DATA,        /* a row of the user's table is wrong: a missing column, an unknown label */
    BERT_ERR_NETWORK,     /* a server did not give what was asked for */
    BERT_ERR_NUMERIC,     /* a loss, a weight or a result that is NaN or infinite */
    BERT_ERR_STOPPED      /* a callback asked to stop */
} bert_status;

typedef struct bert_err {
    bert_status code;
    char message[1024];
} bert_err;

/* The name of a status, "BERT_ERR_FORMAT"; never NULL. */
BERT_API const char *bert_status_name(bert_status status);

/* Where an error is about one text of a call, which its message calls "row N": N, the text's number from 0; false: it
 * is about none. */
BERT_API bool bert_err_row(const bert_err *err, size_t *row);
/* Has the message of such an error say `place` instead: who made the call knows where the text comes from. */
BERT_API void bert_err_place(bert_err *err, const char *place);

/* Frees what a function of this header returned as char *. */
BERT_API void bert_free(char *string);

/* ---- bytes that grow --------------------------------------------------------------------------------------------- */

/* What functions of this header append to: text, or numbers as they lie in memory. All zero is an empty one; what it
 * holds belongs to whoever declared it and is freed by bert_buffer_free. One thread at a time. An append returns
 * nothing: where memory runs out it sets `failed`, and whoever needs the bytes looks at it once, before they are
 * used. */
typedef struct bert_buffer {
    char *data; /* (size), and behind them a NUL that is not counted; NULL where nothing was ever appended */
    size_t size;
    size_t capacity; /* internal */
    /* memory ran out since it was empty: something is missing from here on, and nothing more is appended */
    bool failed;
} bert_buffer;

BERT_API void bert_buffer_add(bert_buffer *buffer, const void *bytes, size_t n);
/* As printf, of the program's locale. */
BERT_API void bert_buffer_printf(bert_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Empties it and forgets that it failed; its memory is kept for what comes next. */
BERT_API void bert_buffer_clear(bert_buffer *buffer);
BERT_API void bert_buffer_free(bert_buffer *buffer);

/* ---- options as data --------------------------------------------------------------------------------------------- */

typedef enum bert_option_type {
    BERT_OPTION_BOOL,   /* bool */
    BERT_OPTION_INT,    /* int64_t */
    BERT_OPTION_FLOAT,  /* double */
    BERT_OPTION_STRING, /* const char *; NULL where not given; the struct does not own it */
    BERT_OPTION_CHOICE  /* int: the index of the word in `choices` */
} bert_option_type;

/* One field of an options struct: enough to parse it, check it, print it and explain it. */
typedef struct bert_option {
    const char *name; /* "n_tune_layers"; on a command line --n-tune-layers */
    bert_option_type type;
    size_t offset;              /* of the field in its struct */
    const char *fallback;       /* the default, as text; NULL: none */
    double min, max;            /* for INT and FLOAT, inclusive */
    const char *const *choices; /* for CHOICE, ends with NULL */
    const char *value;          /* the word for the value in a help line: "N", "FILE" */
    const char *help;           /* one line */
} bert_option;

/* A struct's table: `n` rows. Constant; nothing to free. */
typedef struct bert_option_table {
    const bert_option *options;
    size_t n;
} bert_option_table;

/* Sets every field of *options to its default. */
BERT_API void bert_options_defaults(void *options, bert_option_table table);

/* Sets one field from text; `name` with '-' or '_'. A string field points to `value` afterwards.
 * Fails with BERT_ERR_ARGUMENT for an unknown name and for a value that is no number, out of range or not among the
 * choices. */
BERT_API bert_status bert_options_set(void *options, bert_option_table table, const char *name, const char *value,
                                      bert_err *err);

/* Appends one field's value as JSON: a number, true, false, a word in quotes; null for a string that is not given. */
BERT_API void bert_option_write(bert_buffer *out, const void *options, const bert_option *option);

/* ---- what stands where something is written ---------------------------------------------------------------------- */

typedef enum bert_output {
    BERT_OUTPUT_MODULE,   /* a module folder */
    BERT_OUTPUT_IMPORT,   /* a module, or a model that bert_import makes of what others fine-tuned */
    BERT_OUTPUT_TRAINING, /* the folder of a training run that begins */
    BERT_OUTPUT_FROZEN,
    BERT_OUTPUT_ONNX,
    BERT_OUTPUT_GGUF,
    BERT_OUTPUT_HF,
    BERT_OUTPUT_TABLE, /* results: lines or .npy */
    BERT_OUTPUT_PAGE,  /* a report */
    BERT_OUTPUT_DOWNLOAD
} bert_output;

/* Whether something may be written at path: where nothing stands (an empty file or folder is nothing); where the same
 * stands and is made again in a moment (a module or an imported model by an import, a frozen file by freezing, an
 * export of libbert by an export, results by results, a page by a report), which is then replaced in one step; into a
 * folder of other files for a training run or a download, which replace none of them. force: what else libbert makes is
 * replaced, too, a trained model among it, and any text by results, whose lines carry no mark (they are known by the
 * form of the first). Never: other files and folders that it did not make, parts of a module, model or checkpoint, a
 * folder that a process is training into, a folder by a file or a file by a folder. A link is replaced, not what it
 * leads to. bert_import, bert_model_train, bert_model_freeze, bert_model_export and bert_layer_save ask this
 * themselves.
 * Fails with BERT_ERR_ARGUMENT, naming what stands there and the ways out. */
BERT_API bert_status bert_output_check(const char *path, bert_output output, bool force, bert_err *err);

/* Until it is whole, what is written to NAME is called NAME.tmp-RANDOM beside it, and locked by its process. This
 * removes those that nobody holds: a killed run's (whoever writes NAME next does so, too). A signal handler may call
 * it. */
BERT_API void bert_remove_leftovers(const char *path);

/* ---- texts ------------------------------------------------------------------------------------------------------- */

/* A text: UTF-8, NUL is a character like any other. */
typedef struct bert_text {
    const char *data;
    size_t size; /* bytes */
} bert_text;

/* A token that is looked for in a text before words are: the longest one that begins at a place counts. It has the id
 * that the vocabulary gives it; those that the vocabulary has not are numbered on from its size, in their order. */
typedef struct bert_added_token {
    const char *content;
    bool special;        /* one of the model's own signs: looked for unless special_in_text is split */
    bool single_word;    /* not where a letter, digit or _ stands beside it */
    bool lstrip, rstrip; /* it takes the white space before it, behind it */
    bool normalized;     /* it and the text are compared cleaned, lower-cased and stripped; else as they stand */
} bert_added_token;

/* The rules that turn a text into ids. The defaults are those of google-research/bert for an uncased vocabulary. */
typedef struct bert_tokenizer_options {
    bool do_lower_case;
    int strip_accents;           /* 0 auto: where it lower-cases; 1 yes; 2 no */
    bool tokenize_chinese_chars; /* each is a word */
    bool clean_text;             /* control characters are dropped, white space becomes a blank */
    /* what differs in cleaning: 0 google: private use is kept, the Greek final sigma is written as one; 1 huggingface,
     * as BertNormalizer of `tokenizers`: private use is dropped, sigma is sigma, vocabulary lines are not stripped */
    int normalizer;
    const char *prefix;     /* of a piece that continues a word */
    int64_t max_word_chars; /* a longer word is unk_token */
    int special_in_text;    /* "[SEP]" in a text: 0 split: characters like others; 1 keep: that token */
    int truncation_side;    /* 0 right: a text that is too long loses its end; 1 left: its beginning */
    /* of a pair that is cut to an odd number of tokens: 0 first: the first text keeps it; 1 longer: the longer one, the
     * second where both are equally long */
    int odd_token;
    const char *unk_token, *cls_token, *sep_token, *pad_token, *mask_token;
    const bert_added_token *added_tokens; /* (n_added_tokens); not in the table */
    size_t n_added_tokens;
} bert_tokenizer_options;

BERT_API bert_option_table bert_tokenizer_option_table(void);
BERT_API void bert_tokenizer_defaults(bert_tokenizer_options *options);

/* A vocabulary and the rules that turn text into its ids. Immutable: any number of threads may use one. */
typedef struct bert_tokenizer bert_tokenizer;

/* Reads a vocabulary file: one token a line, the line's number is its id; a byte order mark and blank lines at the end
 * are passed over. options NULL: the defaults; what they point to is copied.
 * Fails with BERT_ERR_IO, BERT_ERR_FORMAT (no unk_token, cls_token or sep_token; a token twice is allowed, the last
 * line counts, as in the original), BERT_ERR_ARGUMENT (an option out of its range).
 * A path that ends with .json is a tokenizer.json of Hugging Face `tokenizers`, whose ids and offsets it gives: its
 * normalizers, pre-tokenizers, model, post-processor and added tokens count, of the options special_in_text,
 * truncation_side and odd_token (NULL: keep, right, longer, as transformers). Fails besides with BERT_ERR_UNSUPPORTED
 * for a component, a parameter or a pattern that libbert has not, by name; texts that such a tokenizer has no token for
 * fail with BERT_ERR_DATA. */
BERT_API bert_status bert_tokenizer_load(const char *path, const bert_tokenizer_options *options,
                                         bert_tokenizer **tokenizer, bert_err *err);
/* The same from memory; `name` is what error messages call it. */
BERT_API bert_status bert_tokenizer_create(const char *vocabulary, size_t size, const char *name,
                                           const bert_tokenizer_options *options, bert_tokenizer **tokenizer,
                                           bert_err *err);
BERT_API void bert_tokenizer_free(bert_tokenizer *tokenizer);
/* Its own copy, which lives as long as it; strip_accents is not auto. */
BERT_API const bert_tokenizer_options *bert_tokenizer_settings(const bert_tokenizer *tokenizer);
BERT_API size_t bert_tokenizer_size(const bert_tokenizer *tokenizer); /* number of ids */
/* NULL beyond the vocabulary */
BERT_API const char *bert_tokenizer_token(const bert_tokenizer *tokenizer, int32_t id, size_t *size);
/* -1 where there is none */
BERT_API int32_t bert_tokenizer_id(const bert_tokenizer *tokenizer, const char *token, size_t size);

/* The tokens of one text, without special tokens. All zero before the first use; reused, it allocates nothing once
 * large enough. */
typedef struct bert_tokens {
    size_t n;
    int32_t *ids;                    /* (n) */
    uint32_t *byte_start, *byte_end; /* (n) where the token stands in the original text, in bytes, [start, end) */
    uint32_t *char_start, *char_end; /* (n) the same in code points; bytes that are not UTF-8 count as none */
    size_t dropped;                  /* bytes that were not UTF-8 */
    size_t capacity;                 /* internal */
    void *scratch;                   /* internal */
} bert_tokens;

/* Splits a text into word pieces: added tokens out, then clean, split at Chinese characters, lower-case and strip
 * accents, split at punctuation, longest match first; each as the options say. Bytes that are not UTF-8 are dropped and
 * counted.
 * Fails with BERT_ERR_MEMORY; with BERT_ERR_ARGUMENT for a text of 4 GiB or more.
 * Source: FullTokenizer in google-research/bert tokenization.py, same ids for every text under Unicode 14 with the
 * default options; BertNormalizer, BertPreTokenizer, WordPiece and AddedVocabulary in Hugging Face `tokenizers`, whose
 * tables of accents and punctuation are of Unicode 8. */
BERT_API bert_status bert_tokenize(const bert_tokenizer *tokenizer, bert_text text, bert_tokens *tokens, bert_err *err);
BERT_API void bert_tokens_free(bert_tokens *tokens);

/* What BERT reads: three matrices of shape (n, seq_len), int32, row-major. All zero before the first use. */
typedef struct bert_features {
    size_t n, seq_len;
    int32_t *input_ids, *input_mask, *segment_ids;
    size_t truncated; /* texts that did not fit */
    /* bytes that were not UTF-8, in what was read of the texts: one that is cut is not read to its end */
    size_t dropped;
    size_t capacity; /* internal */
} bert_features;

/* Turns texts into features: [CLS] a [SEP], or [CLS] a [SEP] b [SEP] with segment 1 for b.
 *
 * texts       n texts
 * pairs       n second texts, or NULL; one that is empty or has no token counts as absent
 * features    overwritten; freed by bert_features_free
 *
 * A text of more than seq_len - 2 tokens (a pair: seq_len - 3) is cut: the longer of a pair loses its last token until
 * it fits, the second where both are equally long, unless the tokenizer's odd_token and truncation_side say otherwise.
 * All threads are used. Fails with BERT_ERR_ARGUMENT if seq_len is below 3 or a text has 4 GiB or more, BERT_ERR_DATA
 * where the module's word embedding has no row for a token, BERT_ERR_MEMORY; features is empty then.
 * Source: convert_single_example in google-research/bert run_classifier.py. */
BERT_API bert_status bert_encode(const bert_tokenizer *tokenizer, const bert_text *texts, const bert_text *pairs,
                                 size_t n, size_t seq_len, bert_features *features, bert_err *err);
BERT_API void bert_features_free(bert_features *features);

/* ---- tables ------------------------------------------------------------------------------------------------------ */

/* How a table is read. Formats go by the name: .tsv, .csv, .jsonl, .json, .conll, .txt, each also with .gz.
 *
 * All text is UTF-8, and what is not is an error that names file, line and column and the encodings that the bytes fit;
 * UTF-16 and UTF-32 are known by their byte order mark, others by `encoding`. Lines end with LF or CR LF, or with CR
 * where there is no LF. Empty lines are no rows, but in a .txt and in a table of one column they are empty texts.
 *
 * conll: a word a line, its columns divided by tabs where the line has one, else by blanks, an empty line between
 * sentences; -DOCSTART- lines and comments ("# ..." before a sentence, not "# O") left out. A sentence becomes one row:
 * its words with a space between them are the text, their tags likewise the label; a blank within a word becomes
 * U+00A0, which is a blank to BERT. Columns are numbers: 1 for the word, the last one for the tag unless given; a first
 * column that counts the words (CoNLL-U) is refused until the others are given. Tags become BIO: S-, U- and W- begin an
 * entity, E-, L- and M- go on with one; a name alone begins one or goes on with that of the word before.
 *
 * jsonl, json: an object a line, or one list of objects, however its lines end. A text that is a list of words and a
 * label that is a list of tags become the same; a label that is a list beside a text that is none becomes its members
 * with a comma between them. A label that is a list of spans ([start, end, name], or objects with start or
 * start_offset, end or end_offset and label; places in code points; also found as "labels", "spans" or "entities" where
 * no label column is given) becomes tags of the words of the text, which blanks divide: a span takes every word that it
 * touches. true and false are such words, and a key twice is an error. */
typedef struct bert_table_options {
    /* "tsv", "csv", "jsonl", "json", "conll" or "txt" where the name does not tell (standard input: txt unless
     * given) */
    const char *format;
    /* a name that iconv knows; "utf-8-drop": bytes that are not UTF-8 are left out and counted; NULL: UTF-8 or by the
     * mark */
    const char *encoding;
    /* "question1,question2": names, or numbers from 1; default: text and, where there is one, text_pair */
    const char *text_columns;
    /* default: label. Several, "a,b,c": columns of 0 and 1 (false and true); the label is the list of those that are
     * 1 */
    const char *label_column;
    /* "O,B-PER,...": what the labels 0, 1, ... are called, also in a list of as many 0 and 1; with several label
     * columns what these are called. Where labels are wanted, another one is an error */
    const char *label_names;
    /* tsv, csv: 0 auto: csv of a .csv, none of a .tsv; 1 none: fields are text, quotes too, as in the files of GLUE; 2
     * csv: RFC 4180, as pandas writes a .tsv; 3 backslash: \t, \n, \r and \\ stand for themselves, as bert writes a
     * .tsv */
    int quoting;
    /* where labels are wanted, each is a tag for each word of its text, with blanks between, and becomes BIO as in a
     * .conll; also a list of words beside a text that is none */
    bool word_tags;
    bool no_header;     /* the first row of a .tsv or .csv is data; columns are numbers */
    bool skip_bad_rows; /* a row that is wrong is left out and counted (bert_table_skipped), else it is an error */
} bert_table_options;

BERT_API bert_option_table bert_table_option_table(void);
BERT_API void bert_table_defaults(bert_table_options *options);

/* Some rows of a table. */
typedef struct bert_rows {
    size_t n;
    const bert_text *texts;  /* (n) */
    const bert_text *pairs;  /* (n), or NULL where the table has one text column */
    const bert_text *labels; /* (n), or NULL where the table has no label column */
    const size_t *lines;     /* (n) the line of the file that each row starts at, from 1 */
} bert_rows;

/* A table that is read from its start to its end with constant memory. One thread. */
typedef struct bert_table bert_table;

/* Opens a table; "-" is standard input. want_labels: the label column must be there (else a missing one is fine).
 * Fails with BERT_ERR_IO, BERT_ERR_DATA (no such column; the message lists those there are), BERT_ERR_ARGUMENT (unknown
 * format or encoding), BERT_ERR_FORMAT (damaged gzip). */
BERT_API bert_status bert_table_open(const char *path, const bert_table_options *options, bool want_labels,
                                     bert_table **table, bert_err *err);
/* The next rows, at most `most`; n is 0 at the end. They belong to the table and stay until the next call.
 * Fails with BERT_ERR_DATA: a row with too few columns, a quote left open, JSON that does not parse, bytes that are not
 * UTF-8 or not of the encoding, with file, line and column; BERT_ERR_FORMAT (gzip cut off or damaged), BERT_ERR_IO. */
BERT_API bert_status bert_table_next(bert_table *table, size_t most, bert_rows *rows, bert_err *err);
/* How many of the file's bytes the rows so far take, packed ones where it is packed: at most *total, which is 0 where
 * nobody knows (a pipe). */
BERT_API void bert_table_progress(const bert_table *table, uint64_t *read, uint64_t *total);
/* How many rows have been left out so far (skip_bad_rows). */
BERT_API size_t bert_table_skipped(const bert_table *table);
/* The i-th thing, from 0, that a person would want to know of how the rows so far were read (an encoding that was
 * found, lines that were passed over, tags that were turned into others, rows that were left out), a line of text that
 * stays until the next call; NULL: there are no more. */
BERT_API const char *bert_table_note(bert_table *table, size_t i);
BERT_API void bert_table_close(bert_table *table);

/* Vectors as NumPy's .npy (version 1.0, float32, shape (rows, cols)), written as they come; the file appears when it is
 * committed. */
typedef struct bert_npy bert_npy;

BERT_API bert_status bert_npy_create(const char *path, size_t cols, bert_npy **npy, bert_err *err);
BERT_API bert_status bert_npy_write(bert_npy *npy, const float *rows, size_t n, bert_err *err);
BERT_API bert_status bert_npy_commit(bert_npy *npy, bert_err *err); /* frees npy, whether it succeeds or not */
BERT_API void bert_npy_abort(bert_npy *npy);                        /* frees npy and removes what was written */

enum { BERT_NPY_HEADER = 128 };

/* The bytes that such a file begins with, for who writes the numbers behind them himself. */
BERT_API void bert_npy_header(char header[BERT_NPY_HEADER], size_t rows, size_t cols);

/* ---- modules ----------------------------------------------------------------------------------------------------- */

typedef struct bert_import_options {
    int64_t seq_layer; /* the layer of signature output sequence_output; negative from the end, -1 the last */
    /* the layer of token_output; default -7 as in the original exporter, the first in a model of fewer layers */
    int64_t tok_layer;
    /* 0 auto: from the checkpoint's files, else by the share of tokens with capitals, which is told; 1 yes; 2 no */
    int do_lower_case;
    /* 0 auto: as who made the checkpoint: Google splits "[SEP]" in a text, transformers keeps it; 1 split; 2 keep */
    int special_in_text;
    int64_t num_attention_heads; /* 0: from the configuration; for TF-Hub folders without one: from the graph */
    bool ids_only; /* no tokeniser is looked for: the module reads ids (do_preprocessing false), no texts */
    bool force;    /* replace what stands there (bert_output_check) */
} bert_import_options;

BERT_API bert_option_table bert_import_option_table(void);
BERT_API void bert_import_defaults(bert_import_options *options);

/* Turns a published checkpoint into a module folder that libbert, Hugging Face and sentence-transformers load. Of a
 * sentence-transformers folder the module keeps pooling, normalisation and the most tokens of a text: vectors are taken
 * so unless a session asks for another pooling. What others fine-tuned becomes a model folder instead, ready to freeze
 * and predict, with its module inside: ...ForSequenceClassification (a CrossEncoder's among them) and
 * ...ForTokenClassification, with their head and labels, predictions being those of transformers and CrossEncoder; and
 * what Google's run_classifier trained, whose labels have no names. Families: BERT, DistilBERT, ELECTRA, ALBERT,
 * RoBERTa, XLM-RoBERTa, CamemBERT, MPNet. Tokenisers: BERT's own from vocab.txt, any pipeline of Hugging Face
 * `tokenizers` from tokenizer.json, and of older folders vocab.json with merges.txt, or a SentencePiece model
 * (Unigram).
 *
 * source      a folder or a file: TensorFlow V2 bundle, TF1 Hub module, Hugging Face folder (safetensors or
 *             pytorch_model.bin, also in shards or as the only variant), a state dict that torch.save wrote,
 *             sentence-transformers folder
 * folder      written whole or not at all; an earlier import there is replaced, anything else refused
 *             (bert_output_check)
 * note        where not NULL, receives what the user should know (e.g. no pooler), or NULL; freed by bert_free
 *
 * Fails with BERT_ERR_IO, BERT_ERR_FORMAT, BERT_ERR_UNSUPPORTED (another architecture; steps, poolings or activations
 * that libbert has not; a file that is something else, which the message names), BERT_ERR_NUMERIC (a weight that is NaN
 * or infinite). */
BERT_API bert_status bert_import(const char *source, const char *folder, const bert_import_options *options,
                                 char **note, bert_err *err);

/* How far a download has come; return false to stop. total is 0 where the server does not tell. */
typedef bool (*bert_download_progress)(void *context, const char *file, uint64_t done, uint64_t total);

/* Brings a repository ("sentence-transformers/all-MiniLM-L6-v2") from the Hugging Face hub: its configuration,
 * vocabulary and weights.
 * The hub is $HF_ENDPOINT or the public one; $HF_TOKEN is sent where set. What is there already and whole is not
 * fetched again, what is half there is resumed, checksums are compared, a file appears under its name only when whole.
 * Fails with BERT_ERR_NETWORK, BERT_ERR_IO, BERT_ERR_STOPPED. */
BERT_API bert_status bert_pull(const char *name, const char *folder, bert_download_progress progress, void *context,
                               bert_err *err);

/* An exported encoder: weights (mapped), configuration, vocabulary. Immutable: any number of threads, layers and models
 * may share one.
 *
 * A file that is mapped, a module's weights or a frozen file, may be replaced by rename while it is open, as everything
 * here does: who has it open goes on with the old one. It must never be written over or cut in place: then what is open
 * computes with other numbers, or the process dies of SIGBUS. */
typedef struct bert_module bert_module;

/* Opens a module: a folder, a .tar.gz of one, or the http(s) address of a .tar.gz. Archives are unpacked into a cache
 * ($BERT_CACHE, else $XDG_CACHE_HOME/libbert, else ~/.cache/libbert) under the SHA-256 of the archive.
 * Fails with BERT_ERR_IO, BERT_ERR_FORMAT, BERT_ERR_UNSUPPORTED (a newer format version), BERT_ERR_NETWORK. */
BERT_API bert_status bert_module_open(const char *path, bert_module **module, bert_err *err);
BERT_API void bert_module_free(bert_module *module);
/* Lives as long as the module. NULL where it was imported with ids_only: such a module reads ids (do_preprocessing
 * false), no texts. */
BERT_API const bert_tokenizer *bert_module_tokenizer(const bert_module *module);

/* What a checkpoint, module, model or frozen file holds: as text for people, or as one JSON object. *out is freed by
 * bert_free. */
BERT_API bert_status bert_inspect(const char *path, bool json, char **out, bert_err *err);

/* ---- the layer --------------------------------------------------------------------------------------------------- */

typedef enum bert_pooling {
    /* a layer: cls where the module has a pooler, else mean; a session: the model's; of a module by itself what
     * sentence-transformers' files told, normalisation included, else mean */
    BERT_POOLING_AUTO,
    BERT_POOLING_NONE,      /* every token's vector: (n, seq_len, hidden), zero at padding */
    BERT_POOLING_CLS,       /* the pooler: tanh(W h_[CLS] + b) */
    BERT_POOLING_CLS_RAW,   /* h_[CLS] itself */
    BERT_POOLING_MEAN,      /* sum over the tokens / their number */
    BERT_POOLING_SQRT_MEAN, /* sum over the tokens / square root of their number */
    BERT_POOLING_MAX        /* largest of each channel over the tokens */
} bert_pooling;

/* How a model uses a module. */
typedef struct bert_layer_spec {
    const char *module; /* path or address; used where no open module is given, and recorded in model.json */
    int64_t seq_len;    /* tokens, special ones counted; 0: 64, or the module's positions where there are fewer */
    int pooling;        /* bert_pooling */
    /* how many of the last layers are trained; -1: three, or all there are where there are fewer. Layers that have one
     * set of weights (ALBERT) are trained all or none: any number but 0 is all */
    int64_t n_tune_layers;
    bool tune_embeddings;
    int64_t use_layers; /* keep the first so many layers and drop those above; 0: all */
    /* names, comma-separated: output, pooled_output, sequence_output, token_output, embedding_output, layer_0, ... */
    const char *outputs;
    bool do_preprocessing; /* true: texts go in; false: the three matrices */
} bert_layer_spec;

BERT_API bert_option_table bert_layer_option_table(void);
BERT_API void bert_layer_defaults(bert_layer_spec *spec);

/* A trainable BERT layer, to be part of any model: it owns the weights that are tuned and shares the module's others.
 * One thread at a time; several passes may be alive at once. */
typedef struct bert_layer bert_layer;

/* Makes a layer on a module. The module must outlive it. seed starts a pooler where the module has none and pooling
 * needs one (*new_pooler, where not NULL, tells). Fails with BERT_ERR_ARGUMENT (seq_len beyond the position table, more
 * layers than there are, an unknown output), BERT_ERR_MEMORY. */
BERT_API bert_status bert_layer_create(const bert_module *module, const bert_layer_spec *spec, uint64_t seed,
                                       bert_layer **layer, bool *new_pooler, bert_err *err);
BERT_API void bert_layer_free(bert_layer *layer);

/* One tensor of a layer or model. value and grad belong to it; grad is NULL where the tensor is not tuned. */
typedef struct bert_param {
    const char *name;   /* Hugging Face's: "encoder.layer.0.attention.self.query.weight" */
    const char *group;  /* "embeddings", "layer 0", "pooler", "head" */
    size_t rows, cols;  /* row-major; cols is 1 for a vector. A dense weight is (out, in) */
    const float *value; /* NULL where a frozen file has the matrix in the form that is multiplied by */
    float *tuned;       /* == value where the tensor is tuned, else NULL; may be written between passes */
    float *grad;        /* (rows, cols) */
    int64_t layer;      /* 1 + the number of its layer; 0: above all layers; -1: below them, embeddings */
    bool no_decay;      /* a bias, or a norm's: AdamW's weight decay leaves it as it is */
} bert_param;

BERT_API const bert_param *bert_layer_params(const bert_layer *layer, size_t *n);
BERT_API size_t bert_layer_hidden(const bert_layer *layer); /* width of its vectors */

/* What is tuned and how many parameters that is, as lines of text; freed by bert_free. */
BERT_API char *bert_layer_describe(const bert_layer *layer);

/* What goes into a layer: texts (do_preprocessing) or matrices. Read during the call alone. */
typedef struct bert_input {
    size_t n;
    const bert_text *texts, *pairs;                      /* (n); pairs may be NULL */
    const int32_t *input_ids, *input_mask, *segment_ids; /* (n, seq_len) */
} bert_input;

/* Which variant of the module runs. Without train, dropout is off and nothing is kept for a backward pass. */
typedef struct bert_run {
    bool train;
    bool keep;           /* keep activations for backward though dropout is off */
    bool frozen_dropout; /* under train: dropout in the layers that are not tuned, too, as the original Keras layer */
    uint64_t seed, step; /* dropout's masks depend on these two alone: give each pass of a step its own `step` */
} bert_run;

/* One forward pass, and what its backward needs. The layer must outlive it. */
typedef struct bert_pass bert_pass;

/* Runs the layer. Fails with BERT_ERR_ARGUMENT: an id beyond the vocabulary, a mask row without a 1, the wrong kind of
 * input; train or keep on a frozen file, which nothing goes backward through. */
BERT_API bert_status bert_layer_forward(bert_layer *layer, const bert_input *input, const bert_run *run,
                                        bert_pass **pass, bert_err *err);
BERT_API void bert_pass_free(bert_pass *pass);

/* An output of the pass by name, (n, hidden), or (n, seq_len, hidden) with zeros at padding; NULL where the spec does
 * not name it. Lives as long as the pass. */
BERT_API const float *bert_pass_output(const bert_pass *pass, const char *name, size_t *size);

/* The gradient of the caller's loss by one output, of that output's shape. */
typedef struct bert_output_grad {
    const char *name;
    const float *grad;
} bert_output_grad;

/* Adds the gradients of every tuned tensor to its grad. Once per pass; a pass made without train or keep is refused. */
BERT_API bert_status bert_pass_backward(bert_pass *pass, const bert_output_grad *grads, size_t n, bert_err *err);

/* Sets every grad to zero. */
BERT_API void bert_layer_zero_grad(bert_layer *layer);

/* Writes the layer as a module folder with its present weights, as bert_import does. */
BERT_API bert_status bert_layer_save(const bert_layer *layer, const char *folder, bert_err *err);

/* ---- the optimiser ----------------------------------------------------------------------------------------------- */

typedef enum bert_optimizer_kind {
    /* as Keras (Kingma & Ba 2015): lr_t = lr sqrt(1 - beta_2^t) / (1 - beta_1^t), w -= lr_t m / (sqrt(v) + epsilon) */
    BERT_OPTIMIZER_ADAM,
    /* as PyTorch (Loshchilov & Hutter 2019): w -= lr weight_decay w, then w -= lr m' / (sqrt(v') + epsilon), m' = m /
     * (1 - beta_1^t), v' = v / (1 - beta_2^t) */
    BERT_OPTIMIZER_ADAMW
} bert_optimizer_kind;

typedef struct bert_optimizer_options {
    int optimizer; /* bert_optimizer_kind */
    double learning_rate, beta_1, beta_2, epsilon;
    double weight_decay; /* of adamw; parameters with no_decay are left out */
    double clip_norm;    /* gradients are scaled so that their global norm is at most this; 0: never */
    /* a layer's rate is this times that of the one above; head, pooler and last layer have the full rate */
    double layer_decay;
} bert_optimizer_options;

BERT_API bert_option_table bert_optimizer_option_table(void);
BERT_API void bert_optimizer_defaults(bert_optimizer_options *options);

/* One thread. */
typedef struct bert_optimizer bert_optimizer;

/* params: every one that is tuned is stepped; the arrays that they point to must outlive the optimiser. They may be the
 * caller's own: layer 0 has the full rate, no_decay false decays; names and groups change nothing. Fails with
 * BERT_ERR_ARGUMENT (an option out of range; a tuned one without a gradient), BERT_ERR_MEMORY. */
BERT_API bert_status bert_optimizer_create(const bert_param *params, size_t n, const bert_optimizer_options *options,
                                           bert_optimizer **optimizer, bert_err *err);
BERT_API void bert_optimizer_free(bert_optimizer *optimizer);
/* One step, and sets the gradients to zero. Returns the global norm of the gradients before clipping (0 where clip_norm
 * is 0). A tensor's bias correction counts the steps that this tensor took. */
BERT_API double bert_optimizer_step(bert_optimizer *optimizer);
/* The learning rate from the next step on: for schedules. */
BERT_API void bert_optimizer_set_rate(bert_optimizer *optimizer, double learning_rate);

/* ---- models ------------------------------------------------------------------------------------------------------ */

typedef enum bert_task {
    /* bert_head_of_dataset chooses: binary where the labels are 0 and 1, or false and true; multilabel where .jsonl has
     * lists of them; tokens where they are tags or spans; else multiclass */
    BERT_TASK_AUTO,
    BERT_TASK_BINARY,     /* Dense(1) + sigmoid, binary cross-entropy; two labels, the second one is the positive one */
    BERT_TASK_MULTICLASS, /* Dense(K) + softmax, cross-entropy; any labels */
    /* Dense(K) + sigmoid each; a row has any number of labels, written with commas between them */
    BERT_TASK_MULTILABEL,
    BERT_TASK_REGRESSION, /* Dense(1), squared error on labels scaled to 0 .. 1 by label_min and label_max */
    /* no head: the two texts are encoded apart, their vectors' cosine is the score; squared error as for regression */
    BERT_TASK_SIMILARITY,
    /* Dense(K) + softmax on each word's first piece; labels are BIO tags, with spaces between like the words */
    BERT_TASK_TOKENS
} bert_task;

/* What a task is, for who offers it or shows what it gives. */
typedef struct bert_task_facts {
    const char *name; /* "binary"; NULL: it is auto, or none */
    bool compares;    /* it reads two texts apart and compares their vectors: every row needs two */
    /* every word has a label: texts have entities (bert_session_entities), no scores, and the layer pools nothing */
    bool words;
    const char *averaged; /* what macro figures are means over: "labels", "types of entities" */
} bert_task_facts;

/* Any thread. */
BERT_API bert_task_facts bert_task_facts_of(bert_task task);

/* What stands on a layer. */
typedef struct bert_head_spec {
    int task; /* bert_task */
    /* 0: Dense(K); else Dense(head_hidden), tanh, dropout, Dense(K), as RoBERTa's classification head */
    int64_t head_hidden;
    /* (n_labels) the words in the order of the outputs; none for regression and similarity */
    const char *const *labels;
    size_t n_labels;
    /* regression, similarity: the labels that stand for outputs 0 and 1; both 0: those of the data set */
    double label_min, label_max;
} bert_head_spec;

BERT_API bert_option_table bert_head_option_table(void); /* task, head_hidden, label_min, label_max */
BERT_API void bert_head_defaults(bert_head_spec *head);

/* A layer, a head and the words for its outcomes; or a module alone, or a frozen file. */
typedef struct bert_model bert_model;

/* Makes a new model: layer spec, a head for the task with Glorot-uniform weights from seed, zero biases. The task may
 * not be auto; tokens needs pooling none (auto becomes it), the others a pooling. The module is opened from
 * spec->module and lives in the model. */
BERT_API bert_status bert_model_create(const bert_layer_spec *spec, const bert_head_spec *head, uint64_t seed,
                                       bert_model **model, bert_err *err);
/* Opens a model folder, a frozen file, or a module (which embeds, and predicts nothing). A frozen file is mapped, not
 * read: see bert_module. */
BERT_API bert_status bert_model_load(const char *path, bert_model **model, bert_err *err);
BERT_API void bert_model_free(bert_model *model);

BERT_API bert_layer *bert_model_layer(bert_model *model); /* belongs to the model */
/* A hash of all that its answers depend on but the machine: weights as they are in memory, layer, head, labels,
 * vocabulary, module. It tells models apart, and is no protection against who makes two alike. Reads all weights. */
BERT_API bert_status bert_model_fingerprint(const bert_model *model, uint64_t *fingerprint, bert_err *err);
/* what the user should know (a pooler that was started anew), or NULL */
BERT_API const char *bert_model_note(const bert_model *model);
BERT_API const bert_tokenizer *bert_model_tokenizer(const bert_model *model); /* as bert_module_tokenizer */

/* What a model's module is, for who shows it. */
typedef struct bert_model_facts {
    size_t layers, hidden; /* hidden: channels of a vector */
    size_t vocab_size;     /* ids that have a vector: rows of the word embedding */
    size_t parameters;     /* numbers in all its tensors; a frozen file: in its head's, too */
    const char *pooling;   /* what the module tells of how its vectors are taken, a word; NULL: nothing */
    bool normalize;        /* to length 1, then */
} bert_model_facts;

/* `pooling` is constant. */
BERT_API bert_model_facts bert_model_facts_of(const bert_model *model);
/* BERT_TASK_AUTO: it predicts nothing */
BERT_API bert_task bert_model_task(const bert_model *model);
BERT_API const char *bert_task_name(bert_task task);                                    /* "binary"; "none" for auto */
BERT_API size_t bert_model_labels(const bert_model *model, const char *const **labels); /* 0 where the task has none */
/* How many texts each row had that the model was trained on: 1, 2; 0: nobody knows (an older or imported model, a
 * module, or some rows had one). */
BERT_API int bert_model_texts(const bert_model *model);
BERT_API double bert_model_threshold(const bert_model *model); /* binary, multilabel: a score from here on is a yes */

/* Saves model.json and weights.safetensors (the tuned tensors alone) into a folder. model.json holds the weights'
 * checksum, which is compared when they are loaded; whenever a save is ended, the folder holds the model of before or
 * this one. copy_module: the module is copied in, so that the folder is self-contained; else model.json holds its path
 * relative to the folder. */
BERT_API bert_status bert_model_save(const bert_model *model, const char *folder, bool copy_module, bert_err *err);

/* The architecture as JSON, module paths relative to `folder` (NULL: as given); freed by bert_free. */
BERT_API bert_status bert_model_to_json(const bert_model *model, const char *folder, char **json, bert_err *err);
/* A model with that architecture and new weights in its head; paths are relative to `folder`. */
BERT_API bert_status bert_model_from_json(const char *json, const char *folder, bert_model **model, bert_err *err);
/* The tuned weights alone, as safetensors. Loading checks names and shapes. */
BERT_API bert_status bert_model_save_weights(const bert_model *model, const char *path, bert_err *err);
/* A training run's checkpoint is such a file, too: what it holds besides is passed over. */
BERT_API bert_status bert_model_load_weights(bert_model *model, const char *path, bert_err *err);

/* ---- training ---------------------------------------------------------------------------------------------------- */

/* A table in memory, tokenised. Immutable. */
typedef struct bert_dataset bert_dataset;

/* Reads a table whole; its labels must be there. Fails as bert_table_open and bert_table_next. */
BERT_API bert_status bert_dataset_load(const char *path, const bert_table_options *options, bert_dataset **dataset,
                                       bert_err *err);
/* Of texts in memory (n), which are copied. Bytes that are not UTF-8 stay, and tokenising drops and counts them as
 * Google's tokeniser does. */
BERT_API bert_status bert_dataset_create(const bert_text *texts, const bert_text *pairs, const bert_text *labels,
                                         size_t n, bert_dataset **dataset, bert_err *err);
BERT_API void bert_dataset_free(bert_dataset *dataset);
BERT_API size_t bert_dataset_size(const bert_dataset *dataset);
/* rows that were left out as it was loaded (skip_bad_rows) */
BERT_API size_t bert_dataset_skipped(const bert_dataset *dataset);
/* As bert_table_note, of the table that it was loaded from. Belongs to the data set. */
BERT_API const char *bert_dataset_note(const bert_dataset *dataset, size_t i);
/* The different labels, numbers in their order, else words in theirs. Belongs to the data set. A label is the same word
 * whatever file it comes from: without the blanks around it; a whole number as "1" (written 1, 1.0 or +1, in a table
 * also 1e0; "01" is a word of its own); true and false as "true" and "false" (written so, or with a capital, or in
 * capitals), which are neither 1 nor 0. A model that has "1.0" or "True" takes them, too. */
BERT_API size_t bert_dataset_labels(const bert_dataset *dataset, const char *const **labels);

/* Parts a data set: about `share` of the rows (0 < share < 1) become *valid. Stratified: each label gives the same
 * share; rows of equal texts stay on one side; depends on the rows and the seed alone. Both keep the order of rows and
 * copy what they need. Fails with BERT_ERR_DATA where a side would be empty. */
BERT_API bert_status bert_dataset_split(const bert_dataset *dataset, double share, uint64_t seed, bert_dataset **train,
                                        bert_dataset **valid, bert_err *err);

/* A data set of the rows whose labels suit a head: its task (auto: a class) and, where n_labels is not 0, its labels.
 * The others, with a label that is empty, not among these, no number or no tag, with tags that are not as many as
 * words, or without the second text that similarity compares, are left out and counted (bert_dataset_skipped). Fails
 * with BERT_ERR_DATA where no row is left; the message tells what the first lacks. */
BERT_API bert_status bert_dataset_suited(const bert_dataset *dataset, const bert_head_spec *head, bert_dataset **suited,
                                         bert_err *err);

/* Fills what a head spec leaves open (task auto, labels, label_min and label_max) from a data set; the words belong to
 * the data set.
 * Fails with BERT_ERR_DATA where the labels do not suit the task, naming a row. */
BERT_API bert_status bert_head_of_dataset(bert_head_spec *head, const bert_dataset *dataset, bert_err *err);

/* What a model is about to learn from, as lines of text or one JSON object on a line without its end: rows, shares of
 * the labels, lengths in tokens with a histogram and the share that is cut at seq_len, rows twice, empty texts, texts
 * that are in both train and valid (valid may be NULL). *out is freed by bert_free. */
BERT_API bert_status bert_dataset_describe(const bert_dataset *train, const bert_dataset *valid,
                                           const bert_model *model, bool json, char **out, bert_err *err);

/* How well a model does. What a task does not have is NaN. Binary: precision, recall and f1 are those of the positive
 * label; tokens: of whole entities, as seqeval (and conlleval) count them; else they are the macro means. */
typedef struct bert_metrics {
    size_t n; /* rows; tokens: words */
    /* of the model (tokens: types of entities), and those of them that the data or the answers hold; numbers: 0 */
    size_t labels, labels_seen;
    double loss;
    double accuracy; /* multilabel: of whole rows */
    double precision, recall, f1;
    double precision_micro, recall_micro, f1_micro;
    /* means over all `labels`: one that is neither there nor predicted counts as 0 */
    double precision_macro, recall_macro, f1_macro;
    /* over `labels_seen`: scikit-learn's and seqeval's macro averages */
    double precision_macro_seen, recall_macro_seen, f1_macro_seen;
    double mcc;               /* Matthews correlation; multiclass: Gorodkin's R_K */
    double auc;               /* area under the ROC curve; multiclass and multilabel: mean of one against the rest */
    double pearson, spearman; /* regression, similarity */
    double mse;               /* in the labels' own unit */
} bert_metrics;

/* What saying the same of every row reaches on the same data: the most frequent label or set of labels, the mean of
 * numbers, O for every word. A model that does no better by its task's metric (the one that is watched, in training)
 * has learned nothing of use. */
typedef struct bert_baseline {
    char answer[128]; /* "\"neg\"", "no label", "the mean, 3.2", "\"O\"" */
    /* empty where the model does better; else "accuracy 0.5 is no better than always answering \"neg\" (0.5)" */
    char note[384];
    bert_metrics metrics; /* of that answer; the loss is that of numbers alone, else NaN */
} bert_baseline;

/* A row of the table of metrics: everything that shows them loops over it. */
typedef struct bert_metric {
    const char *name; /* "f1_macro" */
    size_t offset;    /* of a double in bert_metrics */
    bool larger_better;
} bert_metric;

BERT_API const bert_metric *bert_metric_table(size_t *n);
/* Its value; NaN where there is none. */
BERT_API double bert_metric_value(const bert_metrics *metrics, const bert_metric *metric);

/* Numbers of layers count from the embeddings up; a step is one of the optimiser's. */
typedef struct bert_train_options {
    int64_t epochs, batch_size;
    int64_t max_steps;  /* stop after so many; 0: after the epochs */
    int64_t accumulate; /* batches whose gradients make one step */
    double learning_rate, beta_1, beta_2, epsilon;
    int optimizer;                               /* bert_optimizer_kind */
    double weight_decay, clip_norm, layer_decay; /* as in bert_optimizer_options */
    /* 0 constant, 1 linear to zero, 2 half a cosine to zero; each behind the warm-up */
    int schedule;
    double warmup; /* steps in which the rate rises from zero; below 1: that share of all steps */
    /* head and pooler alone at first, after each so many epochs one layer more, the last one first; 0: all at once */
    int64_t unfreeze_every;
    /* "balanced", or "spam=2,ham=0.5"; NULL: all 1. A row's loss is multiplied by its label's */
    const char *class_weights;
    double label_smoothing;
    const char *watch; /* the metric that tells the best epoch, one that the task has; NULL: the task's own */
    int64_t patience;  /* stop after so many epochs without a better one; 0: never */
    /* binary, multilabel: each epoch is measured at the threshold that is best for `watch` (else accuracy, f1_micro),
     * the best epoch's is the model's; else 0.5 */
    bool choose_threshold;
    int64_t seed;
    int precision; /* 0 fp32; 1 bf16: matrix products of bf16 numbers summed in fp32, weights and all else stay fp32 */
    /* of the products of the layers below all tuned ones: 0 as `precision`; 1 fp32; 2 bf16; 3 int8, which runs on every
     * machine. What they give is what the tuned layers learn from and what validation reads; the model that comes out
     * multiplies as any other */
    int frozen_precision;
    /* dropout in the layers that are not tuned, too, as the original Keras layer; nothing is kept then */
    bool frozen_dropout;
    /* MiB for the outputs of the frozen layers, which are then computed once; -1: half of the free memory; 0: none */
    int64_t cache_budget;
    int cache_precision; /* 0 fp32: the same bits as without; 1 bf16: half the memory */
    /* a folder that keeps tokens and these outputs from run to run; NULL, or a disk without room: memory alone */
    const char *cache;
    /* batches are cut from windows of so many batches sorted by length; 1: no grouping by length */
    int64_t length_window;
    /* "15m" minutes or "500" steps between checkpoints within an epoch; "0": at the end of epochs alone */
    const char *checkpoint_every;
    /* go on from the folder's checkpoint. Of its options may differ: epochs, max_steps (where the rate does not depend
     * on the number of steps), patience, cache, cache_budget, checkpoint_every, tensorboard, report */
    bool resume;
    /* begin anew where a trained model or an unfinished run stands: its checkpoint and history go before the first
     * step, its weights when the first epoch is done */
    bool force;
    bool tensorboard; /* event files in the folder's logs/ */
    bool report;      /* the folder's report.html, after every epoch */
} bert_train_options;

BERT_API bert_option_table bert_train_option_table(void);
BERT_API void bert_train_defaults(bert_train_options *options);

typedef enum bert_event_kind {
    BERT_EVENT_NOTE,       /* something that the user should know: `note` */
    BERT_EVENT_STEP,       /* a batch is done */
    BERT_EVENT_EPOCH,      /* an epoch is done, measured and saved */
    BERT_EVENT_CHECKPOINT, /* a checkpoint was written: `note` is its path */
    BERT_EVENT_END,        /* the run is over: `note` says why where it is not that all epochs are done */
    BERT_EVENT_FROZEN      /* before the first epoch: what the frozen layers give is computed, once for all epochs */
} bert_event_kind;

/* What happens while training. */
typedef struct bert_event {
    bert_event_kind kind;
    int64_t epoch, epochs; /* from 1 */
    int64_t step, steps;   /* done so far in the whole run, and all */
    size_t done, total;    /* samples of this epoch; FROZEN: rows, those of the validation data among them */
    double seconds;        /* since the epoch (FROZEN: this computing) began, or since it was resumed */
    double seconds_left;   /* of it, at the pace so far */
    double samples_per_second;
    double learning_rate;          /* of the last step */
    double grad_norm;              /* before clipping; NaN where clip_norm is 0 */
    double loss, accuracy;         /* mean over this epoch so far; accuracy is NaN where the task has none */
    const bert_metrics *valid;     /* at the end of an epoch, where there is validation data */
    const bert_baseline *baseline; /* the same; its note is about this epoch */
    const char *watch;             /* the metric that tells the best epoch */
    bool best;                     /* at the end of an epoch: the best so far */
    int64_t best_epoch;            /* 0: none yet */
    const char *note;
} bert_event;

/* Return false to stop: the step at hand is finished and a checkpoint written, training fails with BERT_ERR_STOPPED,
 * `resume` goes on. */
typedef bool (*bert_on_event)(void *context, const bert_event *event);

/* Trains in place; the model ends with the best weights (by validation; without validation data by the loss). Until it
 * returns the model belongs to it: nothing else of the model may be called, but for sessions that were created before.
 * They run in their threads meanwhile and keep the weights of their creation. Data sets, the tokenizer and the module
 * stay anybody's.
 *
 * folder, where not NULL, receives: model.json and weights.safetensors (the best epoch so far), checkpoint.safetensors
 * (weights, optimiser, place in the data: what `resume` needs, and the last weights), history.json, report.html, logs/.
 * It is locked for the run (train.lock holds the process id). valid may be NULL. The same seed, data and options give
 * the same bits for any number of threads, resumed or not. Fails with BERT_ERR_DATA (a label that the model does not
 * know), BERT_ERR_NUMERIC (a loss that is not finite), BERT_ERR_STOPPED, BERT_ERR_IO, BERT_ERR_ARGUMENT (resume: other
 * data or options than the checkpoint's, each named; without: something stands there, see bert_output_check; the folder
 * is in use by another process). A run that is refused leaves weights and gradients alone; one that began leaves
 * gradients of zero.
 *
 * While it runs, other threads may use sessions that were made before, which go on with the model as it was, may ask
 * what does not change (task, labels, tokeniser, hidden size), and may load the folder as another model: it holds a
 * whole one at any time, the best epoch so far. All else that reads or writes the model has to wait: sessions are not
 * made, nothing is saved, frozen, exported or loaded into it, no pass of its layer runs. Within on_event at the end of
 * an epoch training waits, and the callback's thread may do what only reads: open a session on the weights of this
 * epoch, save or freeze them. */
BERT_API bert_status bert_model_train(bert_model *model, const bert_dataset *train, const bert_dataset *valid,
                                      const bert_train_options *options, const char *folder, bool copy_module,
                                      bert_on_event on_event, void *context, bert_err *err);

/* What bert_model_train would do, without doing it: layers and parameters, steps, the memory and the time that it
 * expects (a few steps are timed), as lines of text or one JSON object. The model is as before afterwards. *out is
 * freed by bert_free. */
BERT_API bert_status bert_train_plan(bert_model *model, const bert_dataset *train, const bert_dataset *valid,
                                     const bert_train_options *options, bool json, char **out, bert_err *err);

/* ---- frozen files ------------------------------------------------------------------------------------------------ */

typedef struct bert_freeze_options {
    /* 0 fp32; 1 bf16: weights in bf16, multiplied as such where the processor can, else widened; 2 int8: matrices with
     * a scale for each output, embeddings with one for each row, rows of activations quantised as they come; pooler,
     * head, norms and softmax stay fp32 */
    int precision;
    /* with data to check on: refuse to write where less than this share of the rows gets the same answer */
    double min_agreement;
    bool force; /* replace what stands there (bert_output_check) */
} bert_freeze_options;

BERT_API bert_option_table bert_freeze_option_table(void);
BERT_API void bert_freeze_defaults(bert_freeze_options *options);

/* A frozen file beside the model that it was made from, on somebody's data. What a task does not have is NaN. */
typedef struct bert_freeze_check {
    size_t n;
    /* share of the rows with the same answer; numbers: within 1 % of the scale; without a head: cosine of 0.99 and
     * more */
    double agreement;
    bert_metrics frozen, original; /* where the data has labels; else n is 0 */
    /* texts that were cut to the model's length: what stands behind the cut was not compared */
    size_t truncated;
    double difference_mean, difference_worst; /* of scores, absolute */
    double cosine_mean, cosine_worst;         /* of the vectors that the head reads */
    double texts_per_second, texts_per_second_original;
} bert_freeze_check;

/* Writes everything that prediction needs into one file, and nothing else. options NULL: the defaults. data, where not
 * NULL: both are run on it and *check tells how they compare; the file appears only if they agree. Fails with
 * BERT_ERR_DATA where they agree on too few rows (the message says on how many), and check is filled then, too; with
 * BERT_ERR_NUMERIC where a weight is NaN or infinite. */
BERT_API bert_status bert_model_freeze(const bert_model *model, const char *path, const bert_freeze_options *options,
                                       const bert_dataset *data, bert_freeze_check *check, bert_err *err);

/* Reads a frozen file, a module or a model (with its module) from end to end and compares all of it with the hashes
 * that it carries. (Opening compares a frozen file's header and a model's weights; training, freezing and exporting
 * compare a module's files, or a frozen file's data.)
 * Fails with BERT_ERR_FORMAT, BERT_ERR_IO. */
BERT_API bert_status bert_verify(const char *path, bert_err *err);

/* ---- exports ----------------------------------------------------------------------------------------------------- */

typedef enum bert_export_format {
    /* a file for onnxruntime and others: inputs input_ids, attention_mask, token_type_ids (batch, sequence), int64 */
    BERT_EXPORT_ONNX,
    BERT_EXPORT_GGUF, /* a file for llama.cpp: the encoder and its vocabulary, without a head */
    BERT_EXPORT_HF    /* a folder for transformers and sentence-transformers */
} bert_export_format;

typedef struct bert_export_options {
    int format; /* bert_export_format */
    int type;   /* gguf: 0 f32, 1 f16, 2 q8_0 for the matrices */
    bool force; /* replace what stands there (bert_output_check) */
} bert_export_options;

BERT_API bert_option_table bert_export_option_table(void);
BERT_API void bert_export_defaults(bert_export_options *options);

/* Writes a model, a module or a frozen file in another program's format, whole or not at all. note, where not NULL,
 * receives what the user should know (weights that were bf16 or int8, a head that the format has no place for), or
 * NULL; freed by bert_free. Fails with BERT_ERR_ARGUMENT (something else stands there, options that the format has
 * not), BERT_ERR_UNSUPPORTED (a model that the format cannot express), BERT_ERR_IO. */
BERT_API bert_status bert_model_export(const bert_model *model, const char *path, const bert_export_options *options,
                                       char **note, bert_err *err);

/* ---- prediction -------------------------------------------------------------------------------------------------- */

/* One thread's way to run a model: its scratch memory. The model must outlive it; any number of sessions may share one
 * model. */
typedef struct bert_session bert_session;

typedef struct bert_session_options {
    int64_t seq_len; /* longer texts are cut; 0: the model's; a module's own, all its positions where it names none */
    int pooling;     /* bert_pooling, for vectors; prediction always uses the model's */
    bool normalize;  /* vectors of length 1 */
    /* 0: OMP_NUM_THREADS, else as many as there are processors. With 1 no other thread is woken, and a call does
     * nothing but compute */
    int64_t threads;
    /* 0 auto; 1 one: all threads work on the same texts, each operation is cut; 2 many: each thread has texts of its
     * own */
    int streams;
    /* 0: what does not fit into seq_len is cut off; else long texts are read in windows of so many tokens, special ones
     * counted */
    int64_t window;
    int64_t stride; /* from the start of a window to that of the next, in tokens of the text; 0: half of what fits */
    /* 0 mean, 1 max: of the windows' probabilities or values; vectors: the mean or maximum of each channel */
    int combine;
} bert_session_options;

BERT_API bert_option_table bert_session_option_table(void);
BERT_API void bert_session_defaults(bert_session_options *options);

/* The session sees the model as it is at this call, weights and threshold; sessions that are made of the same weights
 * share one copy of them, and each has little more than the work of its largest call. Not while another thread trains
 * the model (see bert_model_train); sessions that are there already go on. Fails with BERT_ERR_ARGUMENT: seq_len beyond
 * the position table, pooling cls on a module without a pooler. */
BERT_API bert_status bert_session_create(const bert_model *model, const bert_session_options *options,
                                         bert_session **session, bert_err *err);
BERT_API void bert_session_free(bert_session *session);
BERT_API size_t bert_session_hidden(const bert_session *session);  /* width of a vector */
BERT_API size_t bert_session_seq_len(const bert_session *session); /* the most tokens of a text */
BERT_API bool bert_session_per_token(const bert_session *session); /* pooling none */

/* How many scores a text has: K for labels (binary: 2), 1 for regression and similarity, 0 for tokens and without a
 * head. */
BERT_API size_t bert_session_outputs(const bert_session *session);

/* scores: (n, outputs). Binary: 1 - p, p; multiclass: probabilities that sum to 1; multilabel: one of each label;
 * regression, similarity: the value in the labels' unit. The same text gives the same bits whatever else is in the call
 * and however many threads run. truncated, where not NULL, is increased by the number of texts that were cut. Fails
 * with BERT_ERR_ARGUMENT where the model has no head, or is one of tokens; similarity needs pairs, and a second text of
 * blanks alone is none. Bytes that are not UTF-8 are dropped, as Google's tokeniser does. */
BERT_API bert_status bert_session_predict(bert_session *session, const bert_text *texts, const bert_text *pairs,
                                          size_t n, float *scores, size_t *truncated, bert_err *err);

/* A stretch of a text that a model of tokens found. */
typedef struct bert_entity {
    size_t text;                 /* which of the texts */
    const char *label;           /* "LOC"; belongs to the model */
    size_t byte_start, byte_end; /* [start, end) in the text */
    size_t char_start, char_end; /* the same in code points */
    double score;                /* mean of its words' probabilities */
} bert_entity;

/* The entities of n texts in their order. They belong to the session and stay until its next call. Words are what
 * blanks divide. */
BERT_API bert_status bert_session_entities(bert_session *session, const bert_text *texts, size_t n,
                                           const bert_entity **entities, size_t *n_entities, size_t *truncated,
                                           bert_err *err);

/* vectors: (n, hidden). Per token: (sum of counts, hidden), the tokens of one text after those of another, special ones
 * included; vectors must have room for n * seq_len rows; counts (n) receives how many rows each text has; NULL
 * otherwise. */
BERT_API bert_status bert_session_embed(bert_session *session, const bert_text *texts, const bert_text *pairs, size_t n,
                                        float *vectors, size_t *counts, size_t *truncated, bert_err *err);

/* What one pass over texts is to give. A member that is NULL is not asked for; what is asked for has room from the
 * caller. */
typedef struct bert_outputs {
    float *scores;  /* (n, outputs) as bert_session_predict */
    float *vectors; /* (n, hidden), or per token, as bert_session_embed */
    size_t *counts; /* (n) tokens of each text; needed with layers and per-token vectors */
    /* (n_layers) which layers the next two are of: 0 is the first, -1 the embeddings (they have no attention) */
    const int64_t *layers;
    size_t n_layers;
    float *const *hidden; /* (n_layers) each (sum of counts, hidden), or NULL: what the layer gives */
    /* (n_layers) each, one text behind another, (heads, T, T): row i what token i looks at, the softmax's
     * probabilities */
    float *const *attention;
} bert_outputs;

/* Several outputs from one pass. Not with windows; scores not of similarity and tokens. Room: counts of at most seq_len
 * a text. Fails with BERT_ERR_ARGUMENT. */
BERT_API bert_status bert_session_run(bert_session *session, const bert_text *texts, const bert_text *pairs, size_t n,
                                      const bert_outputs *outputs, size_t *truncated, bert_err *err);

/* What an evaluation tells. */
typedef struct bert_evaluation {
    bert_metrics metrics;
    bert_baseline baseline;
    size_t pairs;     /* rows with two texts */
    size_t truncated; /* texts that were cut */
    /* tokens: words that the model was not asked about, behind a cut or without a token: they count as O */
    size_t cut_words;
} bert_evaluation;

/* How well a model does on a data set. What it says is what bert_session_predict and bert_session_entities say in this
 * session, windows included; the loss of a text that was read in windows is that of its combined scores. report, where
 * not NULL, is a page to write (HTML, self-contained: metrics, curves, the worst mistakes); predictions a table (.tsv,
 * .csv or .jsonl) with a row for each row of the data set: text, label, prediction, scores (in .tsv \t, \n, \r and \\
 * stand for a tab, ends of lines and a backslash). Fails with BERT_ERR_DATA for a label that the model does not
 * know. */
BERT_API bert_status bert_session_evaluate(bert_session *session, const bert_dataset *dataset, const char *report,
                                           const char *predictions, bert_evaluation *evaluation, bert_err *err);

/* ---- answers as text --------------------------------------------------------------------------------------------- */

/* How answers are written: the lines that `bert` prints, byte for byte, in any locale. A line ends with LF. JSON is
 * UTF-8, a byte that is not becomes U+FFFD; numbers have nine significant digits, which give back the same float, and
 * what is not finite is null. */
typedef enum bert_answer_format {
    BERT_ANSWER_JSONL, /* an object a line */
    /* columns with tabs between; in words \t, \n, \r and \\ stand for a tab, ends of lines and a backslash */
    BERT_ANSWER_TSV,
    BERT_ANSWER_NUMBERS /* the numbers as they lie in memory: what stands behind bert_npy_header in an .npy */
} bert_answer_format;

/* The functions below append to `out` and change nothing else: any number of threads may write, each into a buffer of
 * its own. Where memory runs out, out->failed tells. None keeps what it is given. */

/* A line for each of n texts of what bert_session_predict gave: scores (n, outputs), read as the session's model means
 * them, by its threshold as it was when the session was made. Not for a model of tokens or without a head, which have
 * no scores: nothing is appended. The session may be in use.
 *
 * binary, multiclass:     {"label": "1", "score": 0.984, "scores": {"0": 0.016, "1": 0.984}}      1 TAB 0.984
 * multilabel:             {"labels": ["a", "b"], "scores": {"a": 0.9, "b": 0.7, "c": 0.1}}        a,b TAB 0.9,0.7
 * regression, similarity: {"value": 3.2}                                                          3.2 */
BERT_API void bert_scores_write(bert_buffer *out, const bert_session *session, const float *scores, size_t n,
                                bert_answer_format format);

/* The entities of n texts as bert_session_entities gives them. JSON lines, one a text:
 * {"entities": [{"label": "LOC", "start": 10, "end": 15, "text": "Paris", "score": 0.99}, ...]}, places in code points.
 * TSV, a line an entity: the number of its text, of which the first here is first + 1; label, start, end, score, text.
 * As numbers they have no form, and nothing is appended. */
BERT_API void bert_entities_write(bert_buffer *out, const bert_entity *entities, size_t n_entities,
                                  const bert_text *texts, size_t n, size_t first, bert_answer_format format);

/* Vectors of n texts as bert_session_embed gives them: (n, hidden), or with counts (n) so many rows for each text, (sum
 * of counts, hidden). {"embedding": [...]}, with counts {"embedding": [[...], ...]}; TSV: a line a vector. */
BERT_API void bert_vectors_write(bert_buffer *out, const float *vectors, const size_t *counts, size_t n, size_t hidden,
                                 bert_answer_format format);

/* One line of the tokens of a text, or of a pair (NULL or without tokens: there is none), as bert_tokenize gives them:
 * {"tokens": [...], "ids": [...], "offsets": [[start, end], ...]}, places in code points; of a pair also "segments":
 * [0, ..., 1, ...]. special: with [CLS] and [SEP], as BERT reads them, whose offsets are [0, 0]. */
BERT_API void bert_tokens_write(bert_buffer *out, const bert_tokenizer *tokenizer, const bert_tokens *text,
                                const bert_tokens *pair, bool special);

/* One line of a row, from 0, of features: {"input_ids": [...], "input_mask": [...], "segment_ids": [...]}. */
BERT_API void bert_features_write(bert_buffer *out, const bert_features *features, size_t row);

/* {"loss": 0.41, "accuracy": 0.8, ..., "n": 400} and a line break; what a task does not have is left out. */
BERT_API void bert_metrics_write(bert_buffer *out, const bert_metrics *metrics);
/* The same with what saying the same of every row reaches behind it: "baseline": {..., "answer": "\"neg\"", "beaten":
 * true}. */
BERT_API void bert_evaluation_write(bert_buffer *out, const bert_evaluation *evaluation);
/* {"event": "epoch", ...}: the members of bert_event by their names, but for `kind`; at the ends of epochs and of the
 * run also "peak_memory_mb", the most memory that the process has had. */
BERT_API void bert_event_write(bert_buffer *out, const bert_event *event);

/* ---- measuring --------------------------------------------------------------------------------------------------- */

typedef struct bert_bench_options {
    double seconds; /* about so long for each figure */
    /* beside it what the machine could do: the products alone (by oneDNN, too, where libdnnl is installed), memory's
     * speed */
    bool roofline;
} bert_bench_options;

BERT_API bert_option_table bert_bench_option_table(void);
BERT_API void bert_bench_defaults(bert_bench_options *options);

/* How fast a model runs here, as lines of text or one JSON object: tokens and sequences a second, latency of one text
 * (p50, p95, p99), shares of the operations, memory, machine. data NULL: texts that are made up. *out is freed by
 * bert_free. */
BERT_API bert_status bert_model_bench(const bert_model *model, const bert_session_options *session,
                                      const bert_dataset *data, const bert_bench_options *options, bool json,
                                      char **out, bert_err *err);

#ifdef __cplusplus
}
#endif

#endif
