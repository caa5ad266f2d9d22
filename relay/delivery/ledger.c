#include "relay/delivery/ledger.h"

#include "policy/personal_mail.h"
#include "relay/delivery/outcome.h"
#include "relay/schedule/provider.h"
#include "signer/public_suffix.h"

static void note_campaign(const struct outcome *outcome, bool is_delivered)
{
    const struct envelope *envelope = &outcome->letter->envelope;

    if (envelope->campaign.len)
        tally_add(&outcome->shard->tally, &(struct tally_row){.kind = TALLY_CAMPAIGN_ENDED,
                                                              .id = envelope->user_id,
                                                              .first = is_delivered,
                                                              .second = !is_delivered,
                                                              .name = envelope->campaign});
}

/* The organizational domain, where it is known. */
static struct slice organisation_of(const struct outcome *outcome, struct slice domain,
                                    char out[DKIM_DOMAIN_SIZE])
{
    char name[DKIM_DOMAIN_SIZE];

    if (slice_copy_to(domain, name, sizeof(name)) &&
        public_suffix_organisational(outcome->shard->delivery->suffixes, name, out))
        return slice_of(out);
    return domain;
}

static void note_domain(const struct outcome *outcome, const struct outcome_item *item)
{
    const struct envelope *envelope = &outcome->letter->envelope;
    struct slice address = envelope->recipients[item->n - 1].address;
    struct slice domain = slice_skip(address, (size_t)(slice_find_last(address, '@') + 1));
    enum personal_provider provider;
    char organisational[DKIM_DOMAIN_SIZE];

    if (!envelope->from_domain.len || !personal_provider_of(domain, &provider))
        return;
    tally_add(&outcome->shard->tally,
              &(struct tally_row){
                  .kind = TALLY_PERSONAL,
                  .id = provider,
                  .first = 1,
                  .name = organisation_of(outcome, envelope->from_domain, organisational)});
}

/* Empty: nobody's we know, or none was reached. */
static struct slice provider_of(const struct outcome *outcome, const struct entry *entry)
{
    const struct flow *flow = entry ? entry_flow(outcome->shard->schedule, entry) : NULL;

    return slice_of(flow && flow->share->site->provider ? flow->share->site->provider->name : "");
}

/* Who takes mail for it, and whom it is counted for: a provider, or a domain.  What went well at a
 * domain that is nobody's needs no row of its own. */
static void note_user(const struct outcome *outcome, const struct outcome_item *item)
{
    bool is_bad = item->judgement.verdict == VERDICT_FAILED &&
                  item->judgement.bounce_class == BOUNCE_BAD_MAILBOX;
    struct slice address = outcome->letter->envelope.recipients[item->n - 1].address;
    struct slice domain = slice_skip(address, (size_t)(slice_find_last(address, '@') + 1));
    char organisational[DKIM_DOMAIN_SIZE];
    struct tally_row row = {.kind = TALLY_CONCLUDED,
                            .id = outcome->letter->envelope.user_id,
                            .first = 1,
                            .second = is_bad,
                            .name = provider_of(outcome, item->entry)};

    if (!row.name.len && is_bad)
        row.name = organisation_of(outcome, domain, organisational);
    tally_add(&outcome->shard->tally, &row);
}

static void note_bounce(const struct outcome *outcome, const struct outcome_item *item)
{
    const struct envelope *envelope = &outcome->letter->envelope;
    bool is_deferred = item->judgement.verdict == VERDICT_LATER;
    struct tally_row row = {.kind = TALLY_BOUNCES_OF_USER,
                            .id = item->judgement.bounce_class,
                            .first = !is_deferred,
                            .second = is_deferred,
                            .name = envelope->user};

    tally_add(&outcome->shard->tally, &row);
    row.kind = TALLY_BOUNCES_OF_PROVIDER;
    row.name = provider_of(outcome, item->entry);
    tally_add(&outcome->shard->tally, &row);
    row.kind = TALLY_BOUNCES_OF_CAMPAIGN;
    row.name = envelope->campaign;
    row.user_id = envelope->user_id;
    if (row.name.len)
        tally_add(&outcome->shard->tally, &row);
}

void ledger_note(const struct outcome *outcome, const struct outcome_item *item)
{
    const struct envelope *envelope = &outcome->letter->envelope;
    enum verdict verdict = item->judgement.verdict;

    if (!outcome->letter->is_open || envelope->flags & MESSAGE_REPORT ||
        item->n > envelope->n_recipients)
        return;
    if (verdict == VERDICT_LATER || verdict == VERDICT_FAILED || verdict == VERDICT_EXPIRED)
        note_bounce(outcome, item);
    if (verdict == VERDICT_DELIVERED || verdict == VERDICT_FAILED)
        note_user(outcome, item);
    if (verdict == VERDICT_DELIVERED || verdict == VERDICT_FAILED || verdict == VERDICT_EXPIRED)
        note_campaign(outcome, verdict == VERDICT_DELIVERED);
    if (verdict == VERDICT_DELIVERED)
        note_domain(outcome, item);
}
