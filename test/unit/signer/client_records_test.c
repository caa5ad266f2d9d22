/* What a request is told when no answer will come. */
#include "test/support/test_support.h"

#include "signer/client_internal.h"

static unsigned n_done;

static void on_signed(struct sign_request *request)
{
    assert_int_equal(request->n_signatures, 0);
    n_done++;
}

static void on_key(struct key_request *request)
{
    assert_int_equal(request->public_half.len, 0);
    n_done++;
}

static void on_list(struct key_list_request *request)
{
    assert_false(request->has_more);
    assert_int_equal(request->keys.rest.len, 0);
    n_done++;
}

static void fail_all(bool is_refused, enum sign_result sign_result, enum key_result key_result)
{
    struct sign_request sign = {
        .base = {.kind = RECORD_SIGN, .is_refused = is_refused},
          .done = on_signed
    };
    struct key_request key = {
        .base = {.kind = RECORD_KEY, .is_refused = is_refused},
          .done = on_key
    };
    struct key_list_request list = {
        .base = {.kind = RECORD_KEY_LIST, .is_refused = is_refused},
        .done = on_list,
        .has_more = true
    };

    n_done = 0;
    client_fail(&sign.base);
    client_fail(&key.base);
    client_fail(&list.base);
    assert_int_equal(n_done, 3);
    assert_int_equal(sign.result, sign_result);
    assert_int_equal(key.result, key_result);
    assert_int_equal(list.result, key_result);
    assert_true(key.why.len > 0);
}

static void without_a_signer_every_question_is_answered(void **state)
{
    (void)state;
    fail_all(false, SIGN_DOWN, KEY_SIGNER_DOWN);
}

static void what_cannot_be_sent_is_refused(void **state)
{
    (void)state;
    fail_all(true, SIGN_FAILED, KEY_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_signer_every_question_is_answered),
        cmocka_unit_test(what_cannot_be_sent_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
