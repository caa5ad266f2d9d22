#include "relay/message/mime.h"

#include <stdio.h>

#include "relay/message/header.h"
#include "relay/message/line_scan.h"
#include "relay/message/mime_encode.h"
#include "relay/message/mime_entity.h"

/* A conversion under way. */
struct walk {
    struct mime_writer writer;
    struct mime_result *result;
    int error; /* MIME_UNCONVERTIBLE or -errno, once there is one */
};

/* One message or part. */
struct part {
    struct slice header; /* its empty line included */
    struct slice body;
    struct mime_entity entity;
    bool is_message; /* it stands alone: a top-level header has to say MIME-Version */
    bool ends_open;  /* the line end behind it belongs to the next boundary */
    unsigned depth;
};

static void convert(struct walk *walk, struct slice bytes, struct part *part,
                    enum mime_kind default_kind);

static void fail(struct walk *walk, int error)
{
    if (!walk->error)
        walk->error = error;
}

/* A message that says nothing of its text must say it now (RFC 1428 for what is no UTF-8). */
static void write_missing_fields(struct walk *walk, const struct part *part)
{
    if (!part->entity.has_version)
        mime_write(&walk->writer, SLICE_LITERAL("MIME-Version: 1.0\r\n"));
    if (part->entity.has_type)
        return;
    mime_write(&walk->writer, SLICE_LITERAL("Content-Type: text/plain; charset="));
    mime_write(&walk->writer, is_utf8(part->body) ? SLICE_LITERAL("utf-8\r\n")
                                                  : SLICE_LITERAL("unknown-8bit\r\n"));
}

static void write_encoding(struct walk *walk, const char *encoding)
{
    mime_write(&walk->writer, SLICE_LITERAL("Content-Transfer-Encoding: "));
    mime_write(&walk->writer, slice_of(encoding));
    mime_write(&walk->writer, SLICE_LITERAL("\r\n"));
}

/* The header with its encoding replaced (at its place) or added; NULL: unchanged. */
static void write_header(struct walk *walk, const struct part *part, const char *encoding)
{
    struct header_walker walker = {part->header};
    struct header_field field;
    bool is_said = false;

    if (has_eight_bit(part->header))
        walk->result->has_eight_bit_left = true;
    if (!encoding) {
        mime_write(&walk->writer, part->header);
        return;
    }
    while (header_next(&walker, &field)) {
        if (!slice_equal_ignoring_case(field.name, SLICE_LITERAL("Content-Transfer-Encoding"))) {
            mime_write(&walk->writer, field.whole);
            continue;
        }
        if (!is_said)
            write_encoding(walk, encoding);
        is_said = true;
    }
    if (!is_said)
        write_encoding(walk, encoding);
    if (part->is_message)
        write_missing_fields(walk, part);
    mime_write(&walk->writer, walker.rest); /* the empty line */
}

static void write_as_it_is(struct walk *walk, const struct part *part)
{
    write_header(walk, part, part->entity.is_labelled ? "7bit" : NULL);
    mime_write(&walk->writer, part->body);
}

static void write_encoded(struct walk *walk, const struct part *part)
{
    bool is_text = part->entity.kind == MIME_TEXT;

    walk->result->n_encoded++;
    write_header(walk, part, is_text ? "quoted-printable" : "base64");
    if (is_text) {
        mime_write_quoted_printable(&walk->writer, part->body);
        return;
    }
    mime_write_base64(&walk->writer, part->body);
    if (!part->ends_open)
        mime_write(&walk->writer, SLICE_LITERAL("\r\n"));
}

static void write_mended(struct walk *walk, const struct part *part)
{
    walk->result->n_encoded++;
    write_header(walk, part, NULL);
    if (part->entity.encoding == MIME_QUOTED_PRINTABLE) {
        mime_mend_quoted_printable(&walk->writer, part->body);
        return;
    }
    mime_mend_base64(&walk->writer, part->body);
    if (!part->ends_open)
        mime_write(&walk->writer, SLICE_LITERAL("\r\n"));
}

static void convert_leaf(struct walk *walk, const struct part *part)
{
    struct line_scan scan = {0};
    bool is_composite = part->entity.kind != MIME_TEXT && part->entity.kind != MIME_OTHER;

    line_scan_feed(&scan, part->body);
    if (!scan.has_eight_bit &&
        (scan.longest_line <= LINE_LIMIT || is_composite || part->entity.encoding == MIME_STRANGE))
        write_as_it_is(walk, part);
    else if (part->entity.encoding == MIME_QUOTED_PRINTABLE || part->entity.encoding == MIME_BASE64)
        write_mended(walk, part);
    else if (part->entity.encoding == MIME_STRANGE || is_composite)
        fail(walk, MIME_UNCONVERTIBLE);
    else
        write_encoded(walk, part);
}

/* Where a boundary line stands in a multipart body. */
struct delimiter {
    size_t start, end; /* of the line, its own line end included */
    bool is_last;      /* --boundary-- */
    bool is_found;
};

/* Bytes of the line behind "--boundary": perhaps "--", then blanks to the line end.  False: it only
 * began like one. */
static bool read_tail(struct slice tail, struct delimiter *found)
{
    size_t at = 0;

    found->is_last = slice_starts_with(tail, SLICE_LITERAL("--"));
    if (found->is_last)
        at = 2;
    while (at < tail.len && (tail.data[at] == ' ' || tail.data[at] == '\t'))
        at++;
    if (slice_starts_with(slice_skip(tail, at), SLICE_LITERAL("\r\n")))
        at += 2;
    else if (at < tail.len)
        return false;
    found->end += at;
    return true;
}

static struct delimiter next_delimiter(struct slice body, size_t from, struct slice mark)
{
    struct delimiter found = {0};
    ptrdiff_t at;

    while ((at = slice_search(slice_skip(body, from), mark)) >= 0) {
        found.start = from + (size_t)at;
        found.end = found.start + mark.len;
        if ((found.start == 0 || body.data[found.start - 1] == '\n') &&
            read_tail(slice_skip(body, found.end), &found)) {
            found.is_found = true;
            return found;
        }
        from = found.start + 1;
    }
    return (struct delimiter){.start = body.len, .end = body.len, .is_last = true};
}

/* The part between two boundary lines; the line end before the second is that one's. */
static struct slice between(struct slice body, const struct delimiter *before,
                            const struct delimiter *after)
{
    struct slice part = slice_head(slice_skip(body, before->end), after->start - before->end);

    if (after->is_found && part.len && part.data[part.len - 1] == '\n')
        part.len--;
    if (after->is_found && part.len && part.data[part.len - 1] == '\r')
        part.len--;
    return part;
}

// NOLINTNEXTLINE(misc-no-recursion): no deeper than MIME_MAX_DEPTH
static void convert_multipart(struct walk *walk, const struct part *whole)
{
    enum mime_kind default_kind = whole->entity.is_digest ? MIME_MESSAGE : MIME_TEXT;
    char mark[MIME_BOUNDARY_SIZE + 2];
    struct delimiter at;

    snprintf(mark, sizeof(mark), "--%s", whole->entity.boundary);
    write_header(walk, whole, whole->entity.is_labelled ? "7bit" : NULL);
    at = next_delimiter(whole->body, 0, slice_of(mark));
    if (!at.is_found && has_eight_bit(whole->body))
        fail(walk, MIME_UNCONVERTIBLE); /* no parts: nothing says how to read it */
    mime_write_seven_bit(&walk->writer, slice_head(whole->body, at.start));
    while (!at.is_last && !walk->error && !walk->writer.error) {
        struct delimiter next = next_delimiter(whole->body, at.end, slice_of(mark));
        struct slice bytes = between(whole->body, &at, &next);
        struct part part = {.depth = whole->depth + 1,
                            .ends_open = next.is_found || whole->ends_open};
        size_t end = at.end + bytes.len;

        mime_write(&walk->writer, slice_from(whole->body.data + at.start, at.end - at.start));
        convert(walk, bytes, &part, default_kind);
        mime_write(&walk->writer, slice_from(whole->body.data + end, next.start - end));
        at = next;
    }
    mime_write(&walk->writer, slice_from(whole->body.data + at.start, at.end - at.start));
    mime_write_seven_bit(&walk->writer, slice_skip(whole->body, at.end));
}

// NOLINTNEXTLINE(misc-no-recursion): no deeper than MIME_MAX_DEPTH
static void convert_inner_message(struct walk *walk, const struct part *outer)
{
    struct part inner = {
        .depth = outer->depth + 1, .is_message = true, .ends_open = outer->ends_open};

    write_header(walk, outer, outer->entity.is_labelled ? "7bit" : NULL);
    convert(walk, outer->body, &inner, MIME_TEXT);
}

/* bytes: header and body of what part describes so far. */
// NOLINTNEXTLINE(misc-no-recursion): no deeper than MIME_MAX_DEPTH
static void convert(struct walk *walk, struct slice bytes, struct part *part,
                    enum mime_kind default_kind)
{
    bool is_complete, may_enter;
    int error;

    part->header = slice_head(bytes, header_length(bytes, &is_complete));
    part->body = slice_skip(bytes, part->header.len);
    error = mime_read_entity(part->header, default_kind, &part->entity);
    if (error) {
        fail(walk, error);
        return;
    }
    may_enter = part->entity.encoding == MIME_IDENTITY && part->depth < MIME_MAX_DEPTH;
    if (may_enter && part->entity.kind == MIME_MULTIPART && part->entity.boundary[0])
        convert_multipart(walk, part);
    else if (may_enter && part->entity.kind == MIME_MESSAGE)
        convert_inner_message(walk, part);
    else
        convert_leaf(walk, part);
}

int mime_to_seven_bit(struct slice message, const struct mime_sink *sink,
                      struct mime_result *result)
{
    struct walk walk = {.writer = {.sink = sink}, .result = result};
    struct part part = {.is_message = true};

    *result = (struct mime_result){0};
    convert(&walk, message, &part, MIME_TEXT);
    mime_flush(&walk.writer);
    return walk.error ? walk.error : walk.writer.error;
}
