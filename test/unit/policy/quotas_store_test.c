/* What the desk stores before it answers.  The settings thread takes its turns when the test says
 * so: what is stored between two of them is one transaction of the desk. */
#include "test/unit/policy/policy_asking.h"

#include <time.h>

#include "policy/policy_internal.h"
#include "policy/tally.h"

enum { USERS = 60, BUDGETS = 6 }; /* more counts than a transaction takes */

static struct policy_settings settings;
static struct quota_request requests[USERS];
static unsigned n_answered, n_braked;
static bool is_usage_answered;

static void note_notice(void *owner, const struct quota_notice *notice)
{
    (void)owner;
    n_braked += notice->kind == NOTICE_BRAKED;
}

static void open_policy(void)
{
    open_policy_alone(&settings);
    quotas_on_notice(policy, note_notice, NULL);
}

static void add_imported(unsigned i)
{
    char name[32];
    struct user_add_request request = {
        .password = {.source = PASSWORD_HASHED,
                     .text = SLICE_LITERAL("{SHA}mN7MYuzjmaIu0w1JDvMzvn/ec4U=")}
    };

    snprintf(name, sizeof(name), "u%u@example.org", i);
    request.name = slice_of(name);
    prepare_request(&request.request);
    assert_true(registry_user_add(registry, &request));
    registry_turn(registry);
    wait_until(&is_answered);
    assert_int_equal(request.request.result, REGISTRY_OK);
}

static int set_up(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    settings = policy_default_settings;
    for (unsigned i = 0; i < BUDGETS; i++)
        settings.quotas.budgets[i] = 19; /* blocks of one */
    n_answered = n_braked = 0;
    make_folder();
    assert_int_equal(mailbox_new(&home, 2 * USERS), 0);
    open_policy();
    for (unsigned i = 0; i < USERS; i++)
        add_imported(i);
    return 0;
}

static void on_quota(struct quota_request *request)
{
    (void)request;
    n_answered++;
}

static void ask(unsigned i)
{
    requests[i] = (struct quota_request){
        .answer_to = home, .done = on_quota, .user_id = i + 1, .n_recipients = 1};
    assert_true(quota_ask(policy, &requests[i]));
}

static void on_usage(struct quota_uses_request *request)
{
    (void)request;
    is_usage_answered = true;
}

/* All that was told to the policy thread until now is done, and what it answered has come. */
static struct quota_use settle(unsigned user)
{
    struct quota_use use = {.user_id = user + 1};
    struct quota_uses_request request = {
        .answer_to = home, .done = on_usage, .uses = &use, .n_uses = 1};

    is_usage_answered = false;
    assert_true(quota_ask_uses(policy, &request));
    wait_until(&is_usage_answered);
    return use;
}

/* One transaction, and what follows from it. */
static void turn(void)
{
    registry_turn(registry);
    (void)settle(0);
}

/* A copy of the database is what a power cut leaves: whoever was answered is counted in it. */
static void nobody_is_answered_before_a_store_that_holds_its_counts(void **state)
{
    char command[256];
    unsigned n_known = 0, n_told;

    (void)state;
    for (unsigned i = 0; i < USERS; i++)
        ask(i);
    (void)settle(0);
    assert_int_equal(n_answered, 0);
    turn(); /* of the first user */
    assert_int_equal(n_answered, 1);
    turn(); /* as many rows as one takes */
    n_told = n_answered;
    assert_true(n_told > 1 && n_told <= 1 + QUOTAS_MOST_PENDING / BUDGETS);
    snprintf(command, sizeof(command), "cp -r %s %s.copy", folder, folder);
    assert_int_equal(system(command), 0);
    turn();
    assert_int_equal(n_answered, USERS); /* and nobody is forgotten */
    close_policy_alone();
    snprintf(command, sizeof(command), "rm -r %s && mv %s.copy %s", folder, folder, folder);
    assert_int_equal(system(command), 0);
    open_policy();
    for (unsigned i = 0; i < USERS; i++)
        n_known += settle(i).used[QUOTA_RECIPIENTS_PER_MONTH] > 0;
    assert_true(n_known >= n_told);
}

/* A transaction that is open already: the next one cannot begin. */
static void failing_turn(void)
{
    assert_int_equal(db_begin(registry->db), 0);
    turn();
    db_rollback(registry->db);
}

static void mail_does_not_wait_for_a_disk_that_fails(void **state)
{
    (void)state;
    for (unsigned i = 0; i < USERS; i++)
        ask(i);
    (void)settle(0);
    failing_turn();
    assert_int_equal(n_answered, USERS);
}

static void pull(unsigned user, uint32_t n_recipients, uint32_t n_bad)
{
    struct tally tally = {.policy = policy};
    uint32_t id = user + 1;

    tally_add(&tally, &(struct tally_row){
                          .kind = TALLY_ACCEPTED, .id = id, .first = 1, .second = n_recipients});
    tally_add(&tally,
              &(struct tally_row){
                  .kind = TALLY_CONCLUDED, .id = id, .first = n_recipients, .second = n_bad});
    tally_flush(&tally);
    (void)settle(user);
}

/* It holds meanwhile, nobody is told twice, and it is stored as soon as that works. */
static void a_brake_that_could_not_be_stored_holds_and_is_said_once(void **state)
{
    const struct user *user;

    (void)state;
    pull(0, 300, 100);
    assert_int_equal(n_braked, 1);
    failing_turn();
    for (int i = 0; i < 3; i++)
        pull(0, 300, 100);
    assert_int_equal(n_braked, 1);
    ask(0);
    turn();
    assert_int_equal(requests[0].verdict, QUOTA_BRAKED);
    assert_int_equal(n_braked, 1);
    for (int i = 0; i < 200; i++) { /* the retry comes after five seconds */
        turn();
        user = directory_user_by_id(policy->directory, 1);
        if (user->braked_utc_ms)
            break;
        usleep(100000);
    }
    assert_true(user->braked_utc_ms);
    pull(0, 1, 0);
    assert_int_equal(n_braked, 1);
}

static void store_past(int64_t starts_utc_ms)
{
    struct count_row row = {
        .owner = "user:1", .budget = "messages_per_hour", .period = {starts_utc_ms, 1000}
    };
    struct counts_request request = {.n_rows = 1, .rows = &row};

    prepare_request(&request.request);
    assert_true(registry_store_counts(registry, &request));
    registry_turn(registry);
    wait_until(&is_answered);
    assert_int_equal(request.request.result, REGISTRY_OK);
}

static unsigned n_stored(void)
{
    struct statement *all = db_statement(registry->db, STAFFETTA_ALL_COUNTS);
    unsigned n = 0;

    bind_number(all, 1, 0);
    while (statement_step(all) == STATEMENT_ROW)
        n++;
    return n;
}

static void what_is_past_is_deleted_once_an_hour(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++) {
        store_past(i);
        assert_int_equal(n_stored(), i);
    }
    registry->past_counts_due_ms -= 3600 * 1000;
    store_past(4);
    assert_int_equal(n_stored(), 1); /* the one that came after */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_policy)
    const struct CMUnitTest tests[] = {
        TEST(nobody_is_answered_before_a_store_that_holds_its_counts),
        TEST(mail_does_not_wait_for_a_disk_that_fails),
        TEST(what_is_past_is_deleted_once_an_hour),
        TEST(a_brake_that_could_not_be_stored_holds_and_is_said_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
