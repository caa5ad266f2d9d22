/* The desk on the policy thread, with a registry behind it. */
#include "test/unit/policy/policy_asking.h"

#include <time.h>

#include "policy/quotas.h"
#include "policy/tally.h"

static struct policy_settings settings;
static uint32_t user_id;
static _Atomic unsigned n_notices;
static struct quota_warning last_warning;

static void note_notice(void *owner, const struct quota_notice *notice)
{
    (void)owner;
    last_warning = notice->warning;
    n_notices++;
}

static void open_policy(void)
{
    assert_int_equal(registry_open(&registry, folder), 0);
    assert_int_equal(policy_start(&policy, &settings, registry), 0);
    quotas_on_notice(policy, note_notice, NULL);
    assert_int_equal(registry_start(registry), 0);
}

static int set_up(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    settings = policy_default_settings;
    n_notices = 0;
    make_folder();
    assert_int_equal(mailbox_new(&home, 16), 0);
    open_policy();
    assert_int_equal(add_user("shop@example.org", NULL), REGISTRY_OK);
    user_id = 1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stop_policy();
    return 0;
}

static void close_policy(void)
{
    policy = policy_stop(policy);
    registry = registry_stop(registry);
}

static void set_option(const char *name, const char *value)
{
    struct user_option option = {slice_of(name), slice_of(value)};
    struct user_options_request request = {
        .name = SLICE_LITERAL("shop@example.org"), .options = &option, .n_options = 1};

    assert_int_equal(ASK(registry_user_options, &request), REGISTRY_OK);
}

static bool is_quota_answered;

static void on_quota(struct quota_request *request)
{
    (void)request;
    is_quota_answered = true;
}

static struct quota_request ask(uint32_t n_recipients)
{
    struct quota_request request = {
        .answer_to = home, .done = on_quota, .user_id = user_id, .n_recipients = n_recipients};

    is_quota_answered = false;
    assert_true(quota_ask(policy, &request));
    wait_until(&is_quota_answered);
    return request;
}

static void a_user_without_quotas_passes(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(ask(1000).verdict, QUOTA_PASSES);
}

static void over_its_quota_mail_is_held_or_refused(void **state)
{
    struct quota_request held;

    (void)state;
    set_option("messages_per_month", "2");
    assert_int_equal(ask(1).verdict, QUOTA_PASSES);
    assert_int_equal(ask(1).verdict, QUOTA_PASSES);
    held = ask(1);
    assert_int_equal(held.verdict, QUOTA_HELD);
    assert_int_equal(held.budget, QUOTA_MESSAGES_PER_MONTH);
    assert_true(held.until_utc_ms > 0);
    set_option("refuse_over_quota", "yes");
    assert_int_equal(ask(1).verdict, QUOTA_REFUSED);
    set_option("messages_per_month", "none");
    assert_int_equal(ask(1).verdict, QUOTA_PASSES);
}

static void the_services_own_limit_holds_for_whom_has_none(void **state)
{
    (void)state;
    settings.quotas.budgets[QUOTA_RECIPIENTS_PER_MONTH] = 10;
    assert_int_equal(policy_reload(policy, &settings), 0);
    assert_int_equal(ask(10).verdict, QUOTA_PASSES);
    assert_int_equal(ask(1).verdict, QUOTA_HELD);
    set_option("recipients_per_month", "100");
    assert_int_equal(ask(80).verdict, QUOTA_PASSES);
}

static void users_are_warned_once(void **state)
{
    (void)state;
    set_option("recipients_per_month", "100");
    ask(80);
    assert_int_equal(n_notices, 1);
    assert_int_equal(last_warning.percent, 80);
    assert_int_equal(last_warning.used, 80);
    ask(10);
    assert_int_equal(n_notices, 1);
    ask(10);
    assert_int_equal(n_notices, 2);
    assert_int_equal(last_warning.percent, 100);
    close_policy();
    open_policy();
    ask(1);
    assert_int_equal(n_notices, 2); /* nor again after a restart */
}

/* A copy of the database, taken at any moment, is what a power cut leaves. */
static void what_passed_is_known_after_a_crash(void **state)
{
    char command[256];

    (void)state;
    set_option("messages_per_month", "60"); /* blocks of 3 */
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask(1).verdict, QUOTA_PASSES);
    snprintf(command, sizeof(command), "cp -r %s %s.copy", folder, folder);
    assert_int_equal(system(command), 0);
    close_policy();
    snprintf(command, sizeof(command), "rm -r %s && mv %s.copy %s", folder, folder, folder);
    assert_int_equal(system(command), 0);
    open_policy();
    for (int i = 0; i < 35; i++)
        assert_int_equal(ask(1).verdict, QUOTA_PASSES);
    for (int i = 0; i < 6; i++)
        (void)ask(1);
    assert_int_equal(ask(1).verdict, QUOTA_HELD); /* 61 of 60 it would be */
}

static void a_clean_stop_costs_nothing(void **state)
{
    (void)state;
    set_option("messages_per_month", "60");
    for (int i = 0; i < 60; i++) {
        assert_int_equal(ask(1).verdict, QUOTA_PASSES);
        if (i % 7 == 0) {
            close_policy();
            open_policy();
        }
    }
    assert_int_equal(ask(1).verdict, QUOTA_HELD);
}

static void what_did_not_come_is_given_back(void **state)
{
    struct quota_request passed, held;

    (void)state;
    set_option("messages_per_month", "1");
    passed = ask(1);
    assert_int_equal(ask(1).verdict, QUOTA_HELD);
    quota_give_back(policy, &(struct quota_return){
                                .refund = {.user_id = user_id,
                                           .n_messages = 1,
                                           .n_recipients = 1,
                                           .counted_utc_ms = passed.counted_utc_ms}
    });
    held = ask(1);
    assert_int_equal(held.verdict, QUOTA_PASSES);
}

static bool is_usage_answered;

static void on_usage(struct quota_uses_request *request)
{
    (void)request;
    is_usage_answered = true;
}

static struct quota_use usage(void)
{
    struct quota_use use = {.user_id = user_id};
    struct quota_uses_request request = {
        .answer_to = home, .done = on_usage, .uses = &use, .n_uses = 1};

    is_usage_answered = false;
    assert_true(quota_ask_uses(policy, &request));
    wait_until(&is_usage_answered);
    return use;
}

static void tallies_are_counted(void **state)
{
    struct tally tally = {.policy = policy};

    (void)state;
    for (int i = 0; i < 200; i++)
        tally_add(&tally, &(struct tally_row){
                              .kind = TALLY_ACCEPTED, .id = user_id, .first = 1, .second = 10});
    assert_false(tally_is_empty(&tally));
    tally_flush(&tally);
    assert_true(tally_is_empty(&tally));
    assert_int_equal(usage().used[QUOTA_MESSAGES_PER_DAY], 200);
    assert_int_equal(usage().used[QUOTA_RECIPIENTS_PER_MONTH], 2000);
}

static void count_bad(uint32_t n_recipients, uint32_t n_bad)
{
    struct tally tally = {.policy = policy};

    tally_add(&tally,
              &(struct tally_row){
                  .kind = TALLY_ACCEPTED, .id = user_id, .first = 1, .second = n_recipients});
    tally_add(&tally,
              &(struct tally_row){
                  .kind = TALLY_CONCLUDED, .id = user_id, .first = n_recipients, .second = n_bad});
    tally_flush(&tally);
}

static void the_brake_holds_until_somebody_enables_the_user(void **state)
{
    struct user_request enable = {.name = SLICE_LITERAL("shop@example.org")};

    (void)state;
    count_bad(300, 100);
    assert_int_equal(ask(1).verdict, QUOTA_BRAKED);
    assert_int_equal(n_notices, 1);
    close_policy();
    open_policy();
    assert_int_equal(ask(1).verdict, QUOTA_BRAKED); /* whatever happens meanwhile */
    assert_int_equal(ASK(registry_user_enable, &enable), REGISTRY_OK);
    assert_int_equal(ask(1).verdict, QUOTA_PASSES);
    count_bad(300, 100);
    assert_int_equal(ask(1).verdict, QUOTA_BRAKED); /* and it watches on */
    assert_int_equal(ASK(registry_user_enable, &enable), REGISTRY_OK);
    set_option("brake", "no");
    count_bad(300, 100);
    assert_int_equal(ask(1).verdict, QUOTA_PASSES);
}

static void a_user_braked_before_the_start_is_watched_again_when_enabled(void **state)
{
    struct user_request enable = {.name = SLICE_LITERAL("shop@example.org")};

    (void)state;
    count_bad(300, 100);
    assert_int_equal(ask(1).verdict, QUOTA_BRAKED);
    close_policy();
    open_policy();
    count_bad(300, 100); /* what was on its way */
    assert_int_equal(ask(1).verdict, QUOTA_BRAKED);
    assert_int_equal(ASK(registry_user_enable, &enable), REGISTRY_OK);
    assert_int_equal(ask(1).verdict, QUOTA_PASSES);
    count_bad(300, 100);
    assert_int_equal(ask(1).verdict, QUOTA_BRAKED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_user_without_quotas_passes),
        TEST(over_its_quota_mail_is_held_or_refused),
        TEST(the_services_own_limit_holds_for_whom_has_none),
        TEST(users_are_warned_once),
        TEST(what_passed_is_known_after_a_crash),
        TEST(a_clean_stop_costs_nothing),
        TEST(what_did_not_come_is_given_back),
        TEST(tallies_are_counted),
        TEST(the_brake_holds_until_somebody_enables_the_user),
        TEST(a_user_braked_before_the_start_is_watched_again_when_enabled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
