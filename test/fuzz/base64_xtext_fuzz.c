/* Base64: what decodes encodes back, what is encoded decodes back.  xtext: nothing that could end a
 * line or a parameter passes. */
#include "test/fuzz/fuzz.h"

#include "relay/smtp/base64.h"
#include "relay/smtp/xtext.h"

static void check_base64(struct slice text)
{
    CLEANUP(buffer) struct buffer encoded = BUFFER_INIT;
    size_t room = base64_decoded_size(text.len), len = 0;
    char *decoded = malloc(room ? room : 1);

    PROMISE(decoded);
    if (base64_decode(text, decoded, &len)) {
        PROMISE(len <= room);
        base64_encode(&encoded, slice_from(decoded, len));
        PROMISE(slice_equal(buffer_slice(&encoded), text)); /* strict: one spelling for each */
    }
    free(decoded);
    buffer_clear(&encoded);
    base64_encode(&encoded, text);
    room = base64_decoded_size(encoded.len);
    decoded = malloc(room ? room : 1);
    PROMISE(decoded && base64_decode(buffer_slice(&encoded), decoded, &len));
    PROMISE(slice_equal(slice_from(decoded, len), text));
    free(decoded);
}

static void check_xtext(struct slice text)
{
    if (!xtext_is_printable(text))
        return;
    for (size_t i = 0; i < text.len; i++)
        PROMISE(text.data[i] > ' ' && text.data[i] < 0x7f && text.data[i] != '=');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_base64(slice_from(data, size));
    check_xtext(slice_from(data, size));
    return 0;
}
