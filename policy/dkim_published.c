#include <stdarg.h>
#include <stdio.h>

#include "policy/judge.h"
#include "relay/base/buffer.h"

/* The tags that matter, RFC 6376 3.6.1; .data is NULL where one is absent. */
struct published {
    struct slice version, type, hashes, services, key;
};

PRINTF_LIKE(2, 3) static bool differs(char reason[JUDGE_REASON_SIZE], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, JUDGE_REASON_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

static struct slice *find_tag(struct published *tags, struct slice name)
{
    if (name.len != 1)
        return NULL;
    switch (name.data[0]) {
    case 'v':
        return &tags->version;
    case 'k':
        return &tags->type;
    case 'h':
        return &tags->hashes;
    case 's':
        return &tags->services;
    case 'p':
        return &tags->key;
    default:
        return NULL;
    }
}

static bool parse_tag(struct slice text, bool is_first, struct published *tags,
                      char reason[JUDGE_REASON_SIZE])
{
    ptrdiff_t equals = slice_find(text, '=');
    struct slice name = slice_trim(slice_head(text, equals < 0 ? text.len : (size_t)equals));
    struct slice *tag = find_tag(tags, name);

    if (equals < 0)
        return differs(reason, "\"%.*s\" is no tag: there is no = in it",
                       (int)(name.len < 40 ? name.len : 40), name.data);
    if (!tag)
        return true; /* unknown tags are passed over */
    if (tag->data)
        return differs(reason, "%.*s= stands twice", (int)name.len, name.data);
    if (tag == &tags->version && !is_first)
        return differs(reason, "v= must come first");
    *tag = slice_trim(slice_skip(text, (size_t)equals + 1));
    return true;
}

static bool parse(struct slice text, struct published *tags, char reason[JUDGE_REASON_SIZE])
{
    bool is_first = true;

    while (text.len) {
        ptrdiff_t end = slice_find(text, ';');
        struct slice tag = slice_head(text, end < 0 ? text.len : (size_t)end);

        if (slice_trim(tag).len && !parse_tag(tag, is_first, tags, reason))
            return false;
        is_first = false;
        text = slice_skip(text, tag.len + 1);
    }
    return true;
}

/* Is word one of those between the colons, or a star? */
static bool has_word(struct slice list, const char *word)
{
    while (list.len) {
        ptrdiff_t end = slice_find(list, ':');
        struct slice item = slice_head(list, end < 0 ? list.len : (size_t)end);

        if (slice_equal(slice_trim(item), slice_of(word)) ||
            slice_equal(slice_trim(item), SLICE_LITERAL("*")))
            return true;
        list = slice_skip(list, item.len + 1);
    }
    return false;
}

static size_t common_start(struct slice a, struct slice b)
{
    size_t len = 0;

    while (len < a.len && len < b.len && a.data[len] == b.data[len])
        len++;
    return len;
}

static bool compare_keys(struct slice published, struct slice own, char reason[JUDGE_REASON_SIZE])
{
    size_t same = common_start(published, own);

    if (same == own.len && same == published.len)
        return true;
    if (same == published.len)
        return differs(reason, "the published key is cut after %zu of %zu characters", same,
                       own.len);
    if (same == own.len)
        return differs(reason, "the published key has %zu characters too many",
                       published.len - same);
    return differs(reason, "the published key differs from character %zu on", same + 1);
}

/* p= may be folded: blanks inside do not count. */
static bool compare_folded(struct slice published, struct slice own, char reason[JUDGE_REASON_SIZE])
{
    CLEANUP(buffer) struct buffer key = BUFFER_INIT;

    for (size_t i = 0; i < published.len; i++)
        if (!strchr(" \t\r\n", published.data[i]) || published.data[i] == '\0')
            buffer_append_byte(&key, published.data[i]);
    if (buffer_error(&key))
        return differs(reason, "no memory");
    return compare_keys(buffer_slice(&key), own, reason);
}

static bool compare_tags(const struct published *tags, struct slice type, struct slice own,
                         char reason[JUDGE_REASON_SIZE])
{
    struct slice published_type = tags->type.data ? tags->type : SLICE_LITERAL("rsa");

    if (tags->version.data && !slice_equal(tags->version, SLICE_LITERAL("DKIM1")))
        return differs(reason, "v= must be DKIM1");
    if (!tags->key.data)
        return differs(reason, "there is no p= tag");
    if (tags->key.len == 0)
        return differs(reason, "p= is empty: the key is revoked");
    if (!slice_equal(published_type, type))
        return differs(reason, "k=%.*s is published, but the key is %.*s",
                       (int)(published_type.len < 20 ? published_type.len : 20),
                       published_type.data, (int)type.len, type.data);
    if (tags->hashes.data && !has_word(tags->hashes, "sha256"))
        return differs(reason, "h= does not allow sha256");
    if (tags->services.data && !has_word(tags->services, "email"))
        return differs(reason, "s= does not allow e-mail");
    return compare_folded(tags->key, own, reason);
}

bool judge_compare_record(struct slice published, const char *type, struct slice public_half,
                          char reason[JUDGE_REASON_SIZE])
{
    struct published tags = {0};

    reason[0] = '\0';
    if (slice_trim(published).len == 0)
        return differs(reason, "the record is empty");
    if (slice_find(published, '"') >= 0)
        return differs(reason, "quotation marks are part of the record");
    if (slice_find(published, '\\') >= 0)
        return differs(reason, "backslashes are part of the record");
    return parse(published, &tags, reason) &&
           compare_tags(&tags, slice_of(type), public_half, reason);
}
