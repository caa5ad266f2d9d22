#include "test/unit/webui/serving.h"

#include <time.h>

#include "webui/job_count.h"

enum { N_NOTES = 20000 };

static int64_t spent_ns(void)
{
    struct timespec spent;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return spent.tv_sec * 1000000000LL + spent.tv_nsec;
}

/* Notes recipients of n_names users and destinations in turn; what that took. */
static int64_t note_all(struct job *job, unsigned n_names, unsigned n_notes)
{
    struct stored message = {.id = 1};
    struct entry entry = {.message = &message, .state = ENTRY_WAITING};
    int64_t begun_ns = spent_ns();
    char name[64];

    for (unsigned i = 0; i < n_notes; i++) {
        entry.n = i + 1;
        message.user_id = i % n_names + 1;
        snprintf(name, sizeof(name), "mail.destination-number-%u.example", i % n_names);
        job_note(job, &entry, name);
    }
    return spent_ns() - begun_ns;
}

static int64_t time_of(unsigned n_names)
{
    struct job *job = job_new(&webui->jobs);
    int64_t ns;

    assert_non_null(job);
    ns = note_all(job, n_names, N_NOTES);
    job_forget(job);
    return ns;
}

/* The loops that send mail count: a slice of theirs is a millisecond. */
static void many_names_cost_a_loop_hardly_more_than_one(void **state)
{
    int64_t one_ns, known_ns, unknown_ns;

    (void)state;
    time_of(1);
    one_ns = time_of(1);
    known_ns = time_of(1000);
    unknown_ns = time_of(5000);
    assert_in_range(known_ns, 1, 20 * one_ns);
    assert_in_range(unknown_ns, 1, 20 * one_ns);
}

static json_int_t first_of(const json_t *count, const char *kind)
{
    const json_t *items = json_object_get(count, kind);

    return json_integer_value(json_object_get(json_array_get(items, 0), "recipients"));
}

static void shares_are_counted_by_name_with_the_largest_first(void **state)
{
    struct job *job = job_new(&webui->jobs);
    json_t *count;

    (void)state;
    assert_non_null(job);
    note_all(job, 1, 50);
    note_all(job, 3, 30);
    note_all(job, 2000, 2000); /* more than are told apart */
    assert_int_equal(job->n_shares[0], JOB_SHARE_SLOTS / 2);
    assert_int_equal(job->n_shares[1], JOB_SHARE_SLOTS / 2);
    count = job_count_json(job);
    assert_int_equal(first_of(count, "users"), 61);
    assert_int_equal(first_of(count, "destinations"), 61);
    json_decref(count);
    job_forget_count(job);
    note_all(job, 2, 4);
    assert_int_equal(job->n_shares[1], 2);
    job_forget(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_names_cost_a_loop_hardly_more_than_one),
        cmocka_unit_test(shares_are_counted_by_name_with_the_largest_first),
    };

    return cmocka_run_group_tests(tests, start_serving, stop_serving);
}
