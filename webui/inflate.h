/* A file of the panel as it was before gzip, for clients that cannot unpack it.  inflate.c is the
 * only file that includes zlib.h.  Thread: any; costs CPU (100 KB take a millisecond). */
#pragma once

#include "relay/base/buffer.h"
#include "webui/assets.h"

/* 0, -EINVAL or -ENOMEM. */
MUST_USE int inflate_asset(const struct asset *asset, struct buffer *out);
