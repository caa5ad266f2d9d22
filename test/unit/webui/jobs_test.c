/* Orders over their phases, with loops that answer when the test says so. */
#include "test/unit/webui/serving.h"
#include "webui/jobs.h"

static struct stored message = {.id = 0x100000002};
static struct entry entries[3];
static struct delivery_command *under_way;

static bool take_command(void *owner, struct delivery_command *command)
{
    (void)owner;
    if (is_busy)
        return false;
    assert_null(under_way);
    under_way = command;
    command->n_selected = command->n_busy = command->n_passed = 0;
    return true;
}

static const struct operations slow_operations = {.command = take_command};
static const struct job_verb delete = {"delete", DELIVERY_HOLD, DELIVERY_DELETE, true};

/* As relay/delivery/operate.c does, without loops. */
static void visit(struct delivery_command *command, struct entry *entry)
{
    static const enum entry_state after[] = {[DELIVERY_HOLD] = ENTRY_HELD,
                                             [DELIVERY_RELEASE] = ENTRY_WAITING,
                                             [DELIVERY_DELETE] = ENTRY_FREE};
    bool is_sending = entry->state == ENTRY_SENDING;

    if (command->verb == DELIVERY_RELEASE && is_sending)
        command->n_passed++;
    if (command->verb == DELIVERY_HOLD && entry->state == ENTRY_HELD && !entry->due_s)
        return;
    if (command->verb == DELIVERY_RELEASE && is_sending)
        return;
    command->n_selected++;
    command->held_until_s = entry->state == ENTRY_HELD ? entry->due_s : 0;
    command->given_back_until_s = 0;
    command->note(command, entry, "dest.example");
    if (command->verb != DELIVERY_COUNT && !is_sending) {
        entry->state = command->given_back_until_s ? ENTRY_HELD : after[command->verb];
        entry->due_s = command->given_back_until_s;
    }
}

static void walk(enum delivery_verb verb)
{
    struct delivery_command *command = TAKE(under_way);

    assert_non_null(command);
    assert_int_equal(command->verb, verb);
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
        if (entries[i].state != ENTRY_FREE &&
            selection_matches(NULL, &command->selection, &entries[i]))
            visit(command, &entries[i]);
    command->done(command);
}

static void assert_states(enum entry_state first, enum entry_state second, enum entry_state third)
{
    assert_int_equal(entries[0].state, first);
    assert_int_equal(entries[1].state, second);
    assert_int_equal(entries[2].state, third);
}

/* One message to three: one waits, one is held, one is being sent; and an order to delete those
 * in some states, counted. */
static struct job *begin(unsigned states)
{
    struct job *job;

    webui->parts.operations = &slow_operations;
    for (uint32_t i = 0; i < 3; i++)
        entries[i] = (struct entry){.message = &message, .n = (i + 1) & 0xffffff};
    entries[0].state = ENTRY_WAITING;
    entries[1].state = ENTRY_HELD;
    entries[2].state = ENTRY_SENDING;
    job = job_new(&webui->jobs);
    assert_non_null(job);
    job->verb = &delete;
    job->words.selection.states = states;
    job_begin(job, NULL);
    walk(DELIVERY_COUNT);
    return job;
}

static void pass_time(struct job *job)
{
    job->undo_ms = 0;
    assert_int_equal(jobs_timeout_ms(&webui->jobs), 0);
    jobs_turn(&webui->jobs);
}

static void the_bin_ends_whom_words_selected(void **state)
{
    struct job *job = begin(1U << ENTRY_WAITING);

    (void)state;
    walk(DELIVERY_HOLD);
    assert_states(ENTRY_HELD, ENTRY_HELD, ENTRY_SENDING);
    pass_time(job);
    walk(DELIVERY_DELETE);
    assert_states(ENTRY_FREE, ENTRY_HELD, ENTRY_SENDING);
    assert_int_equal(job->phase, JOB_OVER);
    job = begin(1U << ENTRY_HELD);
    walk(DELIVERY_HOLD);
    pass_time(job);
    walk(DELIVERY_DELETE);
    assert_int_equal(job->n_done, 1);
    assert_states(ENTRY_WAITING, ENTRY_FREE, ENTRY_SENDING);
}

static void what_was_counted_is_done_whatever_its_state_is_now(void **state)
{
    begin(1U << ENTRY_WAITING);
    (void)state;
    entries[0].state = ENTRY_READY;
    walk(DELIVERY_HOLD);
    assert_states(ENTRY_HELD, ENTRY_HELD, ENTRY_SENDING);
}

static void what_is_undone_is_as_before(void **state)
{
    struct job *job = begin(1U << ENTRY_WAITING | 1U << ENTRY_HELD | 1U << ENTRY_SENDING);

    (void)state;
    entries[1].due_s = 7; /* by a quota */
    walk(DELIVERY_HOLD);
    assert_int_equal(job->n_done, 3);
    assert_int_equal(entries[1].due_s, 0); /* it does not leave out of the bin */
    assert_true(job_undo(job));
    walk(DELIVERY_RELEASE);
    assert_states(ENTRY_WAITING, ENTRY_HELD, ENTRY_SENDING);
    assert_int_equal(entries[1].due_s, 7);
    assert_false(job->is_undone); /* one is still being sent, and may come to be held */
    entries[0].state = entries[2].state = ENTRY_HELD;
    pass_time(job);
    walk(DELIVERY_RELEASE);
    assert_states(ENTRY_HELD, ENTRY_HELD, ENTRY_WAITING); /* the first by somebody else */
    assert_true(job->is_undone);
    assert_int_equal(job->phase, JOB_OVER);
}

static void a_cancelled_delete_deletes_nothing(void **state)
{
    struct job *job = begin(1U << ENTRY_WAITING | 1U << ENTRY_HELD);
    json_t *said;

    (void)state;
    assert_true(job_cancel(job));
    walk(DELIVERY_HOLD);
    walk(DELIVERY_RELEASE);
    assert_states(ENTRY_WAITING, ENTRY_HELD, ENTRY_SENDING);
    assert_int_equal(job->phase, JOB_OVER);
    said = job_json(job);
    assert_string_equal(json_string_value(json_object_get(said, "state")), "cancelled");
    assert_int_equal(json_integer_value(json_object_get(said, "done")), 1);
    json_decref(said);
}

static void loops_that_take_nothing_are_asked_again(void **state)
{
    struct job *job = begin(1U << ENTRY_WAITING);

    (void)state;
    walk(DELIVERY_HOLD);
    is_busy = true;
    pass_time(job);
    assert_true(jobs_timeout_ms(&webui->jobs) > 0);
    is_busy = false;
    assert_false(job->is_failed);
    pass_time(job);
    walk(DELIVERY_DELETE);
    assert_states(ENTRY_FREE, ENTRY_HELD, ENTRY_SENDING);
    job = begin(1U << ENTRY_WAITING);
    walk(DELIVERY_HOLD);
    is_busy = true;
    assert_true(job_undo(job));
    is_busy = false;
    assert_false(job->is_failed);
    pass_time(job);
    walk(DELIVERY_RELEASE);
    assert_states(ENTRY_WAITING, ENTRY_HELD, ENTRY_SENDING);
}

static void a_stop_ends_each_walk_and_nothing_new_begins(void **state)
{
    (void)state;
    for (enum job_phase phase = JOB_WORKING; phase <= JOB_UNDOING; phase++) {
        struct job *job = begin(1U << ENTRY_WAITING);

        if (phase != JOB_WORKING)
            walk(DELIVERY_HOLD);
        if (phase == JOB_ENDING)
            pass_time(job);
        if (phase == JOB_UNDOING)
            assert_true(job_undo(job));
        assert_int_equal(job->phase, phase);
        webui->is_stopping = true;
        jobs_stop(&webui->jobs);
        if (under_way) {
            assert_true(atomic_load(under_way->is_cancelled));
            TAKE(under_way)->done(&job->command);
            assert_int_equal(job->phase, JOB_OVER);
            assert_false(job->is_failed);
        }
        jobs_turn(&webui->jobs);
        assert_null(under_way);
        webui->is_stopping = false;
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start_serving, stop_serving)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_bin_ends_whom_words_selected),
        CASE(what_was_counted_is_done_whatever_its_state_is_now),
        CASE(what_is_undone_is_as_before),
        CASE(a_cancelled_delete_deletes_nothing),
        CASE(loops_that_take_nothing_are_asked_again),
        CASE(a_stop_ends_each_walk_and_nothing_new_begins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
