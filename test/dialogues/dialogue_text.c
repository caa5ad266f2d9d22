#include "test/dialogues/dialogue_text.h"

#include <stdio.h>

static int hex_value(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = c ? strchr(digits, ascii_lower(c)) : NULL;

    return found ? (int)(found - digits) : -1;
}

static int simple_escape(char c)
{
    static const char letters[] = "rnt0\\", meanings[] = "\r\n\t\0\\";
    const char *found = c ? strchr(letters, c) : NULL;

    return found ? (unsigned char)meanings[found - letters] : -1;
}

bool dialogue_unescape(struct buffer *out, struct slice raw)
{
    for (size_t i = 0; i < raw.len; i++) {
        int octet = (unsigned char)raw.data[i];

        if (raw.data[i] == '\\') {
            if (++i == raw.len)
                return false;
            octet = simple_escape(raw.data[i]);
            if (raw.data[i] == 'x' && raw.len - i > 2) {
                octet = hex_value(raw.data[i + 1]) * 16 + hex_value(raw.data[i + 2]);
                i += 2;
            }
            if (octet < 0)
                return false;
        }
        buffer_append_byte(out, (char)octet);
    }
    return buffer_error(out) == 0;
}

void dialogue_print_escaped(struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.data[i];

        if (c >= ' ' && c < 0x7f)
            putchar(c);
        else
            printf("\\x%02x", c);
    }
}

bool dialogue_matches(struct slice pattern, struct slice text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, star_text = 0;

    while (t < text.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = p++;
            star_text = t;
        } else if (p < pattern.len && pattern.data[p] == text.data[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*')
        p++;
    return p == pattern.len;
}

bool dialogue_take_reply(struct slice *output, struct buffer *reply, bool *is_malformed)
{
    struct slice rest = *output;

    buffer_clear(reply);
    for (;;) {
        ptrdiff_t end = slice_search(rest, SLICE_LITERAL("\r\n"));
        struct slice line = slice_head(rest, end < 0 ? 0 : (size_t)end);

        if (end < 0)
            return false;
        *is_malformed = line.len < 4 || line.len > 510 ||
                        (line.data[3] != ' ' && line.data[3] != '-') ||
                        memcmp(line.data, output->data, 3) != 0;
        if (*is_malformed)
            return false;
        rest = slice_skip(rest, line.len + 2);
        if (reply->len == 0)
            buffer_append(reply, slice_head(line, 3));
        buffer_append_text(reply, reply->len == 3 ? " " : " / ");
        buffer_append(reply, slice_skip(line, 4));
        if (line.data[3] == ' ')
            break;
    }
    *output = rest;
    return true;
}

struct slice dialogue_take_part(struct slice *rest, struct slice separator)
{
    ptrdiff_t at = slice_search(*rest, separator);
    struct slice part = at < 0 ? *rest : slice_head(*rest, (size_t)at);

    *rest = at < 0 ? slice_skip(*rest, rest->len) : slice_skip(*rest, part.len + separator.len);
    return slice_trim(part);
}
