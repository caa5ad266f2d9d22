#include "relay/smtp/xtext.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_xchar(char c)
{
    return c > ' ' && c < 0x7f && c != '+' && c != '=';
}

/* Reads one octet of text at *i; -1 when it is not xtext. */
static int next_octet(struct slice text, size_t *i)
{
    char c = text.data[*i];
    int high, low;

    if (is_xchar(c)) {
        *i += 1;
        return c;
    }
    if (c != '+' || text.len - *i < 3)
        return -1;
    high = hex_value(text.data[*i + 1]);
    low = hex_value(text.data[*i + 2]);
    *i += 3;
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool xtext_is_printable(struct slice encoded)
{
    size_t i = 0;

    while (i < encoded.len) {
        int octet = next_octet(encoded, &i);

        if (octet < ' ' || octet > 0x7e)
            return false;
    }
    return true;
}
