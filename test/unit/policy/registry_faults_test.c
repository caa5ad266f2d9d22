/* staffetta.db on a disk that fails and through power cuts: a user whose making was answered is
 * there, the start is not refused, and the next change goes through by itself. */
#include "test/unit/policy/registry_watching.h"

#include <errno.h>
#include <unistd.h>

#include "relay/base/event.h"
#include "test/support/power_cut.h"

enum { N_USERS = 3 };

static const char *const names[N_USERS] = {"one@example.org", "two@example.org",
                                           "three@example.org"};

/* Imported: no time for hashing a password a thousand times. */
static enum registry_result add(const char *name)
{
    struct user_add_request request = {
        .name = slice_of(name),
        .password = {.source = PASSWORD_HASHED,
                     .text = SLICE_LITERAL("{SHA}mN7MYuzjmaIu0w1JDvMzvn/ec4U=")}
    };

    return ASK(registry_user_add, &request);
}

static void be_silent(void *owner, const struct event *event)
{
    (void)owner, (void)event;
}

/* Hundreds of folders: in memory, where there is some.  What is synced is in the record. */
static void make_quick_folder(void)
{
    make_folder();
    if (access("/dev/shm", W_OK))
        return;
    remove_folder();
    snprintf(folder, sizeof(folder), "/dev/shm/staffetta-policy-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static void begin(void)
{
    make_quick_folder();
    io_shim_reset(folder);
    assert_int_equal(mailbox_new(&home, 16), 0);
}

static void end(void)
{
    home = mailbox_free(home);
    remove_folder();
}

/* True when the n-th call was reached. */
static bool fail_nth(unsigned nth, int error)
{
    bool is_made[N_USERS], has_failed;

    begin();
    open_registry();
    io_shim_fail(nth, error);
    for (unsigned i = 0; i < N_USERS; i++) {
        enum registry_result result = add(names[i]);

        is_made[i] = result == REGISTRY_OK;
        if (!is_made[i])
            assert_int_equal(result, REGISTRY_FAILED);
    }
    has_failed = io_shim_has_failed();
    io_shim_fail(0, 0);
    if (add("next@example.org") != REGISTRY_OK)
        fail_msg("call %u: no change goes through any more", nth);
    close_registry();
    open_registry();
    mailbox_run(home);
    for (unsigned i = 0; i < N_USERS; i++)
        if (is_made[i] && !user(names[i]))
            fail_msg("call %u: a user is lost", nth);
    assert_non_null(user("next@example.org"));
    close_registry();
    end();
    return has_failed;
}

static void an_io_error_of_any_call_loses_no_user(void **state)
{
    (void)state;
    assert_true(io_shim_fail_each(fail_nth, EIO) >= 6);
}

static void a_full_disk_at_any_call_loses_no_user(void **state)
{
    (void)state;
    assert_true(io_shim_fail_each(fail_nth, ENOSPC) >= 6);
}

static void a_short_write_at_any_call_loses_no_user(void **state)
{
    (void)state;
    assert_true(io_shim_fail_each(fail_nth, IO_SHORT_WRITE) >= 6);
}

/* A start may be refused while the disk fails; the next finds everything. */
static void a_start_that_failed_can_be_repeated(void **state)
{
    bool has_failed = true;

    (void)state;
    for (unsigned nth = 1; has_failed; nth++) {
        begin();
        open_registry();
        assert_int_equal(add(names[0]), REGISTRY_OK);
        close_registry();
        io_shim_fail(nth, EIO);
        if (registry_open(&registry, folder) == 0)
            registry = registry_stop(registry);
        has_failed = io_shim_has_failed();
        io_shim_fail(0, 0);
        open_registry();
        mailbox_run(home);
        assert_non_null(user(names[0]));
        close_registry();
        end();
    }
}

/* ---- power cuts ---- */

static void try_state(const struct io_call *calls, size_t n, enum loss loss)
{
    bool is_made[N_USERS] = {false};

    for (size_t i = 0; i < n; i++)
        if (calls[i].kind == IO_NOTE)
            is_made[calls[i].path[0] - '0'] = true;
    make_quick_folder();
    power_cut_build(folder, calls, n, loss);
    assert_int_equal(mailbox_new(&home, 16), 0);
    if (registry_open(&registry, folder))
        fail_msg("cut after call %zu (loss %d): start is refused", n, (int)loss);
    registry = registry_stop(registry);
    open_registry();
    mailbox_run(home);
    for (unsigned i = 0; i < N_USERS; i++)
        if (is_made[i] && !user(names[i]))
            fail_msg("cut after call %zu (loss %d): user %u is lost", n, (int)loss, i);
    assert_int_equal(add("next@example.org"), REGISTRY_OK);
    close_registry();
    end();
}

static void no_power_cut_loses_a_user(void **state)
{
    const struct io_call *calls;
    size_t n_calls;
    char recorded[sizeof(folder)];

    (void)state;
    begin();
    memcpy(recorded, folder, sizeof(recorded));
    io_shim_record();
    open_registry();
    for (unsigned i = 0; i < N_USERS; i++) {
        char note[] = {(char)('0' + i), '\0'};

        assert_int_equal(add(names[i]), REGISTRY_OK);
        io_shim_note(note);
    }
    close_registry();
    home = mailbox_free(home);
    calls = io_shim_calls(&n_calls);
    assert_true(n_calls > 20);
    io_shim_be_default(false);
    power_cut_everywhere(calls, n_calls, try_state);
    io_shim_be_default(true);
    memcpy(folder, recorded, sizeof(folder));
    remove_folder();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_io_error_of_any_call_loses_no_user),
        cmocka_unit_test(a_full_disk_at_any_call_loses_no_user),
        cmocka_unit_test(a_short_write_at_any_call_loses_no_user),
        cmocka_unit_test(a_start_that_failed_can_be_repeated),
        cmocka_unit_test(no_power_cut_loses_a_user),
    };

    if (secret_start())
        return 1;
    event_set_sink(be_silent, NULL);
    io_shim_be_default(true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
