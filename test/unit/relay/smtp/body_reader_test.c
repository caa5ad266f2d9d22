#include "test/support/test_support.h"

#include <stdio.h>
#include <stdlib.h>

#include "relay/smtp/body_reader.h"

#include "relay/base/buffer.h"

enum mode { DATA, DATA_REPAIRED, CHUNKED, CHUNKED_REPAIRED };

static struct body_reader reader;
static struct buffer body;

static void begin(enum mode mode, uint64_t size_limit)
{
    body_reader_init(&reader, size_limit, mode == CHUNKED || mode == CHUNKED_REPAIRED,
                     mode == DATA_REPAIRED || mode == CHUNKED_REPAIRED);
    buffer_clear(&body);
}

/* Feeds text in pieces that lie in memory of their own; returns what is left behind the end. */
static size_t feed(struct slice text, size_t piece)
{
    enum body_step step = BODY_MORE;

    while (text.len && step != BODY_END) {
        char *copy = slice_to_string(slice_head(text, piece));
        struct slice input = {copy, slice_head(text, piece).len}, chunk;
        size_t before = input.len;

        while ((step = body_reader_feed(&reader, &input, &chunk)) == BODY_CHUNK) {
            assert_true(chunk.len > 0);
            buffer_append(&body, chunk);
        }
        text = slice_skip(text, before - input.len);
        free(copy);
    }
    assert_int_equal(buffer_error(&body), 0);
    return text.len;
}

static void finish(void)
{
    struct slice chunk;

    body_reader_finish(&reader, &chunk);
    buffer_append(&body, chunk);
}

static void bodies_come_out_clean_however_they_arrive(void **state)
{
    static const struct {
        const char *wire, *body;
        enum mode mode;
        enum body_verdict verdict;
    } rows[] = {
        {".\r\n",               "",                   DATA,             BODY_CLEAN       },
        {"a\r\n.\r\n",          "a\r\n",              DATA,             BODY_CLEAN       },
        {"..\r\n.\r\n",         ".\r\n",              DATA,             BODY_CLEAN       },
        {"...\r\n.a\r\n.\r\n",  "..\r\na\r\n",        DATA,             BODY_CLEAN       },
        {"a.\r\n\r\n.\r\n",     "a.\r\n\r\n",         DATA,             BODY_CLEAN       },
        {"a\nb\r\n.\r\n",       NULL,                 DATA,             BODY_BARE_NEWLINE},
        {"a\rb\r\n.\r\n",       NULL,                 DATA,             BODY_BARE_NEWLINE},
        {"a\r\r\n.\r\n",        NULL,                 DATA,             BODY_BARE_NEWLINE},
        {"a\r\n.\n\r\n.\r\n",   NULL,                 DATA,             BODY_BARE_NEWLINE},
        {"a\r\n.\rb\r\n.\r\n",  NULL,                 DATA,             BODY_BARE_NEWLINE},
        {"\n.\r\n\r\n.\r\n",    NULL,                 DATA,             BODY_BARE_NEWLINE},
        {"a\nb\rc\r\n.\r\n",    "a\r\nb\r\nc\r\n",    DATA_REPAIRED,    BODY_CLEAN       },
        {"a\r\r\nb\r\n.\r\n",   "a\r\nb\r\n",         DATA_REPAIRED,    BODY_CLEAN       },
        {"a\r\rb\r\r\r\n.\r\n", "a\r\n\r\nb\r\n\r\n", DATA_REPAIRED,    BODY_CLEAN       },
        {"a\n.\r\n.\r\n",       "a\r\n.\r\n",         DATA_REPAIRED,    BODY_CLEAN       },
        {"a\r.\r\n.\r\n",       "a\r\n.\r\n",         DATA_REPAIRED,    BODY_CLEAN       },
        {"a\r\n.\n\r\n.\r\n",   "a\r\n\r\n\r\n",      DATA_REPAIRED,    BODY_CLEAN       },
        {".\ra\r\n.\r\n",       "\r\na\r\n",          DATA_REPAIRED,    BODY_CLEAN       },
        {"",                    "",                   CHUNKED,          BODY_CLEAN       },
        {"a\r\n.\r\n..b\r\n",   "a\r\n.\r\n..b\r\n",  CHUNKED,          BODY_CLEAN       },
        {".",                   ".\r\n",              CHUNKED,          BODY_CLEAN       },
        {"a\r\nb",              "a\r\nb\r\n",         CHUNKED,          BODY_CLEAN       },
        {"a\r",                 NULL,                 CHUNKED,          BODY_BARE_NEWLINE},
        {"a\n",                 NULL,                 CHUNKED,          BODY_BARE_NEWLINE},
        {"\r\r\n",              NULL,                 CHUNKED,          BODY_BARE_NEWLINE},
        {"a\r",                 "a\r\n",              CHUNKED_REPAIRED, BODY_CLEAN       },
        {"a\r\r",               "a\r\n",              CHUNKED_REPAIRED, BODY_CLEAN       },
        {"a\nb",                "a\r\nb\r\n",         CHUNKED_REPAIRED, BODY_CLEAN       },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t piece = 1; piece <= 24; piece++) {
            bool is_chunked = rows[i].mode == CHUNKED || rows[i].mode == CHUNKED_REPAIRED;

            begin(rows[i].mode, 1000);
            assert_int_equal(feed(slice_of(rows[i].wire), piece), 0);
            if (is_chunked)
                finish();
            assert_int_equal(reader.verdict, rows[i].verdict);
            if (rows[i].body)
                assert_slice_is(buffer_slice(&body), rows[i].body);
            if (rows[i].body)
                assert_int_equal(reader.n_octets, strlen(rows[i].body));
        }
}

static void what_stands_behind_the_end_is_not_touched(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= 30; piece++) {
        begin(DATA, 1000);
        assert_int_equal(feed(slice_of("a\r\n.\r\nMAIL FROM:<>\r\n"), piece), 14);
        assert_slice_is(buffer_slice(&body), "a\r\n");
    }
}

static void a_nul_is_refused_in_every_mode(void **state)
{
    (void)state;
    for (enum mode mode = DATA; mode <= CHUNKED_REPAIRED; mode++) {
        begin(mode, 1000);
        assert_int_equal(feed(SLICE_LITERAL("a\0\r\n.\r\n"), 3), 0);
        assert_int_equal(reader.verdict, BODY_HAS_NUL);
    }
}

static void the_first_thing_wrong_is_the_answer(void **state)
{
    (void)state;
    begin(DATA, 5);
    assert_int_equal(feed(SLICE_LITERAL("a\n\0bcdefgh\r\n.\r\n"), 100), 0);
    assert_int_equal(reader.verdict, BODY_BARE_NEWLINE);
    begin(DATA, 5);
    assert_int_equal(feed(SLICE_LITERAL("abcdefgh\0\n\r\n.\r\n"), 100), 0);
    assert_int_equal(reader.verdict, BODY_TOO_BIG);
}

static void size_is_counted_as_rfc_1870_does(void **state)
{
    (void)state;
    begin(DATA, 6);
    assert_int_equal(feed(slice_of("..bc\r\n\r\n.\r\n"), 3), 0);
    assert_int_equal(reader.verdict, BODY_TOO_BIG);
    begin(DATA, 7);
    assert_int_equal(feed(slice_of("..bc\r\n.\r\n"), 3), 0);
    assert_int_equal(reader.verdict, BODY_CLEAN);
    assert_int_equal(reader.n_octets, 5);
}

static void put(char *at, struct slice text)
{
    memcpy(at, text.data, text.len);
}

static void lines_to_64_kib_pass_and_are_noted(void **state)
{
    static char text[BODY_LINE_MAX + 8];

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t piece = 1000; piece < 200000; piece += 33333) {
        put(text + BODY_LINE_MAX - 2, SLICE_LITERAL("\r\n.\r\n"));
        begin(DATA, 10000000);
        assert_int_equal(feed(slice_from(text, BODY_LINE_MAX + 3), piece), 0);
        assert_int_equal(reader.verdict, BODY_CLEAN);
        assert_int_equal(reader.longest_line, BODY_LINE_MAX);
        put(text + BODY_LINE_MAX - 2, SLICE_LITERAL("x\r\n.\r\n"));
        begin(DATA, 10000000);
        assert_int_equal(feed(slice_from(text, BODY_LINE_MAX + 4), piece), 0);
        assert_int_equal(reader.verdict, BODY_LINE_TOO_LONG);
        memset(text + BODY_LINE_MAX - 2, 'x', 8);
    }
}

static void a_refused_body_that_does_not_end_is_given_up(void **state)
{
    char part[1024];
    struct slice input = {"", 0}, chunk;
    unsigned n_parts = 0;

    (void)state;
    memset(part, 'x', sizeof(part));
    begin(DATA, 100);
    while (body_reader_feed(&reader, &input, &chunk) != BODY_END) {
        assert_in_range(n_parts++, 0, 2000);
        input = slice_from(part, sizeof(part));
    }
    assert_int_equal(reader.verdict, BODY_ENDLESS);
    assert_true(n_parts > 1000);
}

static void octets_above_7f_are_noted(void **state)
{
    (void)state;
    begin(DATA, 100);
    (void)feed(slice_of("abc\r\n"), 2);
    assert_false(reader.is_eight_bit);
    (void)feed(slice_of("d\xc3\xa9\r\n"), 1);
    assert_true(reader.is_eight_bit);
}

/* Look-alikes of the end of data: newline, dot, newline, each in every spelling that some server
 * took for one, without those that are CRLF.CRLF. */
static const struct slice newlines[] = {
    SLICE_LITERAL("\r\n"),   SLICE_LITERAL("\n"),     SLICE_LITERAL("\r"),
    SLICE_LITERAL("\n\r"),   SLICE_LITERAL("\r\r"),   SLICE_LITERAL("\n\n"),
    SLICE_LITERAL("\r\0\n"), SLICE_LITERAL("\0\r\n"), SLICE_LITERAL("\r\n\0"),
    SLICE_LITERAL("\r\r\n"), SLICE_LITERAL("\r\n "),  SLICE_LITERAL(" \r\n"),
};
static const struct slice dots[] = {SLICE_LITERAL("."), SLICE_LITERAL(".."), SLICE_LITERAL(". "),
                                    SLICE_LITERAL(".\0")};
static const struct slice end_of_data = SLICE_LITERAL("\r\n.\r\n");

static bool has_stray(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c == '\0' || (c == '\r' && (i + 1 == text.len || text.data[i + 1] != '\n')) ||
            (c == '\n' && (i == 0 || text.data[i - 1] != '\r')))
            return true;
    }
    return false;
}

static void probe(struct slice before, struct slice look_alike, size_t piece)
{
    CLEANUP(buffer) struct buffer wire = BUFFER_INIT;
    size_t left;

    buffer_append(&wire, before);
    buffer_append(&wire, look_alike);
    buffer_append_text(&wire, "MAIL FROM:<forged@example.org>\r\nDATA\r\n");
    buffer_append(&wire, slice_skip(end_of_data, 2));
    buffer_append_text(&wire, "NOOP\r\n");
    begin(DATA, 10000000);
    left = feed(buffer_slice(&wire), piece);
    if (left != 6)
        fprintf(stderr, "  smuggled %zu octets, pieces of %zu\n", left, piece);
    assert_int_equal(left, 6);
    if (has_stray(slice_head(buffer_slice(&wire), wire.len - 6)))
        assert_int_not_equal(reader.verdict, BODY_CLEAN);
    assert_false(has_stray(buffer_slice(&body)) && reader.verdict == BODY_CLEAN);
}

/* A message so long that the look-alike behind it begins at offset len. */
static struct slice filler(size_t len)
{
    static char text[65536];

    memset(text, 'x', len);
    for (size_t i = 1000; i < len - 2; i += 1000)
        put(text + i, SLICE_LITERAL("\r\n"));
    return slice_from(text, len);
}

/* The look-alike in the first line, in the header, in the body; octet by octet; and across every
 * edge of the buffers that servers use. */
static void probe_everywhere(struct slice look_alike)
{
    for (size_t piece = 1; piece <= 3; piece++) {
        probe(slice_of(""), look_alike, piece);
        probe(slice_of("Subject: x"), look_alike, piece);
        probe(slice_of("Subject: x\r\n\r\nhello"), look_alike, piece);
    }
    for (size_t edge = 1024; edge <= 65536; edge *= 2)
        for (size_t overlap = 1; overlap <= look_alike.len; overlap++)
            probe(filler(edge - overlap), look_alike, edge);
}

static void nothing_but_crlf_dot_crlf_ends_the_data(void **state)
{
    const size_t n_newlines = sizeof(newlines) / sizeof(newlines[0]);
    size_t n_look_alikes = 0;

    (void)state;
    for (size_t a = 0; a < n_newlines; a++)
        for (size_t dot = 0; dot < sizeof(dots) / sizeof(dots[0]); dot++)
            for (size_t b = 0; b < n_newlines; b++) {
                CLEANUP(buffer) struct buffer look_alike = BUFFER_INIT;

                buffer_append(&look_alike, newlines[a]);
                buffer_append(&look_alike, dots[dot]);
                buffer_append(&look_alike, newlines[b]);
                if (slice_search(buffer_slice(&look_alike), end_of_data) >= 0)
                    continue;
                n_look_alikes++;
                probe_everywhere(buffer_slice(&look_alike));
            }
    assert_in_range(n_look_alikes, 66, 12 * 4 * 12);
}

static int free_buffers(void **state)
{
    (void)state;
    buffer_fini(&body);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_come_out_clean_however_they_arrive),
        cmocka_unit_test(what_stands_behind_the_end_is_not_touched),
        cmocka_unit_test(a_nul_is_refused_in_every_mode),
        cmocka_unit_test(the_first_thing_wrong_is_the_answer),
        cmocka_unit_test(size_is_counted_as_rfc_1870_does),
        cmocka_unit_test(lines_to_64_kib_pass_and_are_noted),
        cmocka_unit_test(a_refused_body_that_does_not_end_is_given_up),
        cmocka_unit_test(octets_above_7f_are_noted),
        cmocka_unit_test(nothing_but_crlf_dot_crlf_ends_the_data),
    };

    return cmocka_run_group_tests(tests, NULL, free_buffers);
}
