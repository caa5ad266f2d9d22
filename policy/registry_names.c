#include "policy/registry_internal.h"

#include "relay/message/line_scan.h"

enum { MOST_NAME_BYTES = 254 };

/* C0, DEL, and C1 as UTF-8 writes it. */
static bool has_control(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c < ' ' || c == 0x7f ||
            (c == 0xc2 && i + 1 < text.len && (unsigned char)text.data[i + 1] < 0xa0))
            return true;
    }
    return false;
}

bool is_clean_text(struct slice text, size_t max)
{
    return text.len && text.len <= max && is_utf8(text) && !has_control(text);
}

/* A leading '-' would be an option on every command line, '/' a folder in every URL. */
bool is_user_name(struct slice name)
{
    char ignored[IDN_SIZE];

    return is_clean_text(name, MOST_NAME_BYTES) && name.data[0] != '-' &&
           slice_find(name, ' ') < 0 && slice_find(name, '/') < 0 &&
           (slice_find(name, '@') < 0 || domain_of_user_name(name, ignored));
}

bool domain_of_user_name(struct slice name, char out[IDN_SIZE])
{
    ptrdiff_t at = slice_find_last(name, '@');

    return at > 0 && idn_to_ascii(slice_skip(name, (size_t)at + 1), out) == 0;
}
