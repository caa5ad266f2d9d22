/* Words that are understood select; all else is refused with its place. */
#include "test/support/test_support.h"

#include "webui/filter_words.h"

static struct filter_words parse(const char *text)
{
    struct filter_words words;
    struct filter_problem problem;

    if (!filter_words_parse(slice_of(text), &words, &problem))
        fail_msg("%s: %s", text, problem.detail);
    return words;
}

#define assert_slice(slice, text) assert_true(slice_equal(slice, slice_of(text)))

static void each_word_has_its_place(void **state)
{
    struct filter_words words =
        parse("  to:a@b.example FROM:c.example\tuser:anna dest:mx.example msgid:7Q2F "
              "reply:\"mailbox full\" campaign:\"\xc3\xa9t\xc3\xa9\" state:deferred,held older:2h "
              "size:>3M  \"4.7.1 \"");

    (void)state;
    assert_slice(words.to, "a@b.example");
    assert_slice(words.from, "c.example");
    assert_slice(words.user, "anna");
    assert_slice(words.dest, "mx.example");
    assert_slice(words.msgid, "7Q2F");
    assert_slice(words.reply, "mailbox full");
    assert_slice(words.campaign, "\xc3\xa9t\xc3\xa9");
    assert_slice(words.text, "4.7.1 ");
    assert_int_equal(words.states, 1U << FILTER_DEFERRED | 1U << FILTER_HELD);
    assert_int_equal(words.older_ms, 7200000);
    assert_int_equal(words.larger_than, 3000000);
    assert_false(filter_is_empty(&words));
}

static void quotes_make_text_of_what_looks_like_a_word(void **state)
{
    struct filter_words words = parse("\"to:nobody\"");

    (void)state;
    assert_slice(words.text, "to:nobody");
    assert_int_equal(words.to.len, 0);
    assert_slice(parse("10.0.0.1:25").text, "10.0.0.1:25"); /* no name before the colon */
    assert_slice(parse("to:a:b").to, "a:b");
    words = parse(" \t ");
    assert_true(filter_is_empty(&words));
}

static void what_is_not_understood_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text;
        size_t at, length;
    } rows[] = {
        {"colour:red",          0, 10},
        {"to:a colour:red x",   5, 10},
        {"to:",                 0, 3 },
        {"to:\"\"",             0, 5 },
        {"to:a to:b",           5, 4 },
        {"x y",                 2, 1 },
        {"\"open",              0, 5 },
        {"a\"b",                0, 3 },
        {"\"a\"b",              0, 4 },
        {"older:0h",            0, 8 },
        {"older:2",             0, 7 },
        {"older:-1h",           0, 9 },
        {"older:9999999h",      0, 14},
        {"size:big",            0, 8 },
        {"size:1kk",            0, 8 },
        {"state:red",           0, 9 },
        {"state:held,",         0, 11},
        {"state:,held",         0, 11},
        {"user:a state:Held x", 7, 10},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct filter_words words;
        struct filter_problem problem;

        if (filter_words_parse(slice_of(rows[i].text), &words, &problem))
            fail_msg("%s was taken", rows[i].text);
        assert_int_equal(problem.at, rows[i].at);
        assert_int_equal(problem.length, rows[i].length);
        assert_non_null(problem.detail);
    }
}

static void there_is_an_end_to_a_filter(void **state)
{
    static char text[FILTER_MOST_BYTES + 2];
    struct filter_words words;
    struct filter_problem problem;

    (void)state;
    memset(text, 'a', FILTER_MOST_BYTES);
    assert_int_equal(parse(text).text.len, FILTER_MOST_BYTES);
    text[FILTER_MOST_BYTES] = 'a';
    assert_false(filter_words_parse(slice_of(text), &words, &problem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_word_has_its_place),
        cmocka_unit_test(quotes_make_text_of_what_looks_like_a_word),
        cmocka_unit_test(what_is_not_understood_is_refused_with_its_place),
        cmocka_unit_test(there_is_an_end_to_a_filter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
