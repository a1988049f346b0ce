/* Lines of /proc. */
#include "base/proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool proc_value(const char *path, const char *key, char *out, size_t size)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    char *line = NULL;
    size_t room = 0;
    bool found = false;
    while (!found && getline(&line, &room, f) > 0) {
        size_t n = strlen(key);
        const char *colon = strchr(line, ':');
        if (!colon || strncmp(line, key, n) || line + n + strspn(line + n, " \t") != colon)
            continue;
        colon += 1 + strspn(colon + 1, " \t");
        snprintf(out, size, "%.*s", (int)strcspn(colon, "\n"), colon);
        found = true;
    }
    free(line);
    fclose(f);
    return found;
}
