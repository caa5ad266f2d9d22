/* Encoded words: whatever a header holds, the text is at most three times as long, and what has no
 * encoded word in it stays as it is. */
#include "test/fuzz/fuzz.h"

#include "relay/message/encoded_word.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice value = slice_from(data, size);
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;

    if (size > 65536)
        return 0;
    encoded_words_decode(value, &text);
    PROMISE(buffer_error(&text) == 0);
    PROMISE(text.len <= 3 * size);
    if (slice_search(value, SLICE_LITERAL("=?")) < 0)
        PROMISE(slice_equal(buffer_slice(&text), value));
    return 0;
}
