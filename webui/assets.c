#include "webui/assets.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *key, const void *row)
{
    return strcmp(key, ((const struct asset *)row)->path);
}

const struct asset *asset_find(const char *path)
{
    return bsearch(path, asset_rows, n_asset_rows, sizeof(asset_rows[0]), compare);
}
