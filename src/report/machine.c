/* The machine in words, from /proc. */
#include "report/report.h"

#include "base/buffer.h"
#include "base/proc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether a word stands in a list of words. */
static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; (p = strstr(p, word)); p += n)
        if ((p == list || isspace((unsigned char)p[-1])) && (!p[n] || isspace((unsigned char)p[n])))
            return true;
    return false;
}

/* What of the instruction set decides the speed here: the flag of /proc/cpuinfo and its name for people. Of vector
 * widths the best alone. */
static void add_instructions(buffer *b)
{
    static const struct {
        const char *flag, *words;
        bool vector;
    } rows[] = {
        { "avx512f", "AVX-512", true },    { "avx2", "AVX2", true },          { "sse2", "SSE2", true },
        { "asimd", "NEON", true },         { "avx512_vnni", "VNNI", false },  { "avx512_bf16", "bf16", false },
        { "amx_bf16", "AMX bf16", false }, { "amx_int8", "AMX int8", false }, { "bf16", "bf16", false },
    };
    char flags[8192] = "";
    if (!proc_value("/proc/cpuinfo", "flags", flags, sizeof flags))
        proc_value("/proc/cpuinfo", "Features", flags, sizeof flags);
    bool vector = false;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (has_word(flags, rows[i].flag) && !(rows[i].vector && vector)) {
            buffer_printf(b, ", %s", rows[i].words);
            vector |= rows[i].vector;
        }
}

void machine_describe(char *out, size_t size)
{
    char model[256] = "", memory[64] = "";
    buffer b = { 0 };
    if (!proc_value("/proc/cpuinfo", "model name", model, sizeof model))
        strcpy(model, "unknown processor");
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    buffer_printf(&b, "%s, %ld core%s", model, cores, cores == 1 ? "" : "s");
    add_instructions(&b);
    if (proc_value("/proc/meminfo", "MemTotal", memory, sizeof memory)) {
        long tenths = (long)(strtod(memory, NULL) * 10 / (1 << 20) + 0.5);
        buffer_printf(&b, ", %ld.%ld GiB of memory", tenths / 10, tenths % 10);
    }
    snprintf(out, size, "%s", b.failed ? "unknown machine" : b.data);
    buffer_free(&b);
}
