#include "test/unit/relay/net/resolver_at_table.h"

#include "relay/base/event.h"

static const struct dns_row rows[] = {
    {"two.test",               DNS_TYPE_MX,    "20 mx2.two.test",    0  },
    {"two.test",               DNS_TYPE_MX,    "10 mx1.two.test",    0  },
    {"equal.test",             DNS_TYPE_MX,    "5 mx%d.equal.test",  8  },
    {"equal.test",             DNS_TYPE_MX,    "50 last.equal.test", 0  },
    {"many.test",              DNS_TYPE_MX,    "%d mx%d.many.test",  500},
    {"null.test",              DNS_TYPE_MX,    "0 .",                0  },
    {"mixed.test",             DNS_TYPE_MX,    "0 .",                0  },
    {"mixed.test",             DNS_TYPE_MX,    "7 mx.mixed.test",    0  },
    {"implicit.test",          DNS_TYPE_A,     "192.0.2.9",          0  },
    {"broken.test",            DNS_TYPE_MX,    NULL,                 0  },
    {"alias.test",             DNS_TYPE_CNAME, "implicit.test",      0  },
    {"alias2.test",            DNS_TYPE_CNAME, "two.test",           0  },
    {"loop.test",              DNS_TYPE_CNAME, "loop2.test",         0  },
    {"loop2.test",             DNS_TYPE_CNAME, "loop.test",          0  },
    {"dangling.test",          DNS_TYPE_CNAME, "nowhere.test",       0  },
    {"hosts.test",             DNS_TYPE_A,     "192.0.2.%d",         3  },
    {"hosts.test",             DNS_TYPE_AAAA,  "2001:db8::%d",       2  },
    {"crowd.test",             DNS_TYPE_A,     "192.0.2.%d",         40 },
    {"only6.test",             DNS_TYPE_AAAA,  "2001:db8::6",        0  },
    {"7.2.0.192.in-addr.arpa", DNS_TYPE_PTR,   "named.test",         0  },
};

static char unvalidated[128];
static unsigned n_done;
static struct mx_query mx;
static struct host_query host;

static void on_event(void *owner, const struct event *event)
{
    (void)owner;
    if (event->kind == EVENT_DNS_UNVALIDATED)
        slice_copy_to(event->fields[0].text, unvalidated, sizeof(unvalidated));
}

/* What libunbound has: the linker leads the resolver's questions through here (--wrap). */
struct ub_ctx;
typedef void on_unbound_answer(void *owner, int rcode, void *packet, int packet_len, int security,
                               char *why_bogus, int was_ratelimited);
int __real_ub_resolve_event(struct ub_ctx *context, const char *name, int type, int class,
                            void *owner, on_unbound_answer *done, int *id);
int __wrap_ub_resolve_event(struct ub_ctx *context, const char *name, int type, int class,
                            void *owner, on_unbound_answer *done, int *id);

enum { N_CROWD = 5000, MOST_ON_THEIR_WAY = 2048 };

static struct asked {
    void *owner;
    on_unbound_answer *done;
} asked[2 * N_CROWD]; /* never freed: a resolver that ends answers nothing any more */
static int n_ever_asked, n_on_their_way, most_on_their_way;

static void on_asked_answer(void *argument, int rcode, void *packet, int packet_len, int security,
                            char *why_bogus, int was_ratelimited)
{
    const struct asked *question = argument;

    n_on_their_way--;
    question->done(question->owner, rcode, packet, packet_len, security, why_bogus,
                   was_ratelimited);
}

int __wrap_ub_resolve_event(struct ub_ctx *context, const char *name, int type, int class,
                            void *owner, on_unbound_answer *done, int *id)
{
    struct asked *question = &asked[n_ever_asked++];
    int error;

    assert_in_range(n_ever_asked, 1, sizeof(asked) / sizeof(asked[0]));
    *question = (struct asked){.owner = owner, .done = done};
    if (++n_on_their_way > most_on_their_way)
        most_on_their_way = n_on_their_way;
    error = __real_ub_resolve_event(context, name, type, class, question, on_asked_answer, id);
    n_on_their_way -= error != 0;
    return error;
}

static int set_up(void **state)
{
    (void)state;
    event_set_sink(on_event, NULL);
    n_ever_asked = n_on_their_way = most_on_their_way = 0;
    return start_resolver(rows, sizeof(rows) / sizeof(rows[0]));
}

static int tear_down(void **state)
{
    (void)state;
    stop_resolver();
    event_set_sink(NULL, NULL);
    return 0;
}

static void run_until_done(unsigned n)
{
    while (n_done < n)
        loop_run(loop);
}

static void on_mx(struct mx_query *query)
{
    (void)query;
    n_done++;
    loop_stop(loop);
}

static void look_up_mx(const char *domain)
{
    mx = (struct mx_query){.done = on_mx};
    slice_copy_to(slice_of(domain), mx.domain, sizeof(mx.domain));
    n_done = 0;
    mx_lookup(resolver, &mx);
    assert_int_equal(n_done, 0); /* never inside the call */
    run_until_done(1);
}

static void on_host(struct host_query *query)
{
    (void)query;
    n_done++;
    loop_stop(loop);
}

static void look_up_host(const char *name, bool wants_v6)
{
    host = (struct host_query){.done = on_host, .wants_v6 = wants_v6};
    slice_copy_to(slice_of(name), host.name, sizeof(host.name));
    n_done = 0;
    host_lookup(resolver, &host);
    assert_int_equal(n_done, 0);
    run_until_done(1);
}

static void mail_hosts_come_by_preference(void **state)
{
    (void)state;
    look_up_mx("two.test");
    assert_int_equal(mx.status, MX_OK);
    assert_int_equal(mx.n_hosts, 2);
    assert_string_equal(mx.hosts[0].name, "mx1.two.test");
    assert_int_equal(mx.hosts[0].preference, 10);
    assert_string_equal(mx.hosts[1].name, "mx2.two.test");
    assert_false(mx.is_implicit);
    assert_false(mx.is_secure);
    assert_in_range(mx.ttl, 1, 60);
    look_up_mx("ALIAS2.test.");
    assert_int_equal(mx.n_hosts, 2);
}

static void equal_hosts_are_shuffled(void **state)
{
    unsigned seen = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        look_up_mx("equal.test");
        assert_int_equal(mx.n_hosts, 9);
        assert_string_equal(mx.hosts[8].name, "last.equal.test");
        seen |= 1U << (mx.hosts[0].name[2] - '0');
    }
    assert_int_equal(seen, 0xff); /* (7/8)^100 × 8: once in 80,000 runs */
}

static void answers_from_the_cache_ask_nobody(void **state)
{
    int n_before;

    (void)state;
    look_up_mx("two.test");
    n_before = atomic_load(&server.n_questions);
    for (int i = 0; i < 10; i++)
        look_up_mx("two.test");
    assert_int_equal(atomic_load(&server.n_questions), n_before);
}

static void five_hundred_hosts_are_cut_to_the_best_twenty(void **state)
{
    (void)state;
    look_up_mx("many.test"); /* by TCP */
    assert_int_equal(mx.status, MX_OK);
    assert_int_equal(mx.n_hosts, MX_MAX_HOSTS);
    for (size_t i = 0; i < mx.n_hosts; i++)
        assert_int_equal(mx.hosts[i].preference, i);
}

static void what_a_domain_without_hosts_means(void **state)
{
    static const struct {
        const char *domain;
        enum mx_status status;
        const char *implicit_host;
    } cases[] = {
        {"null.test",                                                             MX_NULL,      NULL           },
        {"implicit.test",                                                         MX_OK,        "implicit.test"},
        {"alias.test",                                                            MX_OK,        "implicit.test"},
        {"nowhere.test",                                                          MX_NO_DOMAIN, NULL           },
        {"dangling.test",                                                         MX_NO_DOMAIN, NULL           },
        {"broken.test",                                                           MX_TEMPORARY, NULL           },
        {"loop.test",                                                             MX_TEMPORARY, NULL           },
        {"",                                                                      MX_NO_DOMAIN, NULL           },
        {"double..dot.test",                                                      MX_NO_DOMAIN, NULL           },
        {"back\\slash.test",                                                      MX_NO_DOMAIN, NULL           },
        {"a234567890123456789012345678901234567890123456789012345678901234.test", MX_NO_DOMAIN,
         NULL                                                                                                  },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        look_up_mx(cases[i].domain);
        if (mx.status != cases[i].status)
            fail_msg("%s: %d, %s", cases[i].domain, mx.status, mx.why);
        assert_int_equal(mx.is_implicit, cases[i].implicit_host != NULL);
        if (cases[i].implicit_host)
            assert_string_equal(mx.hosts[0].name, cases[i].implicit_host);
        else
            assert_true(mx.why[0] && !mx.n_hosts);
    }
    look_up_mx("mixed.test"); /* a null MX among others is no null MX, RFC 7505 3 */
    assert_int_equal(mx.status, MX_OK);
    assert_int_equal(mx.n_hosts, 1);
}

static void addresses_of_both_families_v6_first(void **state)
{
    (void)state;
    look_up_host("hosts.test", true);
    assert_int_equal(host.status, DNS_OK);
    assert_int_equal(host.n_addresses, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(host.addresses[i].family, i < 2 ? AF_INET6 : AF_INET);
    look_up_host("hosts.test", false);
    assert_int_equal(host.n_addresses, 3);
    look_up_host("crowd.test", false);
    assert_int_equal(host.n_addresses, HOST_MAX_ADDRESSES);
    look_up_host("alias.test", false);
    assert_int_equal(host.n_addresses, 1);
}

static void a_host_without_addresses(void **state)
{
    (void)state;
    look_up_host("only6.test", false);
    assert_int_equal(host.status, DNS_NO_DATA);
    look_up_host("only6.test", true);
    assert_int_equal(host.status, DNS_OK);
    look_up_host("nowhere.test", true);
    assert_int_equal(host.status, DNS_NO_NAME);
    look_up_host("broken.test", true);
    assert_int_equal(host.status, DNS_TEMPORARY);
    look_up_host("192.0.2.44", true);
    assert_int_equal(host.status, DNS_OK);
    assert_int_equal(host.n_addresses, 1);
}

static void without_signatures_it_says_so_and_goes_on(void **state)
{
    (void)state;
    look_up_mx("two.test");
    assert_false(resolver_validates(resolver));
    assert_true(unvalidated[0]);
}

static char names[2][DNS_NAME_SIZE];

static void on_raw(struct dns_query *query)
{
    struct dns_record record;

    assert_int_equal(query->status, DNS_OK);
    assert_true(dns_message_next_of(&query->answer, query->canonical, &record));
    memcpy(names[n_done++], record.target, DNS_NAME_SIZE);
    if (n_done == 1)
        dns_ask(resolver, query); /* again, from done() */
    loop_stop(loop);
}

static void a_question_may_be_asked_again_from_its_answer(void **state)
{
    struct dns_query query = {
        .done = on_raw, .type = DNS_TYPE_PTR, .name = "7.2.0.192.in-addr.arpa"};

    (void)state;
    n_done = 0;
    dns_ask(resolver, &query);
    run_until_done(2);
    assert_string_equal(names[0], "named.test");
    assert_string_equal(names[1], "named.test");
}

static void cancelled_questions_are_never_answered(void **state)
{
    struct mx_query *gone = calloc(1, sizeof(*gone));

    (void)state;
    look_up_mx("two.test"); /* past the first probe */
    gone->done = on_mx;
    slice_copy_to(SLICE_LITERAL("equal.test"), gone->domain, sizeof(gone->domain));
    n_done = 0;
    mx_lookup(resolver, gone);
    mx_cancel(gone); /* while it waits */
    mx_lookup(resolver, gone);
    loop_stop(loop);
    loop_run(loop); /* now it is on its way */
    mx_cancel(gone);
    free(gone);
    look_up_mx("many.test");
    assert_int_equal(n_done, 1);
    host = (struct host_query){.done = on_host, .wants_v6 = true, .name = "hosts.test"};
    host_lookup(resolver, &host);
    host_cancel(&host);
}

/* libunbound drops what exceeds its own table: the rest waits here, none is lost. */
static void any_number_of_questions_is_answered(void **state)
{
    struct mx_query *queries = calloc(N_CROWD, sizeof(*queries));
    unsigned n_ok = 0;

    (void)state;
    n_done = 0;
    for (int i = 0; i < N_CROWD; i++) {
        queries[i].done = on_mx;
        snprintf(queries[i].domain, DNS_NAME_SIZE, "%s", i % 2 ? "two.test" : "equal.test");
        mx_lookup(resolver, &queries[i]);
    }
    run_until_done(N_CROWD);
    for (int i = 0; i < N_CROWD; i++)
        n_ok += queries[i].status == MX_OK;
    assert_int_equal(n_ok, N_CROWD);
    assert_int_equal(most_on_their_way, MOST_ON_THEIR_WAY);
    free(queries);
}

static void freeing_with_questions_on_their_way_leaks_nothing(void **state)
{
    (void)state;
    look_up_mx("two.test");
    mx = (struct mx_query){.done = on_mx, .domain = "equal.test"};
    mx_lookup(resolver, &mx);
    loop_stop(loop);
    loop_run(loop);
    host = (struct host_query){.done = on_host, .name = "hosts.test"};
    host_lookup(resolver, &host);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mail_hosts_come_by_preference),
        TEST(equal_hosts_are_shuffled),
        TEST(answers_from_the_cache_ask_nobody),
        TEST(five_hundred_hosts_are_cut_to_the_best_twenty),
        TEST(what_a_domain_without_hosts_means),
        TEST(addresses_of_both_families_v6_first),
        TEST(a_host_without_addresses),
        TEST(without_signatures_it_says_so_and_goes_on),
        TEST(a_question_may_be_asked_again_from_its_answer),
        TEST(cancelled_questions_are_never_answered),
        TEST(any_number_of_questions_is_answered),
        TEST(freeing_with_questions_on_their_way_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
