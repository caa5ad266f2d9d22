#include "test/support/test_support.h"

#include <stdlib.h>

#include "relay/spool/queue_id.h"
#include "webui/queue_json.h"

static struct webui webui;

static struct exchange *new_exchange(const char *body)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));

    assert_non_null(exchange);
    exchange->webui = &webui;
    arena_init(&exchange->arena, EXCHANGE_MEMORY);
    buffer_init(&exchange->upload, EXCHANGE_MAX_BODY);
    if (body)
        buffer_append_text(&exchange->upload, body);
    return exchange;
}

/* The stable code of the problem that was answered; NULL when nothing was. */
static void assert_code(const struct exchange *exchange, unsigned status, const char *code)
{
    json_t *said = json_loads(exchange->text ? exchange->text : "", 0, NULL);

    assert_int_equal(exchange->status, status);
    assert_string_equal(exchange->content_type, "application/problem+json");
    assert_string_equal(json_string_value(json_object_get(said, "code")), code);
    assert_int_equal(json_integer_value(json_object_get(said, "status")), status);
    json_decref(said);
}

/* ---- bodies ---- */

static void a_body_is_one_object(void **state)
{
    static const char *const bad[] = {"{",
                                      "[]",
                                      "5",
                                      "null",
                                      "{}{}",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":\"\\u0000\"}",
                                      "{\"a\":\"\xff\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct exchange *exchange = new_exchange(bad[i]);

        assert_false(exchange_read_body(exchange));
        assert_code(exchange, 400, "bad_json");
        exchange_free(exchange);
    }
}

static void no_body_is_fine(void **state)
{
    struct exchange *exchange = new_exchange(NULL);

    (void)state;
    assert_true(exchange_read_body(exchange));
    assert_null(exchange->body);
    assert_true(exchange_check_body(exchange, ""));
    assert_null(exchange_text(exchange, "name"));
    assert_false(exchange_flag(exchange, "all"));
    exchange_free(exchange);
}

static void a_body_above_the_bound_is_refused(void **state)
{
    struct exchange *exchange = new_exchange("{");

    (void)state;
    for (int i = 0; i < 1025; i++)
        buffer_append(&exchange->upload, (struct slice){(char[1024]){' '}, 1024});
    assert_false(exchange_read_body(exchange));
    assert_code(exchange, 413, "too_large");
    exchange_free(exchange);
}

static void members_have_names_and_types(void **state)
{
    static const char allowed[] =
        "name=text note=any_text list=texts on=flag count=number more=object";
    static const struct {
        const char *body, *code; /* NULL: passes */
    } rows[] = {
        {"{}",                             NULL           },
        {"{\"name\":\"a\",\"note\":\"\"}", NULL           },
        {"{\"list\":[],\"on\":false}",     NULL           },
        {"{\"list\":[\"a\",\"\"]}",        NULL           },
        {"{\"count\":-1,\"more\":{}}",     NULL           },
        {"{\"name\":\"\"}",                "bad_field"    },
        {"{\"name\":null}",                "bad_field"    },
        {"{\"note\":5}",                   "bad_field"    },
        {"{\"list\":\"a\"}",               "bad_field"    },
        {"{\"list\":[1]}",                 "bad_field"    },
        {"{\"on\":1}",                     "bad_field"    },
        {"{\"count\":1.5}",                "bad_field"    },
        {"{\"more\":[]}",                  "bad_field"    },
        {"{\"nam\":\"a\"}",                "unknown_field"},
        {"{\"names\":\"a\"}",              "unknown_field"},
        {"{\"\":\"a\"}",                   "unknown_field"},
        {"{\"text\":\"a\"}",               "unknown_field"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct exchange *exchange = new_exchange(rows[i].body);

        assert_true(exchange_read_body(exchange));
        assert_int_equal(exchange_check_body(exchange, allowed), !rows[i].code);
        if (rows[i].code)
            assert_code(exchange, 422, rows[i].code);
        else
            assert_int_equal(exchange->status, 0);
        exchange_free(exchange);
    }
}

static void query_parameters_are_known_and_come_once(void **state)
{
    struct query_value values[] = {
        {"limit", "5"},
        {"state", "" }
    };
    struct exchange *exchange = new_exchange(NULL);

    (void)state;
    exchange->queries = values;
    exchange->n_queries = 2;
    assert_true(exchange_check_query(exchange, "state limit"));
    assert_string_equal(exchange_query(exchange, "limit"), "5");
    assert_string_equal(exchange_query(exchange, "state"), "");
    assert_null(exchange_query(exchange, "lim"));
    assert_false(exchange_check_query(exchange, "limit"));
    assert_code(exchange, 422, "unknown_query");
    exchange_free(exchange);

    exchange = new_exchange(NULL);
    values[1].name = "limit";
    exchange->queries = values;
    exchange->n_queries = 2;
    assert_false(exchange_check_query(exchange, "state limit"));
    assert_code(exchange, 422, "bad_query");
    exchange_free(exchange);
}

static void a_list_of_texts_is_copied(void **state)
{
    struct exchange *exchange = new_exchange("{\"list\":[\"a\",\"\",\"\xc3\xbc\"]}");
    const struct slice *texts;

    (void)state;
    assert_true(exchange_read_body(exchange));
    assert_int_equal(exchange_texts(exchange, "list", &texts), 3);
    assert_slice_is(texts[0], "a");
    assert_slice_is(texts[1], "");
    assert_slice_is(texts[2], "\xc3\xbc");
    assert_int_equal(exchange_texts(exchange, "absent", &texts), 0);
    exchange_free(exchange);
}

static void the_first_answer_stands(void **state)
{
    struct exchange *exchange = new_exchange(NULL);

    (void)state;
    exchange_problem(exchange, 404, "not_found", "No.");
    exchange_answer(exchange, 200, json_object());
    assert_code(exchange, 404, "not_found");
    exchange_free(exchange);
}

static void more_memory_than_an_exchange_has_is_a_500(void **state)
{
    struct exchange *exchange = new_exchange(NULL);

    (void)state;
    assert_null(exchange_memory(exchange, EXCHANGE_MEMORY + 1));
    assert_code(exchange, 500, "out_of_memory");
    exchange_free(exchange);
}

/* ---- texts ---- */

static void check_text(struct slice given, const char *wanted)
{
    json_t *text = json_slice(given);

    assert_string_equal(json_string_value(text), wanted);
    json_decref(text);
}

static void bytes_that_are_no_utf8_are_replaced(void **state)
{
    (void)state;
    check_text((struct slice){NULL, 0}, "");
    check_text(SLICE_LITERAL("plain \xc3\xbc \xf0\x9f\x98\x80"), "plain \xc3\xbc \xf0\x9f\x98\x80");
    check_text(SLICE_LITERAL("a\xff"
                             "b"),
               "a\xef\xbf\xbd"
               "b");
    check_text(SLICE_LITERAL("\xc3"), "\xef\xbf\xbd");
    check_text(SLICE_LITERAL("\xf0\x9f\x98"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    check_text(SLICE_LITERAL("\xed\xa0\x80x"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx");
}

static void no_time_is_null(void **state)
{
    json_t *some = json_time(1795364703120);
    json_t *none = json_time(0);

    (void)state;
    assert_string_equal(json_string_value(some), "2026-11-22T16:25:03.120Z");
    assert_true(json_is_null(none));
    json_decref(some);
}

/* ---- the queue ---- */

static const struct recipient_row two_rows[] = {
    {.n = 1,              .state = RECIPIENT_QUEUED, .address = {"a@b.example", 11}},
    { .n = 2,
     .state = RECIPIENT_DEFERRED,
     .attempts = 3,
     .next_utc_ms = 5000,
     .address = {"c@d.example", 11},
     .reply = {"450 \xff", 5}},
};

static json_t *two_items(void)
{
    json_t *items = json_array();

    for (uint64_t id = 1000; id <= 1001; id++) {
        const struct message_row row = {
            .id = id,
            .arrived_utc_ms = 1000,
            .size = 77,
            .n_recipients = 2,
            .user = {"u", 1},
            .sender = {"s", 1},
            .recipients = two_rows,
            .n_rows = 2
        };

        json_array_append_new(items, queue_item_json(&row, UINT32_MAX));
    }
    return items;
}

static const char *state_of(json_t *items, size_t item, size_t recipient)
{
    json_t *recipients = json_object_get(json_array_get(items, item), "recipients");

    return json_string_value(json_object_get(json_array_get(recipients, recipient), "state"));
}

static void items_have_the_fields_of_the_contract(void **state)
{
    static const char *const fields[] = {"id", "user", "sender", "size", "arrived", "recipients"};
    static const char *const of_recipients[] = {"n",        "address", "state",
                                                "attempts", "next",    "reply"};
    json_t *items = two_items();
    json_t *item = json_array_get(items, 0);
    json_t *second = json_array_get(json_object_get(item, "recipients"), 1);

    (void)state;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        assert_non_null(json_object_get(item, fields[i]));
    for (size_t i = 0; i < sizeof(of_recipients) / sizeof(of_recipients[0]); i++)
        assert_non_null(json_object_get(second, of_recipients[i]));
    assert_string_equal(json_string_value(json_object_get(second, "reply")), "450 \xef\xbf\xbd");
    assert_int_equal(json_integer_value(json_object_get(second, "attempts")), 3);
    json_decref(items);
}

static void what_is_being_sent_is_marked(void **state)
{
    CLEANUP(buffer) struct buffer pairs = BUFFER_INIT;
    json_t *items = two_items();

    (void)state;
    buffer_append_u64(&pairs, 999); /* on another page */
    buffer_append_u32(&pairs, 1);
    buffer_append_u64(&pairs, 1001);
    buffer_append_u32(&pairs, 2);
    buffer_append_u64(&pairs, 1000);
    buffer_append_u32(&pairs, 9); /* gone meanwhile */
    queue_mark_sending(items, buffer_slice(&pairs));
    assert_string_equal(state_of(items, 0, 0), "queued");
    assert_string_equal(state_of(items, 0, 1), "deferred");
    assert_string_equal(state_of(items, 1, 0), "queued");
    assert_string_equal(state_of(items, 1, 1), "sending");
    queue_mark_sending(items, slice_head(buffer_slice(&pairs), 5)); /* cut off: nothing, but ends */
    queue_keep_state(items, "sending");
    assert_int_equal(json_array_size(items), 1);
    assert_string_equal(state_of(items, 0, 0), "sending");
    queue_keep_state(items, "held");
    assert_int_equal(json_array_size(items), 0);
    json_decref(items);
}

static void states_of_memory_become_those_of_people(void **state)
{
    struct delivery_command command = {0};
    json_t *states;

    (void)state;
    command.n_by_state[ENTRY_UNROUTED] = 1;
    command.n_by_state[ENTRY_READY] = 2;
    command.n_by_state[ENTRY_WAITING] = 4;
    command.n_by_state[ENTRY_SENDING] = 8;
    command.n_by_state[ENTRY_HELD] = 16;
    states = queue_states_json(&command);
    assert_int_equal(json_object_size(states), 4);
    assert_int_equal(json_integer_value(json_object_get(states, "queued")), 3);
    assert_int_equal(json_integer_value(json_object_get(states, "deferred")), 4);
    assert_int_equal(json_integer_value(json_object_get(states, "sending")), 8);
    assert_int_equal(json_integer_value(json_object_get(states, "held")), 16);
    json_decref(states);
}

static void count(struct buffer *counts, uint32_t n, const char *name)
{
    buffer_append_u32(counts, n);
    buffer_append_u32(counts, 0); /* a minute */
    buffer_append_counted(counts, slice_of(name));
}

static void domains_come_with_most_mail_first(void **state)
{
    CLEANUP(buffer) struct buffer counts = BUFFER_INIT;
    size_t n_domains;
    json_t *items, *first;

    (void)state;
    count(&counts, 2, "b.example");
    count(&counts, 5, "a.example");
    count(&counts, 4, "b.example"); /* on its way between two loops */
    count(&counts, 1, "a.example.org");
    items = queue_domains_json(buffer_slice(&counts), &n_domains);
    assert_int_equal(n_domains, 3);
    first = json_array_get(items, 0);
    assert_string_equal(json_string_value(json_object_get(first, "domain")), "b.example");
    assert_int_equal(json_integer_value(json_object_get(first, "recipients")), 6);
    json_decref(items);
    items = queue_domains_json((struct slice){NULL, 0}, &n_domains);
    assert_int_equal(n_domains, 0);
    json_decref(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_one_object),
        cmocka_unit_test(no_body_is_fine),
        cmocka_unit_test(a_body_above_the_bound_is_refused),
        cmocka_unit_test(members_have_names_and_types),
        cmocka_unit_test(query_parameters_are_known_and_come_once),
        cmocka_unit_test(a_list_of_texts_is_copied),
        cmocka_unit_test(the_first_answer_stands),
        cmocka_unit_test(more_memory_than_an_exchange_has_is_a_500),
        cmocka_unit_test(bytes_that_are_no_utf8_are_replaced),
        cmocka_unit_test(no_time_is_null),
        cmocka_unit_test(items_have_the_fields_of_the_contract),
        cmocka_unit_test(what_is_being_sent_is_marked),
        cmocka_unit_test(states_of_memory_become_those_of_people),
        cmocka_unit_test(domains_come_with_most_mail_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
