/* The panel's files, built into the program and kept as they are sent: gzipped.
 * Thread: any; everything here is constant. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct asset {
    const char *path;        /* "/index.html", "/assets/panel-1A2B3C4D.js" */
    const char *type;        /* of RFC 9110 8.3, with the charset */
    const char *etag;        /* quoted; of the gzipped bytes */
    const unsigned char *gz; /* RFC 1952 */
    size_t len;              /* of gz, bytes */
    bool is_immutable;       /* its name changes with its content: it may be kept for a year */
};

/* By path, ascending; made by scripts/embed_assets.py.  None in a build without a panel. */
extern const struct asset asset_rows[];
extern const size_t n_asset_rows;

/* NULL: there is no such file.  The pages' own paths ("/queue") are not files: they are answered
 * with "/index.html". */
const struct asset *asset_find(const char *path);
