/* What a session asks before it takes a body, when the policy thread has more to do than it can. */
#include "test/unit/policy/policy_asking.h"

#include <semaphore.h>

#include "policy/policy_internal.h"
#include "policy/registry_internal.h"
#include "relay/intake/session.h"

static struct policy_settings settings;
static struct loop *loop;
static struct intake_parts parts;
static struct intake_shard shard;
static struct intake_config config;
static struct session session;
static sem_t has_stopped, may_go_on;

static void stop_there(struct task *task)
{
    (void)task;
    sem_post(&has_stopped);
    sem_wait(&may_go_on);
}

static void ignore(struct quota_request *request)
{
    (void)request;
}

static void open_all(void)
{
    settings = policy_default_settings;
    settings.mailbox_capacity = 1;
    make_folder();
    assert_int_equal(mailbox_new(&home, 16), 0);
    assert_int_equal(loop_new(&loop, 0, 16), 0);
    assert_int_equal(registry_open(&registry, folder), 0);
    assert_int_equal(policy_start(&policy, &settings, registry), 0);
    thread_own(&registry->owner);
}

static void add_one(void)
{
    struct user_add_request request = {
        .name = SLICE_LITERAL("shop@example.org"),
        .password = {.source = PASSWORD_GIVEN, .text = SLICE_LITERAL(GOOD_PASSWORD)}
    };

    prepare_request(&request.request);
    assert_true(registry_user_add(registry, &request));
    registry_turn(registry);
    wait_until(&is_answered);
    assert_int_equal(request.request.result, REGISTRY_OK);
}

static void prepare_session(void)
{
    parts = (struct intake_parts){.policy = policy};
    shard = (struct intake_shard){.loop = loop, .parts = &parts, .directory = registry->current};
    session = (struct session){.shard = &shard, .config = &config, .user_id = 1, .n_recipients = 1};
}

static void what_cannot_be_asked_about_is_refused_if_there_are_quotas(void **state)
{
    struct task stop = {.run = stop_there};
    struct quota_request other = {.done = ignore, .user_id = 1};

    (void)state;
    open_all();
    add_one();
    prepare_session();
    other.answer_to = home;
    assert_int_equal(sem_init(&has_stopped, 0, 0), 0);
    assert_int_equal(sem_init(&may_go_on, 0, 0), 0);
    mailbox_answer(policy->mailbox, &stop);
    sem_wait(&has_stopped);
    assert_true(quota_ask(policy, &other)); /* and no more than that may wait */
    assert_true(session_ask_quota(&session));
    config.settings.quotas.budgets[QUOTA_MESSAGES_PER_DAY] = 10;
    assert_false(session_ask_quota(&session));
    assert_int_equal(session.quota_state, SESSION_QUOTA_NONE);
    assert_int_equal(session.n_pending, 0);
    sem_post(&may_go_on);
    assert_int_equal(registry_start(registry), 0);
    stop_policy();
    loop = loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_asked_about_is_refused_if_there_are_quotas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
