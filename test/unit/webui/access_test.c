/* Sessions of the panel: how many there are, and whether the login still holds when one is stored.
 */
#include "test/unit/webui/serving.h"

#include "policy/registry_internal.h"
#include "webui/sign_in.h"

static struct admin_change {
    struct access_request request; /* first */
    bool is_done;
} change;

static void on_changed(struct registry_request *request)
{
    assert_int_equal(request->result, REGISTRY_OK);
    access_take_book(&webui->access, &change.request);
    change.is_done = true;
}

static void change_admin(enum access_verb verb, const char *hash)
{
    change = (struct admin_change){
        .request = {.request = {.answer_to = webui->mailbox, .done = on_changed},
                    .name = SLICE_LITERAL("root"),
                    .hash = slice_of(hash)}
    };
    assert_true(registry_access(registry, verb, &change.request));
    while (!change.is_done) {
        assert_true(mailbox_wait(webui->mailbox, 10000));
        mailbox_run(webui->mailbox);
    }
}

static struct account account_of_root(void)
{
    const struct admin *admin = access_book_admin(webui->access.book, SLICE_LITERAL("root"));

    assert_non_null(admin);
    return (struct account){ACCOUNT_ADMIN, admin->id};
}

static unsigned sign_in(struct account account, const char *hash)
{
    struct exchange *exchange = new_exchange(HTTP_POST, "/api/v1/session", NULL);
    unsigned answered;

    sign_in_finish(exchange, account, slice_of(hash));
    await_answer(exchange);
    answered = exchange->status;
    exchange_free(exchange);
    return answered;
}

/* The rows, as the next start finds them; the registry is another afterwards. */
static uint32_t n_stored(void)
{
    struct statement *row;
    uint32_t n = 0;

    registry = registry_stop(registry);
    mailbox_run(webui->mailbox);
    assert_int_equal(registry_open(&registry, folder), 0);
    row = db_statement(registry->db, STAFFETTA_ALL_PANEL_SESSIONS);
    while (statement_step(row) == STATEMENT_ROW)
        n++;
    return n;
}

static void start_again(void)
{
    assert_int_equal(registry_start(registry), 0);
    webui->parts.registry = registry;
}

static void the_oldest_session_goes_from_the_database_too(void **state)
{
    (void)state;
    change_admin(ACCESS_FIRST_ADMIN, "hash one");
    for (unsigned i = 0; i < SESSIONS_OF_ONE + 5; i++)
        assert_int_equal(sign_in(account_of_root(), "hash one"), 200);
    assert_int_equal(webui->access.n_sessions, SESSIONS_OF_ONE);
    assert_int_equal(n_stored(), SESSIONS_OF_ONE);
    start_again();
}

static void a_session_of_a_former_password_is_none(void **state)
{
    (void)state;
    change_admin(ACCESS_FIRST_ADMIN, "hash one");
    change_admin(ACCESS_SET_HASH, "hash two");
    assert_int_equal(sign_in(account_of_root(), "hash one"), 401);
    assert_int_equal(webui->access.n_sessions, 0);
    assert_int_equal(sign_in(account_of_root(), "hash two"), 200);
    assert_int_equal(sign_in((struct account){ACCOUNT_ADMIN, 99}, "hash two"), 401);
    assert_int_equal(n_stored(), 1);
    start_again();
}

static void a_start_keeps_the_newest_of_an_account(void **state)
{
    struct access_book *book = NULL;

    (void)state;
    change_admin(ACCESS_FIRST_ADMIN, "hash one");
    for (unsigned i = 0; i < SESSIONS_OF_ONE; i++)
        assert_int_equal(sign_in(account_of_root(), "hash one"), 200);
    while (!list_is_empty(&webui->access.sessions)) /* as if they had been forgotten here alone */
        access_forget_sessions_of(&webui->access, account_of_root(), 0);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(sign_in(account_of_root(), "hash one"), 200);
    assert_int_equal(n_stored(), SESSIONS_OF_ONE + 5);
    assert_int_equal(registry_load_access(registry, &book), 0);
    assert_int_equal(book->n_sessions, SESSIONS_OF_ONE);
    assert_int_equal(book->sessions[0].id, 6);
    assert_int_equal(book->sessions[SESSIONS_OF_ONE - 1].id, SESSIONS_OF_ONE + 5);
    access_book_free(book);
    start_again();
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, start_serving, stop_serving)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_oldest_session_goes_from_the_database_too),
        TEST(a_session_of_a_former_password_is_none),
        TEST(a_start_keeps_the_newest_of_an_account),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
