#include "relay/message/header.h"

#include <errno.h>

#include "relay/message/header_address.h"
#include "relay/message/line_scan.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Bytes of the first line, its line end included. */
static size_t line_length(struct slice rest)
{
    ptrdiff_t end = slice_find(rest, '\n');

    return end < 0 ? rest.len : (size_t)end + 1;
}

static struct slice without_line_end(struct slice line)
{
    if (line.len && line.data[line.len - 1] == '\n')
        line.len--;
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

static bool is_empty_line(struct slice rest)
{
    return rest.len > 0 &&
           (rest.data[0] == '\n' || (rest.data[0] == '\r' && rest.len > 1 && rest.data[1] == '\n'));
}

size_t header_length(struct slice message, bool *is_complete)
{
    struct slice rest = message;

    *is_complete = false;
    while (rest.len) {
        *is_complete = is_empty_line(rest);
        rest = slice_skip(rest, line_length(rest));
        if (*is_complete)
            break;
    }
    return message.len - rest.len;
}

/* field = 1*%d33-57 / %d59-126 *WSP ":" ...  (RFC 5322 3.6.8; blanks before the colon 4.5.8) */
static struct slice field_name(struct slice whole)
{
    ptrdiff_t colon = slice_find(whole, ':');
    struct slice name = slice_head(whole, colon < 0 ? 0 : (size_t)colon);

    while (name.len && is_blank(name.data[name.len - 1]))
        name.len--;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] < '!' || name.data[i] > '~')
            return slice_head(whole, 0);
    return name;
}

static size_t field_length(struct slice rest)
{
    size_t len = line_length(rest);

    while (len < rest.len && is_blank(rest.data[len]))
        len += line_length(slice_skip(rest, len));
    return len;
}

bool header_next(struct header_walker *walker, struct header_field *field)
{
    struct slice rest = walker->rest;
    ptrdiff_t colon;

    if (rest.len == 0 || is_empty_line(rest))
        return false;
    field->whole = slice_head(rest, field_length(rest));
    field->name = field_name(field->whole);
    colon = field->name.len ? slice_find(field->whole, ':') : -1;
    field->value = without_line_end(slice_skip(field->whole, (size_t)(colon + 1)));
    walker->rest = slice_skip(rest, field->whole.len);
    return true;
}

bool header_find(struct slice block, const char *name, struct header_field *field)
{
    struct header_walker walker = {block};

    while (header_next(&walker, field))
        if (slice_equal_ignoring_case(field->name, slice_of(name)))
            return true;
    return false;
}

void header_unfold(struct slice value, struct buffer *out)
{
    value = slice_trim(value);
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] != '\r' && value.data[i] != '\n')
            buffer_append_byte(out, value.data[i]);
}

/* The first of its name counts, and of a long one the start. */
static int unfold_into(struct arena *arena, struct slice value, struct slice *out)
{
    struct buffer CLEANUP(buffer) line = BUFFER_INIT;

    if (out->data)
        return 0;
    header_unfold(value, &line);
    if (buffer_error(&line) < 0)
        return FAULT(-ENOMEM);
    *out = arena_copy(arena, slice_head(buffer_slice(&line), HEADER_MAX_FACT));
    return out->data ? 0 : FAULT(-ENOMEM);
}

/* What a field's value is gathered into. */
struct gathering {
    struct header_facts *facts;
    struct arena *arena;
    struct slice value;
};

static int note_date(struct gathering *at)
{
    at->facts->has_date = true;
    return 0;
}

static int note_message_id(struct gathering *at)
{
    at->facts->has_message_id = true;
    return unfold_into(at->arena, at->value, &at->facts->message_id);
}

static int note_mime_version(struct gathering *at)
{
    at->facts->has_mime_version = true;
    return 0;
}

static int note_unsubscribe(struct gathering *at)
{
    at->facts->has_list_unsubscribe = true;
    return 0;
}

static int note_received(struct gathering *at)
{
    at->facts->n_received++;
    return 0;
}

static int note_from(struct gathering *at)
{
    struct header_facts *facts = at->facts;
    struct header_addresses addresses = {facts->from, facts->n_from, HEADER_MAX_FROM, false};
    int error = header_read_addresses(at->value, at->arena, &addresses);

    facts->n_from_fields++;
    facts->n_from = addresses.n;
    facts->has_malformed_from = facts->has_malformed_from || addresses.is_malformed;
    return error;
}

static int note_sender(struct gathering *at)
{
    struct header_addresses addresses = {&at->facts->sender, 0, 1, false};

    return header_read_addresses(at->value, at->arena, &addresses);
}

static int note_subject(struct gathering *at)
{
    return unfold_into(at->arena, at->value, &at->facts->subject);
}

/* "Offers <offers.shop.example>": the identifier is what stands in brackets (RFC 2919 3). */
static int note_list_id(struct gathering *at)
{
    struct slice value = slice_trim(at->value);
    ptrdiff_t open = slice_find_last(value, '<');

    if (open >= 0 && value.data[value.len - 1] == '>')
        value = slice_skip(slice_head(value, value.len - 1), (size_t)open + 1);
    return unfold_into(at->arena, value, &at->facts->list_id);
}

static int note_campaign(struct gathering *at)
{
    return unfold_into(at->arena, at->value, &at->facts->campaign);
}

static int note_class(struct gathering *at)
{
    struct slice word = slice_trim(at->value);

    if (slice_equal_ignoring_case(word, SLICE_LITERAL("transactional")))
        at->facts->class = HEADER_CLASS_TRANSACTIONAL;
    else if (slice_equal_ignoring_case(word, SLICE_LITERAL("bulk")))
        at->facts->class = HEADER_CLASS_BULK;
    return 0;
}

/* The fields we know: what they tell, and whether they are for us alone and go no further. */
static const struct {
    const char *name;
    int (*note)(struct gathering *at);
    bool is_removed;
} known_fields[] = {
    {"From",                 note_from,         false},
    {"Sender",               note_sender,       false},
    {"Date",                 note_date,         false},
    {"Message-ID",           note_message_id,   false},
    {"Subject",              note_subject,      false},
    {"MIME-Version",         note_mime_version, false},
    {"List-ID",              note_list_id,      false},
    {"List-Unsubscribe",     note_unsubscribe,  false},
    {"Received",             note_received,     false},
    {"X-Staffetta-Class",    note_class,        true },
    {"X-Staffetta-Campaign", note_campaign,     true },
    {"Bcc",                  NULL,              true },
    {"Resent-Bcc",           NULL,              true },
    {"Return-Path",          NULL,              true },
};
enum { N_KNOWN_FIELDS = sizeof(known_fields) / sizeof(*known_fields), UNKNOWN_FIELD = -1 };

static int find_known(struct slice name)
{
    for (int i = 0; i < N_KNOWN_FIELDS; i++)
        if (slice_equal_ignoring_case(name, slice_of(known_fields[i].name)))
            return i;
    return UNKNOWN_FIELD;
}

static int note_field(const struct header_field *field, struct arena *arena,
                      struct header_facts *facts)
{
    struct gathering gathering = {facts, arena, field->value};
    int known = find_known(field->name);

    if (field->name.len == 0)
        facts->n_malformed++;
    if (known == UNKNOWN_FIELD || !known_fields[known].note)
        return 0;
    return known_fields[known].note(&gathering);
}

int header_read_facts(struct slice block, struct arena *arena, struct header_facts *out)
{
    struct header_walker walker = {block};
    struct line_scan lines = {0};
    struct header_field field;

    *out = (struct header_facts){0};
    out->begins_folded = block.len && is_blank(block.data[0]);
    line_scan_feed(&lines, block);
    out->has_eight_bit = lines.has_eight_bit;
    out->is_utf8 = !lines.has_eight_bit || is_utf8(block);
    out->longest_line = lines.longest_line;
    while (header_next(&walker, &field)) {
        int error = note_field(&field, arena, out);

        if (error)
            return error;
    }
    return 0;
}

static void append_field(struct buffer *out, const char *name, struct slice value)
{
    buffer_append_text(out, name);
    buffer_append(out, value);
    buffer_append_text(out, "\r\n");
}

static void append_client_field(struct buffer *out, const struct header_field *field)
{
    int known = find_known(field->name);

    if (known != UNKNOWN_FIELD && known_fields[known].is_removed)
        return;
    buffer_append(out, field->whole);
    /* A message of header alone may end without a line end (BDAT). */
    if (field->whole.data[field->whole.len - 1] != '\n')
        buffer_append_text(out, "\r\n");
}

int header_tidy(struct slice block, const struct header_facts *facts,
                const struct header_additions *additions, struct buffer *out)
{
    struct header_walker walker = {block};
    struct header_field field;

    buffer_append(out, additions->trace);
    if (!facts->has_date && additions->date.len)
        append_field(out, "Date: ", additions->date);
    if (!facts->has_message_id && additions->message_id.len)
        append_field(out, "Message-ID: ", additions->message_id);
    while (header_next(&walker, &field))
        append_client_field(out, &field);
    buffer_append_text(out, "\r\n");
    return buffer_error(out);
}
