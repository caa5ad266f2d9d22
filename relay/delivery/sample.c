#include "relay/delivery/sample.h"

#include "policy/policy.h"
#include "relay/base/event.h"
#include "relay/delivery/shard.h"
#include "signer/dns_record.h"

void sample_init(struct sample *sample)
{
    *sample = (struct sample){.n_since = SAMPLE_EVERY};
    buffer_init(&sample->header, 0);
    buffer_init(&sample->message, 0);
    buffer_init(&sample->domain, 0);
    for (unsigned i = 0; i < SAMPLE_MOST_KEYS; i++) {
        buffer_init(&sample->records[i].selector, 0);
        buffer_init(&sample->records[i].text, 0);
    }
}

static void forget(struct sample *sample)
{
    buffer_fini(&sample->header);
    buffer_fini(&sample->message);
    buffer_fini(&sample->domain);
    for (unsigned i = 0; i < SAMPLE_MOST_KEYS; i++) {
        buffer_fini(&sample->records[i].selector);
        buffer_fini(&sample->records[i].text);
    }
    sample->n_records = 0;
}

void sample_fini(struct sample *sample)
{
    forget(sample);
    sample->judge = judge_free(sample->judge);
}

/* ---- on a worker ---- */

static void judge(struct job *job)
{
    struct sample *sample = CONTAINER_OF(job, struct sample, job);
    const struct slice parts[] = {buffer_slice(&sample->header), buffer_slice(&sample->message)};
    struct judge_record records[SAMPLE_MOST_KEYS];

    for (unsigned i = 0; i < sample->n_records; i++)
        records[i] = (struct judge_record){buffer_slice(&sample->domain),
                                           buffer_slice(&sample->records[i].selector),
                                           buffer_slice(&sample->records[i].text)};
    judge_message(sample->judge, parts, 2, records, sample->n_records, &sample->verdict);
}

/* ---- on the loop ---- */

static void on_judged(struct job *job)
{
    struct sample *sample = CONTAINER_OF(job, struct sample, job);

    if (!job->was_cancelled && sample->verdict.result != JUDGE_PASS)
        EVENT(EVENT_SIGNATURE_WRONG, field_text("msg", sample->id),
              field_slice("domain", buffer_slice(&sample->domain)),
              field_text("reason", sample->verdict.reason));
    forget(sample);
    sample->is_running = false;
}

/* The keys that signed, as our own registry would publish them.  A key that the snapshot does not
 * hold yet or any more cannot be compared: false. */
static bool gather_records(struct sample *sample, const struct signing_domain *domain,
                           struct slice selectors)
{
    for (uint32_t i = 0; domain && i < domain->n_keys; i++) {
        const struct domain_key *key = &domain->keys[i];
        const struct dkim_record record = {
            domain->name, key->selector,
            key->type == DOMAIN_KEY_RSA ? DKIM_KEY_RSA : DKIM_KEY_ED25519, key->public_key};

        if (!key->is_active || slice_search(selectors, key->selector) < 0)
            continue;
        if (sample->n_records == SAMPLE_MOST_KEYS)
            return false;
        buffer_append(&sample->records[sample->n_records].selector, key->selector);
        dkim_record_print_value(&sample->records[sample->n_records].text, &record);
        sample->n_records++;
    }
    return sample->n_records > 0;
}

static bool copy_message(struct sample *sample, struct render_reader reader, uint64_t length)
{
    if (buffer_reserve(&sample->message, length) < 0 ||
        reader.read(reader.owner, 0, sample->message.data, length) != (ssize_t)length)
        return false; /* not in memory: another message will do */
    sample->message.len = length;
    return true;
}

static bool gather(struct delivery_shard *shard, const struct sign_request *request,
                   struct render_reader reader, uint64_t length)
{
    struct sample *sample = &shard->sample;
    const struct signing_domain *domain =
        directory_domain(shard->directory, request->signed_domain);

    if (!sample->judge && judge_new(&sample->judge) < 0)
        return false;
    buffer_append(&sample->header, request->header);
    buffer_append(&sample->domain, request->signed_domain);
    return gather_records(sample, domain, request->selectors) &&
           sample->n_records == request->n_signatures && copy_message(sample, reader, length) &&
           !buffer_error(&sample->header) && !buffer_error(&sample->domain);
}

void sample_signed(struct delivery_shard *shard, uint64_t id, const struct sign_request *request,
                   struct render_reader reader, uint64_t length)
{
    struct sample *sample = &shard->sample;

    if (++sample->n_since < SAMPLE_EVERY || sample->is_running || !shard->delivery->policy ||
        length > SAMPLE_MOST_BYTES)
        return;
    sample->job =
        (struct job){.answer_to = loop_mailbox(shard->loop), .work = judge, .done = on_judged};
    queue_id_format(id, sample->id);
    sample->is_running = gather(shard, request, reader, length) &&
                         worker_pool_submit(policy_workers(shard->delivery->policy), &sample->job);
    if (sample->is_running)
        sample->n_since = 0;
    else
        forget(sample);
}
