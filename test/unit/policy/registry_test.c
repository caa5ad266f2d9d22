/* The settings thread for real: requests in, snapshots and answers out, the file reopened. */
#include "test/unit/policy/asking.h"

#include <signal.h>
#include <sys/resource.h>

#include "policy/credential.h"
#include "policy/imported_hash.h"
#include "relay/base/clock.h"

static struct watcher {
    struct directory_subscriber subscriber;
    struct directory *newest;
    int n_received;
} watcher;

static void receive(struct directory_subscriber *subscriber, struct directory *directory)
{
    struct watcher *self = (struct watcher *)(void *)subscriber;

    if (self->newest)
        assert_true(directory->version > self->newest->version);
    directory_unref(self->newest);
    self->newest = directory;
    self->n_received++;
}

static void open_registry(void)
{
    assert_int_equal(registry_open(&registry, folder), 0);
    watcher = (struct watcher){
        .subscriber = {.mailbox = home, .receive = receive}
    };
    registry_subscribe(registry, &watcher.subscriber);
    assert_int_equal(registry_start(registry), 0);
}

static void close_registry(void)
{
    registry = registry_stop(registry);
    mailbox_run(home);
    directory_unref(watcher.newest);
    watcher.newest = NULL;
}

static int set_up(void **state)
{
    (void)state;
    make_folder();
    assert_int_equal(mailbox_new(&home, 16), 0);
    open_registry();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close_registry();
    home = mailbox_free(home);
    remove_folder();
    return 0;
}

static const struct user *user(const char *name)
{
    return directory_user(watcher.newest, slice_of(name));
}

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
        {SLICE_LITERAL("trace"),      SLICE_LITERAL("full")},
        {SLICE_LITERAL("bounces"),    SLICE_LITERAL("none")},
        {SLICE_LITERAL("class"),      SLICE_LITERAL("yes") },
        {SLICE_LITERAL("must_sign"),  SLICE_LITERAL("yes") },
        {SLICE_LITERAL("sessions"),   SLICE_LITERAL("7")   },
        {SLICE_LITERAL("recipients"), SLICE_LITERAL("50")  },
    };
    struct slice senders[] = {SLICE_LITERAL("only@example.net")};
    struct user_options_request request = {.name = SLICE_LITERAL("a@example.org"),
                                           .options = options,
                                           .n_options = 6,
                                           .senders = senders,
                                           .n_senders = 1};

    (void)state;
    assert_int_equal(add_user("a@example.org", NULL), REGISTRY_OK);
    assert_int_equal(user("a@example.org")->trace, TRACE_NO_CLIENT);
    assert_int_equal(user("a@example.org")->bounces, BOUNCES_DSN);
    assert_false(user("a@example.org")->may_use_class);
    assert_int_equal(ASK(registry_user_options, &request), REGISTRY_OK);
    assert_int_equal(user("a@example.org")->trace, TRACE_FULL);
    assert_int_equal(user("a@example.org")->bounces, BOUNCES_NONE);
    assert_true(user("a@example.org")->may_use_class);
    assert_true(user("a@example.org")->must_sign);
    assert_false(user("a@example.org")->refuse_over_quota);
    assert_int_equal(user("a@example.org")->limits[USER_LIMIT_SESSIONS], 7);
    assert_int_equal(user("a@example.org")->limits[USER_LIMIT_RECIPIENTS], 50);
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
    assert_int_equal(ASK(registry_key_activate, &first), REGISTRY_NOT_JUDGED);
    assert_int_equal(ASK(registry_key_judged, &first), REGISTRY_OK);
    first.only_if_first = true;
    assert_int_equal(ASK(registry_key_activate, &first), REGISTRY_OK);
    assert_true(first.is_active);
    assert_true(key("s1")->is_active && key("s1")->is_judged);
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

static void keys_are_rested_and_deleted(void **state)
{
    struct domain_request domain = {.name = SLICE_LITERAL("example.org")};
    struct domain_key_request request = key_of("s1");

    (void)state;
    assert_int_equal(ASK(registry_domain_add, &domain), REGISTRY_OK);
    assert_int_equal(add_key("s1", DOMAIN_KEY_RSA), REGISTRY_OK);
    assert_int_equal(add_key("s2", DOMAIN_KEY_RSA), REGISTRY_OK);
    assert_int_equal(ASK(registry_key_judged, &request), REGISTRY_OK);
    assert_int_equal(ASK(registry_key_activate, &request), REGISTRY_OK);
    assert_int_equal(ASK(registry_key_deactivate, &request), REGISTRY_OK);
    assert_false(key("s1")->is_active);
    assert_int_equal(ASK(registry_key_delete, &request), REGISTRY_OK);
    assert_null(key("s1"));
    assert_int_equal(ASK(registry_key_delete, &request), REGISTRY_NOT_FOUND);
    assert_int_equal(ASK(registry_domain_delete, &domain), REGISTRY_OK);
    assert_int_equal(ASK(registry_domain_add, &domain), REGISTRY_OK);
    assert_int_equal(directory_domain(watcher.newest, domain.name)->n_keys, 0);
}

/* ---- destinations and suppressions ---- */

static void a_suspension_has_a_reason_and_an_end(void **state)
{
    int64_t now_ms = clock_utc_ms();
    struct suspension_request request = {.destination = SLICE_LITERAL("Slow.Example"),
                                         .until_utc_ms = now_ms + 60000};
    const struct suspension *suspension;

    (void)state;
    assert_int_equal(ASK(registry_suspend, &request), REGISTRY_INVALID_VALUE);
    request.reason = SLICE_LITERAL("it burns");
    assert_int_equal(ASK(registry_suspend, &request), REGISTRY_OK);
    suspension = directory_suspension(watcher.newest, SLICE_LITERAL("slow.example"), now_ms);
    assert_non_null(suspension);
    assert_slice_is(suspension->reason, "it burns");
    assert_slice_is(suspension->by, "test");
    assert_null(
        directory_suspension(watcher.newest, SLICE_LITERAL("slow.example"), now_ms + 60000));
    assert_null(directory_suspension(watcher.newest, SLICE_LITERAL("fast.example"), now_ms));
    request.until_utc_ms = 0;
    assert_int_equal(ASK(registry_suspend, &request), REGISTRY_OK);
    assert_non_null(directory_suspension(watcher.newest, SLICE_LITERAL("slow.example"), INT64_MAX));
    request.until_utc_ms = now_ms - 1;
    assert_int_equal(ASK(registry_suspend, &request), REGISTRY_INVALID_VALUE);
    assert_int_equal(ASK(registry_resume, &request), REGISTRY_OK);
    assert_int_equal(ASK(registry_resume, &request), REGISTRY_NOT_FOUND);
    assert_int_equal(watcher.newest->n_suspensions, 0);
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

/* ---- the thread ---- */

static void what_was_answered_is_there_after_a_restart(void **state)
{
    struct domain_request domain = {.name = SLICE_LITERAL("example.org")};
    struct network_request network = {.cidr = SLICE_LITERAL("2001:db8::/32"),
                                      .user = SLICE_LITERAL("b@example.org")};

    (void)state;
    assert_int_equal(add_user("b@example.org", NULL), REGISTRY_OK);
    assert_int_equal(add_user("a", "*"), REGISTRY_OK);
    assert_int_equal(ASK(registry_domain_add, &domain), REGISTRY_OK);
    assert_int_equal(add_key("s1", DOMAIN_KEY_ED25519), REGISTRY_OK);
    assert_int_equal(ASK(registry_network_add, &network), REGISTRY_OK);
    close_registry();
    open_registry();
    mailbox_run(home);
    assert_int_equal(watcher.newest->n_users, 2);
    assert_slice_is(watcher.newest->users[0].name, "a"); /* by name */
    assert_slice_is(watcher.newest->users[1].name, "b@example.org");
    assert_int_equal(user("b@example.org")->n_credentials, 1);
    assert_int_equal(watcher.newest->networks[0].user_id, user("b@example.org")->id);
    assert_int_equal(key("s1")->type, DOMAIN_KEY_ED25519);
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
        TEST(an_answer_comes_after_its_snapshot),
        TEST(a_user_named_like_an_address_may_send_as_its_domain),
        TEST(any_other_user_needs_a_sender),
        TEST(names_are_unique_whatever_their_case),
        TEST(bad_names_are_refused),
        TEST(a_refusal_changes_nothing_and_says_why),
        TEST(a_generated_password_is_handed_out_and_verifies),
        TEST(a_new_password_is_a_new_credential),
        TEST(users_are_disabled_enabled_and_deleted),
        TEST(options_and_limits_are_stored),
        TEST(a_wrong_option_changes_none),
        TEST(networks_belong_to_users),
        TEST(networks_that_would_open_the_relay_are_refused),
        TEST(domains_are_kept_in_one_form),
        TEST(a_key_is_active_only_once_judged_and_one_of_its_type),
        TEST(keys_are_rested_and_deleted),
        TEST(a_suspension_has_a_reason_and_an_end),
        TEST(suppressions_come_in_pages),
        TEST(a_suppression_is_deleted_by_its_address),
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
