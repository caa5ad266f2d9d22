/* A child appends and finishes under load and is killed at a random moment; the parent, which
 * heard of every receipt through a pipe, looks at what is there. */
#include "test/support/test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "relay/base/secret.h"
#include "relay/spool/queue_id.h"
#include "test/support/spool_fixture.h"

enum { N_KILLS = 12, N_IN_FLIGHT = 32, MOST_RECEIPTS = 200000, MOST_OF_A_CHILD = 4000 };

enum receipt_kind { RECEIPT_STORED = 1, RECEIPT_ASKED, RECEIPT_FINISHED };

struct receipt {
    uint64_t id;
    uint64_t kind;
};

/* ---- the child ---- */

struct load {
    struct spool_append append;
    struct spool_update update;
    struct envelope envelope;
    struct spool_change change;
    struct slice pieces[2];
};

static struct spool_fixture *child;
static int receipts_fd;
static char body[20000];
static const struct recipient recipient = {.address = SLICE_LITERAL("user1@example.net")};

static void tell(uint64_t id, enum receipt_kind kind)
{
    struct receipt receipt = {id, kind};

    if (write(receipts_fd, &receipt, sizeof(receipt)) != sizeof(receipt))
        _exit(1);
}

static void append_next(struct load *load);

static void finished(struct spool_update *update)
{
    if (update->result == 0)
        tell(update->stored->id, RECEIPT_FINISHED);
    append_next((struct load *)((char *)update - offsetof(struct load, update)));
}

static void stored(struct spool_append *append)
{
    struct load *load = (struct load *)append;

    if (append->result)
        _exit(2);
    tell(load->envelope.id, RECEIPT_STORED);
    if (load->envelope.id % 3 == 0) { /* the rest waits */
        append_next(load);
        return;
    }
    tell(load->envelope.id, RECEIPT_ASKED);
    load->change = (struct spool_change){.kind = CHANGE_FINISHED, .n = 1};
    load->update = (struct spool_update){.answer_to = child->answers,
                                         .done = finished,
                                         .stored = fixture_find(child, load->envelope.id),
                                         .changes = &load->change,
                                         .n_changes = 1};
    spool_update(child->spool, &load->update);
}

static void append_next(struct load *load)
{
    load->envelope = (struct envelope){.id = queue_id_new(),
                                       .n_recipients = 1,
                                       .recipients = &recipient,
                                       .user = SLICE_LITERAL("news")};
    load->pieces[0] = SLICE_LITERAL("Subject: x\r\n\r\n");
    load->pieces[1] = slice_from(body, 200 + load->envelope.id % 15000);
    load->append = (struct spool_append){.answer_to = child->answers,
                                         .done = stored,
                                         .envelope = &load->envelope,
                                         .header_bytes = 14,
                                         .pieces = load->pieces,
                                         .n_pieces = 2};
    if (!spool_append(child->spool, &load->append))
        _exit(3);
}

static _Noreturn void run_child(struct spool_fixture *fixture, int fd)
{
    static struct load loads[N_IN_FLIGHT];

    child = fixture;
    receipts_fd = fd;
    memset(body, 'b', sizeof(body));
    fixture->settings.callbacks.on_recovered = NULL;
    if (fixture_start(fixture))
        _exit(4);
    for (unsigned i = 0; i < N_IN_FLIGHT; i++)
        append_next(&loads[i]);
    while (fixture_n_committed(fixture) < MOST_OF_A_CHILD) {
        mailbox_wait(fixture->answers, -1);
        mailbox_run(fixture->answers);
    }
    _exit(0);
}

/* ---- the parent ---- */

struct account {
    struct receipt receipts[MOST_RECEIPTS];
    size_t n_receipts;
};

static void read_receipts(struct account *account, int fd)
{
    struct receipt receipt;

    while (read(fd, &receipt, sizeof(receipt)) == sizeof(receipt)) {
        assert_true(account->n_receipts < MOST_RECEIPTS);
        account->receipts[account->n_receipts++] = receipt;
    }
}

static void run_and_kill(struct spool_fixture *fixture, struct account *account, unsigned delay_ms)
{
    struct timespec delay = {0, (long)delay_ms * 1000000};
    int fds[2], status;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        run_child(fixture, fds[1]);
    }
    close(fds[1]);
    nanosleep(&delay, NULL); /* the random moment */
    kill(pid, SIGKILL);
    read_receipts(account, fds[0]);
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
}

static int by_id(const void *a, const void *b)
{
    const struct receipt *left = a, *right = b;

    if (left->id != right->id)
        return left->id < right->id ? -1 : 1;
    return left->kind < right->kind ? -1 : left->kind > right->kind;
}

/* Every stored and not finished message is there; no finished one is.  Of those whose end was
 * asked for and not answered, either is right. */
static unsigned check(struct spool_fixture *fixture, struct account *account)
{
    unsigned n_stored = 0;

    qsort(account->receipts, account->n_receipts, sizeof(struct receipt), by_id);
    for (size_t i = 0; i < account->n_receipts; i++) {
        const struct receipt *receipt = &account->receipts[i], *next = receipt + 1;
        bool has_next = i + 1 < account->n_receipts && next->id == receipt->id;
        bool is_there = fixture_find(fixture, receipt->id) != NULL;

        n_stored += receipt->kind == RECEIPT_STORED;
        if (receipt->kind == RECEIPT_STORED && !has_next && !is_there)
            fail_msg("an accepted message is lost");
        if (receipt->kind == RECEIPT_FINISHED && is_there)
            fail_msg("a finished message came back");
    }
    return n_stored;
}

static unsigned random_delay_ms(void)
{
    uint8_t byte;

    random_bytes(&byte, sizeof(byte));
    return 60U + byte;
}

static void nothing_acknowledged_is_lost_by_kill_9(void **state)
{
    struct spool_fixture *fixture = fixture_new();
    struct account *account = calloc(1, sizeof(*account));
    unsigned n_stored = 0;

    (void)state;
    for (unsigned i = 0; i < N_KILLS; i++) {
        run_and_kill(fixture, account, random_delay_ms());
        assert_int_equal(fixture_start(fixture), 0);
        n_stored = check(fixture, account);
        for (uint32_t k = 0; k < fixture->n_recovered; k++) {
            struct spool_view view;
            char start_of[14];

            assert_int_equal(spool_lease(fixture->spool, fixture->recovered[k], &view), 0);
            assert_int_equal(pread(view.fd, start_of, 14, (off_t)view.offset), 14);
            assert_memory_equal(start_of, "Subject: x\r\n\r\n", 14);
            spool_release(fixture->spool, &view);
        }
        fixture_stop(fixture);
    }
    print_message("%u messages accepted before %d kills\n", n_stored, N_KILLS);
    assert_true(n_stored > N_KILLS);
    free(account);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_acknowledged_is_lost_by_kill_9)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
