#include "relay/delivery/bounce.h"

#include <errno.h>

#include "relay/base/clock.h"
#include "relay/delivery/digest_desk.h"
#include "relay/message/header.h"
#include "relay/spool/queue_id.h"

enum {
    FULL_ORIGINAL_MOST = 1000000, /* bytes; a longer message comes back as its header */
    WORDS_MOST = 900,             /* of one text that waits for a digest */
};

_Static_assert((int)NOTIFY_NEVER == (int)DSN_NOTIFY_NEVER &&
                   (int)NOTIFY_SUCCESS == (int)DSN_NOTIFY_SUCCESS &&
                   (int)NOTIFY_FAILURE == (int)DSN_NOTIFY_FAILURE &&
                   (int)NOTIFY_DELAY == (int)DSN_NOTIFY_DELAY,
               "one set of bits");

static const struct {
    bool is_reported;
    enum dsn_action action;
} actions[N_VERDICTS] = {
    [VERDICT_DELIVERED] = {true, DSN_RELAYED}, /* by a peer that promises no report of its own */
    [VERDICT_FAILED] = {true, DSN_FAILED },
    [VERDICT_EXPIRED] = {true, DSN_FAILED },
    [VERDICT_DELAYED] = {true, DSN_DELAYED},
};

/* A user who is gone is owed what everybody gets. */
static enum bounce_mode bounces_of(const struct outcome *outcome)
{
    const struct directory *directory = outcome->shard->directory;
    const struct user *user =
        directory ? directory_user_by_id(directory, outcome->letter->envelope.user_id) : NULL;

    return user ? user->bounces : BOUNCES_DSN;
}

bool bounce_is_wanted(const struct outcome *outcome, const struct outcome_item *item,
                      enum dsn_action action)
{
    const struct envelope *envelope = &outcome->letter->envelope;
    enum verdict verdict = item->judgement.verdict;

    if (!outcome->letter->is_open || envelope->sender.len == 0 ||
        envelope->flags & MESSAGE_REPORT || !actions[verdict].is_reported ||
        actions[verdict].action != action || item->n > envelope->n_recipients)
        return false;
    if (verdict == VERDICT_DELIVERED && outcome->place.peer_has_dsn)
        return false;
    if (bounces_of(outcome) == BOUNCES_NONE)
        return false;
    return dsn_is_wanted(envelope->recipients[item->n - 1].notify, actions[verdict].action);
}

static uint32_t count_wanted(const struct outcome *outcome, enum dsn_action action)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < outcome->n_items; i++)
        n += bounce_is_wanted(outcome, &outcome->items[i], action);
    return n;
}

static struct slice print_status(struct arena *arena, const struct judgement *judgement)
{
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;

    enhanced_status_print(&text, judgement->status);
    return arena_copy(arena, buffer_slice(&text));
}

static struct slice print_reply(struct arena *arena, const struct judgement *judgement)
{
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;

    judgement_print(judgement, &text);
    return arena_copy(arena, buffer_slice(&text));
}

static void describe(struct outcome *outcome, const struct outcome_item *item,
                     struct dsn_recipient *out)
{
    const struct envelope *envelope = &outcome->letter->envelope;
    const struct recipient *recipient = &envelope->recipients[item->n - 1];
    const struct judgement *judgement = &item->judgement;

    *out = (struct dsn_recipient){
        .address = recipient->address,
        .orcpt = recipient->orcpt,
        .action = actions[judgement->verdict].action,
        .status = print_status(&outcome->arena, judgement),
        .remote_mta = judgement->code ? outcome->place.mx : (struct slice){NULL, 0},
        .last_attempt_utc_ms = clock_utc_ms(),
    };
    if (judgement->code)
        out->diagnostic = print_reply(&outcome->arena, judgement);
    else
        out->reason = judgement->text;
    if (judgement->verdict == VERDICT_DELAYED)
        out->retry_until_utc_ms = stored_expires_utc_ms(outcome->letter->stored);
    /* Its reply was "4xx, try again"; what failed is the time. */
    if (judgement->verdict == VERDICT_EXPIRED)
        out->status = SLICE_LITERAL("4.4.7");
}

/* The header, or all of it when that was asked for and is not too long.  0 or -EAGAIN. */
static int read_original(struct outcome *outcome, enum dsn_action action, struct buffer *out,
                         bool *is_full)
{
    const struct letter *letter = outcome->letter;
    size_t n_bytes = letter->view.header_bytes;
    int64_t n_read;

    *is_full = letter->envelope.ret == RET_FULL && action == DSN_FAILED &&
               letter->view.length <= FULL_ORIGINAL_MOST;
    if (*is_full)
        n_bytes = letter->view.length;
    if (buffer_reserve(out, n_bytes) < 0)
        return 0;
    n_read = spool_read(&letter->view, 0, out->data, n_bytes);
    if (n_read == -EAGAIN && !outcome->has_fetched)
        return -EAGAIN;
    if (n_read == (int64_t)n_bytes)
        out->len = n_bytes;
    else
        *is_full = false;
    return 0;
}

void bounce_address(struct bounce_report *report, const struct delivery_shard *shard,
                    const struct bounce_receiver *receiver, const struct dsn_facts *facts,
                    struct spool_append *append)
{
    const struct delivery_config *config = shard->config;
    int64_t now_ms = clock_utc_ms();

    report->recipient = (struct recipient){.address = receiver->sender};
    report->envelope.arrived_utc_ms = now_ms;
    report->envelope.expires_utc_ms = now_ms + config->settings.expire_ms;
    report->envelope.user_id = receiver->user_id;
    report->envelope.user = receiver->user;
    report->envelope.flags = MESSAGE_REPORT | (facts->has_eight_bit ? MESSAGE_8BIT_BODY : 0U);
    if (facts->has_eight_bit_header)
        report->envelope.flags |= MESSAGE_8BIT_HEADER | MESSAGE_SMTPUTF8;
    if (shard->directory && !directory_may_sign(shard->directory, config->hostname))
        report->envelope.flags |= MESSAGE_NOT_SIGNED;
    report->envelope.class = CLASS_TRANSACTIONAL;
    report->envelope.from_domain = config->hostname;
    report->envelope.n_recipients = 1;
    report->envelope.recipients = &report->recipient;
    report->piece = buffer_slice(&report->text);
    *append = (struct spool_append){
        .envelope = &report->envelope,
        .header_bytes = (uint32_t)facts->header_bytes,
        .pieces = &report->piece,
        .n_pieces = 1,
    };
}

static void describe_all(struct outcome *outcome, enum dsn_action action,
                         struct dsn_recipient *recipients, struct bounce_report *report)
{
    for (uint32_t i = 0; i < outcome->n_items; i++)
        if (bounce_is_wanted(outcome, &outcome->items[i], action))
            describe(outcome, &outcome->items[i], &recipients[report->n_recipients++]);
}

static int write_dsn(const struct outcome *outcome, struct bounce_report *report,
                     const struct dsn_recipient *recipients, struct slice original, bool is_full,
                     struct dsn_facts *facts)
{
    const struct envelope *envelope = &outcome->letter->envelope;
    char id[QUEUE_ID_SIZE], about[QUEUE_ID_SIZE];
    struct dsn dsn;

    report->envelope.id = queue_id_new();
    queue_id_format(report->envelope.id, id);
    queue_id_format(envelope->id, about);
    dsn = (struct dsn){
        .hostname = outcome->shard->config->hostname,
        .sender = envelope->sender,
        .queue_id = slice_of(about),
        .report_id = slice_of(id),
        .envid = envelope->envid,
        .arrival_utc_ms = envelope->arrived_utc_ms,
        .now_utc_ms = clock_utc_ms(),
        .original = original,
        .is_full = is_full,
        .recipients = recipients,
        .n_recipients = report->n_recipients,
    };
    return dsn_write(&dsn, &report->text, facts);
}

int bounce_write(struct outcome *outcome, enum dsn_action action, struct bounce_report **out,
                 struct spool_append *append)
{
    const struct envelope *envelope = &outcome->letter->envelope;
    uint32_t n_wanted = count_wanted(outcome, action);
    CLEANUP(buffer) struct buffer original = BUFFER_INIT;
    struct dsn_recipient *recipients;
    struct bounce_report *report;
    struct dsn_facts facts;
    bool is_full = false;

    if (n_wanted == 0)
        return 0;
    if (outcome->letter->has_view && read_original(outcome, action, &original, &is_full) < 0)
        return -EAGAIN;
    recipients = arena_alloc(&outcome->arena, n_wanted * sizeof(*recipients));
    report = calloc(1, sizeof(*report));
    if (recipients && report)
        describe_all(outcome, action, recipients, report);
    if (!recipients || !report ||
        write_dsn(outcome, report, recipients, buffer_slice(&original), is_full, &facts) < 0) {
        bounce_free(report);
        return FAULT(-ENOMEM);
    }
    bounce_address(report, outcome->shard,
                   &(struct bounce_receiver){envelope->user_id, envelope->user, envelope->sender},
                   &facts, append);
    *out = report;
    return 0;
}

/* ---- instead of a report ---- */

bool bounce_is_collected(const struct outcome *outcome)
{
    return outcome->letter->is_open && bounces_of(outcome) == BOUNCES_DIGEST &&
           digest_has_room(outcome->shard->delivery, outcome->letter->envelope.user_id);
}

/* Of the header a digest shows; a slice without data: no memory. */
static struct slice copy_field(struct arena *arena, struct slice header, const char *name)
{
    struct header_field found;

    if (!header_find(header, name, &found))
        return (struct slice){"", 0};
    return arena_copy(arena, slice_head(slice_trim(found.value), WORDS_MOST));
}

static struct failure failure_of(struct outcome *outcome, const struct outcome_item *item)
{
    const struct envelope *envelope = &outcome->letter->envelope;
    struct dsn_recipient told;

    describe(outcome, item, &told);
    return (struct failure){
        .user_id = envelope->user_id,
        .n = item->n,
        .message = envelope->id,
        .failed_utc_ms = told.last_attempt_utc_ms,
        .user = envelope->user,
        .sender = envelope->sender,
        .address = told.address,
        .orcpt = told.orcpt,
        .envid = envelope->envid,
        .status = told.status,
        .mx = told.remote_mta,
        .diagnostic = slice_head(told.diagnostic, WORDS_MOST),
        .reason = slice_head(told.reason, WORDS_MOST),
    };
}

static int copy_header(struct outcome *outcome, struct slice *message_id, struct slice *subject)
{
    CLEANUP(buffer) struct buffer header = BUFFER_INIT;
    bool is_full;

    if (outcome->letter->has_view && read_original(outcome, DSN_DELAYED, &header, &is_full) < 0)
        return -EAGAIN;
    *message_id = copy_field(&outcome->arena, buffer_slice(&header), "Message-ID");
    *subject = copy_field(&outcome->arena, buffer_slice(&header), "Subject");
    return message_id->data && subject->data ? 0 : FAULT(-ENOMEM);
}

int bounce_collect(struct outcome *outcome)
{
    uint32_t n_wanted = count_wanted(outcome, DSN_FAILED);
    struct slice message_id, subject;
    struct failure *failures;
    int error;

    if (n_wanted == 0)
        return 0;
    error = copy_header(outcome, &message_id, &subject);
    if (error < 0)
        return error;
    failures = arena_alloc(&outcome->arena, n_wanted * sizeof(*failures));
    if (!failures)
        return FAULT(-ENOMEM);
    outcome->failures = failures;
    for (uint32_t i = 0; i < outcome->n_items; i++) {
        if (!bounce_is_wanted(outcome, &outcome->items[i], DSN_FAILED))
            continue;
        failures[outcome->n_failures] = failure_of(outcome, &outcome->items[i]);
        failures[outcome->n_failures].message_id = message_id;
        failures[outcome->n_failures++].subject = subject;
    }
    return 0;
}

void bounce_free(struct bounce_report *report)
{
    if (!report)
        return;
    buffer_fini(&report->text);
    free(report);
}
