#include "relay/delivery/notice_desk.h"

#include <errno.h>
#include <stdio.h>

#include "relay/base/clock.h"
#include "relay/delivery/bounce.h"
#include "relay/message/notice.h"
#include "relay/spool/queue_id.h"

enum { RETRY_MS = 5000, MOST_TRIES = 12, NAME_SIZE = 320, TEXT_SIZE = 600 };

struct letter_of_ours {
    struct task task;
    struct list link; /* in the desk's */
    struct delivery *delivery;
    struct timer retry;
    unsigned n_tries;
    uint32_t user_id;
    char user[NAME_SIZE], address[NAME_SIZE];
    const char *subject;
    char what[TEXT_SIZE];
    const char *paragraphs[3];
    struct bounce_report *report;
    struct spool_append append;
};

void notice_desk_init(struct notice_desk *desk)
{
    list_init(&desk->letters);
}

static void free_letter(struct letter_of_ours *letter)
{
    list_remove(&letter->link);
    timer_fini(&letter->retry);
    bounce_free(letter->report);
    free(letter);
}

void notice_desk_fini(struct notice_desk *desk)
{
    while (desk->letters.next && !list_is_empty(&desk->letters))
        free_letter(CONTAINER_OF(desk->letters.next, struct letter_of_ours, link));
}

static void end(struct letter_of_ours *letter)
{
    atomic_fetch_sub(&letter->delivery->notices.n_letters, 1);
    free_letter(letter);
}

static void put_off(struct letter_of_ours *letter)
{
    bounce_free(TAKE(letter->report));
    if (++letter->n_tries == MOST_TRIES)
        end(letter);
    else
        timer_set(&letter->retry, RETRY_MS);
}

static void on_appended(struct spool_append *append)
{
    struct letter_of_ours *letter = CONTAINER_OF(append, struct letter_of_ours, append);
    char id[QUEUE_ID_SIZE];

    if (append->result < 0) {
        put_off(letter);
        return;
    }
    queue_id_format(letter->report->envelope.id, id);
    EVENT(EVENT_REPORT_SENT, field_text("msg", id), field_text("kind", "warning"),
          field_text("to", letter->address), field_text("user", letter->user));
    end(letter);
}

static int write_letter(struct letter_of_ours *letter)
{
    struct delivery_shard *shard = &letter->delivery->shards[0];
    char id[QUEUE_ID_SIZE];
    struct dsn_facts facts;
    struct notice notice = {
        .hostname = shard->config->hostname,
        .recipient = slice_of(letter->address),
        .now_utc_ms = clock_utc_ms(),
        .subject = letter->subject,
        .paragraphs = letter->paragraphs,
    };
    int error;

    letter->report = calloc(1, sizeof(*letter->report));
    if (!letter->report)
        return FAULT(-ENOMEM);
    letter->report->n_recipients = 1;
    letter->report->envelope.id = queue_id_new();
    queue_id_format(letter->report->envelope.id, id);
    notice.notice_id = slice_of(id);
    error = notice_write(&notice, &letter->report->text, &facts);
    if (error < 0)
        return error;
    bounce_address(letter->report, shard,
                   &(struct bounce_receiver){letter->user_id, slice_of(letter->user),
                                             slice_of(letter->address)},
                   &facts, &letter->append);
    letter->append.answer_to = loop_mailbox(shard->loop);
    letter->append.done = on_appended;
    return 0;
}

static void try_letter(struct letter_of_ours *letter)
{
    if (write_letter(letter) < 0 || !spool_append(letter->delivery->spool, &letter->append))
        put_off(letter);
}

static void on_retry(struct timer *timer)
{
    try_letter(CONTAINER_OF(timer, struct letter_of_ours, retry));
}

static void take_letter(struct task *task)
{
    struct letter_of_ours *letter = CONTAINER_OF(task, struct letter_of_ours, task);
    struct delivery_shard *shard = &letter->delivery->shards[0];

    list_append(&letter->delivery->notices.letters, &letter->link);
    timer_init(&letter->retry, shard->loop, on_retry);
    try_letter(letter);
}

/* ---- what it says ---- */

static void print_quota(const struct quota_notice *notice, struct letter_of_ours *letter)
{
    const struct quota_warning *warning = &notice->warning;
    bool is_used_up = warning->percent == 100;
    char until[CLOCK_DATE_SIZE];

    clock_format_date(warning->ends_utc_ms, until);
    letter->subject =
        is_used_up ? "Your sending quota is used up" : "Your sending quota, a warning";
    snprintf(letter->what, sizeof(letter->what),
             "The user %s has used %u of the %u that its quota %s allows until %s.", letter->user,
             warning->used, warning->limit, quota_budget_name(warning->budget), until);
    letter->paragraphs[1] =
        is_used_up
            ? "Mail beyond it is accepted and held; it leaves by itself when the quota has "
              "room again. Your administrator can release it before, or raise the quota."
            : "Mail beyond the quota will be held until it has room again. Your administrator "
              "can raise it.";
}

static void print_brake(const struct quota_notice *notice, struct letter_of_ours *letter)
{
    letter->subject = "Your mail is held: your password may be stolen";
    if (notice->grounds.cause == BRAKE_LOGINS)
        snprintf(letter->what, sizeof(letter->what),
                 "Within an hour the user %s sent to %u recipients and logged in from %u networks "
                 "that it never used before.",
                 letter->user, notice->grounds.n_recipients, notice->grounds.n_networks);
    else
        snprintf(
            letter->what, sizeof(letter->what),
            "Within an hour the user %s sent to %u recipients, and %u mailboxes did not exist.",
            letter->user, notice->grounds.n_recipients, notice->grounds.n_bad);
    letter->paragraphs[1] =
        "That is how stolen passwords are used, so all its mail is held. If it was you, tell your "
        "administrator, who can release it; if not, ask for a new password.";
}

void delivery_notice(struct delivery *delivery, const struct quota_notice *notice)
{
    struct letter_of_ours *letter;

    if (!notice->address.len || atomic_load(&delivery->notices.n_letters) >= NOTICES_MOST)
        return;
    letter = calloc(1, sizeof(*letter));
    if (!letter)
        return;
    atomic_fetch_add(&delivery->notices.n_letters, 1);
    letter->task.run = take_letter;
    letter->delivery = delivery;
    letter->user_id = notice->user_id;
    slice_copy_to(notice->user, letter->user, sizeof(letter->user));
    slice_copy_to(notice->address, letter->address, sizeof(letter->address));
    letter->paragraphs[0] = letter->what;
    if (notice->kind == NOTICE_QUOTA)
        print_quota(notice, letter);
    else
        print_brake(notice, letter);
    mailbox_answer(loop_mailbox(delivery->shards[0].loop), &letter->task);
}
