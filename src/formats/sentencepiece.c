/* Reading a SentencePiece model. */
#include "formats/sentencepiece.h"

#include "base/file.h"
#include "base/utf8.h"
#include "formats/foreign.h"
#include "sentencepiece.pb-c.h"

#include <math.h>
#include <string.h>

enum { MODEL_TYPE_UNIGRAM = 1 };

static const char *model_type_name(int type)
{
    static const char *const NAMES[] = { "unknown", "Unigram", "BPE", "word", "character" };
    return NAMES[type >= 1 && type <= 4 ? type : 0];
}

static bert_status take_piece(sentence_piece *to, const Spm__Piece *from, size_t id, const char *path, arena *a,
                              bert_err *err)
{
    const char *piece = from->piece ? from->piece : "";
    if (!*piece || !utf8_is_valid(piece, strlen(piece)))
        return fail(err, BERT_ERR_FORMAT, "%s: piece %zu has no text", path, id);
    if (!isfinite(from->score))
        return fail(err, BERT_ERR_FORMAT, "%s: piece %zu has the score %g", path, id, (double)from->score);
    *to = (sentence_piece){ arena_string(a, piece), from->score, from->type };
    return to->piece ? BERT_OK : fail_memory(err, path);
}

static bert_status take_model(sentencepiece_model *m, const Spm__Model *model, const char *path, arena *a,
                              bert_err *err)
{
    const Spm__TrainerSpec *trainer = model->trainer_spec;
    const Spm__NormalizerSpec *normalizer = model->normalizer_spec;
    int type = trainer ? trainer->model_type : MODEL_TYPE_UNIGRAM;
    if (type != MODEL_TYPE_UNIGRAM)
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: a SentencePiece model of type %s; libbert reads Unigram alone",
                    path, model_type_name(type));
    if (trainer && trainer->byte_fallback)
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: a SentencePiece model with byte fallback is not known to libbert",
                    path);
    m->n = model->n_pieces;
    m->unknown = trainer && trainer->unk_id > 0 ? (size_t)trainer->unk_id : 0;
    if (m->unknown >= m->n)
        return fail(err, BERT_ERR_FORMAT, "%s: %zu pieces, of which the unknown one is %zu", path, m->n, m->unknown);
    m->pieces = arena_array(a, m->n, sizeof *m->pieces);
    bert_status s = m->pieces ? BERT_OK : fail_memory(err, path);
    for (size_t i = 0; !s && i < m->n; i++)
        s = take_piece(&m->pieces[i], model->pieces[i], i, path, a, err);
    if (!s && normalizer && normalizer->precompiled_charsmap.len) {
        m->charsmap.size = normalizer->precompiled_charsmap.len;
        m->charsmap.data = arena_copy(a, (const char *)normalizer->precompiled_charsmap.data, m->charsmap.size);
        s = m->charsmap.data ? s : fail_memory(err, path);
    }
    return s;
}

bert_status sentencepiece_read(sentencepiece_model *m, const char *path, arena *a, bert_err *err)
{
    file_mapping file;
    *m = (sentencepiece_model){ 0 };
    bert_status s = file_map(&file, path, err);
    if (s)
        return s;
    Spm__Model *model = spm__model__unpack(NULL, file.size, file.data);
    if (model && model->n_pieces)
        s = take_model(m, model, path, a, err);
    else if (!(s = foreign_check_bytes(file.data, file.size, path, err)))
        s = fail(err, BERT_ERR_FORMAT, "%s: is no SentencePiece model, or damaged", path);
    if (model)
        spm__model__free_unpacked(model, NULL);
    file_unmap(&file);
    return s;
}
