#include "relay/delivery/telling.h"

#include "relay/base/clock.h"
#include "relay/delivery/bounce.h"
#include "relay/spool/queue_id.h"

static const struct {
    enum event_kind kind;
    bool is_told;
} kinds[N_VERDICTS] = {
    [VERDICT_DELIVERED] = {EVENT_DELIVERED, true },
      [VERDICT_LATER] = {EVENT_DEFERRED,  true },
    [VERDICT_AGAIN] = {EVENT_DEFERRED,  false},
      [VERDICT_FAILED] = {EVENT_BOUNCED,   true },
    [VERDICT_EXPIRED] = {EVENT_EXPIRED,   true },
      [VERDICT_HELD] = {EVENT_HELD,      true },
    [VERDICT_RELEASED] = {EVENT_RELEASED,  true },
      [VERDICT_DELETED] = {EVENT_DELETED,   true },
    [VERDICT_DELAYED] = {EVENT_DEFERRED,  false},
};

static struct slice or_none(struct slice text)
{
    return text.len ? text : (struct slice){NULL, 0};
}

static struct slice address_of(const struct letter *letter, uint32_t n)
{
    if (!letter->is_open || n == 0 || n > letter->envelope.n_recipients)
        return (struct slice){NULL, 0};
    return letter->envelope.recipients[n - 1].address;
}

/* What history keeps besides; .data NULL while the letter is closed. */
static struct slice of_envelope(const struct letter *letter, size_t offset)
{
    struct slice text = {NULL, 0};

    if (letter->is_open)
        memcpy(&text, (const char *)&letter->envelope + offset, sizeof(text));
    return text;
}

#define OF_ENVELOPE(letter, member) of_envelope(letter, offsetof(struct envelope, member))

static const char *class_name(const struct judgement *judgement)
{
    return judgement_has_class(judgement) ? bounce_class_name(judgement->bounce_class) : NULL;
}

/* With this one; only what is put off has been counted by now. */
static int64_t attempts_of(const struct outcome_item *item)
{
    bool is_last = item->judgement.verdict != VERDICT_LATER && item->judgement.code;

    return (item->entry ? item->entry->attempts : 0) + is_last;
}

void tell_recipient(const struct outcome *outcome, const struct outcome_item *item)
{
    const struct letter *letter = outcome->letter;
    const struct judgement *judgement = &item->judgement;
    CLEANUP(buffer) struct buffer status = BUFFER_INIT;
    char id[QUEUE_ID_SIZE];

    if (!kinds[judgement->verdict].is_told)
        return;
    queue_id_format(letter->stored->id, id);
    enhanced_status_print(&status, judgement->status);
    EVENT(kinds[judgement->verdict].kind, field_text("msg", id), field_number("rcpt", item->n),
          field_slice("to", address_of(letter, item->n)),
          field_slice("site", or_none(outcome->place.site)),
          field_slice("mx", or_none(outcome->place.mx)),
          field_slice("egress", or_none(outcome->place.egress)),
          field_slice("tls", or_none(outcome->place.tls)), field_number("code", judgement->code),
          field_slice("enhanced", or_none(buffer_slice(&status))),
          field_text("class", class_name(judgement)),
          field_slice("reply", slice_head(judgement->text, 1024)),
          field_seconds("secs", clock_utc_ms() - letter->stored->arrived_utc_ms),
          field_quiet(field_slice("user", OF_ENVELOPE(letter, user))),
          field_quiet(field_slice("from", OF_ENVELOPE(letter, sender))),
          field_quiet(field_slice("campaign", or_none(OF_ENVELOPE(letter, campaign)))),
          field_quiet(field_slice("provider", or_none(outcome->place.provider))),
          field_quiet(field_number("attempts", attempts_of(item))),
          field_quiet(field_number("size", (int64_t)stored_size(letter->stored))));
}

void tell_report(const struct outcome *outcome, const struct bounce_report *report)
{
    char id[QUEUE_ID_SIZE], about[QUEUE_ID_SIZE];

    queue_id_format(report->envelope.id, id);
    queue_id_format(outcome->letter->stored->id, about);
    EVENT(EVENT_REPORT_SENT, field_text("msg", id), field_text("about", about),
          field_slice("to", report->recipient.address),
          field_number("nrcpt", report->n_recipients));
}

void tell_digest(const struct bounce_report *report)
{
    char id[QUEUE_ID_SIZE];

    queue_id_format(report->envelope.id, id);
    EVENT(EVENT_REPORT_SENT, field_text("msg", id), field_text("kind", "digest"),
          field_slice("to", report->recipient.address),
          field_number("nrcpt", report->n_recipients));
}

const char *telling_site(const struct delivery_shard *shard, const struct entry *entry)
{
    const struct flow *flow = entry_flow(shard->schedule, entry);

    return flow ? flow->share->site->name : entry_domain(shard->schedule, entry)->name;
}
