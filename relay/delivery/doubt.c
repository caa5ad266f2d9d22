#include "relay/delivery/doubt.h"

#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "relay/delivery/admission.h"
#include "relay/spool/queue_id.h"

#define ASK_WORDS "may have been delivered; retry or delete it (doubtful = \"ask\")"

void doubt_tell(const struct doubt_facts *facts)
{
    char id[QUEUE_ID_SIZE];

    queue_id_format(facts->id, id);
    EVENT(EVENT_DOUBTFUL, field_text("msg", id), field_number("rcpt", facts->n),
          field_slice("to", facts->to), field_slice("site", facts->site),
          field_slice("mx", facts->mx), field_text("cause", facts->cause),
          field_seconds("secs", facts->tried_utc_ms ? clock_utc_ms() - facts->tried_utc_ms : 0));
}

static void ask(struct arena *arena, struct judgement *judgement)
{
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;

    buffer_append(&text, judgement->text);
    buffer_append_text(&text, "; " ASK_WORDS);
    judgement->verdict = VERDICT_HELD;
    judgement->text = arena_copy(arena, buffer_slice(&text));
}

void doubt_decide(struct delivery_shard *shard, struct slice domain, struct arena *arena,
                  struct judgement *judgement)
{
    judgement->is_doubtful = true;
    switch (delivery_config_doubtful(shard->config, domain)) {
    case DOUBTFUL_RETRY:
        break;
    case DOUBTFUL_WAIT:
        judgement->due_ms = shard_now_ms(shard) + shard->config->settings.doubtful_wait_ms;
        break;
    case DOUBTFUL_ASK:
        ask(arena, judgement);
        break;
    }
}

void doubt_begun(struct delivery_shard *shard, struct entry *entry)
{
    if (!(entry->flags & ENTRY_ANNOUNCED))
        return;
    entry->flags &= (uint8_t)~ENTRY_ANNOUNCED;
    warmth_begun(&shard->delivery->warmth, entry_domain(shard->schedule, entry)->hash);
}

/* ---- found at a start ---- */

static struct slice host_or_none(struct slice host)
{
    return host.len ? host : (struct slice){NULL, 0};
}

void delivery_settle_doubt(struct delivery *delivery, const struct stored *stored,
                           struct recipient_row *row)
{
    const struct delivery_config *config = atomic_load(&delivery->config);
    char ascii[IDN_SIZE];
    struct slice domain = admission_domain(row->address, ascii);
    enum delivery_doubtful doubtful = delivery_config_doubtful(config, domain);

    doubt_tell(&(struct doubt_facts){
        .id = stored->id,
        .n = row->n,
        .to = row->address,
        .site = domain,
        .mx = host_or_none(row->host),
        .cause = "crash",
        .tried_utc_ms = row->tried_utc_ms,
    });
    if (doubtful == DOUBTFUL_ASK) {
        row->state = RECIPIENT_HELD;
        row->reply = SLICE_LITERAL("the service ended while it was being sent: it " ASK_WORDS);
    } else if (doubtful == DOUBTFUL_WAIT) {
        row->state = RECIPIENT_DEFERRED;
        row->next_utc_ms = clock_utc_ms() + config->settings.doubtful_wait_ms;
        row->reply = SLICE_LITERAL("the service ended while it was being sent: it may have been "
                                   "delivered");
    }
}

/* ---- delivered before this start ---- */

struct found {
    struct list link;
    struct stored *stored;
    uint32_t n;
    size_t site_length, host_length;
    char texts[]; /* both */
};

void doubt_note_delivered(struct delivery_shard *shard, struct stored *stored,
                          const struct recipient_row *row)
{
    char ascii[IDN_SIZE];
    struct slice site = admission_domain(row->address, ascii);
    struct found *found = malloc(sizeof(*found) + site.len + row->host.len);

    if (!found) { /* its row stays; the next start finds it */
        stored_unref(stored);
        return;
    }
    *found = (struct found){
        .stored = stored, .n = row->n, .site_length = site.len, .host_length = row->host.len};
    memcpy(found->texts, site.data, site.len);
    if (row->host.len)
        memcpy(found->texts + site.len, row->host.data, row->host.len);
    list_append(&shard->found, &found->link);
}

static void finish_delivered(struct delivery_shard *shard, const struct found *found)
{
    struct outcome *outcome = outcome_new(shard, found->stored, NULL, 1);
    const char *host = found->texts + found->site_length;

    if (!outcome)
        return;
    outcome_set_place(outcome,
                      &(struct outcome_place){.site = slice_from(found->texts, found->site_length),
                                              .mx = slice_from(host, found->host_length)});
    outcome->items[outcome->n_items++] = (struct outcome_item){
        .n = found->n,
        .judgement = {.verdict = VERDICT_DELIVERED,
                      .status = SMTP_STATUS(2, 0, 0),
                      .text = SLICE_LITERAL("taken before the service ended")},
        .is_marked = true,
    };
    outcome_commit(outcome);
}

static void forget(struct found *found)
{
    stored_unref(found->stored);
    free(found);
}

void doubt_finish_delivered(struct delivery_shard *shard)
{
    struct list *link;

    while ((link = list_take_first(&shard->found))) {
        struct found *found = CONTAINER_OF(link, struct found, link);

        finish_delivered(shard, found);
        forget(found);
    }
}

void doubt_forget_delivered(struct delivery_shard *shard)
{
    struct list *link;

    while ((link = list_take_first(&shard->found)))
        forget(CONTAINER_OF(link, struct found, link));
}
