#include "test/support/test_support.h"

#include <stdio.h>

#include "policy/judge.h"

/* RFC 8463, appendix A: a message, its two signatures and their keys, made by others.  The RSA key
 * has 1024 bits. */
static const char message[] = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
                              " d=football.example.com; i=@football.example.com;\r\n"
                              " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
                              " subject : date : message-id : from : subject : date;\r\n"
                              " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                              " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
                              " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
                              "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
                              " d=football.example.com; i=@football.example.com;\r\n"
                              " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
                              " date : message-id : from : subject : date;\r\n"
                              " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                              " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
                              " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
                              " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
                              "From: Joe SixPack <joe@football.example.com>\r\n"
                              "To: Suzie Q <suzie@shopping.example.net>\r\n"
                              "Subject: Is dinner ready?\r\n"
                              "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
                              "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
                              "\r\n"
                              "Hi.\r\n"
                              "\r\n"
                              "We lost the game.  Are you hungry yet?\r\n"
                              "\r\n"
                              "Joe.\r\n";

#define ED_KEY "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define RSA_KEY                                                                                    \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J1" \
    "6JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/"                                                       \
    "8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2E"                                      \
    "eC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"

#define DOMAIN SLICE_LITERAL("football.example.com")

static struct judge *judge;
static struct judge_record records[2];

static int set_up(void **state)
{
    (void)state;
    records[0] = (struct judge_record){DOMAIN, SLICE_LITERAL("brisbane"),
                                       SLICE_LITERAL("v=DKIM1; k=ed25519; p=" ED_KEY)};
    records[1] = (struct judge_record){DOMAIN, SLICE_LITERAL("test"),
                                       SLICE_LITERAL("v=DKIM1; k=rsa; p=" RSA_KEY)};
    return judge_new(&judge);
}

static int tear_down(void **state)
{
    (void)state;
    judge = judge_free(judge);
    return 0;
}

static struct judge_verdict verdict_on(struct slice text)
{
    struct judge_verdict verdict;

    judge_message(judge, &text, 1, records, 2, &verdict);
    return verdict;
}

static void the_messages_of_rfc_8463_pass(void **state)
{
    struct judge_verdict verdict = verdict_on(SLICE_LITERAL(message));

    (void)state;
    assert_string_equal(verdict.reason, "");
    assert_int_equal(verdict.result, JUDGE_PASS);
    assert_int_equal(verdict.n_signatures, 2);
    assert_int_equal(verdict.n_good, 2);
}

static void the_message_may_come_in_any_pieces(void **state)
{
    static struct slice parts[sizeof(message)];

    (void)state;
    for (size_t step = 1; step < 80; step += step < 4 ? 1 : 13) {
        struct slice rest = SLICE_LITERAL(message);
        struct judge_verdict verdict;
        size_t n = 0;

        for (; rest.len; rest = slice_skip(rest, step))
            parts[n++] = slice_head(rest, step);
        judge_message(judge, parts, n, records, 2, &verdict);
        if (verdict.result != JUDGE_PASS)
            fail_msg("pieces of %zu: %s", step, verdict.reason);
    }
}

/* One octet changed anywhere in the body or in a signed field is seen. */
static void a_changed_octet_fails(void **state)
{
    static const char *const changes[] = {"Joe SixPack", "dinner", "hungry", "Joe.\r\n", "11 Jul"};

    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        char *copy = strdup(message);
        struct judge_verdict verdict;

        strstr(copy, changes[i])[0] ^= 1;
        verdict = verdict_on(slice_of(copy));
        assert_int_equal(verdict.result, JUDGE_FAIL);
        assert_int_equal(verdict.n_good, 0);
        assert_int_not_equal(verdict.reason[0], '\0');
        free(copy);
    }
}

static void one_bad_signature_of_two_is_no_pass(void **state)
{
    struct judge_verdict verdict;

    (void)state;
    records[1].text = SLICE_LITERAL("v=DKIM1; p=");
    verdict = verdict_on(SLICE_LITERAL(message));
    assert_int_equal(verdict.result, JUDGE_FAIL);
    assert_int_equal(verdict.n_good, 1);
    assert_non_null(strstr(verdict.reason, "s=test"));
}

static void a_missing_key_is_said(void **state)
{
    struct judge_verdict verdict;

    (void)state;
    records[0].selector = SLICE_LITERAL("sydney");
    verdict = verdict_on(SLICE_LITERAL(message));
    assert_int_equal(verdict.result, JUDGE_FAIL);
    assert_non_null(strstr(verdict.reason, "s=brisbane"));
}

static void no_signature_is_no_failure(void **state)
{
    struct judge_verdict verdict = verdict_on(slice_of(strstr(message, "From: Joe")));

    (void)state;
    assert_int_equal(verdict.result, JUDGE_UNSIGNED);
    assert_int_equal(verdict.n_signatures, 0);
}

static void rubbish_is_an_error_not_a_crash(void **state)
{
    static const char *const rubbish[] = {"", "\r\n", "no colon\r\n\r\nbody\r\n",
                                          "DKIM-Signature: \r\n\r\n",
                                          "From: a\r\nDKIM-Signature: v=1; a=\r\n\r\n\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++)
        assert_int_not_equal(verdict_on(slice_of(rubbish[i])).result, JUDGE_PASS);
}

static const struct {
    const char *published, *why; /* "": the same */
} rows[] = {
    {"v=DKIM1; k=ed25519; p=" ED_KEY,                                                       ""                                                 },
    {"k=ed25519;p=" ED_KEY,                                                                 ""                                                 },
    {" v = DKIM1 ; k=ed25519 ; t=y; p = 11qYAYKxCrfVS/7TyWQHOg7hcv PapiMlr\twIaaPcHURo= ;", ""                                                 },
    {"v=DKIM1; h=sha1 : sha256; s=*; k=ed25519; n=x; p=" ED_KEY,                            ""                                                 },
    {"",                                                                                    "the record is empty"                              },
    {"\"v=DKIM1; k=ed25519; p=" ED_KEY "\"",                                                "quotation marks are part of the record"           },
    {"v=DKIM1\\; k=ed25519\\; p=" ED_KEY,                                                   "backslashes are part of the record"               },
    {"v=DKIM2; k=ed25519; p=" ED_KEY,                                                       "v= must be DKIM1"                                 },
    {"k=ed25519; v=DKIM1; p=" ED_KEY,                                                       "v= must come first"                               },
    {"v=DKIM1; k=ed25519",                                                                  "there is no p= tag"                               },
    {"v=DKIM1; k=ed25519; p=",                                                              "p= is empty: the key is revoked"                  },
    {"v=DKIM1; p=" ED_KEY,                                                                  "k=rsa is published, but the key is ed25519"       },
    {"v=DKIM1; k=ed25519; p=11qYAY",                                                        "the published key is cut after 6 of 44 characters"},
    {"v=DKIM1; k=ed25519; p=" ED_KEY "AB",                                                  "the published key has 2 characters too many"      },
    {"v=DKIM1; k=ed25519; p=11qXAYKx",                                                      "the published key differs from character 4 on"    },
    {"v=DKIM1; k=ed25519; h=sha1; p=" ED_KEY,                                               "h= does not allow sha256"                         },
    {"v=DKIM1; k=ed25519; s=web; p=" ED_KEY,                                                "s= does not allow e-mail"                         },
    {"v=DKIM1; k=ed25519; p=" ED_KEY "; p=" ED_KEY,                                         "p= stands twice"                                  },
    {"v=DKIM1; k=ed25519; rubbish; p=" ED_KEY,                                              "\"rubbish\" is no tag: there is no = in it"       },
};

static void a_published_record_is_compared_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char reason[JUDGE_REASON_SIZE];
        bool is_same = judge_compare_record(slice_of(rows[i].published), "ed25519",
                                            SLICE_LITERAL(ED_KEY), reason);

        if (is_same != (rows[i].why[0] == '\0') || strcmp(reason, rows[i].why) != 0)
            fail_msg("row %zu: %s", i, reason);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(the_messages_of_rfc_8463_pass),   CASE(the_message_may_come_in_any_pieces),
        CASE(a_changed_octet_fails),           CASE(one_bad_signature_of_two_is_no_pass),
        CASE(a_missing_key_is_said),           CASE(no_signature_is_no_failure),
        CASE(rubbish_is_an_error_not_a_crash), CASE(a_published_record_is_compared_exactly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
