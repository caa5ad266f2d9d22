/* If-Match against what is under way. */
#include "test/unit/webui/serving.h"
#include "webui/state.h"

/* It reached its handler, which does not answer yet. */
static struct exchange *begin(const char *path, const char *if_match)
{
    struct exchange *exchange = new_exchange(HTTP_POST, path, NULL);

    exchange->fields.if_match = if_match;
    assert_true(routes_admit(exchange));
    return exchange;
}

static void only_changes_stand_in_each_others_way(void **state)
{
    static const char check[] = "/api/v1/domains/shop.example:check",
                      options[] = "/api/v1/domains/shop.example:options";
    struct exchange *asks, *changes, *second;

    (void)state;
    json_decref(served(HTTP_POST, "/api/v1/domains", "{\"name\":\"shop.example\"}", 201));
    asks = begin(check, NULL);
    assert_true(state_judge(asks));
    changes = begin(options, "*");
    assert_true(state_judge(changes));
    second = begin(options, "*");
    assert_false(state_judge(second));
    assert_int_equal(second->status, 412);
    exchange_free(second);
    exchange_free(changes);
    exchange_free(asks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_changes_stand_in_each_others_way),
    };

    return cmocka_run_group_tests(tests, start_serving, stop_serving);
}
