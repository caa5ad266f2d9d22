/* The panel's files as they were before gzip, for clients that cannot unpack it: each is inflated
 * once, when the first of them asks, and kept to the end; as many copies as there are files at
 * most.  Thread: the panel's. */
#pragma once

#include "relay/base/list.h"
#include "relay/base/slice.h"

struct asset;

struct unpacked_files {
    struct list files;
    unsigned n_files;
};

void unpacked_init(struct unpacked_files *files);
void unpacked_fini(struct unpacked_files *files); /* when nobody is being sent one any more */

/* Good until unpacked_fini(); no data: out of memory, or not what was built in. */
struct slice unpacked_find(struct unpacked_files *files, const struct asset *asset);
