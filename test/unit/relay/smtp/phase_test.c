/* How long a client waits, RFC 5321 4.5.3.2. */
#include "test/support/test_support.h"

#include "relay/smtp/phase.h"

static void each_phase_has_the_time_of_the_book(void **state)
{
    static const struct {
        enum smtp_phase phase;
        int64_t minutes;
    } rows[] = {
        {SMTP_PHASE_BANNER, 5 },
        {SMTP_PHASE_EHLO,   5 },
        {SMTP_PHASE_MAIL,   5 },
        {SMTP_PHASE_RCPT,   5 },
        {SMTP_PHASE_DATA,   2 },
        {SMTP_PHASE_BODY,   3 },
        {SMTP_PHASE_DOT,    10},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(smtp_phase_timeout_ms(rows[i].phase), rows[i].minutes * 60000);
}

/* A tarpit has a bounded time of us whatever it does. */
static void no_phase_is_without_an_end(void **state)
{
    (void)state;
    for (unsigned phase = 0; phase < SMTP_N_PHASES; phase++) {
        assert_in_range(smtp_phase_timeout_ms((enum smtp_phase)phase), 1000, 10 * 60000);
        assert_non_null(smtp_phase_name((enum smtp_phase)phase));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_phase_has_the_time_of_the_book),
        cmocka_unit_test(no_phase_is_without_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
