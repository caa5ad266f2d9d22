#include "relay/delivery/foresight.h"

#include <stdlib.h>
#include <string.h>

#include "relay/delivery/admission.h"
#include "relay/delivery/router_memory.h"
#include "relay/message/line_scan.h"

enum { FORESEEN_MOST = 16, PATIENCE_MS = 1000 };

/* From the spool's thread to the loop. */
struct forecast {
    struct task task;
    struct delivery_shard *shard;
    struct stored *stored;
    size_t domain_len;
    char domain[];
};

struct foreseen {
    struct list link; /* in the shard's, the oldest first; alone once it is dropped */
    struct delivery_shard *shard;
    struct letter *letter;
    struct preparation *preparation;
    int64_t until_ms;
    bool is_opening; /* the letter; must not go before */
};

/* ---- the spool's thread ---- */

/* What any receiver takes as it is: nobody knows yet what this one offers. */
static bool is_plain(const struct envelope *envelope)
{
    const uint32_t other = MESSAGE_8BIT_BODY | MESSAGE_8BIT_HEADER | MESSAGE_SMTPUTF8;

    return !(envelope->flags & other) && !has_eight_bit(envelope->sender) &&
           !has_eight_bit(envelope->recipients[0].address);
}

static bool may_be_foreseen(const struct stored *stored, const struct envelope *envelope)
{
    return envelope->n_recipients == 1 && !envelope->hold && !stored->is_large &&
           envelope->from_domain.len &&
           !(envelope->flags & (MESSAGE_REPORT | MESSAGE_NOT_SIGNED)) && is_plain(envelope);
}

static void begin(struct task *task);

void delivery_foresee(struct delivery *delivery, struct stored *stored,
                      const struct envelope *envelope)
{
    struct forecast *forecast;
    char ascii[IDN_SIZE];
    struct slice domain;

    if (!may_be_foreseen(stored, envelope))
        return;
    domain = admission_domain(envelope->recipients[0].address, ascii);
    forecast = malloc(sizeof(*forecast) + domain.len);
    if (!forecast)
        return;
    forecast->task.run = begin;
    forecast->shard = admission_shard(delivery, domain);
    forecast->stored = stored_ref(stored);
    forecast->domain_len = domain.len;
    memcpy(forecast->domain, domain.data, domain.len);
    mailbox_answer(loop_mailbox(forecast->shard->loop), &forecast->task);
}

/* ---- on the loop ---- */

static void drop(struct foreseen *foreseen)
{
    struct delivery_shard *shard = foreseen->shard;

    if (!list_is_empty(&foreseen->link)) {
        list_remove(&foreseen->link);
        shard->foresight.n_foreseen--;
    }
    preparation_free(TAKE(foreseen->preparation));
    if (foreseen->is_opening)
        return; /* on_opened() comes back */
    letter_unref(foreseen->letter);
    free(foreseen);
}

static void drop_old(struct delivery_shard *shard, int64_t now_ms)
{
    struct list *entries = &shard->foresight.entries;

    while (!list_is_empty(entries)) {
        struct foreseen *oldest = CONTAINER_OF(entries->next, struct foreseen, link);

        if (oldest->until_ms > now_ms)
            return;
        drop(oldest);
    }
}

void foresight_clear(struct delivery_shard *shard)
{
    drop_old(shard, INT64_MAX);
    timer_cancel(&shard->foresight.timer);
}

static void on_timer(struct timer *timer)
{
    struct delivery_shard *shard = CONTAINER_OF(timer, struct delivery_shard, foresight.timer);

    drop_old(shard, shard_now_ms(shard));
    if (shard->foresight.n_foreseen)
        timer_set(timer, PATIENCE_MS);
}

void foresight_init(struct foresight *foresight, struct loop *loop)
{
    list_init(&foresight->entries);
    timer_init(&foresight->timer, loop, on_timer);
}

static void on_prepared(void *owner, enum prepare_result result)
{
    if (result != PREPARED)
        drop(owner); /* whoever sends it finds out why, and says so */
}

static void on_opened(void *owner, int error)
{
    struct foreseen *foreseen = owner;
    struct delivery_shard *shard = foreseen->shard;

    foreseen->is_opening = false;
    shard->n_dispatches--;
    if (error == 0 && !list_is_empty(&foreseen->link))
        foreseen->preparation = preparation_start_ahead(
            foreseen->letter, (struct preparation_owner){on_prepared, foreseen});
    if (!foreseen->preparation)
        drop(foreseen);
    delivery_shard_touch(shard); /* who drains waits for this */
}

static bool has_idle_connection(const struct site *site)
{
    for (const struct list *link = site->lanes.next; link != &site->lanes; link = link->next)
        if (CONTAINER_OF(link, const struct lane, link)->n_idle)
            return true;
    return false;
}

/* The name of the site that its mail goes to, as far as that is known without asking; empty: it is
 * not.  Operators' orders are left out. */
static struct slice known_site(const struct delivery_shard *shard, struct slice domain)
{
    const struct route_rule *rule = delivery_config_route(shard->config, domain);
    struct memo_item *item = rule ? NULL : memo_find(&shard->routes, domain);
    const struct cached_route *route = item ? CONTAINER_OF(item, struct cached_route, item) : NULL;

    if (route && route->status == MX_OK && route->fresh_until_ms > shard_now_ms(shard))
        return route->site_name;
    return rule ? rule->site_name : (struct slice){NULL, 0};
}

static bool leaves_at_once(const struct delivery_shard *shard, struct slice domain)
{
    struct slice name = known_site(shard, domain);
    const struct site *site = name.len ? schedule_site(shard->schedule, name) : NULL;

    return site && site_n_ready(site) == 0 && has_idle_connection(site);
}

static bool has_room(struct delivery_shard *shard)
{
    drop_old(shard, shard_now_ms(shard));
    return shard->foresight.n_foreseen < FORESEEN_MOST && shard->is_ready && !shard->is_draining &&
           shard->directory && signer_client_is_up(shard->signer);
}

static void add(struct delivery_shard *shard, struct stored *stored)
{
    struct foreseen *foreseen = calloc(1, sizeof(*foreseen));

    if (foreseen)
        foreseen->letter = letter_new(shard, stored);
    if (!foreseen || !foreseen->letter) {
        free(foreseen);
        return;
    }
    foreseen->shard = shard;
    foreseen->until_ms = shard_now_ms(shard) + PATIENCE_MS;
    foreseen->is_opening = true;
    list_append(&shard->foresight.entries, &foreseen->link);
    shard->foresight.n_foreseen++;
    shard->n_dispatches++; /* nobody drains past a letter that is being opened */
    timer_set(&shard->foresight.timer, PATIENCE_MS);
    letter_open(foreseen->letter, on_opened, foreseen);
}

static void begin(struct task *task)
{
    struct forecast *forecast = CONTAINER_OF(task, struct forecast, task);
    struct delivery_shard *shard = forecast->shard;

    if (has_room(shard) &&
        leaves_at_once(shard, slice_from(forecast->domain, forecast->domain_len)))
        add(shard, forecast->stored);
    stored_unref(forecast->stored);
    free(forecast);
}

struct preparation *foresight_take(struct delivery_shard *shard, const struct stored *stored,
                                   enum render_form form, struct preparation_owner owner)
{
    struct list *entries = &shard->foresight.entries;
    struct preparation *preparation;

    for (struct list *link = entries->next; link != entries; link = link->next) {
        struct foreseen *foreseen = CONTAINER_OF(link, struct foreseen, link);

        if (foreseen->letter->stored != stored)
            continue;
        preparation = form == RENDER_EIGHT_BIT ? TAKE(foreseen->preparation) : NULL;
        if (preparation && !preparation_adopt(preparation, owner))
            preparation_free(TAKE(preparation)); /* its failure is not told yet: asked anew */
        drop(foreseen);
        return preparation;
    }
    return NULL;
}
