/* What is kept of answers, and whose goes first. */
#include "test/unit/webui/serving.h"
#include "webui/repeats.h"

static unsigned n_run;

/* A POST with that key: done now, or answered as it was before. */
static void post(const char *by, unsigned key)
{
    struct exchange *exchange = new_exchange(HTTP_POST, "/", NULL);
    char text[32];

    snprintf(exchange->by, sizeof(exchange->by), "%s", by);
    snprintf(text, sizeof(text), "key%u", key);
    exchange->fields.idempotency_key = text;
    exchange->caller.is_signed_in = true;
    exchange->caller.account.kind = ACCOUNT_ADMIN;
    if (repeats_begin(exchange)) {
        n_run++;
        exchange->status = 204;
        repeats_answered(exchange);
    }
    assert_int_equal(exchange->status, 204);
    repeats_end(exchange);
    exchange_free(exchange);
}

static void assert_runs(const char *by, unsigned key, bool wanted)
{
    unsigned before = n_run;

    post(by, key);
    assert_int_equal(n_run - before, wanted);
}

static void nobody_pushes_out_what_others_keep(void **state)
{
    char name[16];

    (void)state;
    post("anna", 1); /* the oldest of all */
    for (unsigned i = 0; i < REPEATS_MOST + 10; i++) {
        snprintf(name, sizeof(name), "berta%u", i / (REPEATS_OF_ONE - 1));
        post(name, i);
    }
    assert_int_equal(webui->repeats.n_kept, REPEATS_MOST);
    assert_runs("anna", 1, false);
    assert_runs("carla", 1, true);
    assert_runs("anna", 1, false);
    assert_runs("berta0", 0, true); /* who kept most lost the oldest */
}

static void who_keeps_all_that_one_may_can_still_repeat_the_oldest(void **state)
{
    (void)state;
    repeats_fini(&webui->repeats);
    for (unsigned i = 0; i < REPEATS_OF_ONE; i++)
        post("anna", i);
    assert_runs("anna", 0, false);
    assert_runs("anna", REPEATS_OF_ONE, true);
    assert_int_equal(webui->repeats.n_kept, REPEATS_OF_ONE);
    assert_runs("anna", 1, false);
    assert_runs("anna", 0, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_pushes_out_what_others_keep),
        cmocka_unit_test(who_keeps_all_that_one_may_can_still_repeat_the_oldest),
    };

    return cmocka_run_group_tests(tests, start_serving, stop_serving);
}
