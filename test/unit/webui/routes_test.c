#include "test/unit/webui/serving.h"

#define API "/api/v1"

static void paths_and_methods(void **state)
{
    struct exchange *exchange;

    (void)state;
    assert_refused(HTTP_GET, "/", NULL, 404, "no_such_path");
    assert_refused(HTTP_GET, "", NULL, 404, "no_such_path");
    assert_refused(HTTP_GET, API "/users/", NULL, 404, "no_such_path");
    assert_refused(HTTP_GET, API "/user", NULL, 404, "no_such_path");
    assert_refused(HTTP_POST, API "/queue:", NULL, 404, "no_such_path");
    assert_refused(HTTP_DELETE, API "/version", NULL, 405, "method_not_allowed");
    exchange = serve(HTTP_POST, API "/networks/x", NULL);
    assert_int_equal(exchange->status, 405);
    assert_string_equal(exchange->allow, "DELETE");
    exchange_free(exchange);
    exchange = serve(HTTP_DELETE, API "/users", NULL);
    assert_string_equal(exchange->allow, "GET, HEAD, POST");
    exchange_free(exchange);
    exchange = serve(HTTP_GET, "/nothing", NULL);
    assert_null(exchange->allow);
    exchange_free(exchange);
}

static void arguments_are_what_stands_in_the_hole(void **state)
{
    (void)state;
    /* The longest fixed ending wins over the bare argument; slashes belong to it. */
    assert_refused(HTTP_POST, API "/users/a:b:enable", NULL, 404, "not_found");
    assert_refused(HTTP_DELETE, API "/networks/10.0.0.0/8", NULL, 404, "not_found");
    assert_refused(HTTP_GET, API "/queue/a/b", NULL, 422, "bad_id");
}

static unsigned stranger_gets(const char *path)
{
    struct exchange exchange = {.webui = webui, .path = path};

    routes_dispatch(&exchange);
    free(exchange.text);
    return exchange.status;
}

static void strangers_learn_nothing(void **state)
{
    static const char *const paths[] = {API "/users", API "/health", API "/config"};

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct exchange exchange = {.webui = webui, .path = paths[i]};

        routes_dispatch(&exchange);
        assert_int_equal(exchange.status, 401);
        free(exchange.text);
    }
    assert_int_equal(stranger_gets("/healthz"), 200);
    assert_int_equal(stranger_gets("/healthz/../api/v1/users"), 401);
}

static void health_is_as_the_service_says(void **state)
{
    json_t *said;

    (void)state;
    status = (struct service_status){.queue_is_healthy = true};
    said = served(HTTP_GET, API "/health", NULL, 503);
    assert_string_equal(json_string_value(json_object_get(said, "status")), "starting");
    json_decref(said);
    json_decref(served(HTTP_GET, "/healthz", NULL, 200));
    json_decref(served(HTTP_GET, "/readyz", NULL, 503));
    status.is_ready = true;
    status.notes[0] = "no such user";
    said = served(HTTP_GET, API "/health", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(said, "notes")), 1);
    json_decref(said);
    json_decref(served(HTTP_GET, "/readyz", NULL, 200));
    status.is_ready = false;
    status.is_draining = true;
    said = served(HTTP_GET, API "/health", NULL, 503);
    assert_string_equal(json_string_value(json_object_get(said, "status")), "draining");
    json_decref(said);
}

static void settings_come_without_secrets(void **state)
{
    struct exchange *exchange = serve(HTTP_GET, API "/config", NULL);

    (void)state;
    assert_int_equal(exchange->status, 200);
    assert_null(strstr(exchange->text, "seKret"));
    assert_non_null(strstr(exchange->text, "\"***\""));
    exchange_free(exchange);
}

/* ---- users, networks, domains: against the real registry ---- */

static void users_come_and_go(void **state)
{
    json_t *said = served(HTTP_POST, API "/users",
                          "{\"name\":\"news@shop.example\",\"generate\":true,"
                          "\"networks\":[\"192.0.2.0/24\"]}",
                          201);

    (void)state;
    assert_true(json_string_length(json_object_get(said, "password")) >= 20);
    assert_int_equal(json_array_size(json_object_get(said, "networks")), 1);
    json_decref(said);
    assert_refused(HTTP_POST, API "/users", "{\"name\":\"news@shop.example\"}", 409, "exists");
    assert_refused(HTTP_POST, API "/users", "{\"name\":\"plain\"}", 422, "needs_sender");
    assert_refused(HTTP_POST, API "/users",
                   "{\"name\":\"a@b.example\",\"generate\":true,\"password\":\"x\"}", 422,
                   "bad_password");
    assert_refused(HTTP_POST, API "/users/news@shop.example:password", "{}", 422, "bad_password");
    assert_refused(HTTP_POST, API "/users/news@shop.example:password", "{\"password\":\"short\"}",
                   422, "weak_password");
    assert_done(HTTP_POST, API "/users/news@shop.example:options",
                "{\"options\":{\"trace\":\"full\",\"sessions\":\"7\"}}");
    said = served(HTTP_GET, API "/users/news@shop.example", NULL, 200);
    assert_string_equal(json_string_value(json_object_get(said, "trace")), "full");
    assert_null(json_object_get(said, "password"));
    json_decref(said);
    assert_done(HTTP_POST, API "/users/news@shop.example:disable", NULL);
    said = served(HTTP_GET, API "/users", NULL, 200);
    assert_true(json_is_false(
        json_object_get(json_array_get(json_object_get(said, "items"), 0), "enabled")));
    json_decref(said);
    assert_done(HTTP_DELETE, API "/users/news@shop.example", NULL);
    assert_refused(HTTP_GET, API "/users/news@shop.example", NULL, 404, "not_found");
}

static void networks_belong_to_users(void **state)
{
    (void)state;
    json_decref(served(HTTP_POST, API "/users", "{\"name\":\"n@shop.example\"}", 201));
    json_decref(served(HTTP_POST, API "/networks",
                       "{\"network\":\"10.0.0.0/8\",\"user\":\"n@shop.example\"}", 201));
    assert_refused(HTTP_POST, API "/networks", "{\"network\":\"10.0.0.0/8\",\"user\":\"nobody\"}",
                   404, "not_found");
    assert_refused(HTTP_POST, API "/networks", "{\"network\":\"10.0.0.0/8\"}", 422,
                   "missing_field");
    assert_done(HTTP_DELETE, API "/networks/10.0.0.0/8", NULL);
    assert_done(HTTP_DELETE, API "/users/n@shop.example", NULL);
}

static void domains_have_one_form(void **state)
{
    json_t *said = served(HTTP_POST, API "/domains",
                          "{\"name\":\"B\xc3\xbc"
                          "cher.Example\"}",
                          201);

    (void)state;
    assert_string_equal(json_string_value(json_object_get(said, "name")), "xn--bcher-kva.example");
    json_decref(said);
    json_decref(served(HTTP_GET,
                       API "/domains/b\xc3\xbc"
                           "cher.example",
                       NULL, 200));
    assert_refused(HTTP_POST, API "/domains/xn--bcher-kva.example:options", "{}", 422,
                   "missing_field");
    assert_done(HTTP_POST, API "/domains/xn--bcher-kva.example:options",
                "{\"requires_signing\":true}");
    assert_refused(HTTP_GET, API "/domains/a..b", NULL, 404, "not_found");
    assert_done(HTTP_DELETE, API "/domains/xn--bcher-kva.example", NULL);
    assert_refused(HTTP_DELETE, API "/domains/xn--bcher-kva.example", NULL, 404, "not_found");
}

/* ---- orders ---- */

static void an_order_says_exactly_what_it_means(void **state)
{
    (void)state;
    n_selected = 2;
    json_decref(served(HTTP_POST, API "/queue:delete", "{\"dest\":\"dest.example\"}", 200));
    assert_int_equal(asked_verb, DELIVERY_DELETE);
    assert_int_equal(asked.destination.len, 12);
    assert_true(!asked.is_all && !asked.n_ids && !asked.user_id && !asked.sender_hash);
    json_decref(served(HTTP_POST, API "/queue:hold",
                       "{\"ids\":[\"B\",\"A\"],\"dry_run\":true,\"reason\":\"r\"}", 200));
    assert_refused(HTTP_POST, API "/queue:delete", "{}", 422, "nothing_selected");
    assert_refused(HTTP_POST, API "/queue:delete", NULL, 422, "nothing_selected");
    assert_refused(HTTP_POST, API "/queue:delete", "{\"ids\":[],\"all\":true}", 422,
                   "nothing_selected");
    assert_refused(HTTP_POST, API "/queue:delete", "{\"user\":\"nobody\"}", 404, "not_found");
    assert_refused(HTTP_POST, API "/queue:delete", "{\"from\":\"b.example\"}", 422, "bad_from");
    assert_refused(HTTP_POST, API "/queue:shred", "{\"all\":true}", 404, "no_such_path");
    is_busy = true;
    assert_refused(HTTP_POST, API "/queue:delete", "{\"all\":true}", 503, "busy");
    assert_refused(HTTP_GET, API "/queue/summary", NULL, 503, "busy");
    assert_refused(HTTP_GET, API "/destinations", NULL, 503, "busy");
    is_busy = false;
}

static void a_dry_run_only_counts(void **state)
{
    struct exchange *exchange;

    (void)state;
    exchange = serve(HTTP_POST, API "/queue:delete", "{\"ids\":[\"B\",\"a\"],\"dry_run\":true}");
    assert_int_equal(exchange->status, 200);
    assert_int_equal(asked_verb, DELIVERY_COUNT);
    assert_int_equal(asked.n_ids, 2);
    assert_true(asked_ids[0] < asked_ids[1]);
    assert_false(asked.is_all);
    exchange_free(exchange);
}

static void the_summary_counts_states_and_domains(void **state)
{
    json_t *said, *domain;

    (void)state;
    n_selected = 3;
    said = served(HTTP_GET, API "/queue/summary", NULL, 200);
    domain = json_array_get(json_object_get(said, "domains"), 0);
    assert_int_equal(json_integer_value(json_object_get(said, "recipients")), 3);
    assert_string_equal(json_string_value(json_object_get(domain, "domain")), "dest.example");
    json_decref(said);
}

static json_t *first_why(unsigned wanted, struct query_value *query)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    json_t *said, *first;

    exchange->webui = webui;
    exchange->path = API "/queue/why";
    exchange->is_local = true;
    exchange->queries = query;
    exchange->n_queries = 1;
    arena_init(&exchange->arena, EXCHANGE_MEMORY);
    routes_dispatch(exchange);
    mailbox_run(webui->mailbox);
    assert_int_equal(exchange->status, wanted);
    said = json_loads(exchange->text, 0, NULL);
    first = json_incref(json_array_get(json_object_get(said, "items"), 0));
    json_decref(said);
    exchange_free(exchange);
    return first;
}

static void why_is_told_in_a_word_and_a_sentence(void **state)
{
    struct query_value by_id = {"id", "AB"}, by_domain = {"domain", "dest.example"};
    json_t *first;

    (void)state;
    n_whys = 1;
    first = first_why(200, &by_id);
    assert_string_equal(json_string_value(json_object_get(first, "why")), "retry_time");
    assert_string_equal(json_string_value(json_object_get(first, "reason")), "450 Later");
    assert_true(json_string_length(json_object_get(first, "sentence")) > 0);
    assert_true(json_is_null(json_object_get(first, "until")));
    json_decref(first);
    n_whys = 0;
    assert_null(first_why(404, &by_id));
    assert_null(first_why(200, &by_domain));
    assert_refused(HTTP_GET, API "/messages/AB/why", NULL, 404, "not_found");
    assert_refused(HTTP_GET, API "/messages/a-b/why", NULL, 422, "bad_id");
    json_decref(served(HTTP_GET, API "/destinations/dest.example/why", NULL, 200));
    assert_slice_is(asked_name, "dest.example");
    assert_refused(HTTP_GET, API "/queue/why", NULL, 422, "bad_id");
}

static void a_suspension_shows_before_any_mail_waits(void **state)
{
    json_t *said, *row;

    (void)state;
    json_decref(served(HTTP_POST, API "/destinations/Dest.example:suspend",
                       "{\"reason\":\"they asked\",\"for_seconds\":60}", 200));
    said = served(HTTP_GET, API "/destinations", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(said, "items")), 2);
    row = json_array_get(json_object_get(said, "items"), 1);
    assert_string_equal(json_string_value(json_object_get(row, "name")), "dest.example");
    assert_string_equal(json_string_value(json_object_get(row, "state")), "suspended");
    json_decref(said);
    assert_done(HTTP_POST, API "/destinations/dest.example:resume", NULL);
    assert_refused(HTTP_POST, API "/destinations/dest.example:resume", NULL, 404, "not_found");
    assert_refused(HTTP_POST, API "/destinations/x.example:suspend", "{}", 422, "missing_field");
    assert_refused(HTTP_POST, API "/destinations/x.example:suspend",
                   "{\"reason\":\"r\",\"for_seconds\":4611686018427387904}", 422, "bad_span");
}

static void orders_say_who_what_and_until_when(void **state)
{
    json_t *said, *row;

    (void)state;
    said = served(HTTP_POST, API "/destinations/Dest.example:reroute",
                  "{\"reason\":\"mx down\",\"via\":\"smart.example:587\",\"for_seconds\":60}", 200);
    assert_string_equal(json_string_value(json_object_get(said, "via")), "smart.example:587");
    json_decref(said);
    said = served(HTTP_GET, API "/suspensions", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(said, "items")), 1);
    row = json_array_get(json_object_get(said, "items"), 0);
    assert_string_equal(json_string_value(json_object_get(row, "name")), "dest.example");
    assert_string_equal(json_string_value(json_object_get(row, "order")), "reroute");
    assert_string_equal(json_string_value(json_object_get(row, "reason")), "mx down");
    assert_true(json_is_string(json_object_get(row, "until")));
    json_decref(said);
    assert_refused(HTTP_DELETE, API "/suspensions/other.example", NULL, 404, "not_found");
    assert_refused(HTTP_POST, API "/destinations/dest.example:resume", "{\"order\":\"suspend\"}",
                   404, "not_found");
    assert_refused(HTTP_POST, API "/destinations/dest.example:resume", "{\"order\":\"all\"}", 422,
                   "bad_order");
    assert_done(HTTP_DELETE, API "/suspensions/dest.example", NULL);
    assert_refused(HTTP_POST, API "/destinations/d.example:reroute",
                   "{\"reason\":\"r\",\"via\":\"a b\"}", 422, "bad_via");
    assert_refused(HTTP_POST, API "/destinations/d.example:reroute", "{\"reason\":\"r\"}", 422,
                   "invalid_value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_and_methods),
        cmocka_unit_test(arguments_are_what_stands_in_the_hole),
        cmocka_unit_test(strangers_learn_nothing),
        cmocka_unit_test(health_is_as_the_service_says),
        cmocka_unit_test(settings_come_without_secrets),
        cmocka_unit_test(users_come_and_go),
        cmocka_unit_test(networks_belong_to_users),
        cmocka_unit_test(domains_have_one_form),
        cmocka_unit_test(an_order_says_exactly_what_it_means),
        cmocka_unit_test(a_dry_run_only_counts),
        cmocka_unit_test(the_summary_counts_states_and_domains),
        cmocka_unit_test(why_is_told_in_a_word_and_a_sentence),
        cmocka_unit_test(a_suspension_shows_before_any_mail_waits),
        cmocka_unit_test(orders_say_who_what_and_until_when),
    };

    return cmocka_run_group_tests(tests, start_serving, stop_serving);
}
