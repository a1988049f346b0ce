/* Any bytes as OUT.part.json: another run's, none, or a state that a whole line of it tells. A log that was cut
 * anywhere tells its last whole line.
 * Input: the log as it is; or 'w' and, a byte each, how far each line of a log is, written and then cut where the last
 * byte says. */
#include "cli/part_log.h"

#include "fuzz/expect.h"
#include "fuzz/input.h"

#include <inttypes.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char RECORD[] = "{\n  \"weights\": \"0123456789abcdef\",\n  \"rows\": 200,\n  \"format\": \"jsonl\"\n}\n";

/* Whether a line of the log says these rows and bytes. */
static bool tells(const uint8_t *data, size_t size, const part_state *s)
{
    char rows[32], bytes[32];
    int n = snprintf(rows, sizeof rows, "%zu", s->rows), m = snprintf(bytes, sizeof bytes, "%" PRIu64, s->bytes);
    return memmem(data, size, rows, (size_t)n) && memmem(data, size, bytes, (size_t)m);
}

static void read_log(const uint8_t *data, size_t size)
{
    part_state s;
    char what[200] = "";
    part_log_answer answer = part_log_read(input_file("log", data, size), RECORD, &s, what, sizeof what);
    expect(answer == LOG_SAME || (!s.rows && !s.bytes && !s.hash && !s.input), "a state of this run's log alone");
    expect(answer != LOG_SAME || (size >= sizeof RECORD - 1 && !memcmp(data, RECORD, sizeof RECORD - 1)),
           "a log that begins with the record");
    expect(answer != LOG_SAME || !s.rows || memchr(data, '\\', size) || memchr(data, 'e', size - (sizeof RECORD - 1)) ||
               tells(data, size, &s),
           "a state that stands there");
    expect(memchr(what, 0, sizeof what) && (answer != LOG_OTHER || *what), "what is different, in words");
}

static void write_log(const uint8_t *data, size_t size)
{
    uint8_t bytes[1 << 14];
    part_state states[64], s;
    size_t ends[64], n = size - 1 < 64 ? size - 1 : 64, told = 0;
    char what[200];
    const char *path = input_file("log", "", 0);
    int log = part_log_begin(path, RECORD);
    expect(log >= 0, "a log");
    for (size_t i = 0; i < n; i++) {
        states[i] = (part_state){ .rows = i + 1,
                                  .bytes = data[i] * 1000003u,
                                  .hash = data[i] * UINT64_C(0x9E3779B97F4A7C15),
                                  .input = ~(uint64_t)data[i] };
        expect(!part_log_add(log, &states[i]), "a line");
        ends[i] = (size_t)lseek(log, 0, SEEK_END);
    }
    close(log);
    FILE *f = fopen(path, "rb");
    size_t whole = f ? fread(bytes, 1, sizeof bytes, f) : 0,
           cut = sizeof RECORD - 1 + (whole - (sizeof RECORD - 1)) * data[size - 1] / 255;
    expect(whole >= sizeof RECORD - 1, "what was written");
    fclose(f);
    path = input_file("log", bytes, cut);
    /* as it is; and gone on with, which ends a line that lacks no more than its end */
    for (size_t again = 0; again < 2; again++) {
        while (told < n && ends[told] - again <= cut)
            told++;
        const part_state none = { 0 }, *right = told ? &states[told - 1] : &none;
        expect(part_log_read(path, RECORD, &s, what, sizeof what) == LOG_SAME, "this run's log");
        expect(s.rows == right->rows && s.bytes == right->bytes && s.hash == right->hash && s.input == right->input,
               "the last whole line");
        if ((log = part_log_resume(path)) >= 0)
            close(log);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1 && data[0] == 'w')
        write_log(data + 1, size - 1);
    else
        read_log(data, size);
    return 0;
}
