#include "relay/smtp/base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int letter_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* Four letters, the last n_padding of them "=", become 3 - n_padding bytes. */
static bool decode_group(const char group[4], size_t n_padding, char *out)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - n_padding ? letter_value(group[i]) : 0;

        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
    }
    if (bits & ((1U << (8 * n_padding)) - 1))
        return false; /* low bits that no encoder sets: two spellings of one password */
    for (size_t i = 0; i < 3 - n_padding; i++)
        out[i] = (char)(bits >> (16 - 8 * i));
    return true;
}

static size_t count_padding(struct slice encoded)
{
    if (encoded.len == 0 || encoded.data[encoded.len - 1] != '=')
        return 0;
    return encoded.data[encoded.len - 2] == '=' ? 2 : 1;
}

bool base64_decode(struct slice encoded, char *out, size_t *len)
{
    size_t n_padding, n = 0;

    if (encoded.len % 4)
        return false;
    n_padding = count_padding(encoded);
    for (size_t i = 0; i < encoded.len; i += 4) {
        size_t padding_here = i + 4 == encoded.len ? n_padding : 0;

        if (!decode_group(encoded.data + i, padding_here, out + n))
            return false;
        n += 3 - padding_here;
    }
    *len = n;
    return true;
}

void base64_encode(struct buffer *out, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        struct slice group = slice_head(slice_skip(bytes, i), 3);
        uint32_t bits = 0;

        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < group.len ? (unsigned char)group.data[k] : 0U);
        for (size_t k = 0; k <= group.len; k++)
            buffer_append_byte(out, letters[bits >> (18 - 6 * k) & 63]);
        for (size_t k = group.len; k < 3; k++)
            buffer_append_byte(out, '=');
    }
}
