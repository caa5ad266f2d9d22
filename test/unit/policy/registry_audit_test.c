/* Who changed what: how much of it is kept, and how much of it is read at once. */
#include "test/unit/policy/registry_watching.h"

#include "policy/registry_access.h"

static void note(uint32_t user_id, const char *action, struct slice after)
{
    struct audit_request request = {
        .origin = SLICE_LITERAL("socket"),
        .action = slice_of(action),
        .object = SLICE_LITERAL("x"),
        .after = after,
        .user_id = user_id,
    };

    assert_int_equal(ASK(registry_audit, &request), REGISTRY_OK);
}

struct found {
    unsigned n, n_pages;
    unsigned n_by_admin, n_by_one, n_by_another;
};

static void count_rows(struct audit_list_request *list, struct found *found)
{
    struct reader reader = {.rest = buffer_slice(&list->rows)};

    for (uint32_t i = 0; i < list->n_rows; i++) {
        struct slice action = {0};

        list->below_id = (int64_t)reader_u64(&reader);
        (void)reader_u64(&reader);
        for (int k = 0; k < AUDIT_COLUMNS; k++) {
            struct slice column = reader_counted(&reader);

            action = k == 2 ? column : action;
        }
        found->n_by_admin += slice_equal(action, SLICE_LITERAL("admin"));
        found->n_by_one += slice_equal(action, SLICE_LITERAL("one"));
        found->n_by_another += slice_equal(action, SLICE_LITERAL("another"));
    }
    assert_false(reader.failed);
}

static struct found read_all(void)
{
    struct audit_list_request list = {.below_id = INT64_MAX, .most = 500};
    struct found found = {0};

    do {
        assert_int_equal(ASK(registry_audit_list, &list), REGISTRY_OK);
        count_rows(&list, &found);
        assert_true(list.rows.len < (2U << 20));
        buffer_fini(&list.rows);
        found.n += list.n_rows;
        found.n_pages++;
    } while (list.has_more);
    return found;
}

static void a_user_pushes_out_the_own_rows_alone(void **state)
{
    struct found found;

    (void)state;
    note(0, "admin", SLICE_LITERAL("{}"));
    note(8, "another", SLICE_LITERAL("{}"));
    for (unsigned i = 0; i < 1100; i++)
        note(7, "one", SLICE_LITERAL("{}"));
    found = read_all();
    assert_int_equal(found.n_by_admin, 1);
    assert_int_equal(found.n_by_another, 1);
    assert_int_equal(found.n_by_one, 1000);
}

/* Rows of before they were bounded are a mebibyte each. */
static void a_list_ends_where_it_gets_long_and_goes_on(void **state)
{
    static char text[300 * 1024];
    struct found found;

    (void)state;
    memset(text, 'x', sizeof(text));
    for (unsigned i = 0; i < 10; i++)
        note(0, "admin", slice_from(text, sizeof(text)));
    found = read_all();
    assert_int_equal(found.n, 10);
    assert_int_equal(found.n_pages, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_user_pushes_out_the_own_rows_alone),
        TEST(a_list_ends_where_it_gets_long_and_goes_on),
    };

    if (secret_start() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
