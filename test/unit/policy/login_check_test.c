/* What a login costs, counted and not timed. */
#include "test/support/test_support.h"

#include "policy/credential.h"
#include "policy/imported_hash.h"
#include "policy/login_check.h"

static const struct slice right = SLICE_LITERAL("correct horse battery");
static char own_hash[PASSWORD_HASH_SIZE], decoy[PASSWORD_HASH_SIZE];

static int set_up(void **state)
{
    (void)state;
    return password_hash(own_hash, right) || password_hash(decoy, SLICE_LITERAL("nobody's"));
}

static struct login_check check(const char *hash, struct slice password)
{
    struct credential credential = {.id = 5, .hash = slice_of(hash)};
    struct user user = {.n_credentials = hash ? 1 : 0, .credentials = &credential};
    struct login_check result = {.user = &user, .password = password, .decoy = decoy};

    login_check_run(&result);
    return result;
}

static void every_question_costs_one_slow_hash(void **state)
{
    static const char imported[] = "{SHA}mN7MYuzjmaIu0w1JDvMzvn/ec4U=";
    const struct slice wrong = SLICE_LITERAL("wrong");
    struct login_check unknown = {.user = NULL, .password = right, .decoy = decoy};

    (void)state;
    login_check_run(&unknown);
    assert_int_equal(unknown.n_slow_hashes, 1);
    assert_int_equal(check(NULL, right).n_slow_hashes, 1);
    assert_int_equal(check(own_hash, right).n_slow_hashes, 1);
    assert_int_equal(check(own_hash, wrong).n_slow_hashes, 1);
    assert_int_equal(check(imported, right).n_slow_hashes, 1);
    assert_int_equal(check(imported, wrong).n_slow_hashes, 1);
}

static void only_the_right_password_names_the_credential(void **state)
{
    struct login_check unknown = {
        .user = NULL, .password = SLICE_LITERAL("nobody's"), .decoy = decoy};

    (void)state;
    assert_int_equal(check(own_hash, right).credential_id, 5);
    assert_int_equal(check(own_hash, SLICE_LITERAL("wrong")).credential_id, 0);
    assert_int_equal(check(own_hash, SLICE_LITERAL("")).credential_id, 0);
    assert_int_equal(check(NULL, right).credential_id, 0);
    login_check_run(&unknown); /* even whoever knows the decoy's password is nobody */
    assert_int_equal(unknown.credential_id, 0);
}

static void an_imported_hash_is_replaced_when_it_was_right(void **state)
{
    static const char imported[] = "{SHA}mN7MYuzjmaIu0w1JDvMzvn/ec4U=";
    struct login_check done = check(imported, right);

    (void)state;
    assert_true(done.has_new_hash);
    assert_true(imported_hash_is_native(slice_of(done.new_hash)));
    assert_true(imported_hash_verify(slice_of(done.new_hash), right));
    assert_false(check(imported, SLICE_LITERAL("wrong")).has_new_hash);
    assert_false(check(own_hash, right).has_new_hash);
}

static void a_credential_may_be_bound_to_networks(void **state)
{
    struct network networks[2];
    struct credential bound = {.n_networks = 2, .networks = networks}, free_one = {0};
    struct ip_address inside, outside;

    (void)state;
    assert_true(network_parse(SLICE_LITERAL("192.0.2.0/24"), &networks[0]));
    assert_true(network_parse(SLICE_LITERAL("2001:db8::/32"), &networks[1]));
    assert_true(ip_parse(SLICE_LITERAL("::ffff:192.0.2.9"), &inside));
    assert_true(ip_parse(SLICE_LITERAL("198.51.100.1"), &outside));
    assert_true(credential_is_allowed_from(&bound, inside));
    assert_false(credential_is_allowed_from(&bound, outside));
    assert_true(credential_is_allowed_from(&free_one, outside));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_question_costs_one_slow_hash),
        cmocka_unit_test(only_the_right_password_names_the_credential),
        cmocka_unit_test(an_imported_hash_is_replaced_when_it_was_right),
        cmocka_unit_test(a_credential_may_be_bound_to_networks),
    };

    if (secret_start() != 0)
        return 1;
    return cmocka_run_group_tests(tests, set_up, NULL);
}
