#include "test/support/test_support.h"

#include "relay/delivery/verdict.h"

static const struct {
    enum smtp_phase phase;
    uint16_t code;
    struct enhanced_status status;
    uint32_t n_accepted;
    enum verdict verdict;
} rows[] = {
  /* no reply at all: whatever the phase, later */
    {SMTP_PHASE_CONNECT,  0,   {0},        0,  VERDICT_LATER    },
    {SMTP_PHASE_DOT,      0,   {4, 4, 2},  1,  VERDICT_LATER    },
 /* before MAIL it is about us, not about the recipient */
    {SMTP_PHASE_BANNER,   421, {4, 3, 2},  0,  VERDICT_LATER    },
    {SMTP_PHASE_BANNER,   554, {5, 7, 1},  0,  VERDICT_LATER    },
    {SMTP_PHASE_EHLO,     550, {5, 7, 1},  0,  VERDICT_LATER    },
    {SMTP_PHASE_AUTH,     535, {5, 7, 8},  0,  VERDICT_LATER    },
    {SMTP_PHASE_STARTTLS, 454, {4, 7, 0},  0,  VERDICT_LATER    },
    {SMTP_PHASE_BANNER,   521, {0},        0,  VERDICT_FAILED   },
    {SMTP_PHASE_BANNER,   556, {0},        0,  VERDICT_FAILED   },
 /* the transaction */
    {SMTP_PHASE_MAIL,     550, {5, 7, 1},  0,  VERDICT_FAILED   },
    {SMTP_PHASE_MAIL,     451, {4, 7, 1},  0,  VERDICT_LATER    },
    {SMTP_PHASE_MAIL,     530, {5, 7, 0},  0,  VERDICT_LATER    },
    {SMTP_PHASE_MAIL,     503, {5, 5, 1},  0,  VERDICT_LATER    },
    {SMTP_PHASE_RCPT,     550, {5, 1, 1},  0,  VERDICT_FAILED   },
    {SMTP_PHASE_RCPT,     450, {4, 2, 0},  0,  VERDICT_LATER    },
    {SMTP_PHASE_RCPT,     421, {4, 7, 0},  0,  VERDICT_LATER    },
    {SMTP_PHASE_RCPT,     556, {5, 1, 10}, 0,  VERDICT_FAILED   },
 /* too many recipients, RFC 5321 4.5.3.1.10 */
    {SMTP_PHASE_RCPT,     452, {4, 5, 3},  20, VERDICT_AGAIN    },
    {SMTP_PHASE_RCPT,     452, {4, 5, 3},  0,  VERDICT_LATER    },
    {SMTP_PHASE_RCPT,     552, {5, 5, 3},  20, VERDICT_AGAIN    },
    {SMTP_PHASE_RCPT,     552, {0},        20, VERDICT_AGAIN    },
    {SMTP_PHASE_RCPT,     552, {5, 2, 2},  20, VERDICT_FAILED   },
    {SMTP_PHASE_RCPT,     552, {0},        0,  VERDICT_FAILED   },
    {SMTP_PHASE_DATA,     554, {5, 6, 0},  1,  VERDICT_FAILED   },
    {SMTP_PHASE_DATA,     451, {4, 3, 0},  1,  VERDICT_LATER    },
    {SMTP_PHASE_DOT,      250, {2, 0, 0},  1,  VERDICT_DELIVERED},
    {SMTP_PHASE_DOT,      251, {0},        1,  VERDICT_DELIVERED},
    {SMTP_PHASE_DOT,      452, {4, 3, 1},  1,  VERDICT_LATER    },
    {SMTP_PHASE_DOT,      552, {5, 3, 4},  1,  VERDICT_FAILED   },
    {SMTP_PHASE_DOT,      554, {5, 7, 1},  1,  VERDICT_FAILED   },
    {SMTP_PHASE_DOT,      354, {0},        1,  VERDICT_LATER    },
};

static void every_reply_has_its_verdict_by_phase(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct smtp_reply reply = {.code = rows[i].code, .status = rows[i].status};

        if (verdict_of(rows[i].phase, &reply, rows[i].n_accepted) != rows[i].verdict)
            fail_msg("row %zu: %s %u", i, smtp_phase_name(rows[i].phase), rows[i].code);
    }
}

/* Nothing that a peer may say is taken for a delivery but 2xx after the final dot. */
static void only_2xx_after_the_dot_delivers(void **state)
{
    (void)state;
    for (int phase = 0; phase < SMTP_N_PHASES; phase++)
        for (uint16_t code = 0; code < 600; code++) {
            struct smtp_reply reply = {.code = code};
            bool is_delivered = verdict_of((enum smtp_phase)phase, &reply, 1) == VERDICT_DELIVERED;

            assert_int_equal(is_delivered, phase == SMTP_PHASE_DOT && code >= 200 && code < 300);
        }
}

static void slower_is_said_by_421_and_before_mail(void **state)
{
    struct smtp_reply closing = {.code = 421}, greylisted = {.code = 450}, fine = {.code = 250};

    (void)state;
    assert_true(verdict_says_slower(SMTP_PHASE_RCPT, &closing));
    assert_true(verdict_says_slower(SMTP_PHASE_BANNER, &greylisted));
    assert_false(verdict_says_slower(SMTP_PHASE_RCPT, &greylisted));
    assert_false(verdict_says_slower(SMTP_PHASE_DOT, &fine));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reply_has_its_verdict_by_phase),
        cmocka_unit_test(only_2xx_after_the_dot_delivers),
        cmocka_unit_test(slower_is_said_by_421_and_before_mail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
