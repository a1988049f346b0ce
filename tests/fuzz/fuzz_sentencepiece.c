/* Any bytes as a SentencePiece model: refused, or pieces with texts and finite scores, the unknown one among them. */
#include "formats/sentencepiece.h"

#include "fuzz/expect.h"
#include "fuzz/input.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sentencepiece_model m;
    bert_err err;
    arena a = { 0 };
    if (sentencepiece_read(&m, input_file("spiece.model", data, size), &a, &err)) {
        expect(err.message[0], "a failure has its message");
    } else {
        expect(m.unknown < m.n, "an unknown piece");
        for (size_t i = 0; i < m.n; i++)
            expect(*m.pieces[i].piece && isfinite(m.pieces[i].score), "a piece and its score");
    }
    arena_free(&a);
    return 0;
}
