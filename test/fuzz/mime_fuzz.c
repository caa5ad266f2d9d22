/* Any message: the converted form has 7 bits (but for headers that are reported), and converting
 * it again changes nothing. */
#include "test/fuzz/fuzz.h"

#include "relay/base/buffer.h"
#include "relay/message/line_scan.h"
#include "relay/message/mime.h"

static int keep(void *owner, struct slice bytes)
{
    buffer_append(owner, bytes);
    return 0;
}

static int convert(struct slice message, struct buffer *out, struct mime_result *result)
{
    struct mime_sink sink = {keep, out};
    int error = mime_to_seven_bit(message, &sink, result);

    PROMISE(error == 0 || error == MIME_UNCONVERTIBLE);
    return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer once = BUFFER_INIT, twice = BUFFER_INIT;
    struct mime_result result;

    if (convert(slice_from(data, size), &once, &result) == 0) {
        PROMISE(result.has_eight_bit_left || !has_eight_bit(buffer_slice(&once)));
        PROMISE(convert(buffer_slice(&once), &twice, &result) == 0);
        PROMISE(result.n_encoded == 0);
        PROMISE(slice_equal(buffer_slice(&once), buffer_slice(&twice)));
    }
    buffer_fini(&once);
    buffer_fini(&twice);
    return 0;
}
