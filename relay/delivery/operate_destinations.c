/* Operators' requests about destinations: the sites of each loop, and what waits for each domain.
 */
#include "relay/delivery/operate.h"

#include <stdlib.h>

#include "relay/delivery/target.h"
#include "relay/delivery/visit.h"
#include "relay/schedule/figures.h"
#include "relay/schedule/provider.h"

/* ---- which ---- */

/* The sites that are shown; with a bound, a heap with the least of them on top. */
struct chosen_sites {
    struct delivery_visit *visit;
    struct site **sites;
    uint32_t n, capacity, most;
};

static void swap_sites(struct chosen_sites *chosen, uint32_t a, uint32_t b)
{
    struct site *kept = chosen->sites[a];

    chosen->sites[a] = chosen->sites[b];
    chosen->sites[b] = kept;
}

static uint32_t lesser_child(const struct chosen_sites *chosen, uint32_t parent)
{
    uint32_t child = 2 * parent + 1;

    if (child + 1 < chosen->n &&
        site_n_entries(chosen->sites[child + 1]) < site_n_entries(chosen->sites[child]))
        child++;
    return child;
}

static void sink_top(struct chosen_sites *chosen)
{
    uint32_t at = 0;

    while (2 * at + 1 < chosen->n) {
        uint32_t child = lesser_child(chosen, at);

        if (site_n_entries(chosen->sites[at]) <= site_n_entries(chosen->sites[child]))
            return;
        swap_sites(chosen, at, child);
        at = child;
    }
}

static void rise_last(struct chosen_sites *chosen)
{
    for (uint32_t at = chosen->n - 1; at > 0; at = (at - 1) / 2) {
        uint32_t parent = (at - 1) / 2;

        if (site_n_entries(chosen->sites[parent]) <= site_n_entries(chosen->sites[at]))
            return;
        swap_sites(chosen, at, parent);
    }
}

static bool has_room(struct chosen_sites *chosen)
{
    uint32_t more = chosen->capacity ? 2 * chosen->capacity : 64;
    struct site **sites;

    if (chosen->n < chosen->capacity)
        return true;
    sites = realloc(chosen->sites, more * sizeof(struct site *));
    if (!sites)
        return false;
    chosen->sites = sites;
    chosen->capacity = more;
    return true;
}

static void choose(struct chosen_sites *chosen, struct site *site)
{
    if (chosen->most && chosen->n == chosen->most) {
        if (site_n_entries(site) <= site_n_entries(chosen->sites[0]))
            return;
        chosen->sites[0] = site;
        sink_top(chosen);
    } else if (has_room(chosen)) {
        chosen->sites[chosen->n++] = site;
        rise_last(chosen);
    }
}

static void look_at_site(void *owner, struct site *site)
{
    struct chosen_sites *chosen = owner;
    struct delivery_visit *visit = chosen->visit;
    struct delivery_destinations *request = visit->request;

    if (request->name.len && !slice_equal_ignoring_case(request->name, slice_of(site->name)) &&
        site != visit->site)
        return;
    if (request->name.len == 0 && site_n_entries(site) == 0 && site->bound.n_open == 0 &&
        !bound_has_words(&site->bound, shard_now_ms(visit->shard)))
        return;
    request->n_found++;
    choose(chosen, site);
}

/* ---- how they fare ---- */

static int64_t utc_until(const struct delivery_shard *shard, int64_t until_ms)
{
    return until_ms < 0 ? -1 : shard_utc_of(shard, until_ms);
}

static void add_texts(const struct site *site, const char *reason, struct destination_view *view)
{
    const struct target *target = target_of(site);

    slice_copy_to(slice_of(site->name), view->name, sizeof(view->name));
    slice_copy_to(slice_of(reason), view->reason, sizeof(view->reason));
    if (site->provider)
        slice_copy_to(slice_of(site->provider->name), view->provider, sizeof(view->provider));
    if (target && target->last)
        view->last = *target->last;
}

static void view_site(struct delivery_visit *visit, struct site *site)
{
    struct delivery_destinations *request = visit->request;
    struct delivery_shard *shard = visit->shard;
    int64_t now_ms = shard_now_ms(shard);
    struct why why = schedule_why_site(shard->schedule, site, now_ms);
    struct destination_view view = {
        .n_domains = site->n_domains,
        .n_ready = site_n_ready(site),
        .n_waiting = site->n_waiting,
        .n_sending = site->n_sending,
        .n_held = site->n_held,
        .n_connections = site->bound.n_open,
        .n_busy = bound_n_busy(&site->bound),
        .per_minute = site_per_minute(site, now_ms),
        .limits = site_limits_together(site),
        .state = why.kind,
        .until_utc_ms = utc_until(shard, why.until_ms),
        .last_utc_ms = utc_until(shard, schedule_last_ms(site, why, now_ms)),
        .oldest_utc_ms = site_age_found(site, shard->looks_ended),
        .loop_index = shard->index,
    };

    add_texts(site, why.reason, &view);
    if (target_of(site))
        target_of(site)->shown_at = (uint32_t)(request->views.len / sizeof(view));
    buffer_append(&request->views, slice_from(&view, sizeof(view)));
}

/* ---- whose mail goes there ---- */

static void add_domain(struct delivery_destinations *request, size_t first,
                       const struct domain *domain)
{
    struct destination_view *views = (struct destination_view *)(void *)request->views.data;
    size_t n = request->views.len / sizeof(*views), at, len;
    struct destination_view *view;

    if (!domain->site || !domain->site->owner)
        return;
    at = target_of(domain->site)->shown_at;
    if (at < first || at >= n ||
        strncmp(views[at].name, domain->site->name, sizeof(views[at].name) - 1) != 0)
        return; /* its site is not shown */
    view = &views[at];
    len = strlen(view->domains);
    if (len + strlen(domain->name) + 2 > sizeof(view->domains))
        return;
    if (len)
        view->domains[len++] = ',';
    slice_copy_to(slice_of(domain->name), view->domains + len, sizeof(view->domains) - len);
}

static void add_domains(struct delivery_visit *visit, size_t first)
{
    const struct pool *domains = &visit->shard->schedule->domains;

    for (uint32_t i = 0; i < domains->n_numbers; i++) {
        const struct domain *domain = pool_at(domains, i);

        if (domain->n_entries > 0)
            add_domain(visit->request, first, domain);
    }
}

static bool destinations_slice(struct delivery_visit *visit)
{
    struct delivery_destinations *request = visit->request;
    struct domain *domain = schedule_domain(visit->shard->schedule, request->name);
    struct chosen_sites chosen = {.visit = visit, .most = request->most};
    size_t first = request->views.len / sizeof(struct destination_view);

    visit->site = domain ? domain->site : NULL;
    schedule_each_site(visit->shard->schedule, look_at_site, &chosen);
    for (uint32_t i = 0; i < chosen.n; i++)
        view_site(visit, chosen.sites[i]);
    free(chosen.sites);
    add_domains(visit, first);
    return false;
}

static void destinations_done(struct task *task)
{
    struct delivery_destinations *request = CONTAINER_OF(task, struct delivery_destinations, task);

    request->done(request);
}

bool delivery_destinations(struct delivery *delivery, struct delivery_destinations *request)
{
    request->views = BUFFER_INIT;
    request->n_found = 0;
    return delivery_visit(delivery, destinations_slice, request, &request->task, destinations_done,
                          request->answer_to);
}

/* ---- domains ---- */

static bool domains_slice(struct delivery_visit *visit)
{
    struct delivery_domains *request = visit->request;
    const struct pool *domains = &visit->shard->schedule->domains;
    int64_t now_ms = shard_now_ms(visit->shard);

    for (unsigned i = 0; i < VISIT_STEPS && visit->cursor < domains->n_numbers; i++) {
        const struct domain *domain = pool_at(domains, visit->cursor++);

        if (domain->n_entries == 0)
            continue;
        buffer_append_u32(&request->counts, domain->n_entries);
        buffer_append_u32(&request->counts,
                          domain->site ? site_per_minute(domain->site, now_ms) : 0);
        buffer_append_counted(&request->counts, slice_of(domain->name));
    }
    return visit->cursor < domains->n_numbers;
}

static void domains_done(struct task *task)
{
    struct delivery_domains *request = CONTAINER_OF(task, struct delivery_domains, task);

    request->done(request);
}

bool delivery_domains(struct delivery *delivery, struct delivery_domains *request)
{
    request->counts = BUFFER_INIT;
    return delivery_visit(delivery, domains_slice, request, &request->task, domains_done,
                          request->answer_to);
}
