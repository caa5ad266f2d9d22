/* Which of our addresses has which number, and whose mail leaves from which pool. */
#include "test/support/test_support.h"

#include <errno.h>
#include <stdio.h>

#include "relay/delivery/egress_table.h"

static struct arena arena;

static struct ip_address address(const char *text)
{
    struct ip_address out;

    assert_true(ip_parse(slice_of(text), &out));
    return out;
}

static struct delivery_egress egress(const char *name, const char *v4)
{
    return (struct delivery_egress){.name = name, .v4 = address(v4), .weight = 1};
}

static struct egress_table table_of(const struct delivery_settings *settings,
                                    const struct egress_table *former)
{
    struct egress_table table;

    assert_int_equal(egress_table_fill(&table, settings, former, &arena), 0);
    return table;
}

static void an_address_keeps_its_number_over_reloads(void **state)
{
    const struct delivery_egress before[] = {egress("a", "192.0.2.1"), egress("b", "192.0.2.2"),
                                             egress("c", "192.0.2.3")};
    const struct delivery_egress after[] = {egress("d", "192.0.2.4"), egress("c2", "192.0.2.3"),
                                            egress("b", "192.0.2.2")};
    struct delivery_settings settings = {.egress = before, .n_egress = 3};
    struct egress_table first = table_of(&settings, NULL), second;

    (void)state;
    settings.egress = after;
    second = table_of(&settings, &first);
    assert_int_equal(egress_table_find(&second, address("192.0.2.2")),
                     egress_table_find(&first, address("192.0.2.2")));
    assert_int_equal(egress_table_find(&second, address("192.0.2.3")),
                     egress_table_find(&first, address("192.0.2.3")));
    /* A new one takes no number that had another meaning while there are others. */
    assert_int_equal(egress_table_find(&second, address("192.0.2.4")), 4);
    assert_int_equal(egress_table_find(&second, address("192.0.2.1")), -1);
    assert_int_equal(egress_table_moved(&first, &second),
                     1U << 4 | 1U << egress_table_find(&first, address("192.0.2.1")));
    assert_int_equal(egress_table_changed(&second, &second), 0);
}

static struct delivery_pool pool(const char *name, const char *const *members)
{
    return (struct delivery_pool){
        .name = name, .egress = members, .n_egress = 1, .message_class = -1};
}

static void a_pool_keeps_its_number_over_reloads(void **state)
{
    const char *const a[] = {"a"}, *const b[] = {"b"};
    const struct delivery_egress addresses[] = {egress("a", "192.0.2.1"), egress("b", "192.0.2.2")};
    const struct delivery_pool before[] = {pool("one", a), pool("two", a), pool("three", b)};
    const struct delivery_pool after[] = {pool("four", a), pool("three", b), pool("default", b),
                                          pool("two", b)};
    struct delivery_settings settings = {
        .egress = addresses, .n_egress = 2, .pools = before, .n_pools = 3};
    struct egress_table first = table_of(&settings, NULL), second;
    struct egress_plan plan;
    int one = egress_table_pool_named(&first, SLICE_LITERAL("one"));

    (void)state;
    settings.pools = after;
    settings.n_pools = 4;
    second = table_of(&settings, &first);
    assert_int_equal(egress_table_pool_named(&second, SLICE_LITERAL("three")),
                     egress_table_pool_named(&first, SLICE_LITERAL("three")));
    assert_int_equal(egress_table_pool_named(&second, SLICE_LITERAL("two")),
                     egress_table_pool_named(&first, SLICE_LITERAL("two")));
    assert_int_equal(egress_table_pool_named(&second, SLICE_LITERAL("default")), 0);
    assert_int_equal(egress_table_pool_named(&second, SLICE_LITERAL("one")), -1);
    assert_int_equal(egress_table_pool_named(&second, (struct slice){NULL, 0}), -1);
    assert_true(egress_table_pool_named(&second, SLICE_LITERAL("four")) > 3);
    egress_table_plan(&second, &plan);
    assert_int_equal(plan.pools[one],
                     plan.pools[0]); /* what is queued for it leaves all the same */
}

static void without_pools_mail_leaves_from_bind(void **state)
{
    const struct ip_address binds[] = {address("2001:db8::1"), address("192.0.2.1"),
                                       address("192.0.2.9")};
    struct delivery_settings settings = {.binds = binds, .n_binds = 3};
    struct egress_table table = table_of(&settings, NULL);
    struct egress_plan plan;
    struct ip_address out;

    (void)state;
    egress_table_plan(&table, &plan);
    for (int i = 0; i < POOL_MOST; i++)
        assert_int_equal(plan.pools[i], 1);
    assert_true(egress_table_bind(&table, 0, AF_INET, &out));
    assert_true(ip_equal(out, address("192.0.2.1")));
    assert_true(egress_table_bind(&table, 0, AF_INET6, &out));
    assert_true(ip_equal(out, address("2001:db8::1")));
    assert_int_equal(
        egress_table_pool(&table, SLICE_LITERAL("u"), SLICE_LITERAL("a@b"), CLASS_BULK), 0);
}

static void a_pool_is_chosen_by_user_then_domain_then_class(void **state)
{
    const struct delivery_egress all[] = {egress("a", "192.0.2.1"), egress("b", "192.0.2.2"),
                                          egress("c", "192.0.2.3")};
    const char *const names[] = {"a", "b", "c"}, *const users[] = {"Shop"},
                      *const domains[] = {"brand.example"};
    const struct delivery_pool pools[] = {
        {.name = "urgent", .egress = names, .n_egress = 1, .message_class = CLASS_TRANSACTIONAL},
        { .name = "brand",
         .egress = names + 1,
         .n_egress = 1,
         .domains = domains,
         .n_domains = 1,
         .message_class = -1},
        {                                                                    .name = "shop",
         .egress = names + 1,
         .n_egress = 2,
         .users = users,
         .n_users = 1,
         .message_class = -1},
    };
    static const struct {
        const char *user, *sender;
        enum message_class message_class;
        uint32_t pool;
    } rows[] = {
        {"shop",  "x@brand.example",     CLASS_TRANSACTIONAL, 3},
        {"other", "x@Brand.example",     CLASS_TRANSACTIONAL, 2},
        {"other", "x@sub.brand.example", CLASS_TRANSACTIONAL, 1},
        {"other", "",                    CLASS_BULK,          0},
    };
    const struct delivery_settings settings = {
        .egress = all, .n_egress = 3, .pools = pools, .n_pools = 3};
    struct egress_table table = table_of(&settings, NULL);
    struct egress_plan plan;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(egress_table_pool(&table, slice_of(rows[i].user), slice_of(rows[i].sender),
                                           rows[i].message_class),
                         rows[i].pool);
    egress_table_plan(&table, &plan);
    assert_int_equal(plan.pools[3], 1 << 2 | 1 << 3);
    assert_int_equal(plan.pools[4], plan.pools[0]); /* a pool that is no more */
}

enum { A = 1, B, C, D };
#define BIT(n) (1U << (n))

/* Pool 0 is {A}, 1 {B}, 2 {C, D}, 3 {A, B}: what of each is left when operators lead so. */
static void an_address_led_away_stands_in_for_none(void **state)
{
    static const struct lead {
        int8_t a, b, c;
        uint16_t pools[4];
    } leads[] = {
        {-1, -1, -1, {BIT(A), BIT(B), BIT(C) | BIT(D), BIT(A) | BIT(B)}                  },
        {1,  -1, -1, {BIT(B), BIT(B), BIT(C) | BIT(D), BIT(B)}                           },
        {1,  2,  -1, {BIT(C) | BIT(D), BIT(C) | BIT(D), BIT(C) | BIT(D), BIT(C) | BIT(D)}},
        {-1, 3,  -1, {BIT(A), BIT(A), BIT(C) | BIT(D), BIT(A)}                           },
        {1,  0,  -1, {0, 0, BIT(C) | BIT(D), 0}                                          }, /* a circle */
        {1,  0,  0,  {0, 0, BIT(D), 0}                                                   },
        {1,  2,  0,  {BIT(D), BIT(D), BIT(D), BIT(D)}                                    },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
        struct egress_plan plan = {
            .pools = {BIT(A), BIT(B), BIT(C) | BIT(D), BIT(A) | BIT(B)}
        };
        int8_t to[EGRESS_MOST];

        memset(to, -1, sizeof(to));
        to[A] = leads[i].a;
        to[B] = leads[i].b;
        to[C] = leads[i].c;
        egress_plan_lead(&plan, to);
        assert_memory_equal(plan.pools, leads[i].pools, sizeof(leads[i].pools));
    }
}

static void too_many_addresses_are_refused(void **state)
{
    struct delivery_egress all[EGRESS_MOST];
    char names[EGRESS_MOST][16];
    struct delivery_settings settings = {.egress = all, .n_egress = EGRESS_MOST - 1};
    struct egress_table table;

    (void)state;
    for (int i = 0; i < EGRESS_MOST; i++) {
        char text[IP_TEXT_SIZE];

        (void)snprintf(names[i], sizeof(names[i]), "e%d", i);
        (void)snprintf(text, sizeof(text), "192.0.2.%d", i + 1);
        all[i] = egress(names[i], text);
    }
    assert_int_equal(egress_table_fill(&table, &settings, NULL, &arena), 0);
    settings.n_egress = EGRESS_MOST;
    assert_int_equal(egress_table_fill(&table, &settings, NULL, &arena), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_keeps_its_number_over_reloads),
        cmocka_unit_test(a_pool_keeps_its_number_over_reloads),
        cmocka_unit_test(without_pools_mail_leaves_from_bind),
        cmocka_unit_test(a_pool_is_chosen_by_user_then_domain_then_class),
        cmocka_unit_test(an_address_led_away_stands_in_for_none),
        cmocka_unit_test(too_many_addresses_are_refused),
    };
    int result;

    arena_init(&arena, 0);
    result = cmocka_run_group_tests(tests, NULL, NULL);
    arena_reset(&arena);
    return result;
}
