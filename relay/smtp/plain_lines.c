#include "relay/smtp/plain_lines.h"

#include "relay/base/octets.h"

static bool ends_run(char c)
{
    return c == '\r' || c == '\n' || c == '\0';
}

/* The same in sixteens: stops at the sixteen octets with the end in them. */
static size_t long_run_length(struct slice text, uint64_t *seen)
{
    octets_vector all = {0};
    size_t len = 0;

    for (; text.len - len >= OCTETS_VECTOR; len += OCTETS_VECTOR) {
        octets_vector octets = octets_load_vector(text.data + len);

        if (octets_or((octets == '\r') | (octets == '\n') | (octets == '\0')))
            break;
        all |= octets;
    }
    *seen = octets_or(all);
    return len;
}

/* Octets before the first CR, LF or NUL. */
static size_t run_length(struct slice text, bool *is_eight_bit)
{
    uint64_t seen = 0;
    size_t len = long_run_length(text, &seen);

    for (; text.len - len >= OCTETS_WORD; len += OCTETS_WORD) {
        uint64_t word = octets_load(text.data + len), hits;

        hits = octets_equal(word, '\r') | octets_equal(word, '\n') | octets_equal(word, '\0');
        if (hits) {
            unsigned n = octets_before(hits);

            seen |= word & ~(UINT64_MAX << 8 * n);
            len += n;
            break;
        }
        seen |= word;
    }
    for (; len < text.len && !ends_run(text.data[len]); len++)
        seen |= (unsigned char)text.data[len];
    *is_eight_bit = *is_eight_bit || (seen & OCTETS_HIGH);
    return len;
}

static void end_line(struct plain_lines *lines, size_t octets)
{
    if (octets > lines->longest_line)
        lines->longest_line = octets;
    lines->line_octets = 0;
}

/* One line, or what there is of it; 0: it is not plain, or text is at its end. */
static size_t take_line(struct plain_lines *lines, struct slice text)
{
    size_t room = lines->line_limit - lines->line_octets, length;

    if (text.len == 0 || (lines->stops_at_dots && !lines->line_octets && text.data[0] == '.'))
        return 0;
    if (room < 2)
        return 0;
    length = run_length(slice_head(text, room - 2), &lines->is_eight_bit);
    if (text.len < length + 2 || text.data[length] != '\r' || text.data[length + 1] != '\n') {
        lines->line_octets += length;
        return length;
    }
    end_line(lines, lines->line_octets + length + 2);
    return length + 2;
}

size_t plain_lines_take(struct plain_lines *lines, struct slice text)
{
    size_t taken = 0, length;

    do {
        length = take_line(lines, slice_skip(text, taken));
        taken += length;
    } while (length && !lines->line_octets);
    return taken;
}
