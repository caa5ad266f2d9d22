#include "test/support/test_support.h"

#include "relay/smtp/phase.h"

/* RFC 5321 4.5.3.2: what a client must wait at least; the body's is "per buffer". */
static void no_phase_gives_up_before_the_rfc_allows(void **state)
{
    static const struct {
        enum smtp_phase phase;
        int minutes;
    } rows[] = {
        {SMTP_PHASE_BANNER, 5 },
        {SMTP_PHASE_MAIL,   5 },
        {SMTP_PHASE_RCPT,   5 },
        {SMTP_PHASE_DATA,   2 },
        {SMTP_PHASE_BODY,   3 },
        {SMTP_PHASE_DOT,    10},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_true(smtp_phase_timeout_ms(rows[i].phase) >= rows[i].minutes * 60000);
}

/* The words of logs and reply rules. */
static void every_phase_ends_and_has_a_word_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SMTP_N_PHASES; i++) {
        assert_true(smtp_phase_timeout_ms((enum smtp_phase)i) > 0);
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(smtp_phase_name((enum smtp_phase)i),
                                    smtp_phase_name((enum smtp_phase)k));
    }
    assert_string_equal(smtp_phase_name(SMTP_PHASE_DOT), "dot");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_phase_gives_up_before_the_rfc_allows),
        cmocka_unit_test(every_phase_ends_and_has_a_word_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
