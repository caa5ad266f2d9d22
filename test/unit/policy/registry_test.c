/* The settings thread for real: snapshots, restarts, a failing disk, the end. */
#include "test/unit/policy/registry_watching.h"

#include <signal.h>
#include <sys/resource.h>

static void what_was_answered_is_there_after_a_restart(void **state)
{
    struct domain_request domain = {.name = SLICE_LITERAL("example.org")};
    struct network_request network = {.cidr = SLICE_LITERAL("2001:db8::/32"),
                                      .user = SLICE_LITERAL("b@example.org")};
    struct domain_key_request key = {.domain = domain.name,
                                     .selector = SLICE_LITERAL("s1"),
                                     .type = DOMAIN_KEY_ED25519,
                                     .public_key = SLICE_LITERAL("MCowBQYDK2VwAyEA")};
    const struct signing_domain *stored;

    (void)state;
    assert_int_equal(add_user("b@example.org", NULL), REGISTRY_OK);
    assert_int_equal(add_user("a", "*"), REGISTRY_OK);
    assert_int_equal(ASK(registry_domain_add, &domain), REGISTRY_OK);
    assert_int_equal(ASK(registry_key_add, &key), REGISTRY_OK);
    assert_int_equal(ASK(registry_network_add, &network), REGISTRY_OK);
    close_registry();
    open_registry();
    mailbox_run(home);
    assert_int_equal(watcher.newest->n_users, 2);
    assert_slice_is(watcher.newest->users[0].name, "a"); /* by name */
    assert_slice_is(watcher.newest->users[1].name, "b@example.org");
    assert_int_equal(user("b@example.org")->n_credentials, 1);
    assert_int_equal(watcher.newest->networks[0].user_id, user("b@example.org")->id);
    stored = directory_domain(watcher.newest, domain.name);
    assert_int_equal(stored->n_keys, 1);
    assert_int_equal(stored->keys[0].type, DOMAIN_KEY_ED25519);
    assert_ptr_equal(directory_user_by_id(watcher.newest, user("a")->id), user("a"));
    assert_null(directory_user_by_id(watcher.newest, 999));
}

static void a_slow_subscriber_gets_only_the_newest(void **state)
{
    struct mailbox *other;
    struct watcher slow = {.subscriber = {.receive = receive}};

    (void)state;
    close_registry();
    assert_int_equal(mailbox_new(&other, 1), 0);
    slow.subscriber.mailbox = other;
    assert_int_equal(registry_open(&registry, folder), 0);
    registry_subscribe(registry, &slow.subscriber);
    assert_int_equal(registry_start(registry), 0);
    assert_int_equal(add_user("a@example.org", NULL), REGISTRY_OK);
    assert_int_equal(add_user("b@example.org", NULL), REGISTRY_OK);
    assert_int_equal(mailbox_run(other), 1);
    assert_int_equal(slow.n_received, 1);
    assert_int_equal(slow.newest->n_users, 2);
    assert_int_equal(add_user("c@example.org", NULL), REGISTRY_OK);
    registry_unsubscribe(registry, &slow.subscriber);
    assert_int_equal(mailbox_run(other), 1); /* the task was queued; the snapshot is gone */
    assert_int_equal(slow.n_received, 1);
    assert_int_equal(add_user("d@example.org", NULL), REGISTRY_OK);
    assert_int_equal(mailbox_run(other), 0);
    directory_unref(slow.newest);
    mailbox_free(other);
}

static void a_folder_that_is_missing_is_an_error(void **state)
{
    struct registry *other;

    (void)state;
    assert_true(registry_open(&other, "/nowhere/at/all") < 0);
}

/* No file may grow: every write fails, as on a full disk. */
static void set_disk(bool is_full)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = is_full ? 0 : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_disk_that_fails_changes_nothing(void **state)
{
    struct domain_request domain = {.name = SLICE_LITERAL("example.org")};
    enum registry_result result;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(add_user("a@example.org", NULL), REGISTRY_OK);
    set_disk(true);
    result = ASK(registry_domain_add, &domain);
    set_disk(false);
    assert_int_equal(result, REGISTRY_FAILED);
    assert_non_null(strstr(domain.request.sentence, "could not be stored"));
    assert_int_equal(watcher.newest->n_domains, 0);
    assert_int_equal(ASK(registry_domain_add, &domain), REGISTRY_OK);
    close_registry();
    open_registry();
    mailbox_run(home);
    assert_int_equal(watcher.newest->n_domains, 1);
    assert_int_equal(watcher.newest->n_users, 1);
}

static void stopping_answers_what_waits(void **state)
{
    enum { N = 8 };
    struct user_request requests[N];

    (void)state;
    for (int i = 0; i < N; i++) {
        requests[i] = (struct user_request){.name = SLICE_LITERAL("nobody")};
        prepare_request(&requests[i].request);
        requests[i].request.result = N_REGISTRY_RESULTS;
        assert_true(registry_user_delete(registry, &requests[i]));
    }
    close_registry();
    for (int i = 0; i < N; i++)
        assert_int_equal(requests[i].request.result, REGISTRY_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(what_was_answered_is_there_after_a_restart),
        TEST(a_slow_subscriber_gets_only_the_newest),
        TEST(a_folder_that_is_missing_is_an_error),
        TEST(a_disk_that_fails_changes_nothing),
        TEST(stopping_answers_what_waits),
    };

    if (secret_start() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
