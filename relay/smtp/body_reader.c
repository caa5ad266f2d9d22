#include "relay/smtp/body_reader.h"

#include "relay/smtp/plain_lines.h"

/* Where we are, seen from the last octets. */
enum place {
    LINE_START,     /* behind CRLF, or at the first octet */
    IN_LINE,        /* anywhere else */
    HELD_CR,        /* CR came, not handed out yet */
    HELD_TWO_CRS,   /* repairing: CR CR came; with LF behind they are one newline */
    STUFFED_DOT,    /* DATA: CRLF "." came, the dot is held back */
    STUFFED_DOT_CR, /* DATA: CRLF "." CR */
    AT_END
};

enum { PATIENCE_OCTETS = 1 << 20 };

static const struct slice crlf = SLICE_LITERAL("\r\n");

void body_reader_init(struct body_reader *reader, uint64_t size_limit, bool is_chunked,
                      bool repairs_newlines)
{
    *reader = (struct body_reader){
        .size_limit = size_limit, .is_chunked = is_chunked, .repairs_newlines = repairs_newlines};
}

/* The first thing that is wrong is the answer; what comes later does not change it. */
static void refuse(struct body_reader *reader, enum body_verdict verdict)
{
    if (reader->verdict == BODY_CLEAN)
        reader->verdict = verdict;
}

static void count(struct body_reader *reader, size_t n_octets)
{
    reader->n_octets += n_octets;
    if (reader->n_octets > reader->size_limit)
        refuse(reader, BODY_TOO_BIG);
    reader->line_octets += (uint32_t)n_octets;
    if (reader->line_octets > reader->longest_line)
        reader->longest_line = reader->line_octets;
    if (reader->line_octets > BODY_LINE_MAX)
        refuse(reader, BODY_LINE_TOO_LONG);
}

/* Hands octets of one line out, unless they or something before them is refused. */
static enum body_step give(struct body_reader *reader, struct slice octets, struct slice *chunk)
{
    if (reader->verdict == BODY_CLEAN)
        count(reader, octets.len);
    if (reader->verdict != BODY_CLEAN)
        return BODY_MORE;
    *chunk = octets;
    return octets.len ? BODY_CHUNK : BODY_MORE;
}

static enum body_step give_newline(struct body_reader *reader, struct slice *chunk)
{
    enum body_step step = give(reader, crlf, chunk);

    reader->line_octets = 0;
    return step;
}

/* A CR or LF that stands alone: a newline after all, or the reason to refuse. */
static enum body_step stray_newline(struct body_reader *reader, struct slice *chunk)
{
    reader->place = IN_LINE;
    if (reader->repairs_newlines)
        return give_newline(reader, chunk);
    refuse(reader, BODY_BARE_NEWLINE);
    return BODY_MORE;
}

static char take(struct body_reader *reader, struct slice *input)
{
    char c = input->data[0];

    *input = slice_skip(*input, 1);
    reader->n_wire++;
    return c;
}

/* Octets of a line up to the next CR, LF or NUL, handed out without copying. */
static struct slice take_run(struct body_reader *reader, struct slice *input)
{
    /* One octet beyond the line limit is enough to know, so the sum cannot wrap. */
    struct slice run = slice_head(*input, BODY_LINE_MAX + 1);
    unsigned char seen = 0;
    size_t len = 0;

    while (len < run.len && run.data[len] != '\r' && run.data[len] != '\n' && run.data[len])
        seen |= (unsigned char)run.data[len++];
    if (seen & 0x80)
        reader->is_eight_bit = true;
    reader->n_wire += len;
    *input = slice_skip(*input, len);
    return slice_head(run, len);
}

static enum body_step in_line(struct body_reader *reader, struct slice *input, struct slice *chunk)
{
    struct slice run = take_run(reader, input);

    if (run.len) {
        reader->place = IN_LINE;
        return give(reader, run, chunk);
    }
    switch (take(reader, input)) {
    case '\r':
        reader->place = HELD_CR;
        return BODY_MORE;
    case '\n':
        return stray_newline(reader, chunk);
    default:
        reader->place = IN_LINE;
        refuse(reader, BODY_HAS_NUL);
        return BODY_MORE;
    }
}

static enum body_step at_line_start(struct body_reader *reader, struct slice *input,
                                    struct slice *chunk)
{
    if (reader->is_chunked || input->data[0] != '.')
        return in_line(reader, input, chunk);
    (void)take(reader, input);
    reader->place = STUFFED_DOT;
    return BODY_MORE;
}

static enum body_step after_cr(struct body_reader *reader, struct slice *input, struct slice *chunk)
{
    char c = input->data[0];

    if (c == '\r' && reader->repairs_newlines) {
        (void)take(reader, input);
        reader->place = HELD_TWO_CRS;
        return BODY_MORE;
    }
    if (c != '\n')
        return stray_newline(reader, chunk); /* what came behind the CR is looked at next */
    (void)take(reader, input);
    reader->place = LINE_START;
    return give_newline(reader, chunk);
}

/* CR CR LF is what a program writes that translates line ends twice: one newline, or every header
 * would be followed by an empty line and so be the last. */
static enum body_step after_two_crs(struct body_reader *reader, struct slice *input,
                                    struct slice *chunk)
{
    reader->place = HELD_CR;
    if (input->data[0] == '\n')
        return after_cr(reader, input, chunk);
    return give_newline(reader, chunk);
}

/* The dot was stuffing (RFC 5321 4.5.2), unless CRLF follows. */
static enum body_step after_dot(struct body_reader *reader, struct slice *input,
                                struct slice *chunk)
{
    if (input->data[0] != '\r') {
        reader->place = IN_LINE;
        return in_line(reader, input, chunk);
    }
    (void)take(reader, input);
    reader->place = STUFFED_DOT_CR;
    return BODY_MORE;
}

static enum body_step after_dot_cr(struct body_reader *reader, struct slice *input,
                                   struct slice *chunk)
{
    if (input->data[0] != '\n')
        return stray_newline(reader, chunk);
    (void)take(reader, input);
    reader->place = AT_END;
    return BODY_END;
}

static bool is_endless(const struct body_reader *reader)
{
    return reader->verdict != BODY_CLEAN && !reader->is_chunked &&
           reader->n_wire > PATIENCE_OCTETS && reader->n_wire / 4 > reader->size_limit;
}

/* Whole lines at a stretch, and the beginning of one; false: the next octet needs a closer look. */
static bool take_plain_lines(struct body_reader *reader, struct slice *input, struct slice *chunk)
{
    struct plain_lines lines = {.line_octets = reader->place == IN_LINE ? reader->line_octets : 0,
                                .longest_line = reader->longest_line,
                                .line_limit = BODY_LINE_MAX,
                                .stops_at_dots = !reader->is_chunked,
                                .is_eight_bit = reader->is_eight_bit};
    uint64_t room = reader->size_limit - reader->n_octets;
    size_t taken;

    if (reader->verdict != BODY_CLEAN || reader->place > IN_LINE)
        return false;
    taken = plain_lines_take(&lines, slice_head(*input, room < input->len ? room : input->len));
    if (taken == 0)
        return false;
    *chunk = slice_head(*input, taken);
    *input = slice_skip(*input, taken);
    reader->n_wire += taken;
    reader->n_octets += taken;
    reader->line_octets = (uint32_t)lines.line_octets;
    reader->longest_line = (uint32_t)lines.longest_line;
    reader->is_eight_bit = lines.is_eight_bit;
    reader->place = lines.line_octets ? IN_LINE : LINE_START;
    return true;
}

enum body_step body_reader_feed(struct body_reader *reader, struct slice *input,
                                struct slice *chunk)
{
    static enum body_step (*const places[])(struct body_reader *, struct slice *,
                                            struct slice *) = {
        [LINE_START] = at_line_start,   [IN_LINE] = in_line,       [HELD_CR] = after_cr,
        [HELD_TWO_CRS] = after_two_crs, [STUFFED_DOT] = after_dot, [STUFFED_DOT_CR] = after_dot_cr,
    };

    while (input->len && reader->place != AT_END) {
        enum body_step step;

        if (take_plain_lines(reader, input, chunk))
            return BODY_CHUNK;
        step = places[reader->place](reader, input, chunk);
        if (step != BODY_MORE)
            return step;
        if (is_endless(reader)) {
            reader->verdict = BODY_ENDLESS;
            reader->place = AT_END;
        }
    }
    return reader->place == AT_END ? BODY_END : BODY_MORE;
}

void body_reader_finish(struct body_reader *reader, struct slice *chunk)
{
    *chunk = (struct slice){0};
    if (reader->place == HELD_CR && !reader->repairs_newlines)
        refuse(reader, BODY_BARE_NEWLINE);
    if (reader->place != LINE_START && reader->verdict == BODY_CLEAN)
        (void)give_newline(reader, chunk);
    reader->place = AT_END;
}
