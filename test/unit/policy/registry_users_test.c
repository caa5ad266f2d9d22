/* Users and their networks, asked of the settings thread. */
#include "test/unit/policy/registry_watching.h"

#include "policy/credential.h"
#include "policy/imported_hash.h"
#include "policy/registry_orders.h"

/* ---- users ---- */

static void an_answer_comes_after_its_snapshot(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        char name[32];

        snprintf(name, sizeof(name), "user%d@example.org", i);
        struct user_add_request request = {
            .name = slice_of(name),
            .password = {.source = PASSWORD_HASHED,
                         .text = SLICE_LITERAL("{SHA}mN7MYuzjmaIu0w1JDvMzvn/ec4U=")}
        };
        assert_int_equal(ASK(registry_user_add, &request), REGISTRY_OK);
        assert_non_null(user(name));
        assert_int_equal(user(name)->id, request.user_id);
    }
}

static void a_user_named_like_an_address_may_send_as_its_domain(void **state)
{
    (void)state;
    assert_int_equal(add_user("News@Example.ORG", NULL), REGISTRY_OK);
    assert_true(user_may_send_as(user("news@example.org"), SLICE_LITERAL("x@example.org")));
    assert_false(user_may_send_as(user("news@example.org"), SLICE_LITERAL("x@example.net")));
    assert_int_equal(add_user("second@example.org", "example.net"), REGISTRY_OK);
    assert_true(user_may_send_as(user("second@example.org"), SLICE_LITERAL("x@example.org")));
    assert_true(user_may_send_as(user("second@example.org"), SLICE_LITERAL("x@example.net")));
}

static void any_other_user_needs_a_sender(void **state)
{
    (void)state;
    assert_int_equal(add_user("newsletter", NULL), REGISTRY_NEEDS_SENDER);
    assert_null(user("newsletter"));
    assert_int_equal(add_user("newsletter", "a@b@c"), REGISTRY_INVALID_SENDER);
    assert_int_equal(add_user("newsletter", "*"), REGISTRY_OK);
    assert_true(user_may_send_as(user("newsletter"), SLICE_LITERAL("x@example.net")));
}

static void names_are_unique_whatever_their_case(void **state)
{
    (void)state;
    assert_int_equal(add_user("a@example.org", NULL), REGISTRY_OK);
    assert_int_equal(add_user("A@Example.org", NULL), REGISTRY_EXISTS);
    assert_int_equal(watcher.newest->n_users, 1);
}

static void bad_names_are_refused(void **state)
{
    static const char *const names[] = {"",     " ",         "a b",       "-x",   "a/b",
                                        "a\nb", "a@",        "@x.org",    "\xff", "a@b..c",
                                        "\x7f", "\xc2\x85x", "a@\x01.org"};
    char long_name[300];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (add_user(names[i], "*") != REGISTRY_INVALID_NAME)
            fail_msg("\"%s\" is accepted", names[i]);
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    assert_int_equal(add_user(long_name, "*"), REGISTRY_INVALID_NAME);
    assert_int_equal(watcher.newest->n_users, 0);
}

static void a_refusal_changes_nothing_and_says_why(void **state)
{
    struct slice networks[] = {SLICE_LITERAL("10.0.0.0/8"), SLICE_LITERAL("10.0.0.1/8")};
    struct user_add_request request = {
        .name = SLICE_LITERAL("a@example.org"),
        .password = {.source = PASSWORD_GIVEN, .text = SLICE_LITERAL(GOOD_PASSWORD)},
        .networks = networks,
        .n_networks = 2,
    };
    uint64_t version = 0;

    (void)state;
    assert_int_equal(ASK(registry_user_add, &request), REGISTRY_INVALID_NETWORK);
    assert_non_null(strstr(request.request.sentence, "10.0.0.1/8"));
    request.n_networks = 1;
    request.password.text = SLICE_LITERAL("short");
    assert_int_equal(ASK(registry_user_add, &request), REGISTRY_WEAK_PASSWORD);
    assert_non_null(strstr(request.request.sentence, "15"));
    request.password =
        (struct new_password){.source = PASSWORD_HASHED, .text = SLICE_LITERAL("{PLAIN}secret")};
    assert_int_equal(ASK(registry_user_add, &request), REGISTRY_INVALID_HASH);
    version = watcher.newest->version;
    assert_int_equal(version, 1);
    assert_int_equal(watcher.newest->n_networks, 0);
}

static void a_generated_password_is_handed_out_and_verifies(void **state)
{
    struct user_add_request request = {.name = SLICE_LITERAL("a@example.org"),
                                       .password = {.source = PASSWORD_GENERATED}};

    (void)state;
    assert_int_equal(ASK(registry_user_add, &request), REGISTRY_OK);
    assert_true(strlen(request.password.generated) >= 20);
    assert_int_equal(user("a@example.org")->n_credentials, 1);
    assert_true(imported_hash_is_native(user("a@example.org")->credentials[0].hash));
    assert_true(imported_hash_verify(user("a@example.org")->credentials[0].hash,
                                     slice_of(request.password.generated)));
}

static void a_new_password_is_a_new_credential(void **state)
{
    struct user_password_request request = {
        .name = SLICE_LITERAL("A@example.org"),
        .password = {.source = PASSWORD_GIVEN, .text = SLICE_LITERAL("another long password")}
    };
    uint32_t before;

    (void)state;
    assert_int_equal(ASK(registry_user_password, &request), REGISTRY_NOT_FOUND);
    assert_int_equal(add_user("a@example.org", NULL), REGISTRY_OK);
    before = user("a@example.org")->credentials[0].id;
    assert_int_equal(ASK(registry_user_password, &request), REGISTRY_OK);
    assert_int_equal(user("a@example.org")->n_credentials, 1);
    assert_int_not_equal(user("a@example.org")->credentials[0].id, before);
}

static void expect_deletion(enum order_scope scope, enum order_action action, const char *name,
                            enum registry_result expected)
{
    struct user_request request = {.name = SLICE_LITERAL("a@example.org")};
    struct order_request order = {
        .order = {.scope = scope,
                  .action = action,
                  .name = slice_of(name),
                  .limits = {.messages_per_minute = action == ORDER_THROTTLE},
                  .reason = SLICE_LITERAL("a complaint")}
    };
    struct order_end_request end = {.scope = scope, .name = slice_of(name)};

    assert_int_equal(add_user("a@example.org", NULL), REGISTRY_OK);
    assert_int_equal(ASK(registry_order, &order), REGISTRY_OK);
    assert_int_equal(ASK(registry_user_delete, &request), expected);
    assert_int_equal(user("a@example.org") == NULL, expected == REGISTRY_OK);
    if (expected != REGISTRY_OK) {
        assert_non_null(strstr(request.request.sentence, name));
        assert_int_equal(watcher.newest->n_orders, 1);
        assert_int_equal(ASK(registry_order_end, &end), REGISTRY_OK);
        assert_int_equal(ASK(registry_user_delete, &request), REGISTRY_OK);
    }
    assert_int_equal(watcher.newest->n_orders, scope == ORDER_OF_ADDRESS);
}

/* His mail knows his number only: without him, nobody would keep it back. */
static void who_is_suspended_is_not_deleted(void **state)
{
    (void)state;
    expect_deletion(ORDER_OF_USER, ORDER_SUSPEND, "a@example.org", REGISTRY_SUSPENDED);
    expect_deletion(ORDER_OF_CAMPAIGN, ORDER_SUSPEND, "a@example.org/spring", REGISTRY_SUSPENDED);
    expect_deletion(ORDER_OF_USER, ORDER_THROTTLE, "a@example.org", REGISTRY_OK);
    expect_deletion(ORDER_OF_ADDRESS, ORDER_SUSPEND, "127.0.0.1", REGISTRY_OK);
}

static void users_are_disabled_enabled_and_deleted(void **state)
{
    struct user_request request = {.name = SLICE_LITERAL("a@example.org")};
    struct network_request network = {.cidr = SLICE_LITERAL("10.0.0.0/8"),
                                      .user = SLICE_LITERAL("a@example.org")};
    uint32_t first_id;

    (void)state;
    assert_int_equal(ASK(registry_user_disable, &request), REGISTRY_NOT_FOUND);
    assert_int_equal(add_user("a@example.org", NULL), REGISTRY_OK);
    first_id = user("a@example.org")->id;
    assert_int_equal(ASK(registry_user_disable, &request), REGISTRY_OK);
    assert_false(user("a@example.org")->is_enabled);
    assert_int_equal(ASK(registry_user_enable, &request), REGISTRY_OK);
    assert_true(user("a@example.org")->is_enabled);
    assert_int_equal(ASK(registry_network_add, &network), REGISTRY_OK);
    assert_int_equal(ASK(registry_user_delete, &request), REGISTRY_OK);
    assert_null(user("a@example.org"));
    assert_int_equal(watcher.newest->n_networks, 0);
    assert_int_equal(add_user("a@example.org", NULL), REGISTRY_OK);
    assert_true(user("a@example.org")->id > first_id); /* ids are never used again */
    assert_int_equal(user("a@example.org")->n_credentials, 1);
}

static void options_and_limits_are_stored(void **state)
{
    const struct user_option options[] = {
        {SLICE_LITERAL("trace"),      SLICE_LITERAL("full")  },
        {SLICE_LITERAL("bounces"),    SLICE_LITERAL("digest")},
        {SLICE_LITERAL("class"),      SLICE_LITERAL("yes")   },
        {SLICE_LITERAL("must_sign"),  SLICE_LITERAL("yes")   },
        {SLICE_LITERAL("sessions"),   SLICE_LITERAL("7")     },
        {SLICE_LITERAL("recipients"), SLICE_LITERAL("50")    },
        {SLICE_LITERAL("weight"),     SLICE_LITERAL("100")   },
    };
    struct slice senders[] = {SLICE_LITERAL("only@example.net")};
    struct user_options_request request = {.name = SLICE_LITERAL("a@example.org"),
                                           .options = options,
                                           .n_options = 7,
                                           .senders = senders,
                                           .n_senders = 1};

    (void)state;
    assert_int_equal(add_user("a@example.org", NULL), REGISTRY_OK);
    assert_int_equal(user("a@example.org")->trace, TRACE_NO_CLIENT);
    assert_int_equal(user("a@example.org")->bounces, BOUNCES_DSN);
    assert_false(user("a@example.org")->may_use_class);
    assert_int_equal(ASK(registry_user_options, &request), REGISTRY_OK);
    assert_int_equal(user("a@example.org")->trace, TRACE_FULL);
    assert_int_equal(user("a@example.org")->bounces, BOUNCES_DIGEST);
    assert_true(user("a@example.org")->may_use_class);
    assert_true(user("a@example.org")->must_sign);
    assert_int_equal(user("a@example.org")->limits[USER_LIMIT_SESSIONS], 7);
    assert_int_equal(user("a@example.org")->limits[USER_LIMIT_RECIPIENTS], 50);
    assert_int_equal(user("a@example.org")->limits[USER_LIMIT_WEIGHT], 100);
    assert_false(user_may_send_as(user("a@example.org"), SLICE_LITERAL("x@example.org")));
    assert_true(user_may_send_as(user("a@example.org"), SLICE_LITERAL("only@example.net")));
}

static void a_wrong_option_changes_none(void **state)
{
    static const struct user_option wrong[] = {
        {SLICE_LITERAL("bounces"),   SLICE_LITERAL("maybe")     },
        {SLICE_LITERAL("must_sign"), SLICE_LITERAL("1")         },
        {SLICE_LITERAL("sessions"),  SLICE_LITERAL("-1")        },
        {SLICE_LITERAL("sessions"),  SLICE_LITERAL("4294967296")},
        {SLICE_LITERAL("weight"),    SLICE_LITERAL("101")       },
        {SLICE_LITERAL("weight"),    SLICE_LITERAL("none")      },
        {SLICE_LITERAL("colour"),    SLICE_LITERAL("red")       },
    };

    (void)state;
    assert_int_equal(add_user("a@example.org", NULL), REGISTRY_OK);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const struct user_option options[] = {
            {SLICE_LITERAL("trace"), SLICE_LITERAL("full")},
            wrong[i]
        };
        struct user_options_request request = {
            .name = SLICE_LITERAL("a@example.org"), .options = options, .n_options = 2};

        assert_int_equal(ASK(registry_user_options, &request), REGISTRY_INVALID_VALUE);
        assert_true(request.request.sentence[0]);
    }
    assert_int_equal(user("a@example.org")->trace, TRACE_NO_CLIENT);
}

/* ---- networks ---- */

static void networks_belong_to_users(void **state)
{
    struct network_request request = {.cidr = SLICE_LITERAL("::ffff:192.0.2.0/120"),
                                      .user = SLICE_LITERAL("a@example.org")};
    struct ip_address peer;

    (void)state;
    assert_true(ip_parse(SLICE_LITERAL("192.0.2.77"), &peer));
    assert_int_equal(ASK(registry_network_add, &request), REGISTRY_NOT_FOUND);
    assert_int_equal(add_user("a@example.org", NULL), REGISTRY_OK);
    assert_int_equal(add_user("b@example.org", NULL), REGISTRY_OK);
    request.cidr = SLICE_LITERAL("192.0.2.0/24");
    assert_int_equal(ASK(registry_network_add, &request), REGISTRY_OK);
    assert_ptr_equal(directory_user_of_network(watcher.newest, peer), user("a@example.org"));
    request.user = SLICE_LITERAL("b@example.org");
    assert_int_equal(ASK(registry_network_add, &request), REGISTRY_EXISTS);
    assert_non_null(strstr(request.request.sentence, "a@example.org"));
    request.cidr = SLICE_LITERAL("192.0.2.77");
    assert_int_equal(ASK(registry_network_add, &request), REGISTRY_OK);
    assert_ptr_equal(directory_user_of_network(watcher.newest, peer), user("b@example.org"));
    assert_int_equal(ASK(registry_network_delete, &request), REGISTRY_OK);
    assert_int_equal(ASK(registry_network_delete, &request), REGISTRY_NOT_FOUND);
    assert_ptr_equal(directory_user_of_network(watcher.newest, peer), user("a@example.org"));
}

static void networks_that_would_open_the_relay_are_refused(void **state)
{
    static const char *const cidrs[] = {"0.0.0.0/0",  "0.0.0.0/1",    "::/0",
                                        "2000::/3",   "10.0.0.0/",    "10.0/8",
                                        "10.0.0.1/8", "fe80::1%eth0", ""};

    (void)state;
    assert_int_equal(add_user("a@example.org", NULL), REGISTRY_OK);
    for (size_t i = 0; i < sizeof(cidrs) / sizeof(cidrs[0]); i++) {
        struct network_request request = {.cidr = slice_of(cidrs[i]),
                                          .user = SLICE_LITERAL("a@example.org")};

        if (ASK(registry_network_add, &request) != REGISTRY_INVALID_NETWORK)
            fail_msg("\"%s\" is accepted", cidrs[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(an_answer_comes_after_its_snapshot),
        TEST(a_user_named_like_an_address_may_send_as_its_domain),
        TEST(any_other_user_needs_a_sender),
        TEST(names_are_unique_whatever_their_case),
        TEST(bad_names_are_refused),
        TEST(a_refusal_changes_nothing_and_says_why),
        TEST(a_generated_password_is_handed_out_and_verifies),
        TEST(a_new_password_is_a_new_credential),
        TEST(users_are_disabled_enabled_and_deleted),
        TEST(who_is_suspended_is_not_deleted),
        TEST(options_and_limits_are_stored),
        TEST(a_wrong_option_changes_none),
        TEST(networks_belong_to_users),
        TEST(networks_that_would_open_the_relay_are_refused),
    };

    if (secret_start() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
