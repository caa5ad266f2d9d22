/* Logins on the real threads: settings, policy, workers. */
#include "test/unit/policy/policy_asking.h"

#include <pthread.h>

#include "policy/authenticator.h"
#include "relay/base/clock.h"

#define USER "news@example.org"

enum { N_WORKERS = 2, QUEUE_LENGTH = 3 };

static int set_up(void **state)
{
    struct policy_settings settings = policy_default_settings;

    (void)state;
    settings.n_workers = N_WORKERS;
    settings.worker_queue = QUEUE_LENGTH;
    start_policy(&settings);
    assert_int_equal(add_user(USER, NULL), REGISTRY_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stop_policy();
    return 0;
}

/* ---- logins ---- */

struct login {
    struct login_request request;
    bool is_done;
    int64_t asked_ms, done_ms;
};

static void login_done(struct login_request *request)
{
    struct login *login = (struct login *)(void *)request;

    login->done_ms = clock_monotonic_ms();
    login->is_done = true;
}

static void start_login(struct login *login, const char *address, const char *user,
                        const char *password)
{
    *login = (struct login){
        .request = {.answer_to = home,
                    .done = login_done,
                    .user = slice_of(user),
                    .password = slice_of(password)},
        .asked_ms = clock_monotonic_ms()
    };
    assert_true(ip_parse(slice_of(address), &login->request.peer));
    assert_true(login_ask(policy, &login->request));
}

static struct login log_in(const char *address, const char *user, const char *password)
{
    struct login login;

    start_login(&login, address, user, password);
    wait_until(&login.is_done);
    return login;
}

static enum login_verdict verdict_of(const char *user, const char *password)
{
    return log_in("192.0.2.1", user, password).request.verdict;
}

/* ---- a gate that keeps all workers busy ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static struct gate_job {
    struct job job;
    bool is_done, has_begun;
} gate_jobs[N_WORKERS];
static struct mailbox *begun;

static void gate_begun(struct task *task)
{
    (void)task;
}

static void wait_at_gate(struct job *job)
{
    static struct task tasks[N_WORKERS];
    struct task *task = &tasks[(struct gate_job *)(void *)job - gate_jobs];

    task->run = gate_begun;
    mailbox_answer(begun, task);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void gate_job_done(struct job *job)
{
    ((struct gate_job *)(void *)job)->is_done = true;
}

static void close_gate(void)
{
    uint32_t n_begun = 0;

    assert_int_equal(mailbox_new(&begun, 1), 0);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < N_WORKERS; i++) {
        gate_jobs[i] = (struct gate_job){
            .job = {.answer_to = home, .work = wait_at_gate, .done = gate_job_done}
        };
        assert_true(worker_pool_submit(policy_workers(policy), &gate_jobs[i].job));
    }
    while (n_begun < N_WORKERS) {
        assert_true(mailbox_wait(begun, 10000));
        n_begun += mailbox_run(begun);
    }
}

static void open_gate(void)
{
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < N_WORKERS; i++)
        wait_until(&gate_jobs[i].is_done);
    begun = mailbox_free(begun);
}

/* ---- claims ---- */

static void the_right_password_logs_in(void **state)
{
    struct login login = log_in("192.0.2.1", "News@Example.ORG", GOOD_PASSWORD);

    (void)state;
    assert_int_equal(login.request.verdict, LOGIN_OK);
    assert_int_equal(login.request.user_id, 1);
}

static void everything_else_is_wrong_in_the_same_way(void **state)
{
    static const struct {
        const char *user, *password, *reason;
    } cases[] = {
        {USER,                 "wrong password",  "password"    },
        {USER,                 "",                "password"    },
        {USER,                 GOOD_PASSWORD " ", "password"    },
        {"nobody@example.org", GOOD_PASSWORD,     "unknown user"},
        {"",                   GOOD_PASSWORD,     "unknown user"},
        {"off@example.org",    GOOD_PASSWORD,     "disabled"    },
    };
    struct user_request disable = {.name = SLICE_LITERAL("off@example.org")};

    (void)state;
    assert_int_equal(add_user("off@example.org", NULL), REGISTRY_OK);
    assert_int_equal(ASK(registry_user_disable, &disable), REGISTRY_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct login login = log_in("192.0.2.1", cases[i].user, cases[i].password);

        assert_int_equal(login.request.verdict, LOGIN_WRONG);
        assert_int_equal(login.request.user_id, 0);
        assert_string_equal(login.request.reason, cases[i].reason);
        assert_true(login.done_ms - login.asked_ms >= 140); /* no sooner, whatever the hash cost */
    }
}

static void whoever_was_just_added_can_log_in(void **state)
{
    char name[32];

    (void)state;
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "user%d@example.org", i);
        assert_int_equal(add_user(name, NULL), REGISTRY_OK);
        assert_int_equal(verdict_of(name, GOOD_PASSWORD), LOGIN_OK);
    }
}

static void a_success_is_answered_from_memory_for_a_while(void **state)
{
    (void)state;
    assert_int_equal(verdict_of(USER, GOOD_PASSWORD), LOGIN_OK);
    close_gate();
    for (int i = 0; i < 1000; i++)
        assert_int_equal(verdict_of(USER, GOOD_PASSWORD), LOGIN_OK);
    assert_int_equal(log_in("198.51.100.1", "NEWS@example.org", GOOD_PASSWORD).request.verdict,
                     LOGIN_OK);
    open_gate();
}

static void equal_questions_share_one_hash(void **state)
{
    enum { N = 300 };
    static struct login logins[N];

    (void)state;
    close_gate();
    for (int i = 0; i < N; i++)
        start_login(&logins[i], "192.0.2.1", USER, GOOD_PASSWORD);
    open_gate();
    for (int i = 0; i < N; i++) {
        wait_until(&logins[i].is_done);
        assert_int_equal(logins[i].request.verdict, LOGIN_OK);
    }
}

static void start_admin_login(struct login *login, const char *password, const char *hash)
{
    *login = (struct login){
        .request = {.answer_to = home,
                    .done = login_done,
                    .user = SLICE_LITERAL("root"),
                    .password = slice_of(password),
                    .door = LOGIN_PANEL_ADMIN,
                    .hash = slice_of(hash)}
    };
    assert_true(ip_parse(SLICE_LITERAL("192.0.2.1"), &login->request.peer));
    assert_true(login_ask(policy, &login->request));
}

/* The administrator's password is changed while somebody who knows the one before is being hashed:
 * that answer is for the former hash alone. */
static void a_question_about_another_hash_is_another_question(void **state)
{
    char former[PASSWORD_HASH_SIZE], present[PASSWORD_HASH_SIZE];
    struct login before, after;

    (void)state;
    assert_int_equal(password_hash(former, SLICE_LITERAL("the former password")), 0);
    assert_int_equal(password_hash(present, SLICE_LITERAL("the present password")), 0);
    close_gate();
    start_admin_login(&before, "the former password", former);
    start_admin_login(&after, "the former password", present);
    open_gate();
    wait_until(&before.is_done);
    wait_until(&after.is_done);
    assert_int_equal(before.request.verdict, LOGIN_OK);
    assert_int_equal(after.request.verdict, LOGIN_WRONG);
}

static void more_hashes_than_may_wait_are_busy(void **state)
{
    enum { N = QUEUE_LENGTH + 3 };
    struct login logins[N];
    static char addresses[N][32];
    int n_busy = 0;

    (void)state;
    close_gate();
    for (int i = 0; i < N; i++) {
        snprintf(addresses[i], sizeof(addresses[i]), "192.0.2.%d", i);
        start_login(&logins[i], addresses[i], i ? "nobody" : USER, addresses[i]);
    }
    for (int i = QUEUE_LENGTH; i < N; i++)
        wait_until(&logins[i].is_done);
    open_gate();
    for (int i = 0; i < N; i++) {
        wait_until(&logins[i].is_done);
        n_busy += logins[i].request.verdict == LOGIN_BUSY;
    }
    assert_int_equal(n_busy, N - QUEUE_LENGTH);
}

static void a_change_ends_what_is_remembered(void **state)
{
    struct user_password_request password = {
        .name = SLICE_LITERAL(USER),
        .password = {.source = PASSWORD_GIVEN, .text = SLICE_LITERAL("another long password")}
    };
    struct user_request user = {.name = SLICE_LITERAL(USER)};

    (void)state;
    assert_int_equal(verdict_of(USER, GOOD_PASSWORD), LOGIN_OK);
    assert_int_equal(ASK(registry_user_password, &password), REGISTRY_OK);
    assert_int_equal(verdict_of(USER, GOOD_PASSWORD), LOGIN_WRONG);
    assert_int_equal(verdict_of(USER, "another long password"), LOGIN_OK);
    assert_int_equal(ASK(registry_user_disable, &user), REGISTRY_OK);
    assert_int_equal(verdict_of(USER, "another long password"), LOGIN_WRONG);
    assert_int_equal(ASK(registry_user_enable, &user), REGISTRY_OK);
    assert_int_equal(verdict_of(USER, "another long password"), LOGIN_OK);
    assert_int_equal(ASK(registry_user_delete, &user), REGISTRY_OK);
    assert_int_equal(verdict_of(USER, "another long password"), LOGIN_WRONG);
}

static void an_imported_hash_becomes_our_own_at_the_first_login(void **state)
{
    struct user_add_request add = {
        .name = SLICE_LITERAL("old@example.org"),
        .password = {.source = PASSWORD_HASHED,
                     .text = SLICE_LITERAL("$1$Qm3sW9aZ$oZYIC8/d766i6imsnUDqX0")}
    };
    struct user_use_request use = {.name = SLICE_LITERAL("old@example.org")};

    (void)state;
    assert_int_equal(ASK(registry_user_add, &add), REGISTRY_OK);
    assert_int_equal(verdict_of("old@example.org", "wrong"), LOGIN_WRONG);
    assert_int_equal(ASK(registry_user_use, &use), REGISTRY_OK);
    assert_true(use.is_imported);
    assert_int_equal(use.last_used_utc_ms, 0);
    assert_int_equal(verdict_of("old@example.org", GOOD_PASSWORD), LOGIN_OK);
    policy = policy_stop(policy); /* tells the registry all that it knows */
    assert_int_equal(ASK(registry_user_use, &use), REGISTRY_OK);
    assert_false(use.is_imported);
    assert_true(use.last_used_utc_ms > clock_utc_ms() - 60000);
    registry = registry_stop(registry);
    assert_int_equal(registry_open(&registry, folder), 0);
    assert_int_equal(policy_start(&policy, &policy_default_settings, registry), 0);
    assert_int_equal(registry_start(registry), 0);
    assert_int_equal(verdict_of("old@example.org", GOOD_PASSWORD), LOGIN_OK);
}

static void guesses_in_parallel_wait_or_are_sent_away(void **state)
{
    enum { N = 40 };
    static struct login logins[N];
    static char passwords[N][32];
    struct login other;
    int n_throttled = 0, n_busy = 0, n_wrong = 0;

    (void)state;
    for (int i = 0; i < 6; i++) /* until delays have grown to seconds */
        (void)log_in("192.0.2.1", "victim", i % 2 ? "guess a" : "guess b");
    for (int i = 0; i < N; i++) {
        snprintf(passwords[i], sizeof(passwords[i]), "guess %d", i);
        start_login(&logins[i], "192.0.2.1", "victim", passwords[i]);
    }
    other = log_in("198.51.100.1", USER, GOOD_PASSWORD); /* is not held up by them */
    assert_int_equal(other.request.verdict, LOGIN_OK);
    assert_true(other.done_ms - other.asked_ms < 2000);
    policy = policy_stop(policy);
    for (int i = 0; i < N; i++) {
        wait_until(&logins[i].is_done);
        n_throttled += logins[i].request.verdict == LOGIN_THROTTLED;
        n_busy += logins[i].request.verdict == LOGIN_BUSY;
        n_wrong += logins[i].request.verdict == LOGIN_WRONG;
        if (logins[i].request.verdict == LOGIN_THROTTLED)
            assert_true(logins[i].request.retry_ms > 5000);
    }
    assert_int_equal(n_throttled + n_busy + n_wrong, N);
    assert_true(n_throttled >= 30);
    assert_true(n_wrong <= 2);
}

static void a_new_service_without_users_answers(void **state)
{
    struct user_request user = {.name = SLICE_LITERAL(USER)};

    (void)state;
    assert_int_equal(ASK(registry_user_delete, &user), REGISTRY_OK);
    assert_int_equal(verdict_of(USER, GOOD_PASSWORD), LOGIN_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(the_right_password_logs_in),
        TEST(everything_else_is_wrong_in_the_same_way),
        TEST(whoever_was_just_added_can_log_in),
        TEST(a_success_is_answered_from_memory_for_a_while),
        TEST(equal_questions_share_one_hash),
        TEST(a_question_about_another_hash_is_another_question),
        TEST(more_hashes_than_may_wait_are_busy),
        TEST(a_change_ends_what_is_remembered),
        TEST(an_imported_hash_becomes_our_own_at_the_first_login),
        TEST(guesses_in_parallel_wait_or_are_sent_away),
        TEST(a_new_service_without_users_answers),
    };

    if (secret_start() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
