#include "webui/inflate.h"

#include <errno.h>
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, BLOCK_BYTES = 16384 };

int inflate_asset(const struct asset *asset, struct buffer *out)
{
    z_stream stream = {.next_in = (Bytef *)asset->gz, .avail_in = (uInt)asset->len};
    unsigned char block[BLOCK_BYTES];
    int result = inflateInit2(&stream, GZIP_WINDOW);

    while (result == Z_OK) {
        stream.next_out = block;
        stream.avail_out = sizeof(block);
        result = inflate(&stream, Z_NO_FLUSH);
        buffer_append(out, slice_from(block, sizeof(block) - stream.avail_out));
    }
    (void)inflateEnd(&stream);
    if (result != Z_STREAM_END)
        return FAULT(-EINVAL); /* not what was built in */
    return buffer_error(out);
}
