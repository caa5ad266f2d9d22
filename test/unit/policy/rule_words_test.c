/* What rules did, through the desk into the database and back. */
#include "test/unit/policy/policy_asking.h"

#include "policy/policy_internal.h"
#include "policy/rule_words.h"

static struct rule_word found[3];
static unsigned n_found;

static int set_up(void **state)
{
    (void)state;
    make_folder();
    assert_int_equal(mailbox_new(&home, 16), 0);
    open_policy_alone(&policy_default_settings);
    return 0;
}

static int note_found(void *owner, const struct rule_word *word)
{
    (void)owner;
    if (n_found < 3)
        found[n_found] = *word;
    n_found++;
    return 0;
}

static unsigned start_again(void)
{
    close_policy_alone();
    open_policy_alone(&policy_default_settings);
    n_found = 0;
    assert_int_equal(rule_words_load(registry, note_found, NULL), 0);
    return n_found;
}

static struct rule_word word_of(const char *place, enum rule_verb verb, int64_t for_ms)
{
    struct rule_word word = {.scope = RULE_ON_LANE,
                             .verb = verb,
                             .part = "a",
                             .reason = "rule x: slowly",
                             .until_utc_ms = clock_utc_ms() + for_ms};

    slice_copy_to(slice_of(place), word.place, sizeof(word.place));
    return word;
}

static void tell(const char *place, enum rule_verb verb, int64_t for_ms)
{
    struct rule_word word = word_of(place, verb, for_ms);

    word.limits = (struct rule_limits){1, 2, 3, 4, 5, 6};
    rule_words_note(policy, &word);
}

static void what_was_done_is_there_after_a_start(void **state)
{
    (void)state;
    tell("mx.example", RULE_LIMIT, 3600000);
    assert_int_equal(start_again(), 1);
    assert_int_equal(found[0].scope, RULE_ON_LANE);
    assert_int_equal(found[0].verb, RULE_LIMIT);
    assert_string_equal(found[0].place, "mx.example");
    assert_string_equal(found[0].part, "a");
    assert_string_equal(found[0].reason, "rule x: slowly");
    assert_memory_equal(&found[0].limits, (&(struct rule_limits){1, 2, 3, 4, 5, 6}),
                        sizeof(struct rule_limits));
    assert_true(found[0].until_utc_ms > clock_utc_ms() + 3500000);
}

static void the_last_word_stands_and_ends(void **state)
{
    (void)state;
    tell("mx.example", RULE_SUSPEND, 3600000);
    tell("mx.example", RULE_SUSPEND, 7200000);
    tell("over.example", RULE_SUSPEND, -1);
    assert_int_equal(start_again(), 1);
    assert_true(found[0].until_utc_ms > clock_utc_ms() + 3700000);
}

/* It would be done twice as long if it were said again. */
static void what_ended_lately_is_known_for_as_long_again(void **state)
{
    struct rule_word lately = word_of("lately.example", RULE_SUSPEND, -60000);
    struct rule_word long_ago = word_of("long-ago.example", RULE_SUSPEND, -60000);

    (void)state;
    lately.lasts_ms = 7200000;
    slice_copy_to(SLICE_LITERAL("big-slow"), lately.rule, sizeof(lately.rule));
    long_ago.lasts_ms = 60000;
    rule_words_note(policy, &lately);
    rule_words_note(policy, &long_ago);
    assert_int_equal(start_again(), 1);
    assert_string_equal(found[0].place, "lately.example");
    assert_string_equal(found[0].rule, "big-slow");
    assert_int_equal(found[0].lasts_ms, 7200000);
}

static void what_was_taken_back_is_gone(void **state)
{
    (void)state;
    tell("mx.example", RULE_SUSPEND, 3600000);
    assert_int_equal(start_again(), 1);
    tell("mx.example", RULE_LIMIT, 3600000);
    rule_words_forget(policy, SLICE_LITERAL("mx.example"));
    tell("other.example", RULE_SUSPEND, 3600000);
    assert_int_equal(start_again(), 1);
    assert_string_equal(found[0].place, "other.example");
}

/* While the disk is busy with the first, so many wait; the rest would be said again. */
static void a_storm_is_bounded(void **state)
{
    char name[32];

    (void)state;
    for (int i = 0; i < 5 * RULE_WORDS_PENDING; i++) {
        snprintf(name, sizeof(name), "mx%d.example", i);
        tell(name, RULE_SUSPEND, 3600000);
    }
    assert_in_range(start_again(), RULE_WORDS_PENDING, RULE_WORDS_PENDING + 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_policy)
    const struct CMUnitTest tests[] = {
        TEST(what_was_done_is_there_after_a_start),
        TEST(the_last_word_stands_and_ends),
        TEST(what_ended_lately_is_known_for_as_long_again),
        TEST(what_was_taken_back_is_gone),
        TEST(a_storm_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
