#include "relay/message/encoded_word.h"

enum { MOST_CHARSET = 40 };

/* encoded-word = "=?" charset [ "*" language ] "?" encoding "?" text "?="   (RFC 2047 2, 2231 5) */
struct word {
    struct slice charset, text;
    char encoding; /* 'b' or 'q' */
    size_t len;    /* of it all */
};

/* What stands before the next mark of rest, which is moved behind it; false: there is none, or a
 * blank before it. */
static bool take_part(struct slice *rest, struct slice *part)
{
    for (size_t i = 0; i < rest->len && rest->data[i] != ' ' && rest->data[i] != '\t'; i++)
        if (rest->data[i] == '?') {
            *part = slice_head(*rest, i);
            *rest = slice_skip(*rest, i + 1);
            return true;
        }
    return false;
}

static bool read_word(struct slice text, struct word *word)
{
    struct slice rest = text, encoding;
    ptrdiff_t star;

    if (!slice_starts_with(text, SLICE_LITERAL("=?")))
        return false;
    rest = slice_skip(rest, 2);
    if (!take_part(&rest, &word->charset) || !take_part(&rest, &encoding) ||
        !take_part(&rest, &word->text) || rest.len == 0 || *rest.data != '=')
        return false;
    star = slice_find(word->charset, '*');
    if (star >= 0)
        word->charset = slice_head(word->charset, (size_t)star);
    word->encoding = (char)(encoding.len == 1 ? ascii_lower(*encoding.data) : '\0');
    word->len = text.len - rest.len + 1;
    return word->charset.len > 0 && word->charset.len <= MOST_CHARSET &&
           (word->encoding == 'b' || word->encoding == 'q');
}

/* ---- octets ---- */

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode_q(struct slice text, struct buffer *out)
{
    for (size_t i = 0; i < text.len; i++) {
        int high, low;

        if (text.data[i] != '=') {
            buffer_append_byte(out, (char)(text.data[i] == '_' ? ' ' : text.data[i]));
            continue;
        }
        if (text.len - i < 3)
            return false;
        high = hex_of(text.data[i + 1]);
        low = hex_of(text.data[i + 2]);
        if (high < 0 || low < 0)
            return false;
        buffer_append_byte(out, (char)(high << 4 | low));
        i += 2;
    }
    return true;
}

static int base64_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool decode_b(struct slice text, struct buffer *out)
{
    uint32_t bits = 0;
    unsigned n_bits = 0;

    while (text.len && text.data[text.len - 1] == '=')
        text.len--;
    for (size_t i = 0; i < text.len; i++) {
        int value = base64_of(text.data[i]);

        if (value < 0)
            return false;
        bits = (bits << 6 | (uint32_t)value) & 0xffffff;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            buffer_append_byte(out, (char)(bits >> n_bits & 0xff));
        }
    }
    return n_bits < 6;
}

/* ---- characters ---- */

static void append_character(uint32_t character, struct buffer *out)
{
    if (character >= 0x800) {
        buffer_append_byte(out, (char)(0xe0 | character >> 12));
        buffer_append_byte(out, (char)(0x80 | (character >> 6 & 0x3f)));
        buffer_append_byte(out, (char)(0x80 | (character & 0x3f)));
    } else if (character >= 0x80) {
        buffer_append_byte(out, (char)(0xc0 | character >> 6));
        buffer_append_byte(out, (char)(0x80 | (character & 0x3f)));
    } else {
        buffer_append_byte(out, (char)character);
    }
}

/* Windows-1252 from 0x80 to 0x9f; what it leaves open is U+FFFD. */
static const uint16_t windows_1252[32] = {
    0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};

/* ISO 8859-15 where it is not 8859-1. */
static uint32_t latin_9(uint8_t octet)
{
    static const struct {
        uint8_t octet;
        uint16_t character;
    } others[] = {
        {0xa4, 0x20ac},
        {0xa6, 0x0160},
        {0xa8, 0x0161},
        {0xb4, 0x017d},
        {0xb8, 0x017e},
        {0xbc, 0x0152},
        {0xbd, 0x0153},
        {0xbe, 0x0178},
    };

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (others[i].octet == octet)
            return others[i].character;
    return octet;
}

/* Mail that says 8859-1 mostly is Windows-1252, as browsers take it, too. */
static uint32_t latin_1(uint8_t octet)
{
    return octet >= 0x80 && octet < 0xa0 ? windows_1252[octet - 0x80] : octet;
}

static const struct charset {
    struct slice name;
    uint32_t (*character)(uint8_t octet); /* NULL: UTF-8, which ASCII is too */
} charsets[] = {
    {SLICE_LITERAL("utf-8"),        NULL   },
    {SLICE_LITERAL("us-ascii"),     NULL   },
    {SLICE_LITERAL("iso-8859-1"),   latin_1},
    {SLICE_LITERAL("windows-1252"), latin_1},
    {SLICE_LITERAL("iso-8859-15"),  latin_9},
};

static const struct charset *find_charset(struct slice name)
{
    for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++)
        if (slice_equal_ignoring_case(charsets[i].name, name))
            return &charsets[i];
    return NULL;
}

static bool append_word(const struct word *word, struct buffer *out)
{
    CLEANUP(buffer) struct buffer octets = BUFFER_INIT;
    const struct charset *charset = find_charset(word->charset);

    if (!charset || !(word->encoding == 'b' ? decode_b : decode_q)(word->text, &octets) ||
        buffer_error(&octets) < 0)
        return false;
    if (!charset->character)
        buffer_append(out, buffer_slice(&octets));
    else
        for (size_t i = 0; i < octets.len; i++)
            append_character(charset->character((uint8_t)octets.data[i]), out);
    return true;
}

static size_t blanks_of(struct slice text)
{
    size_t n = 0;

    while (n < text.len && (text.data[n] == ' ' || text.data[n] == '\t'))
        n++;
    return n;
}

/* RFC 2047 6.2: blanks between two encoded words are not shown. */
void encoded_words_decode(struct slice value, struct buffer *out)
{
    bool is_behind_word = false;

    while (value.len) {
        size_t n_blanks = is_behind_word ? blanks_of(value) : 0;
        struct word word;

        if (read_word(slice_skip(value, n_blanks), &word) && append_word(&word, out)) {
            value = slice_skip(value, n_blanks + word.len);
            is_behind_word = true;
            continue;
        }
        is_behind_word = false;
        buffer_append_byte(out, *value.data);
        value = slice_skip(value, 1);
    }
}
