/* .tar.gz archives: POSIX ustar, with the long names of pax and of GNU tar. */
#pragma once

#include "base/error.h"

/* Unpacks an archive into a folder that it makes (an empty one is fine). What the archive holds beside files and
 * folders (links, devices), absolute names and names with ".." are refused; a size is checked against what gzip can
 * have packed into the archive. Files get mode 0666 less umask, whatever the archive says. After a failure the folder
 * holds what was unpacked before. Fails with BERT_ERR_FORMAT (the message names the archive and the entry),
 * BERT_ERR_IO. */
bert_status tar_gz_unpack(const char *archive, const char *folder, bert_err *err);
