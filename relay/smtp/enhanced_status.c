#include "relay/smtp/enhanced_status.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* 1*3DIGIT; returns how many there were, 0 when none or too many. */
static size_t read_number(struct slice text, uint16_t *out)
{
    size_t len = 0;
    uint16_t number = 0;

    while (len < text.len && is_digit(text.data[len])) {
        if (len == 3)
            return 0;
        number = (uint16_t)(number * 10 + (text.data[len] - '0'));
        len++;
    }
    *out = number;
    return len;
}

static bool take_dot(struct slice *rest)
{
    if (rest->len == 0 || rest->data[0] != '.')
        return false;
    *rest = slice_skip(*rest, 1);
    return true;
}

static bool take_number(struct slice *rest, uint16_t *out)
{
    size_t len = read_number(*rest, out);

    *rest = slice_skip(*rest, len);
    return len > 0;
}

static bool is_class(uint16_t number)
{
    return number == 2 || number == 4 || number == 5;
}

bool enhanced_status_read(struct slice *text, struct enhanced_status *status)
{
    struct slice rest = *text;
    uint16_t class, subject, detail;

    if (!take_number(&rest, &class) || !is_class(class) || !take_dot(&rest) ||
        !take_number(&rest, &subject) || !take_dot(&rest) || !take_number(&rest, &detail))
        return false;
    if (rest.len && rest.data[0] != ' ' && rest.data[0] != '\t' && rest.data[0] != '\n')
        return false; /* an address or a version: "5.1.1.2" */
    while (rest.len && (rest.data[0] == ' ' || rest.data[0] == '\t'))
        rest = slice_skip(rest, 1);
    *status = (struct enhanced_status){(uint8_t) class, subject, detail};
    *text = rest;
    return true;
}

void enhanced_status_print(struct buffer *out, struct enhanced_status status)
{
    if (status.class)
        buffer_printf(out, "%u.%u.%u", status.class, status.subject, status.detail);
}
