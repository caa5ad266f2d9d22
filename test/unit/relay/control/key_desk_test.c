/* The key desk between a real signer process, a real registry and libopendkim. */
#include "test/support/test_support.h"

#include <ftw.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>

#include "policy/registry_domains.h"
#include "policy/worker_pool.h"
#include "relay/base/clock.h"
#include "relay/base/list.h"
#include "relay/base/secret.h"
#include "relay/control/key_check.h"
#include "relay/control/key_desk.h"
#include "test/support/signer_fixture.h"

enum { PATIENCE_MS = 60000 };

#define DOMAIN "example.com"

static char folder[64];
static struct registry *registry;
static struct worker_pool *workers;
static struct key_desk *desk;
static unsigned n_awaited;
static enum registry_result registry_said;

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *position)
{
    (void)about, (void)kind, (void)position;
    return remove(path);
}

static void on_registry(struct registry_request *request)
{
    registry_said = request->result;
    loop_stop(running.loop);
}

static struct registry_request to_registry(void)
{
    return (struct registry_request){
        .answer_to = loop_mailbox(running.loop), .done = on_registry, .by = SLICE_LITERAL("test")};
}

static void add_domain(const char *name)
{
    struct domain_request request = {.request = to_registry(), .name = slice_of(name)};

    assert_true(registry_domain_add(registry, &request));
    loop_run(running.loop);
    assert_int_equal(registry_said, REGISTRY_OK);
}

/* Whether the registry has the row, told by taking it away. */
static bool take_row(const char *selector)
{
    struct domain_key_request request = {
        .request = to_registry(), .domain = SLICE_LITERAL(DOMAIN), .selector = slice_of(selector)};

    assert_true(registry_key_delete(registry, &request));
    loop_run(running.loop);
    return registry_said == REGISTRY_OK;
}

static void run_stop(struct task *task)
{
    (void)task;
    loop_stop(running.loop);
}

/* What is ready now. */
static void one_turn(void)
{
    static struct task stop = {.run = run_stop};

    mailbox_answer(loop_mailbox(running.loop), &stop);
    loop_run(running.loop);
}

static int set_up(void **state)
{
    struct key_desk_parts parts;
    int fd;

    assert_int_equal(secret_start(), 0);
    if (signer_set_up(state))
        return -1;
    snprintf(folder, sizeof(folder), "/tmp/staffetta-desk-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(registry_open(&registry, folder), 0);
    assert_int_equal(worker_pool_start(&workers, 1, 1), 0);
    parts = (struct key_desk_parts){.loop = running.loop, .registry = registry, .workers = workers};
    assert_int_equal(key_desk_new(&desk, &parts), 0);
    key_desk_subscribe(desk);
    assert_int_equal(registry_start(registry), 0);
    assert_int_equal(signer_link_add_loop(running.link_fd, &fd), 0);
    key_desk_connect(desk, fd);
    add_domain(DOMAIN);
    while (!key_desk_is_up(desk))
        one_turn();
    return 0;
}

static int tear_down(void **state)
{
    workers = worker_pool_stop(workers);
    registry = registry_stop(registry);
    desk = key_desk_free(desk);
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return signer_tear_down(state);
}

/* ---- orders ---- */

static void on_done(struct key_order *order)
{
    (void)order;
    if (--n_awaited == 0)
        loop_stop(running.loop);
}

static struct key_order order_of(const char *domain, const char *selector)
{
    return (struct key_order){.answer_to = loop_mailbox(running.loop),
                              .done = on_done,
                              .domain = slice_of(domain),
                              .selector = slice_of(selector),
                              .by = SLICE_LITERAL("test")};
}

static void run_order(struct key_order *order)
{
    n_awaited = 1;
    assert_true(key_desk_order(desk, order));
    while (n_awaited)
        loop_run(running.loop);
}

static struct key_order make(const char *domain, const char *selector, bool rsa, bool ed25519)
{
    struct key_order order = order_of(domain, selector);

    order.wants_rsa = rsa;
    order.wants_ed25519 = ed25519;
    run_order(&order);
    return order;
}

static void assert_failed(const struct key_order *order, const char *code)
{
    assert_false(order->went_well);
    assert_string_equal(order->code, code);
    assert_true(*order->sentence);
}

static bool signer_has(const char *selector)
{
    return tell_key(KEY_SHOW, DOMAIN, selector, 0, "") == KEY_OK;
}

static void both_keys_are_judged_and_sign(void **state)
{
    struct key_order order = make(DOMAIN, "s1", true, true);

    (void)state;
    assert_true(order.went_well);
    assert_int_equal(order.n_made, 2);
    assert_string_equal(order.made[0].name.selector, "s1");
    assert_int_equal(order.made[0].type, DKIM_KEY_RSA);
    assert_string_equal(order.made[1].name.selector, "s1-ed");
    assert_int_equal(order.made[1].type, DKIM_KEY_ED25519);
    assert_true(order.made[0].is_active && order.made[1].is_active);
    assert_int_equal(sign_for(DOMAIN), SIGN_OK);
    order = make(DOMAIN, "s2", true, false);
    assert_true(order.went_well);
    assert_false(order.made[0].is_active); /* s1 goes on signing */
}

static void a_name_that_is_taken_changes_nothing(void **state)
{
    struct key_order order = make(DOMAIN, "s1", false, true);

    (void)state;
    assert_true(order.went_well);
    order = make(DOMAIN, "s1", false, true);
    assert_failed(&order, "exists");
    assert_true(signer_has("s1"));
    assert_true(take_row("s1"));
}

static void names_are_judged_first(void **state)
{
    char selector[300];
    struct key_order order = make(DOMAIN, "a b", true, false);

    (void)state;
    assert_failed(&order, "invalid_name");
    memset(selector, 's', sizeof(selector) - 1);
    selector[sizeof(selector) - 1] = '\0';
    order = make(DOMAIN, selector, true, true);
    assert_failed(&order, "invalid_name");
    assert_int_equal(order.n_made, 0);
}

static void without_a_row_the_private_half_is_taken_back(void **state)
{
    struct key_order order = make("unknown.example", "s1", false, true);

    (void)state;
    assert_failed(&order, "not_found");
    assert_int_equal(tell_key(KEY_SHOW, "unknown.example", "s1", 0, ""), KEY_UNKNOWN);
}

static sem_t has_begun, may_end;

static void block(struct job *job)
{
    (void)job;
    sem_post(&has_begun);
    sem_wait(&may_end);
}

static void on_unblocked(struct job *job)
{
    (void)job;
}

/* The judge has no time: one job runs, one waits, and the queue is full. */
static void a_key_that_is_not_judged_leaves_nothing_behind(void **state)
{
    struct job running_job = {
        .answer_to = loop_mailbox(running.loop), .work = block, .done = on_unblocked};
    struct job waiting_job = running_job;
    struct key_order order;

    (void)state;
    assert_int_equal(sem_init(&has_begun, 0, 0) | sem_init(&may_end, 0, 0), 0);
    assert_true(worker_pool_submit(workers, &running_job));
    sem_wait(&has_begun);
    assert_true(worker_pool_submit(workers, &waiting_job));
    order = make(DOMAIN, "s1", false, true);
    assert_failed(&order, "busy");
    assert_false(signer_has("s1"));
    assert_false(take_row("s1"));
    sem_post(&may_end);
    sem_post(&may_end);
    workers = worker_pool_stop(workers);
    one_turn(); /* the jobs come home */
    sem_destroy(&has_begun);
    sem_destroy(&may_end);
}

/* A crash came between the signer and the registry. */
static void a_key_that_only_the_signer_has_is_taken_over(void **state)
{
    struct key_order order;

    (void)state;
    assert_int_equal(tell_key(KEY_CREATE, DOMAIN, "lost", DKIM_KEY_ED25519, ""), KEY_OK);
    order = make(DOMAIN, "lost", true, false);
    assert_failed(&order, "exists"); /* but not in place of another type */
    assert_true(signer_has("lost"));
    order = make(DOMAIN, "lost", false, true);
    assert_true(order.went_well);
    assert_string_equal(order.made[0].public_half, running.key.public_half);
    assert_true(order.made[0].is_active);
    assert_int_equal(sign_for(DOMAIN), SIGN_OK);
}

static void an_imported_key_is_judged_too(void **state)
{
    struct key_order order = order_of(DOMAIN, "old");

    (void)state;
    order.wants_rsa = order.wants_ed25519 = true;
    order.pem = SLICE_LITERAL("-----BEGIN PRIVATE KEY-----\n"
                              "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                              "-----END PRIVATE KEY-----\n");
    run_order(&order);
    assert_true(order.went_well);
    assert_int_equal(order.n_made, 1);
    assert_int_equal(order.made[0].type, DKIM_KEY_ED25519);
    assert_string_equal(order.made[0].public_half, "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
    run_order(&order);
    assert_failed(&order, "exists");
    order.pem = SLICE_LITERAL("nonsense");
    order.selector = SLICE_LITERAL("new");
    run_order(&order);
    assert_failed(&order, "key_refused");
    assert_false(take_row("new"));
}

static void keys_are_forgotten(void **state)
{
    const struct slice selectors[] = {SLICE_LITERAL("s1"), SLICE_LITERAL("never"),
                                      SLICE_LITERAL("s1-ed")};
    struct key_order order = make(DOMAIN, "s1", true, true);

    (void)state;
    assert_true(order.went_well);
    order = order_of(DOMAIN, "");
    order.verb = KEY_ORDER_FORGET;
    order.selectors = selectors;
    order.n_selectors = 3;
    run_order(&order);
    assert_true(order.went_well); /* what is not there is forgotten already */
    assert_false(signer_has("s1"));
    assert_false(signer_has("s1-ed"));
    assert_int_equal(sign_for(DOMAIN), SIGN_NO_KEY);
}

static void orders_take_their_turn(void **state)
{
    enum { N_ORDERS = 6 };
    static struct key_order orders[N_ORDERS];
    static const char *const selectors[N_ORDERS] = {"a", "a b", "b", "a", "c", "d"};

    (void)state;
    n_awaited = N_ORDERS;
    for (int i = 0; i < N_ORDERS; i++) {
        orders[i] = order_of(DOMAIN, selectors[i]);
        orders[i].wants_ed25519 = true;
        assert_true(key_desk_order(desk, &orders[i]));
    }
    while (n_awaited)
        loop_run(running.loop);
    for (int i = 0; i < N_ORDERS; i++)
        assert_int_equal(orders[i].went_well, i != 1 && i != 3);
    assert_string_equal(orders[3].code, "exists");
}

static bool is_active(const char *domain, const char *selector)
{
    assert_int_equal(tell_key(KEY_SHOW, domain, selector, 0, ""), KEY_OK);
    return running.key.is_active;
}

static void link_again(void)
{
    int fd;

    assert_int_equal(signer_link_add_loop(running.link_fd, &fd), 0);
    key_desk_connect(desk, fd);
    one_turn();
}

static void await_active(const char *domain, const char *selector)
{
    int64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;

    while (!is_active(domain, selector) && clock_monotonic_ms() < end_ms)
        one_turn();
    assert_true(is_active(domain, selector));
}

/* A crash came between the registry's word and the signer's.  More than go at once. */
static void what_the_registry_calls_active_is_made_so_at_the_signer(void **state)
{
    enum { N_DOMAINS = KEY_CHECK_AT_ONCE + 3 };
    char domains[N_DOMAINS][32];
    struct key_order order;

    (void)state;
    for (int i = 0; i < N_DOMAINS; i++) {
        snprintf(domains[i], sizeof(domains[i]), "d%d.example", i);
        add_domain(domains[i]);
        order = make(domains[i], "s1", false, true);
        assert_true(order.went_well && order.made[0].is_active);
        order = make(domains[i], "s2", false, true);
        assert_true(order.went_well && !order.made[0].is_active);
        assert_int_equal(tell_key(KEY_DEACTIVATE, domains[i], "s1", 0, ""), KEY_OK);
        assert_int_equal(sign_for(domains[i]), SIGN_NO_KEY);
    }
    assert_int_equal(tell_key(KEY_CREATE, DOMAIN, "lost", DKIM_KEY_ED25519, ""), KEY_OK);
    link_again();
    for (int i = 0; i < N_DOMAINS; i++) {
        await_active(domains[i], "s1");
        assert_false(is_active(domains[i], "s2"));
        assert_int_equal(sign_for(domains[i]), SIGN_OK);
    }
    assert_false(is_active(DOMAIN, "lost"));
}

static struct key_order end_order(enum key_order_verb verb, const struct slice *selectors, size_t n)
{
    struct key_order order = order_of(DOMAIN, "");

    order.verb = verb;
    order.selectors = selectors;
    order.n_selectors = n;
    return order;
}

/* What a crash between the steps of a domain's end leaves behind does not sign. */
static void a_retired_key_stays_idle_until_it_is_kept_or_forgotten(void **state)
{
    static const struct slice selectors[] = {SLICE_LITERAL("s1")};
    struct key_order order = make(DOMAIN, "s1", false, true);

    (void)state;
    assert_true(order.went_well);
    order = end_order(KEY_ORDER_RETIRE, selectors, 1);
    run_order(&order);
    assert_true(order.went_well);
    assert_int_equal(sign_for(DOMAIN), SIGN_NO_KEY);
    link_again(); /* a check now leaves it alone, though the registry still has it */
    add_domain("later.example");
    order = make("later.example", "s1", false, true); /* the check was before it in the signer */
    assert_true(order.went_well);
    assert_false(is_active(DOMAIN, "s1"));
    order = end_order(KEY_ORDER_KEEP, selectors, 1);
    run_order(&order);
    await_active(DOMAIN, "s1");
    order = end_order(KEY_ORDER_RETIRE, selectors, 1);
    run_order(&order);
    assert_true(take_row("s1"));
    order = end_order(KEY_ORDER_FORGET, selectors, 1);
    run_order(&order);
    assert_true(order.went_well);
    assert_false(signer_has("s1"));
}

static void a_retirement_that_fails_leaves_the_keys_to_the_next_signer(void **state)
{
    static const struct slice selectors[] = {SLICE_LITERAL("s1")};
    struct key_order order = make(DOMAIN, "s1", false, true);

    (void)state;
    assert_int_equal(tell_key(KEY_DEACTIVATE, DOMAIN, "s1", 0, ""), KEY_OK);
    assert_int_equal(kill(running.signer_pid, SIGKILL), 0);
    while (key_desk_is_up(desk))
        one_turn();
    order = end_order(KEY_ORDER_RETIRE, selectors, 1);
    run_order(&order);
    assert_false(order.went_well);
    assert_string_equal(order.code, "signer_down");
    wait_for_signer();
    start_signer();
    connect_client();
    link_again();
    await_active(DOMAIN, "s1");
}

/* The signer goes while it is asked, and the desk while it waits. */
static void a_check_ends_with_its_signer(void **state)
{
    struct key_order order = make(DOMAIN, "s1", false, true);

    (void)state;
    assert_true(order.went_well);
    assert_int_equal(tell_key(KEY_DEACTIVATE, DOMAIN, "s1", 0, ""), KEY_OK);
    link_again();
    assert_int_equal(kill(running.signer_pid, SIGKILL), 0);
    while (key_desk_is_up(desk))
        one_turn();
    wait_for_signer();
    start_signer();
    connect_client();
    link_again();
    await_active(DOMAIN, "s1");
    assert_int_equal(tell_key(KEY_DEACTIVATE, DOMAIN, "s1", 0, ""), KEY_OK);
    link_again();
}

static void without_a_signer_it_says_so(void **state)
{
    struct key_order order;

    (void)state;
    assert_int_equal(kill(running.signer_pid, SIGKILL), 0);
    while (key_desk_is_up(desk))
        one_turn();
    order = make(DOMAIN, "s1", true, true);
    assert_failed(&order, "signer_down");
    assert_false(take_row("s1"));
    wait_for_signer();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_keys_are_judged_and_sign),
        TEST(a_name_that_is_taken_changes_nothing),
        TEST(names_are_judged_first),
        TEST(without_a_row_the_private_half_is_taken_back),
        TEST(a_key_that_is_not_judged_leaves_nothing_behind),
        TEST(a_key_that_only_the_signer_has_is_taken_over),
        TEST(an_imported_key_is_judged_too),
        TEST(keys_are_forgotten),
        TEST(orders_take_their_turn),
        TEST(what_the_registry_calls_active_is_made_so_at_the_signer),
        TEST(a_retired_key_stays_idle_until_it_is_kept_or_forgotten),
        TEST(a_retirement_that_fails_leaves_the_keys_to_the_next_signer),
        TEST(a_check_ends_with_its_signer),
        TEST(without_a_signer_it_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
