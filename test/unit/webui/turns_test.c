/* Dear requests: so many at once and no more. */
#include "test/unit/webui/serving.h"

#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "relay/events/history.h"
#include "webui/history_desk.h"
#include "webui/queue_desk.h"
#include "webui/turns.h"

static int start(void **state)
{
    start_serving(state);
    assert_int_equal(queue_desk_new(&webui->queue_desk, folder), 0);
    assert_int_equal(history_desk_new(&webui->history_desk, folder), 0);
    return 0;
}

static struct exchange *ask(void (*handler)(struct exchange *exchange), uint32_t user_id)
{
    struct exchange *exchange = new_exchange(HTTP_GET, "/", NULL);

    exchange->is_local = user_id == 0;
    exchange->caller.account = (struct account){ACCOUNT_USER, user_id};
    handler(exchange);
    return exchange;
}

static void two_searches_of_one_account_at_once(void **state)
{
    struct exchange *answers[5];

    (void)state;
    for (int i = 0; i < 4; i++)
        answers[i] = ask(api_queue_search, i < 3 ? 7 : 8);
    assert_int_equal(answers[0]->status, 0);
    assert_int_equal(answers[1]->status, 0);
    assert_int_equal(answers[2]->status, 429);
    assert_int_equal(answers[2]->retry_after_s, 1);
    assert_int_equal(answers[3]->status, 0);
    for (int i = 0; i < 4; i++)
        await_answer(answers[i]);
    answers[4] = ask(api_queue_search, 7); /* answered, though not sent yet */
    await_answer(answers[4]);
    assert_int_not_equal(answers[4]->status, 429);
    for (int i = 0; i < 5; i++)
        exchange_free(answers[i]);
}

static void over_the_socket_as_many_as_ever(void **state)
{
    struct exchange *answers[5];

    (void)state;
    for (int i = 0; i < 5; i++)
        answers[i] = ask(api_queue_search, 0);
    for (int i = 0; i < 5; i++) {
        await_answer(answers[i]);
        assert_int_not_equal(answers[i]->status, 429);
        exchange_free(answers[i]);
    }
}

/* They are in memory until the client has read them. */
static void two_tables_at_once(void **state)
{
    struct exchange *answers[4];

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        answers[i] = ask(api_deliveries_csv, i + 1);
        await_answer(answers[i]);
    }
    assert_int_equal(answers[0]->status, 200);
    assert_int_equal(answers[1]->status, 200);
    assert_int_equal(answers[2]->status, 429);
    exchange_free(answers[0]);
    answers[3] = ask(api_deliveries_csv, 4);
    await_answer(answers[3]);
    assert_int_equal(answers[3]->status, 200);
    for (int i = 1; i < 4; i++)
        exchange_free(answers[i]);
}

static struct exchange *ask_raw(void)
{
    struct exchange *exchange = new_exchange(HTTP_GET, "/", NULL);

    exchange->argument = SLICE_LITERAL("0000000000001");
    api_message_raw(exchange);
    await_answer(exchange);
    return exchange;
}

/* And who reads them slowly keeps nobody from tables. */
static void two_messages_at_once_beside_them(void **state)
{
    struct exchange *raw[3], *table;

    (void)state;
    for (int i = 0; i < 3; i++)
        raw[i] = ask_raw();
    assert_int_equal(raw[0]->status, 404);
    assert_int_equal(raw[1]->status, 404);
    assert_int_equal(raw[2]->status, 429);
    table = ask(api_deliveries_csv, 1);
    await_answer(table);
    assert_int_equal(table->status, 200);
    exchange_free(table);
    for (int i = 0; i < 3; i++)
        exchange_free(raw[i]);
}

enum { LONG_ROWS = 6000, REPLY_BYTES = 1900, MOST_BYTES = 8 << 20 };

static void remember_much(void)
{
    const struct history_settings settings = {.dir = folder, .kept_days = 2, .max_bytes = 1 << 30};
    struct history *history;
    static char reply[REPLY_BYTES];
    const struct event_field fields[] = {field_text("msg", "AAAA"), field_number("rcpt", 1),
                                         field_text("to", "anna@dest.example"),
                                         field_slice("reply", slice_from(reply, REPLY_BYTES))};

    memset(reply, 'x', REPLY_BYTES);
    assert_int_equal(history_new(&history, &settings), 0);
    for (int i = 0; i < LONG_ROWS; i++) {
        const struct event event = {
            .kind = EVENT_DEFERRED, .utc_ms = clock_utc_ms(), .n_fields = 4, .fields = fields};

        history_note(history, &event);
    }
    history_free(history);
}

static void a_table_has_an_end(void **state)
{
    static const char last[] = "\"More rows match: narrow the filter or the time.\"\r\n";
    struct exchange *exchange;

    (void)state;
    remember_much();
    exchange = ask(api_deliveries_csv, 1);
    await_answer(exchange);
    assert_int_equal(exchange->status, 200);
    assert_true(exchange->text_len > MOST_BYTES);
    assert_true(exchange->text_len < MOST_BYTES + 2 * REPLY_BYTES);
    assert_memory_equal(exchange->text + exchange->text_len - strlen(last), last, strlen(last));
    exchange_free(exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_searches_of_one_account_at_once),
        cmocka_unit_test(over_the_socket_as_many_as_ever),
        cmocka_unit_test(two_tables_at_once),
        cmocka_unit_test(two_messages_at_once_beside_them),
        cmocka_unit_test(a_table_has_an_end),
    };

    return cmocka_run_group_tests(tests, start, stop_serving);
}
