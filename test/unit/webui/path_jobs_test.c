/* Tests of the way as jobs, on loops that answer when the test says so. */
#include "test/unit/webui/serving.h"
#include "webui/path_jobs.h"
#include "webui/route.h"

static struct delivery_path *under_way;

static bool take_path(void *owner, struct delivery_path *request)
{
    (void)owner;
    under_way = request;
    return !is_busy;
}

static const struct operations path_operations = {.path = take_path};

/* As relay/delivery/path_test.c does. */
static void say(const char *code)
{
    struct path_step *step = calloc(1, sizeof(*step));

    assert_non_null(step);
    step->name = "end";
    step->code = code;
    step->request = under_way;
    under_way->on_step(step);
}

static void end(const char *code)
{
    say(code);
    under_way->done(under_way);
}

/* Over TCP by an administrator, or by a token of one's. */
static struct exchange *ask(const char *by, uint32_t token_id)
{
    struct exchange *exchange =
        new_exchange(HTTP_POST, API "/diagnostics/path", "{\"domain\":\"dest.example\"}");

    webui->parts.operations = &path_operations;
    exchange->is_local = false;
    exchange->caller.account.kind = ACCOUNT_ADMIN;
    exchange->caller.token_id = token_id;
    snprintf(exchange->by, sizeof(exchange->by), "%s", by);
    assert_true(exchange_read_body(exchange));
    api_path_test(exchange);
    return exchange;
}

static void assert_begins(const char *by, uint32_t token_id)
{
    struct exchange *exchange = ask(by, token_id);

    assert_int_equal(exchange->status, 202);
    end("unreached");
    exchange_free(exchange);
}

static void assert_rests(const char *by, uint32_t token_id, unsigned least_s)
{
    struct exchange *exchange = ask(by, token_id);

    assert_int_equal(exchange->status, 429);
    assert_non_null(strstr(exchange->text, "\"too_many_tests\""));
    assert_in_range(exchange->retry_after_s, least_s, 3600);
    exchange_free(exchange);
}

static void an_hour_passes(unsigned n_oldest)
{
    for (unsigned i = 0; i < n_oldest; i++)
        webui->paths.starts[i].ms -= 3600 * 1000;
}

static void so_many_an_hour(void **state)
{
    static struct access_token tokens[] = {
        {.id = 5, .by = SLICE_LITERAL("anna") },
        {.id = 6, .by = SLICE_LITERAL("berta")},
    };
    struct access_book book = {.tokens = tokens, .n_tokens = 2}, *own = webui->access.book;
    struct exchange *local;

    (void)state;
    webui->access.book = &book;
    for (unsigned i = 0; i < PATHS_AN_HOUR_OF_ONE; i++)
        assert_begins(i % 2 ? "anna" : "token 5", i % 2 ? 0 : 5);
    assert_rests("anna", 0, 3500);
    assert_rests("token 5", 5, 3500);
    for (unsigned i = 0; i < PATHS_AN_HOUR_OF_ONE - 1; i++)
        assert_begins("token 6", 6);
    assert_begins("carla", 0);
    assert_rests("dora", 0, 3500); /* in all */
    local = new_exchange(HTTP_POST, API "/diagnostics/path", "{\"domain\":\"dest.example\"}");
    assert_true(exchange_read_body(local));
    api_path_test(local);
    assert_int_equal(local->status, 202);
    end("unreached");
    exchange_free(local);
    an_hour_passes(1);
    assert_begins("anna", 0);
    assert_rests("anna", 0, 3500);
    webui->access.book = own;
}

static const char *state_of(struct exchange *begun)
{
    json_t *job = json_loads(begun->text, 0, NULL), *now;
    static char state[16];
    uint64_t number;

    assert_true(slice_to_number(slice_of(json_string_value(json_object_get(job, "id"))), INT64_MAX,
                                &number));
    now = path_job_json(path_jobs_find(&webui->paths, number));
    snprintf(state, sizeof(state), "%s", json_string_value(json_object_get(now, "state")));
    json_decref(now);
    json_decref(job);
    return state;
}

/* DELETE meets a test whose last step was told already. */
static void what_ended_by_itself_was_not_cancelled(void **state)
{
    struct exchange *exchange;

    (void)state;
    webui->paths.n_started = 0;
    exchange = ask("anna", 0);
    say("ended");
    atomic_store(&under_way->is_cancelled, true);
    under_way->done(under_way);
    assert_string_equal(state_of(exchange), "done");
    exchange_free(exchange);
    exchange = ask("anna", 0);
    atomic_store(&under_way->is_cancelled, true);
    end("cancelled");
    assert_string_equal(state_of(exchange), "cancelled");
    exchange_free(exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_an_hour),
        cmocka_unit_test(what_ended_by_itself_was_not_cancelled),
    };

    return cmocka_run_group_tests(tests, start_serving, stop_serving);
}
