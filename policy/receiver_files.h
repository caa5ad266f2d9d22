/* The operator's own files about receivers, read whole: by the parent, which may read what the
 * relay may not, and by `config check`.  Their bytes travel to the relay as they are and are parsed
 * there. Thread: any. */
#pragma once

#include "policy/receiver_book.h"

/* Appends path and text of each file, none for an empty path, to bytes.  0, -EINVAL with a line in
 * problem for each that cannot be read, or -ENOMEM. */
MUST_USE int receiver_files_read(const char *const paths[N_RECEIVER_FILES], struct buffer *bytes,
                                 struct buffer *problem);

/* The files of bytes, which they look into; false when these are not what was appended. */
bool receiver_files_take(struct slice bytes, struct data_file files[N_RECEIVER_FILES]);
