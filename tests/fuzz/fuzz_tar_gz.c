/* Archives that somebody else made, unpacked: gzip data as it is; anything else is taken as a tar and put into gzip
 * first, so that the fuzzer need not learn to compress. Nothing may be written outside the folder. */
#include "formats/tar_gz.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/bert-fuzz-XXXXXX";

static void remove_folder(void)
{
    folder_remove(folder, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char archive[64], out[64], stray[64];
    if (!archive[0]) {
        if (!mkdtemp(folder) || atexit(remove_folder))
            abort();
        snprintf(archive, sizeof archive, "%s/a.tar.gz", folder);
        snprintf(out, sizeof out, "%s/in/out", folder);
        snprintf(stray, sizeof stray, "%s/in", folder);
    }
    gzFile gz = gzopen(archive, size >= 2 && data[0] == 0x1f && data[1] == 0x8b ? "wbT" : "wb0");
    if (!gz || (size && gzwrite(gz, data, (unsigned)size) != (int)size) || gzclose(gz) != Z_OK)
        abort();
    tar_gz_unpack(archive, out, NULL);
    if (file_is_folder(out))
        folder_remove(out, NULL);
    if (file_exists(stray) && rmdir(stray)) /* something besides the folder */
        abort();
    return 0;
}
