#include "relay/message/line_scan.h"

#include "relay/base/octets.h"

bool has_eight_bit(struct slice bytes)
{
    const char *at = bytes.data;
    size_t left = bytes.len;

    for (; left >= OCTETS_VECTOR; at += OCTETS_VECTOR, left -= OCTETS_VECTOR)
        if (octets_or(octets_load_vector(at)) & OCTETS_HIGH)
            return true;
    for (; left; at++, left--)
        if (*at & '\x80')
            return true;
    return false;
}

/* Bytes of the well-formed sequence at the start, or 0 (RFC 3629 4). */
static size_t utf8_sequence(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        size_t len;
    } rows[] = {
        {0x00, 0x7f, 0x00, 0x00, 1},
        {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (at[0] < rows[i].first_low || at[0] > rows[i].first_high)
            continue;
        if (left < rows[i].len)
            return 0;
        if (rows[i].len > 1 && (at[1] < rows[i].second_low || at[1] > rows[i].second_high))
            return 0;
        for (size_t j = 2; j < rows[i].len; j++)
            if ((at[j] & 0xc0) != 0x80)
                return 0;
        return rows[i].len;
    }
    return 0;
}

bool is_utf8(struct slice bytes)
{
    while (bytes.len) {
        size_t len = utf8_sequence((const unsigned char *)bytes.data, bytes.len);

        if (len == 0)
            return false;
        bytes = slice_skip(bytes, len);
    }
    return true;
}

static void note_line(struct line_scan *scan, size_t len)
{
    if (len > scan->longest_line)
        scan->longest_line = len;
}

void line_scan_feed(struct line_scan *scan, struct slice chunk)
{
    scan->has_eight_bit = scan->has_eight_bit || has_eight_bit(chunk);
    while (chunk.len) {
        ptrdiff_t end = slice_find(chunk, '\n');
        size_t len = end < 0 ? chunk.len : (size_t)end;

        scan->open_line += len;
        if (end < 0) {
            note_line(scan, scan->open_line - (chunk.data[len - 1] == '\r'));
            return;
        }
        note_line(scan, scan->open_line ? scan->open_line - 1 : 0); /* its CR */
        scan->open_line = 0;
        chunk = slice_skip(chunk, len + 1);
    }
}
