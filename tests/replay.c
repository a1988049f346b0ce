/* main for a fuzz target in an ordinary build: gives it every file of the folders named, then each file cut short and
 * with bytes changed. It passes when nothing crashes; under the sanitizers that says something. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first n bytes, at an address of their own so that a read behind them is seen. */
static void try_copy(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        exit(1);
    memcpy(copy, data, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

/* The file as it is, 64 cuts, and 256 copies with one byte changed, spread evenly: the start of a file, where headers
 * stand, densely. */
static void try_variants(uint8_t *data, size_t n)
{
    try_copy(data, n);
    for (size_t i = 0; i < 64; i++)
        try_copy(data, n < 64 ? i % (n + 1) : n * i / 64);
    for (size_t i = 0; n && i < 256; i++) {
        size_t at = i < 128 ? i % n : n * (i - 128) / 128;
        uint8_t was = data[at];
        data[at] = (uint8_t)(i & 1 ? ~was : was + 1);
        try_copy(data, n);
        data[at] = was;
    }
}

static void try_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(1 << 22);
    if (!f || !data) {
        fprintf(stderr, "%s: cannot read\n", path);
        exit(1);
    }
    size_t n = fread(data, 1, 1 << 22, f);
    fclose(f);
    try_variants(data, n);
    free(data);
}

int main(int argc, char **argv)
{
    size_t files = 0;
    for (int i = 1; i < argc; i++) {
        struct dirent **entries;
        int n = scandir(argv[i], &entries, NULL, alphasort);
        for (int k = 0; k < n; k++) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], entries[k]->d_name);
            if (entries[k]->d_name[0] != '.') {
                try_file(path);
                files++;
            }
            free(entries[k]);
        }
        if (n >= 0)
            free(entries);
    }
    printf("%zu files replayed\n", files);
    return files ? 0 : 1; /* a fuzz target without a corpus is not tested */
}
