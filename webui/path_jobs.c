#include "webui/path_jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/base/clock.h"
#include "relay/message/idn.h"
#include "relay/smtp/address.h"
#include "webui/exchange.h"
#include "webui/guard.h"
#include "webui/routes.h"

void path_jobs_init(struct path_jobs *jobs, struct webui *webui)
{
    *jobs = (struct path_jobs){.webui = webui};
    list_init(&jobs->jobs);
}

static void forget(struct path_job *job)
{
    list_remove(&job->link);
    job->webui->paths.n_jobs--;
    json_decref(job->steps);
    free(job);
}

void path_jobs_fini(struct path_jobs *jobs)
{
    LIST_FOR_EACH(link, &jobs->jobs)
    {
        forget(CONTAINER_OF(link, struct path_job, link));
    }
}

void path_jobs_stop(struct path_jobs *jobs)
{
    LIST_FOR_EACH(link, &jobs->jobs)
    {
        atomic_store(&CONTAINER_OF(link, struct path_job, link)->request.is_cancelled, true);
    }
}

struct path_job *path_jobs_find(const struct path_jobs *jobs, uint64_t number)
{
    LIST_FOR_EACH(link, &jobs->jobs)
    {
        struct path_job *job = CONTAINER_OF(link, struct path_job, link);

        if (job->number == number)
            return job;
    }
    return NULL;
}

bool path_jobs_are_for(const struct exchange *exchange)
{
    return guard_is_for(exchange, FOR_OPERATOR, SLICE_LITERAL("destinations:"));
}

bool path_job_cancel(struct path_job *job)
{
    if (!job->is_over)
        atomic_store(&job->request.is_cancelled, true);
    return !job->is_over;
}

/* ---- what is told ---- */

static const char *const verdicts[] = {
    [PATH_OK] = "ok", [PATH_WARN] = "warn", [PATH_FAIL] = "fail"};

static const char *state_of(const struct path_job *job)
{
    if (!job->is_over)
        return "running";
    return job->is_cut ? "cancelled" : "done";
}

static json_t *head_json(const struct path_job *job)
{
    const char *egress = job->request.egress;
    char id[24];

    snprintf(id, sizeof(id), "%llu", (unsigned long long)job->number);
    return json_pack("{s:s, s:s, s:s, s:o, s:s?, s:o, s:s}", "id", id, "kind", "path", "state",
                     state_of(job), "address", json_slice(slice_of(job->request.address)), "egress",
                     *egress ? egress : NULL, "started", json_time(job->started_utc_ms), "verdict",
                     verdicts[job->worst]);
}

json_t *path_job_json(const struct path_job *job)
{
    json_t *object = head_json(job);

    json_object_set(object, "steps", job->steps);
    return object;
}

/* A stream tells the newest step alone; GET tells them all. */
static void tell(const struct path_job *job, json_t *step)
{
    json_t *object = head_json(job);

    if (step)
        json_object_set(object, "step", step);
    live_tell(job->webui, LIVE_PATHS, object);
}

static json_t *step_json(const struct path_job *job, const struct path_step *step)
{
    json_t *params = json_object();

    for (unsigned i = 0; i < step->n_params; i++)
        json_object_set_new(params, step->params[i].name,
                            json_slice(slice_of(step->params[i].value)));
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:o, s:o, s:I}", "n",
                     (json_int_t)json_array_size(job->steps), "egress", step->egress, "step",
                     step->name, "verdict", verdicts[step->verdict], "code", step->code, "params",
                     params, "sentence", json_slice(slice_of(step->sentence)), "ms",
                     (json_int_t)step->ms);
}

static void on_step(struct path_step *step)
{
    struct path_job *job = CONTAINER_OF(step->request, struct path_job, request);
    json_t *object = NULL;

    /* Asked for after its last step, it ended before. */
    job->is_cut = strcmp(step->code, "cancelled") == 0;
    if (step->verdict > job->worst)
        job->worst = step->verdict;
    if (json_array_size(job->steps) < PATHS_MOST_STEPS)
        object = step_json(job, step);
    if (object && json_array_append_new(job->steps, object) == 0)
        tell(job, object);
    free(step);
}

static void on_done(struct delivery_path *request)
{
    struct path_job *job = CONTAINER_OF(request, struct path_job, request);

    job->is_over = true;
    job->webui->n_waiting--;
    tell(job, NULL);
}

/* ---- POST /diagnostics/path ---- */

static bool refuse(struct exchange *exchange, const char *code, const char *detail)
{
    exchange_problem(exchange, 422, code, detail);
    return false;
}

/* In A-labels, as it is said to hosts. */
static bool take_address(struct delivery_path *request, struct slice local, struct slice domain)
{
    char ascii[IDN_SIZE];

    if (domain.data[0] != '[' && idn_to_ascii(domain, ascii) == 0)
        domain = slice_of(ascii);
    return (size_t)snprintf(request->address, sizeof(request->address), "%.*s@%.*s", (int)local.len,
                            local.data, (int)domain.len, domain.data) < sizeof(request->address);
}

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] > 0x7f)
            return false;
    return true;
}

/* "anna@dest.example", or "dest.example": its postmaster, whom every domain has (RFC 5321 4.5.1).
 */
static bool read_request(struct exchange *exchange, struct delivery_path *request)
{
    const char *text = exchange_text(exchange, "address");
    const char *domain = exchange_text(exchange, "domain");
    const char *egress = exchange_text(exchange, "egress");
    struct address address;

    if (!text == !domain)
        return refuse(exchange, "bad_address", "Name an address or a domain.");
    if (egress && !slice_copy_to(slice_of(egress), request->egress, sizeof(request->egress)))
        return refuse(exchange, "no_such_egress", "None of our addresses is called so.");
    if (domain && (!address_is_domain(slice_of(domain)) ||
                   !take_address(request, SLICE_LITERAL("postmaster"), slice_of(domain))))
        return refuse(exchange, "bad_address", "This is no domain.");
    if (text && (address_parse_mailbox(slice_of(text), &address) != ADDRESS_OK ||
                 !is_ascii(address.local) || !take_address(request, address.local, address.domain)))
        return refuse(exchange, "bad_address", "This is no address.");
    return true;
}

/* Room for one more: the oldest that is over makes it. */
static bool make_room(struct path_jobs *jobs)
{
    unsigned n_running = 0;

    LIST_FOR_EACH(link, &jobs->jobs)
    {
        struct path_job *job = CONTAINER_OF(link, struct path_job, link);

        n_running += !job->is_over;
        if (job->is_over && jobs->n_jobs >= PATHS_KEPT)
            forget(job);
    }
    return n_running < PATHS_AT_ONCE;
}

static bool is_free(struct exchange *exchange)
{
    struct path_jobs *jobs = &exchange->webui->paths;
    char id[24] = "";

    LIST_FOR_EACH(link, &jobs->jobs)
    {
        const struct path_job *job = CONTAINER_OF(link, struct path_job, link);

        if (!job->is_over && strcmp(job->by, exchange->by) == 0)
            snprintf(id, sizeof(id), "%llu", (unsigned long long)job->number);
    }
    if (make_room(jobs) && !*id)
        return true;
    exchange_problem_with(exchange, 409, "path_running", "Another test is still going on.",
                          json_pack("{s:s?}", "job", *id ? id : NULL));
    return false;
}

enum { HOUR_MS = 3600 * 1000 };

static struct slice account_of(const struct exchange *exchange)
{
    const struct access_book *book = exchange->webui->access.book;

    for (uint32_t i = 0; exchange->caller.token_id && book && i < book->n_tokens; i++)
        if (book->tokens[i].id == exchange->caller.token_id)
            return book->tokens[i].by;
    return slice_of(exchange->by);
}

/* When one more may begin; 0: now. */
static int64_t rests_until_ms(const struct path_jobs *jobs, struct slice account, int64_t now_ms)
{
    unsigned n = jobs->n_started < PATHS_AN_HOUR ? jobs->n_started : PATHS_AN_HOUR;
    int64_t first_ms = 0, first_own_ms = 0;
    unsigned n_all = 0, n_own = 0;

    for (unsigned i = jobs->n_started - n; i != jobs->n_started; i++) {
        const struct path_start *start = &jobs->starts[i % PATHS_AN_HOUR];

        if (now_ms - start->ms >= HOUR_MS)
            continue;
        if (n_all++ == 0)
            first_ms = start->ms;
        if (slice_equal(slice_of(start->by), account) && n_own++ == 0)
            first_own_ms = start->ms;
    }
    if (n_all >= PATHS_AN_HOUR)
        return first_ms + HOUR_MS;
    return n_own >= PATHS_AN_HOUR_OF_ONE ? first_own_ms + HOUR_MS : 0;
}

/* Who is on the socket can connect without us. */
static bool has_budget(struct exchange *exchange)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t until_ms = rests_until_ms(&exchange->webui->paths, account_of(exchange), now_ms);

    if (exchange->is_local || until_ms == 0)
        return true;
    exchange->retry_after_s = (unsigned)((until_ms - now_ms + 999) / 1000);
    exchange_problem_with(exchange, 429, "too_many_tests",
                          "So many tests of the way an hour are enough.",
                          json_pack("{s:i}", "seconds", (int)exchange->retry_after_s));
    return false;
}

static void note_start(const struct exchange *exchange)
{
    struct path_jobs *jobs = &exchange->webui->paths;
    struct path_start *start = &jobs->starts[jobs->n_started % PATHS_AN_HOUR];

    if (exchange->is_local)
        return;
    start->ms = clock_monotonic_ms();
    slice_copy_to(account_of(exchange), start->by, sizeof(start->by));
    jobs->n_started++;
}

static struct path_job *make_job(struct exchange *exchange)
{
    struct webui *webui = exchange->webui;
    struct path_job *job = calloc(1, sizeof(*job));

    if (!job)
        return NULL;
    job->webui = webui;
    job->number = webui->jobs.next_number++;
    job->started_utc_ms = clock_utc_ms();
    job->steps = json_array();
    snprintf(job->by, sizeof(job->by), "%s", exchange->by);
    job->request.answer_to = webui->mailbox;
    job->request.on_step = on_step;
    job->request.done = on_done;
    list_append(&webui->paths.jobs, &job->link);
    webui->paths.n_jobs++;
    return job;
}

void api_path_test(struct exchange *exchange)
{
    struct webui *webui = exchange->webui;
    const struct operations *operations = webui->parts.operations;
    struct path_job *job = is_free(exchange) && has_budget(exchange) ? make_job(exchange) : NULL;

    if (!job) {
        exchange_busy(exchange); /* unless it was refused */
        return;
    }
    if (!read_request(exchange, &job->request) ||
        !operations->path(operations->owner, &job->request)) {
        forget(job);
        exchange_busy(exchange);
        return;
    }
    note_start(exchange);
    webui->n_waiting++;
    exchange_answer(exchange, 202, path_job_json(job));
}
