/* Domains, keys, destinations and suppressions, asked of the settings thread. */
#include "test/unit/policy/registry_watching.h"

#include "policy/registry_orders.h"
#include "relay/base/clock.h"

/* ---- domains and keys ---- */

static enum registry_result add_key(const char *selector, enum domain_key_type type)
{
    struct domain_key_request request = {.domain = SLICE_LITERAL("example.org"),
                                         .selector = slice_of(selector),
                                         .type = type,
                                         .public_key = SLICE_LITERAL("MIIBIjANBgkqhkiG9w0BAQE=")};

    return ASK(registry_key_add, &request);
}

static struct domain_key_request key_of(const char *selector)
{
    return (struct domain_key_request){.domain = SLICE_LITERAL("Example.org"),
                                       .selector = slice_of(selector)};
}

static const struct domain_key *key(const char *selector)
{
    const struct signing_domain *domain =
        directory_domain(watcher.newest, SLICE_LITERAL("EXAMPLE.org"));

    for (uint32_t i = 0; domain && i < domain->n_keys; i++)
        if (slice_equal(domain->keys[i].selector, slice_of(selector)))
            return &domain->keys[i];
    return NULL;
}

static void domains_are_kept_in_one_form(void **state)
{
    struct domain_request request = {.name = SLICE_LITERAL("M\xc3\xbcnchen.example"),
                                     .requires_signing = true};
    const struct signing_domain *domain;

    (void)state;
    assert_int_equal(ASK(registry_domain_add, &request), REGISTRY_OK);
    domain = directory_domain(watcher.newest, SLICE_LITERAL("xn--mnchen-3ya.example"));
    assert_non_null(domain);
    assert_true(domain->requires_signing);
    request.name = SLICE_LITERAL("XN--MNCHEN-3ya.example");
    assert_int_equal(ASK(registry_domain_add, &request), REGISTRY_EXISTS);
    request.requires_signing = false;
    assert_int_equal(ASK(registry_domain_options, &request), REGISTRY_OK);
    assert_false(directory_domain(watcher.newest, SLICE_LITERAL("xn--mnchen-3ya.example"))
                     ->requires_signing);
    request.name = SLICE_LITERAL("no domain");
    assert_int_equal(ASK(registry_domain_add, &request), REGISTRY_INVALID_NAME);
    request.name = SLICE_LITERAL("xn--mnchen-3ya.example");
    assert_int_equal(ASK(registry_domain_delete, &request), REGISTRY_OK);
    assert_int_equal(ASK(registry_domain_delete, &request), REGISTRY_NOT_FOUND);
    assert_int_equal(watcher.newest->n_domains, 0);
}

static void a_key_is_active_only_once_judged_and_one_of_its_type(void **state)
{
    struct domain_request domain = {.name = SLICE_LITERAL("example.org")};
    struct domain_key_request first, second;

    (void)state;
    assert_int_equal(add_key("s1", DOMAIN_KEY_RSA), REGISTRY_NOT_FOUND);
    assert_int_equal(ASK(registry_domain_add, &domain), REGISTRY_OK);
    assert_int_equal(add_key("s1", DOMAIN_KEY_RSA), REGISTRY_OK);
    assert_int_equal(add_key("S1", DOMAIN_KEY_RSA), REGISTRY_EXISTS);
    assert_int_equal(add_key("s1-ed", DOMAIN_KEY_ED25519), REGISTRY_OK);
    assert_int_equal(add_key("s2", DOMAIN_KEY_RSA), REGISTRY_OK);
    first = key_of("s1");
    assert_false(directory_may_sign(watcher.newest, SLICE_LITERAL("example.org")));
    assert_int_equal(ASK(registry_key_activate, &first), REGISTRY_NOT_JUDGED);
    assert_int_equal(ASK(registry_key_judged, &first), REGISTRY_OK);
    first.only_if_first = true;
    assert_int_equal(ASK(registry_key_activate, &first), REGISTRY_OK);
    assert_true(first.is_active);
    assert_true(key("s1")->is_active && key("s1")->is_judged);
    assert_true(directory_may_sign(watcher.newest, SLICE_LITERAL("example.org")));
    assert_true(directory_may_sign(watcher.newest, SLICE_LITERAL("Mail.example.ORG")));
    assert_false(directory_may_sign(watcher.newest, SLICE_LITERAL("notexample.org")));
    assert_false(directory_may_sign(watcher.newest, SLICE_LITERAL("org")));
    assert_false(directory_may_sign(watcher.newest, SLICE_LITERAL("")));
    second = key_of("s2");
    second.only_if_first = true;
    assert_int_equal(ASK(registry_key_judged, &second), REGISTRY_OK);
    assert_int_equal(ASK(registry_key_activate, &second), REGISTRY_OK);
    assert_false(second.is_active);
    assert_true(key("s1")->is_active);
    second.only_if_first = false;
    assert_int_equal(ASK(registry_key_activate, &second), REGISTRY_OK);
    assert_true(key("s2")->is_active);
    assert_false(key("s1")->is_active);
    first = key_of("s1-ed");
    first.only_if_first = true;
    assert_int_equal(ASK(registry_key_judged, &first), REGISTRY_OK);
    assert_int_equal(ASK(registry_key_activate, &first), REGISTRY_OK);
    assert_true(key("s1-ed")->is_active && key("s2")->is_active);
}

static void a_deleted_key_is_gone_and_a_domain_takes_its_keys_along(void **state)
{
    struct domain_request domain = {.name = SLICE_LITERAL("example.org")};
    struct domain_key_request request = key_of("s1");

    (void)state;
    assert_int_equal(ASK(registry_domain_add, &domain), REGISTRY_OK);
    assert_int_equal(add_key("s1", DOMAIN_KEY_RSA), REGISTRY_OK);
    assert_int_equal(add_key("s2", DOMAIN_KEY_RSA), REGISTRY_OK);
    assert_int_equal(ASK(registry_key_judged, &request), REGISTRY_OK);
    assert_int_equal(ASK(registry_key_activate, &request), REGISTRY_OK);
    assert_true(key("s1")->is_active);
    assert_int_equal(ASK(registry_key_delete, &request), REGISTRY_OK);
    assert_null(key("s1"));
    assert_int_equal(ASK(registry_key_delete, &request), REGISTRY_NOT_FOUND);
    assert_int_equal(ASK(registry_domain_delete, &domain), REGISTRY_OK);
    assert_int_equal(ASK(registry_domain_add, &domain), REGISTRY_OK);
    assert_int_equal(directory_domain(watcher.newest, domain.name)->n_keys, 0);
}

/* ---- destinations and suppressions ---- */

static const struct order *order_of(const char *name, enum order_action action, int64_t utc_ms)
{
    return directory_order(watcher.newest, ORDER_OF_DESTINATION, action, slice_of(name), utc_ms);
}

static void an_order_may_name_a_site(void **state)
{
    static const struct {
        const char *name, *kept; /* NULL: refused */
    } rows[] = {
        {"127.0.0.1:2526",                 "127.0.0.1:2526"                },
        {"[2001:DB8::1]:25",               "[2001:db8::1]:25"              },
        {"Mx1.dest.example,mx2.dest.net",  "mx1.dest.example,mx2.dest.net" },
        {"smart.example:587#dest.example", "smart.example:587#dest.example"},
        {"smart.example:587#*",            "smart.example:587#*"           },
        {"a b:25",                         NULL                            },
        {"dest..example",                  NULL                            },
        {"-x:25",                          NULL                            },
        {"a/b:25",                         NULL                            },
        {"a\x01:25",                       NULL                            },
        {"",                               NULL                            },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct order_request request = {
            .order = {.name = slice_of(rows[i].name), .reason = SLICE_LITERAL("it burns")}
        };
        struct order_end_request end = {.name = request.order.name};

        assert_int_equal(ASK(registry_order, &request),
                         rows[i].kept ? REGISTRY_OK : REGISTRY_INVALID_NAME);
        if (!rows[i].kept)
            continue;
        assert_non_null(order_of(rows[i].kept, ORDER_SUSPEND, 0));
        assert_int_equal(ASK(registry_order_end, &end), REGISTRY_OK);
        assert_null(order_of(rows[i].kept, ORDER_SUSPEND, 0));
    }
}

static void an_order_has_a_reason_and_an_end(void **state)
{
    int64_t now_ms = clock_utc_ms();
    struct order_request request = {
        .order = {.name = SLICE_LITERAL("Slow.Example"), .until_utc_ms = now_ms + 60000}
    };
    struct order_end_request end = {.name = SLICE_LITERAL("slow.example")};
    const struct order *order;

    (void)state;
    assert_int_equal(ASK(registry_order, &request), REGISTRY_INVALID_VALUE);
    request.order.reason = SLICE_LITERAL("it burns");
    assert_int_equal(ASK(registry_order, &request), REGISTRY_OK);
    order = order_of("slow.example", ORDER_SUSPEND, now_ms);
    assert_non_null(order);
    assert_slice_is(order->reason, "it burns");
    assert_slice_is(order->by, "test");
    assert_null(order_of("slow.example", ORDER_SUSPEND, now_ms + 60000));
    assert_null(order_of("fast.example", ORDER_SUSPEND, now_ms));
    request.order.until_utc_ms = 0;
    assert_int_equal(ASK(registry_order, &request), REGISTRY_OK);
    assert_non_null(order_of("slow.example", ORDER_SUSPEND, INT64_MAX));
    request.order.until_utc_ms = now_ms - 1;
    assert_int_equal(ASK(registry_order, &request), REGISTRY_INVALID_VALUE);
    assert_int_equal(ASK(registry_order_end, &end), REGISTRY_OK);
    assert_int_equal(ASK(registry_order_end, &end), REGISTRY_NOT_FOUND);
    assert_int_equal(watcher.newest->n_orders, 0);
}

/* One order of each kind may stand for a name, and each ends alone. */
static void orders_of_one_name_stand_side_by_side(void **state)
{
    struct order_request suspend = {
        .order = {.name = SLICE_LITERAL("a.example"), .reason = SLICE_LITERAL("r")}
    };
    struct order_request reroute = suspend;
    struct order_end_request end = {
        .name = suspend.order.name, .is_one = true, .action = ORDER_SUSPEND};

    (void)state;
    reroute.order.action = ORDER_REROUTE;
    assert_int_equal(ASK(registry_order, &reroute), REGISTRY_INVALID_VALUE);
    reroute.order.via = SLICE_LITERAL("smart.example:587");
    assert_int_equal(ASK(registry_order, &reroute), REGISTRY_OK);
    assert_int_equal(ASK(registry_order, &suspend), REGISTRY_OK);
    suspend.order.name = SLICE_LITERAL("b.example");
    assert_int_equal(ASK(registry_order, &suspend), REGISTRY_OK);
    close_registry();
    open_registry();
    mailbox_run(home);
    assert_slice_is(order_of("A.example", ORDER_REROUTE, 0)->via, "smart.example:587");
    assert_non_null(order_of("a.example", ORDER_SUSPEND, 0));
    assert_int_equal(ASK(registry_order_end, &end), REGISTRY_OK);
    assert_null(order_of("a.example", ORDER_SUSPEND, 0));
    assert_non_null(order_of("a.example", ORDER_REROUTE, 0));
    assert_non_null(order_of("b.example", ORDER_SUSPEND, 0));
    end.is_one = false;
    assert_int_equal(ASK(registry_order_end, &end), REGISTRY_OK);
    end.name = SLICE_LITERAL("b.example");
    assert_int_equal(ASK(registry_order_end, &end), REGISTRY_OK);
    assert_int_equal(watcher.newest->n_orders, 0);
}

static enum registry_result suppress(const char *address, const char *of)
{
    struct suppression_request request = {
        .address = slice_of(address), .user = slice_of(of), .reason = SLICE_LITERAL("bounced")};

    return ASK(registry_suppression_add, &request);
}

static void suppressions_come_in_pages(void **state)
{
    struct suppression_list_request list = {.limit = 2};
    char seen[200] = "", last[100];
    bool is_more = true;

    (void)state;
    assert_int_equal(add_user("a@example.org", NULL), REGISTRY_OK);
    assert_int_equal(suppress("C@Example.net", NULL), REGISTRY_OK);
    assert_int_equal(suppress("c@example.net", NULL), REGISTRY_EXISTS);
    assert_int_equal(suppress("c@example.net", "a@example.org"), REGISTRY_OK);
    assert_int_equal(suppress("a@example.net", NULL), REGISTRY_OK);
    assert_int_equal(suppress("example.com", NULL), REGISTRY_OK);
    assert_int_equal(suppress("b@example.net", "nobody"), REGISTRY_NOT_FOUND);
    assert_int_equal(suppress("*", NULL), REGISTRY_INVALID_NAME);
    while (is_more) {
        assert_int_equal(ASK(registry_suppression_list, &list), REGISTRY_OK);
        is_more = list.n_rows == 2;
        for (uint32_t i = 0; i < list.n_rows; i++) {
            const struct suppression *row = &list.rows[i];
            size_t len = strlen(seen);

            snprintf(seen + len, sizeof(seen) - len, "%s/%s ", row->address, row->user);
            snprintf(last, sizeof(last), "%s", row->address);
            list.after_user_id = row->user_id;
        }
        list.after_address = slice_of(last);
        suppressions_free(list.rows, list.n_rows);
    }
    assert_string_equal(seen,
                        "a@example.net/ c@example.net/ c@example.net/a@example.org example.com/ ");
}

static void a_suppression_is_deleted_by_its_address(void **state)
{
    struct suppression_request request = {.address = SLICE_LITERAL("C@example.net")};

    (void)state;
    assert_int_equal(suppress("c@example.net", NULL), REGISTRY_OK);
    assert_int_equal(ASK(registry_suppression_delete, &request), REGISTRY_OK);
    assert_int_equal(ASK(registry_suppression_delete, &request), REGISTRY_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(domains_are_kept_in_one_form),
        TEST(a_key_is_active_only_once_judged_and_one_of_its_type),
        TEST(a_deleted_key_is_gone_and_a_domain_takes_its_keys_along),
        TEST(an_order_has_a_reason_and_an_end),
        TEST(an_order_may_name_a_site),
        TEST(orders_of_one_name_stand_side_by_side),
        TEST(suppressions_come_in_pages),
        TEST(a_suppression_is_deleted_by_its_address),
    };

    if (secret_start() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
