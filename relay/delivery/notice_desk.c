#include "relay/delivery/notice_desk.h"

#include <errno.h>
#include <stdio.h>

#include "relay/base/clock.h"
#include "relay/base/secret.h"
#include "relay/delivery/bounce.h"
#include "relay/message/notice.h"
#include "relay/spool/queue_id.h"

enum { RETRY_MS = 5000, MOST_TRIES = 12, NAME_SIZE = 320, TEXT_SIZE = 900 };
enum { RULE_GAP_MS = 3600 * 1000, RULES_MS = 24 * RULE_GAP_MS };

struct letter_of_ours {
    struct task task;
    struct list link; /* in the desk's */
    struct delivery *delivery;
    struct timer retry;
    unsigned n_tries;
    uint64_t rule; /* hash of its name; 0: it is to a user */
    uint32_t user_id;
    char user[NAME_SIZE], address[NAME_SIZE]; /* address empty: the operator's */
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

/* ---- to the operator ---- */

bool notice_desk_may_tell(struct notice_desk *desk, uint64_t rule, int64_t now_ms)
{
    uint32_t n = desk->n_told < NOTICES_OF_RULES ? desk->n_told : NOTICES_OF_RULES;
    uint32_t at = desk->n_told % NOTICES_OF_RULES;

    for (uint32_t i = 0; i < n; i++)
        if (desk->told[i].rule == rule && now_ms - desk->told[i].at_ms < RULE_GAP_MS)
            return false;
    if (n == NOTICES_OF_RULES && now_ms - desk->told[at].at_ms < RULES_MS)
        return false;
    desk->told[at].rule = rule;
    desk->told[at].at_ms = now_ms;
    desk->n_told++;
    return true;
}

static void address_to_operator(struct letter_of_ours *letter)
{
    const struct delivery_config *config = letter->delivery->shards[0].config;

    if (config->postmaster.len)
        slice_copy_to(config->postmaster, letter->address, sizeof(letter->address));
    else
        snprintf(letter->address, sizeof(letter->address), "postmaster@%.*s",
                 (int)config->hostname.len, config->hostname.data);
}

static void take_letter(struct task *task)
{
    struct letter_of_ours *letter = CONTAINER_OF(task, struct letter_of_ours, task);
    struct delivery_shard *shard = &letter->delivery->shards[0];

    list_init(&letter->link);
    timer_init(&letter->retry, shard->loop, on_retry);
    if (letter->rule &&
        !notice_desk_may_tell(&letter->delivery->notices, letter->rule, shard_now_ms(shard))) {
        end(letter);
        return;
    }
    if (letter->rule)
        address_to_operator(letter);
    list_append(&letter->delivery->notices.letters, &letter->link);
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

/* NULL: too many, or no memory. */
static struct letter_of_ours *new_letter(struct delivery *delivery)
{
    struct letter_of_ours *letter = atomic_load(&delivery->notices.n_letters) < NOTICES_MOST
                                        ? calloc(1, sizeof(*letter))
                                        : NULL;

    if (!letter)
        return NULL;
    atomic_fetch_add(&delivery->notices.n_letters, 1);
    letter->task.run = take_letter;
    letter->delivery = delivery;
    letter->paragraphs[0] = letter->what;
    return letter;
}

static void post(struct letter_of_ours *letter)
{
    mailbox_answer(loop_mailbox(letter->delivery->shards[0].loop), &letter->task);
}

void notice_of_rule(struct delivery *delivery, const struct rule_notice *notice)
{
    struct letter_of_ours *letter = new_letter(delivery);

    if (!letter)
        return;
    letter->rule = table_hash(notice->rule) | 1;
    letter->subject = "What a receiver says about our mail";
    snprintf(
        letter->what, sizeof(letter->what),
        "%s%s%s said so to our address %.*s: \"%.*s\". The reply rule %.*s takes this to mean: "
        "%.*s.",
        notice->provider ? notice->provider : notice->site, notice->provider ? ", at " : "",
        notice->provider ? notice->site : "", (int)notice->egress.len, notice->egress.data,
        (int)(notice->reply.len < 300 ? notice->reply.len : 300), notice->reply.data,
        (int)notice->rule.len, notice->rule.data, (int)notice->reason.len, notice->reason.data);
    letter->paragraphs[1] = "You get one letter an hour at most about each rule; the log has every "
                            "reply (rule_applied, deferred, bounced).";
    post(letter);
}

void delivery_notice(struct delivery *delivery, const struct quota_notice *notice)
{
    struct letter_of_ours *letter = notice->address.len ? new_letter(delivery) : NULL;

    if (!letter)
        return;
    letter->user_id = notice->user_id;
    slice_copy_to(notice->user, letter->user, sizeof(letter->user));
    slice_copy_to(notice->address, letter->address, sizeof(letter->address));
    if (notice->kind == NOTICE_QUOTA)
        print_quota(notice, letter);
    else
        print_brake(notice, letter);
    post(letter);
}
