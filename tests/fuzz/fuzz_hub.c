/* Any bytes as a repository's listing: refused, or files whose names stay in their folder, with sums that are sums. */
#include "web/hub.h"

#include "fuzz/expect.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a = { 0 };
    hub_file *files;
    const hub_file **chosen;
    size_t n, n_chosen;
    if (!hub_read_listing(&a, (const char *)data, size, "input", &files, &n, NULL)) {
        for (size_t i = 0; i < n; i++) {
            size_t digits = strlen(files[i].checksum);
            expect(files[i].name && (digits == 0 || digits == 40 || digits == 64), "a name, and a checksum or none");
        }
        if (!hub_choose(&a, files, n, "o/r", &chosen, &n_chosen, NULL))
            for (size_t i = 0; i < n_chosen; i++)
                expect(chosen[i]->name[0] != '/' && strncmp(chosen[i]->name, "../", 3) &&
                           !strstr(chosen[i]->name, "/../"),
                       "a name that stays inside");
    }
    arena_free(&a);
    return 0;
}
