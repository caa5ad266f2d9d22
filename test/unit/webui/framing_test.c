#include "test/support/test_support.h"

#include <stdio.h>

#include "webui/framing.h"

struct field {
    const char *name, *value;
};

static struct framing_verdict judge(const struct field *fields, size_t n)
{
    struct framing framing = {0};

    for (size_t i = 0; i < n; i++)
        framing_note(&framing, fields[i].name, fields[i].value);
    return framing_judge(&framing, 1000);
}

static void check(const struct field *fields, size_t n, unsigned status)
{
    struct framing_verdict verdict = judge(fields, n);

    assert_int_equal(verdict.status, status);
    assert_true(status == 0 || (verdict.code && verdict.detail));
}

#define CHECK(status, ...)                                                                         \
    check((const struct field[]){__VA_ARGS__},                                                     \
          sizeof((const struct field[]){__VA_ARGS__}) / sizeof(struct field), status)

static void a_plain_request_passes(void **state)
{
    (void)state;
    CHECK(0, {"Host", "localhost"}, {"Content-Length", "1000"}, {"X-Odd.~Name", ""});
    CHECK(0, {"host", "localhost"}, {"transfer-encoding", "Chunked"});
    CHECK(0, {"Accept", NULL});
}

static void two_lengths_are_refused_even_when_they_agree(void **state)
{
    (void)state;
    CHECK(400, {"Content-Length", "2"}, {"content-length", "2"});
    CHECK(400, {"Content-Length", "2"}, {"Transfer-Encoding", "chunked"});
    CHECK(400, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"});
}

static void a_length_is_digits_alone(void **state)
{
    static const char *const bad[] = {"", "+2", "-2", "2 ", "0x2", "2, 2", "99999999999999999999"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(400, {"Content-Length", bad[i]});
}

static void codings_other_than_chunked_are_refused(void **state)
{
    (void)state;
    CHECK(400, {"Transfer-Encoding", "gzip, chunked"});
    CHECK(400, {"Transfer-Encoding", "identity"});
    CHECK(400, {"Content-Encoding", "gzip"});
}

static void names_are_tokens(void **state)
{
    static const char *const bad[] = {"", "Content-Length ", "A B", "A\tB", "A(", "A\x80"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(400, {bad[i], "x"});
}

static void host_and_authorization_come_once(void **state)
{
    (void)state;
    CHECK(400, {"Host", "a"}, {"Host", "a"});
    CHECK(400, {"Authorization", "a"}, {"Authorization", "b"});
}

static void sizes_are_bounded(void **state)
{
    static char long_value[FRAMING_MAX_HEADER + 1];

    (void)state;
    memset(long_value, 'x', sizeof(long_value) - 1);
    CHECK(431, {"X", long_value});
    CHECK(413, {"Content-Length", "1001"});
}

static void unescaping_decodes_all_but_nul(void **state)
{
    static const char *const rows[][2] = {
        {"plain",        "plain"     },
        {"%41%2f%2F%7e", "A//~"      },
        {"a%00b",        "a%00b"     },
        {"%",            "%"         },
        {"%4",           "%4"        },
        {"%zz%4z%z4",    "%zz%4z%z4" },
        {"%25%34%31",    "%41"       },
        {"10.0.0.0%2F8", "10.0.0.0/8"},
        {"%c3%bc%0a",    "\xc3\xbc\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[64];

        snprintf(text, sizeof(text), "%s", rows[i][0]);
        assert_int_equal(framing_unescape(text), strlen(rows[i][1]));
        assert_string_equal(text, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_request_passes),
        cmocka_unit_test(two_lengths_are_refused_even_when_they_agree),
        cmocka_unit_test(a_length_is_digits_alone),
        cmocka_unit_test(codings_other_than_chunked_are_refused),
        cmocka_unit_test(names_are_tokens),
        cmocka_unit_test(host_and_authorization_come_once),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(unescaping_decodes_all_but_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
