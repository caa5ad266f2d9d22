#include "test/support/test_support.h"

#include <pthread.h>
#include <stdlib.h>

#include "relay/spool/queue_id.h"

static void text_and_number_are_the_same_id(void **state)
{
    static const uint64_t ids[] = {1, 31, 32, 0x123456789abcdef, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        char text[QUEUE_ID_SIZE];
        uint64_t id = 0;

        queue_id_format(ids[i], text);
        assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), strlen(text));
        assert_true(queue_id_parse(slice_of(text), &id));
        assert_true(id == ids[i]);
    }
}

static void what_is_no_id_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "0", "0000000000", "7Q2F-", "7 Q", "ZZZZZZZZZZZZZ", "00000000000000001", "U"};
    uint64_t id;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(queue_id_parse(slice_of(texts[i]), &id));
}

static void lower_case_is_taken(void **state)
{
    uint64_t upper, lower;

    (void)state;
    assert_true(queue_id_parse(SLICE_LITERAL("7Q2F"), &upper));
    assert_true(queue_id_parse(SLICE_LITERAL("7q2f"), &lower));
    assert_true(upper == lower);
}

static void an_id_has_ten_characters_in_this_decade(void **state)
{
    char text[QUEUE_ID_SIZE];

    (void)state;
    queue_id_format(queue_id_at(1795368303120), text);
    assert_int_equal(strlen(text), 10);
    queue_id_format(queue_id_at(2145916800000), text); /* 2038 */
    assert_int_equal(strlen(text), 10);
}

enum { N_THREADS = 4, N_EACH = 20000 };

static void *make_ids(void *argument)
{
    uint64_t *ids = argument;

    for (size_t i = 0; i < N_EACH; i++)
        ids[i] = queue_id_new();
    return NULL;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;

    return *left < *right ? -1 : *left > *right;
}

static void threads_never_get_the_same_id(void **state)
{
    static uint64_t ids[N_THREADS * N_EACH];
    pthread_t threads[N_THREADS];

    (void)state;
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_ids, ids + i * N_EACH), 0);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    qsort(ids, N_THREADS * N_EACH, sizeof(ids[0]), compare);
    for (size_t i = 1; i < N_THREADS * N_EACH; i++)
        assert_true(ids[i - 1] < ids[i]);
}

static void ids_go_on_after_the_largest_seen(void **state)
{
    uint64_t seen = queue_id_new() + 1000000;

    (void)state;
    queue_id_seen(seen);
    queue_id_seen(1);
    assert_true(queue_id_new() > seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_number_are_the_same_id),
        cmocka_unit_test(what_is_no_id_is_refused),
        cmocka_unit_test(lower_case_is_taken),
        cmocka_unit_test(an_id_has_ten_characters_in_this_decade),
        cmocka_unit_test(threads_never_get_the_same_id),
        cmocka_unit_test(ids_go_on_after_the_largest_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
