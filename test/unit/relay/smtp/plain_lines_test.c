#include "test/support/test_support.h"

#include <stdlib.h>

#include "relay/smtp/plain_lines.h"

enum { ROUNDS = 20000, TEXT_MAX = 60 };

/* What the header says, octet by octet. */
static size_t expected(const struct plain_lines *from, struct slice text)
{
    size_t line = from->line_octets, i = 0;

    while (i < text.len) {
        char c = text.data[i];

        if (c == '\r' && i + 1 < text.len && text.data[i + 1] == '\n' &&
            line + 2 <= from->line_limit) {
            line = 0;
            i += 2;
            continue;
        }
        if (c == '\r' || c == '\n' || c == '\0' || line + 3 > from->line_limit ||
            (c == '.' && line == 0 && from->stops_at_dots))
            break;
        line++;
        i++;
    }
    return i;
}

static struct slice random_text(char *text)
{
    static const char alphabet[] = "\r\n\r\nab.\xe9\0"
                                   "cdefgh"; /* lines of some length */
    size_t len = (size_t)rand() % TEXT_MAX;

    for (size_t i = 0; i < len; i++)
        text[i] = rand() % 3 ? 'x' : alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
    return (struct slice){text, len};
}

static size_t take_all(struct plain_lines *lines, struct slice text)
{
    size_t taken = 0, n;

    while ((n = plain_lines_take(lines, slice_skip(text, taken))) > 0)
        taken += n;
    return taken;
}

static void takes_what_needs_no_change(void **state)
{
    char text[TEXT_MAX];

    (void)state;
    srand(1);
    for (int i = 0; i < ROUNDS; i++) {
        struct plain_lines lines = {.line_octets = (size_t)rand() % 3,
                                    .line_limit = rand() % 2 ? 20 : SIZE_MAX,
                                    .stops_at_dots = rand() % 2};
        struct slice all = random_text(text);
        size_t wanted = expected(&lines, all), taken = take_all(&lines, all);

        assert_int_equal(taken, wanted);
        assert_true(lines.longest_line <= lines.line_limit);
    }
}

static void tells_of_eight_bit_octets_in_the_stretch_only(void **state)
{
    (void)state;
    for (size_t at = 0; at < 30; at++) {
        char text[] = "012345678901234567890123456789\r\n\r\xe9";
        struct plain_lines lines = {.line_limit = SIZE_MAX};

        assert_int_equal(plain_lines_take(&lines, (struct slice){text, 34}), 32);
        assert_false(lines.is_eight_bit);
        text[at] = '\x80';
        assert_int_equal(plain_lines_take(&lines, (struct slice){text, 34}), 32);
        assert_true(lines.is_eight_bit);
        assert_int_equal(lines.longest_line, 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_needs_no_change),
        cmocka_unit_test(tells_of_eight_bit_octets_in_the_stretch_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
