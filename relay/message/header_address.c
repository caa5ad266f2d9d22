#include "relay/message/header_address.h"

#include <errno.h>

#include "relay/message/header.h"

enum token_kind {
    TOKEN_END,
    TOKEN_ATOM,    /* letters, dots, UTF-8: may be part of an address */
    TOKEN_QUOTED,  /* "..." as it stands: may be a local part */
    TOKEN_LITERAL, /* [...] as it stands: may be a domain */
    TOKEN_PHRASE,  /* only ever part of a display name: encoded words, stray bytes */
    TOKEN_SPECIAL, /* one of < > @ , ; : */
    TOKEN_BROKEN   /* a quote, comment or bracket that never ends, or that readers disagree on */
};

struct token {
    enum token_kind kind;
    struct slice text;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* atext and the dot, RFC 5322 3.2.3 and RFC 6532 3.2. */
static bool is_atom_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c & '\x80') || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c));
}

/* Bytes up to and with the one that closes what starts at rest; 0 when it never comes. */
static size_t enclosed_length(struct slice rest, char opens, char closes)
{
    size_t depth = 0;

    for (size_t i = 0; i < rest.len; i++) {
        char c = rest.data[i];

        if (c == '\\')
            i++;
        else if (c == closes && depth == 1)
            return i + 1;
        else if (c == closes)
            depth -= 1;
        else if (c == opens && (i == 0 || opens == '('))
            depth++;
    }
    return 0;
}

/* A quote opens and closes with the same byte. */
static size_t quoted_length(struct slice rest)
{
    for (size_t i = 1; i < rest.len; i++) {
        if (rest.data[i] == '"')
            return i + 1;
        if (rest.data[i] == '\\')
            i++;
    }
    return 0;
}

/* encoded-word = "=?" charset "?" encoding "?" text "?="   without blanks (RFC 2047 2) */
static size_t encoded_word_length(struct slice rest)
{
    unsigned n_marks = 0;

    if (!slice_starts_with(rest, SLICE_LITERAL("=?")))
        return 0;
    for (size_t i = 2; i + 1 < rest.len && !is_space(rest.data[i]); i++) {
        if (rest.data[i] != '?')
            continue;
        if (++n_marks == 3)
            return rest.data[i + 1] == '=' ? i + 2 : 0;
    }
    return 0;
}

/* Skips blanks and comments; false at a comment without end. */
static bool skip_blanks(struct slice *rest)
{
    while (rest->len && (is_space(rest->data[0]) || rest->data[0] == '(')) {
        size_t len = rest->data[0] == '(' ? enclosed_length(*rest, '(', ')') : 1;

        if (len == 0)
            return false;
        *rest = slice_skip(*rest, len);
    }
    return true;
}

static struct token take(struct slice *rest, enum token_kind kind, size_t len)
{
    struct token token = {len ? kind : TOKEN_BROKEN, slice_head(*rest, len)};

    *rest = slice_skip(*rest, len);
    return token;
}

/* Inside an encoded word or brackets some readers see the structure of the field where others see
 * text: `=?a?q?,b@y.org,?= <a@x.org>` has one address or two.  A stray @ alone changes nothing. */
static bool is_read_in_two_ways(struct slice text)
{
    bool has_at = false, has_separator = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c != '\0' && strchr("<>\"()\\", c))
            return true;
        has_at = has_at || c == '@';
        has_separator = has_separator || c == ',' || c == ';' || c == ':';
    }
    return has_at && has_separator;
}

static struct token take_opaque(struct slice *rest, enum token_kind kind, size_t len)
{
    return take(rest, is_read_in_two_ways(slice_head(*rest, len)) ? TOKEN_BROKEN : kind, len);
}

static struct token next_token(struct slice *rest)
{
    size_t len;

    if (!skip_blanks(rest))
        return (struct token){TOKEN_BROKEN, {0}};
    if (rest->len == 0)
        return (struct token){TOKEN_END, {0}};
    if (strchr("<>@,;:", rest->data[0]) && rest->data[0])
        return take(rest, TOKEN_SPECIAL, 1);
    if (rest->data[0] == '"')
        return take(rest, TOKEN_QUOTED, quoted_length(*rest));
    if (rest->data[0] == '[')
        return take_opaque(rest, TOKEN_LITERAL, enclosed_length(*rest, '[', ']'));
    len = encoded_word_length(*rest);
    if (len)
        return take_opaque(rest, TOKEN_PHRASE, len);
    while (len < rest->len && is_atom_byte(rest->data[len]))
        len++;
    return len ? take(rest, TOKEN_ATOM, len) : take(rest, TOKEN_PHRASE, 1);
}

/* Tokens of one list element so far; an address is three of them: local part, @, domain. */
struct element {
    struct token tokens[3];
    unsigned n_tokens; /* may exceed 3: then it is no address */
    bool has_at;
    bool has_angle; /* an address in brackets was taken: nothing may follow */
};

static void add_token(struct element *element, struct token token)
{
    if (element->n_tokens < 3)
        element->tokens[element->n_tokens] = token;
    element->n_tokens++;
    element->has_at = element->has_at || (token.kind == TOKEN_SPECIAL && token.text.data[0] == '@');
}

static bool is_special(struct token token, char c)
{
    return token.kind == TOKEN_SPECIAL && token.text.data[0] == c;
}

/* addr-spec = local-part "@" domain; no dot may be missing its neighbour in the domain. */
static bool is_address(const struct element *element)
{
    const struct token *local = &element->tokens[0], *domain = &element->tokens[2];

    if (element->n_tokens != 3 || !is_special(element->tokens[1], '@'))
        return false;
    if (local->kind != TOKEN_ATOM && local->kind != TOKEN_QUOTED)
        return false;
    if (domain->kind == TOKEN_LITERAL)
        return true;
    return domain->kind == TOKEN_ATOM && domain->text.data[0] != '.' &&
           domain->text.data[domain->text.len - 1] != '.' &&
           slice_search(domain->text, SLICE_LITERAL("..")) < 0;
}

static bool has_control(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < ' ' || text.data[i] == '\x7f')
            return true;
    return false;
}

static int add_address(const struct element *element, struct arena *arena,
                       struct header_addresses *out)
{
    struct buffer CLEANUP(buffer) text = {.limit = HEADER_MAX_ADDRESS};

    for (unsigned i = 0; i < 3; i++)
        buffer_append(&text, element->tokens[i].text);
    if (buffer_error(&text) < 0 || has_control(buffer_slice(&text)) || out->n == out->capacity) {
        out->is_malformed = true;
        return 0;
    }
    out->list[out->n] = arena_copy(arena, buffer_slice(&text));
    if (!out->list[out->n].data)
        return FAULT(-ENOMEM);
    out->n++;
    return 0;
}

/* An element that ended without brackets, or what stood before them. */
static int end_element(struct element *element, struct arena *arena, struct header_addresses *out)
{
    int error = 0;

    if (is_address(element))
        error = add_address(element, arena, out);
    else if (element->has_at)
        out->is_malformed = true;
    *element = (struct element){0};
    return error;
}

/* angle-addr = "<" [ obs-route ] addr-spec ">"; obs-route ends in a colon and is not looked at. */
static int read_angle(struct slice *rest, struct arena *arena, struct header_addresses *out)
{
    struct element inside = {0};
    struct token token = next_token(rest);

    while (token.kind != TOKEN_END && token.kind != TOKEN_BROKEN && !is_special(token, '>')) {
        if (is_special(token, ':') && is_special(inside.tokens[0], '@'))
            inside = (struct element){0};
        else
            add_token(&inside, token);
        token = next_token(rest);
    }
    if (!is_special(token, '>') || !is_address(&inside)) {
        out->is_malformed = true;
        return 0;
    }
    return add_address(&inside, arena, out);
}

/* Before "<" stands a display name.  One that is itself an address (a@b <a@b>) is shown as one by
 * some readers, so it counts as one. */
static int on_angle(struct element *element, struct slice *rest, struct arena *arena,
                    struct header_addresses *out)
{
    unsigned before = out->n;
    int error = 0;

    if (element->has_angle)
        out->is_malformed = true;
    if (is_address(element))
        error = add_address(element, arena, out);
    else if (element->has_at) /* `b@y.org x <a@x.org>`: some readers take the first address */
        out->is_malformed = true;
    *element = (struct element){.has_angle = true};
    if (!error)
        error = read_angle(rest, arena, out);
    if (out->n == before + 2 && slice_equal_ignoring_case(out->list[before], out->list[before + 1]))
        out->n--;
    return error;
}

static int on_token(struct element *element, struct token token, struct slice *rest,
                    struct arena *arena, struct header_addresses *out)
{
    if (is_special(token, '<'))
        return on_angle(element, rest, arena, out);
    if (is_special(token, ',') || is_special(token, ';'))
        return end_element(element, arena, out);
    if (is_special(token, ':')) { /* what stood before it was the name of a group */
        out->is_malformed = out->is_malformed || element->has_at || element->has_angle;
        *element = (struct element){0};
        return 0;
    }
    if (is_special(token, '>') || element->has_angle)
        out->is_malformed = true;
    add_token(element, token);
    return 0;
}

int header_read_addresses(struct slice value, struct arena *arena, struct header_addresses *out)
{
    struct element element = {0};
    unsigned before = out->n;
    struct token token = next_token(&value);
    int error = 0;

    while (!error && token.kind != TOKEN_END && token.kind != TOKEN_BROKEN) {
        error = on_token(&element, token, &value, arena, out);
        token = next_token(&value);
    }
    if (!error)
        error = end_element(&element, arena, out);
    if (token.kind == TOKEN_BROKEN || out->n == before)
        out->is_malformed = true;
    return error;
}
