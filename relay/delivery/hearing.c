#include "relay/delivery/hearing.h"

#include <stdio.h>

#include "policy/receiver_book.h"
#include "relay/base/log.h"
#include "relay/base/secret.h"
#include "relay/delivery/kept_words.h"
#include "relay/delivery/reply_memory.h"
#include "relay/schedule/provider.h"

enum { OTHER_ADDRESS_MS = 1000, PROBE_MS = 1000 };

/* ---- who and where ---- */

static const struct receiver_book *book_of(const struct delivery_shard *shard,
                                           const struct lane *lane)
{
    enum target_kind kind = target_of(lane->site)->policy.kind;

    return kind == TARGET_MX || kind == TARGET_LITERAL ? shard->config->book : NULL;
}

static void set_place(struct reply_subject *subject, const struct receiver_book *book,
                      const struct lane *lane)
{
    *subject = (struct reply_subject){.egress = lane->egress, .site = lane->site->hash};
    if (lane->site->provider)
        subject->provider =
            provider_table_named(&book->providers, slice_of(lane->site->provider->name));
}

static void set_mail(struct reply_subject *subject, const struct dispatch *dispatch,
                     const struct entry *entry)
{
    const struct schedule *schedule = dispatch->shard->schedule;
    const struct flow *flow;

    if (!entry && dispatch->n_entries == 0)
        return;
    flow = entry_flow(schedule, entry ? entry : dispatch->entries[0]);
    if (flow)
        subject->campaign = flow->campaign;
    subject->user = dispatch->letter->stored->user_id;
    if (entry)
        subject->recipient = entry->to_hash;
    if (dispatch->letter->is_open && dispatch->letter->envelope.from_domain.len)
        subject->from_domain = table_hash_ignoring_case(dispatch->letter->envelope.from_domain);
}

struct heard {
    struct delivery_shard *shard;
    struct lane *lane;
    enum smtp_phase phase;
    const struct smtp_reply *reply;
    const struct dispatch *dispatch; /* NULL: it carried none */
};

/* ---- what is done ---- */

static struct bound *bound_of(struct lane *lane, enum rule_scope scope)
{
    switch (scope) {
    case RULE_ON_LANE:
        return &lane->bound;
    case RULE_ON_LANE_PROVIDER:
        return lane_road(lane);
    case RULE_ON_SITE:
        return &lane->site->bound;
    case RULE_ON_PROVIDER:
        return lane->site->provider ? &lane->site->provider->bound : &lane->site->bound;
    case RULE_ON_FROM_DOMAIN: /* the engine keeps these: reply_rule_engine_block() */
    case RULE_ON_CAMPAIGN:
    case RULE_ON_USER:
    case RULE_ON_RECIPIENT:
    case N_RULE_SCOPES:
        break;
    }
    return NULL;
}

static struct site_limits limits_of(const struct rule_step *step)
{
    const struct rule_limits *said = &step->limits;

    return (struct site_limits){
        .connections = said->connections,
        .messages_per_connection = said->connection_messages,
        .messages_per_second = said->messages_per_second,
        .messages_per_minute = said->messages_per_minute,
        .messages_per_hour = said->messages_per_hour,
        .messages_per_day = said->messages_per_day,
    };
}

static void use(struct bound *bound, const struct rule_action *action, const char *reason,
                int64_t now_ms)
{
    struct site_limits limits = limits_of(action->step);

    switch (action->step->verb) {
    case RULE_SUSPEND:
    case RULE_OTHER_ADDRESS:
        bound_suspend(bound, BOUND_BY_RULE, reason, now_ms + action->for_ms, now_ms);
        break;
    case RULE_LIMIT:
        bound_limit(bound, BOUND_BY_RULE, &limits, reason, now_ms + action->for_ms, now_ms);
        break;
    case RULE_SLOW:
        bound_slow_down(bound, reason, now_ms, now_ms);
        break;
    case RULE_PROBE: /* a suspension ends with one, and grows from there */
        bound_suspend(bound, BOUND_BY_RULE, reason, now_ms + PROBE_MS, now_ms);
        break;
    case RULE_BOUNCE:
    case RULE_HOLD:
    case RULE_NOTIFY:
    case N_RULE_VERBS:
        break;
    }
}

static void tell(const struct delivery_shard *shard, const struct lane *lane,
                 const struct rule_action *action, const struct smtp_reply *reply)
{
    const struct provider *provider = lane->site->provider;
    char address[IP_TEXT_SIZE];

    EVENT(EVENT_RULE_APPLIED, field_slice("rule", action->rule->name),
          field_text("action", rule_verb_name(action->step->verb)),
          field_text("scope", rule_scope_name(action->scope)), field_text("site", lane->site->name),
          field_text("provider", provider ? provider->name : NULL),
          field_slice("egress", kept_words_address(shard, lane->egress, address)),
          field_number("for", action->for_ms / 1000), field_slice("reason", action->rule->reason),
          field_number("code", reply->code), field_slice("reply", slice_head(reply->text, 300)));
}

static void write_to_operator(const struct heard *heard, const struct rule_action *action)
{
    const struct site *site = heard->lane->site;
    char address[IP_TEXT_SIZE];

    notice_of_rule(heard->shard->delivery,
                   &(struct rule_notice){
                       .rule = action->rule->name,
                       .reason = action->rule->reason,
                       .site = site->name,
                       .provider = site->provider ? site->provider->name : NULL,
                       .egress = kept_words_address(heard->shard, heard->lane->egress, address),
                       .reply = heard->reply->text,
                   });
}

static void apply(const struct heard *heard, const struct rule_action *action)
{
    struct delivery_shard *shard = heard->shard;
    struct bound *bound = bound_of(heard->lane, action->scope);
    char reason[RULE_REASON_SIZE];

    snprintf(reason, sizeof(reason), "rule %.*s: %.*s", (int)action->rule->name.len,
             action->rule->name.data, (int)action->rule->reason.len, action->rule->reason.data);
    if (bound)
        use(bound, action, reason, shard_now_ms(shard));
    kept_words_note(shard, heard->lane, action, heard->dispatch, reason);
    if (action->scope != RULE_ON_RECIPIENT) /* those have events of their own */
        tell(shard, heard->lane, action, heard->reply);
    if (action->step->verb == RULE_NOTIFY)
        write_to_operator(heard, action);
    schedule_touch(shard->schedule, heard->lane->site);
    delivery_shard_touch(shard);
}

/* A deferral becomes what the rule says; a failure and a success stay what they are. */
static void change(struct delivery_shard *shard, const struct rule_action *action,
                   struct judgement *judgement)
{
    if (judgement->verdict != VERDICT_LATER)
        return;
    if (action->step->verb == RULE_OTHER_ADDRESS)
        judgement->due_ms = shard_now_ms(shard) + OTHER_ADDRESS_MS;
    else if (action->step->scope != RULE_ON_RECIPIENT)
        return;
    else if (action->step->verb == RULE_BOUNCE)
        judgement->verdict = VERDICT_FAILED;
    else if (action->step->verb == RULE_HOLD)
        judgement->verdict = VERDICT_HELD;
}

/* ---- what is heard ---- */

static size_t hear(const struct heard *heard, const struct receiver_book *book,
                   const struct reply_subject *subject, struct rule_action actions[RULE_STEPS])
{
    struct reply_facts facts;
    size_t n;

    reply_facts_fill(&facts, heard->phase, heard->reply);
    n = reply_rule_engine_hear(&heard->shard->rules, &book->rules, subject, &facts,
                               shard_now_ms(heard->shard), actions);
    for (size_t i = 0; i < n; i++)
        apply(heard, &actions[i]);
    return n;
}

static bool is_failure(const struct smtp_reply *reply)
{
    return smtp_reply_is_temporary(*reply) || smtp_reply_is_permanent(*reply);
}

void hearing_host(struct connection *connection, enum smtp_phase phase,
                  const struct smtp_reply *reply)
{
    struct heard heard = {connection->shard, connection->lane, phase, reply, connection->dispatch};
    const struct receiver_book *book = book_of(connection->shard, connection->lane);
    struct rule_action actions[RULE_STEPS];
    struct reply_subject subject;

    if (!book || !is_failure(reply))
        return;
    set_place(&subject, book, connection->lane);
    if (connection->dispatch)
        set_mail(&subject, connection->dispatch, NULL);
    for (size_t i = 0, n = hear(&heard, book, &subject, actions); i < n; i++)
        if (actions[i].step->verb == RULE_OTHER_ADDRESS && connection->dispatch)
            connection->dispatch->tries_other_address = true;
}

void hearing_reply(struct dispatch *dispatch, enum smtp_phase phase, const struct smtp_reply *reply,
                   const struct entry *entry, struct judgement *judgement)
{
    struct heard heard = {dispatch->shard, dispatch->lane, phase, reply, dispatch};
    const struct receiver_book *book = book_of(dispatch->shard, dispatch->lane);
    struct rule_action actions[RULE_STEPS];
    struct reply_subject subject;

    if (!book || !is_failure(reply))
        return;
    set_place(&subject, book, dispatch->lane);
    set_mail(&subject, dispatch, entry);
    for (size_t i = 0, n = hear(&heard, book, &subject, actions); i < n; i++)
        change(dispatch->shard, &actions[i], judgement);
}

void hearing_went_well(struct dispatch *dispatch, uint32_t n)
{
    struct delivery_shard *shard = dispatch->shard;
    const struct receiver_book *book = book_of(shard, dispatch->lane);
    struct reply_subject subject;

    if (!book || (!book->rules.has_ratio && shard->rules.n_blocks == 0))
        return;
    set_place(&subject, book, dispatch->lane);
    set_mail(&subject, dispatch, NULL);
    reply_rule_engine_went_well(&shard->rules, &book->rules, &subject, n, shard_now_ms(shard));
}

bool hearing_keeps_back(struct dispatch *dispatch, struct judgement *judgement)
{
    struct delivery_shard *shard = dispatch->shard;
    const struct receiver_book *book = book_of(shard, dispatch->lane);
    const struct rule_block *block;
    struct reply_subject subject;
    int64_t now_ms = shard_now_ms(shard);

    if (!book || shard->rules.n_blocks == 0)
        return false;
    set_place(&subject, book, dispatch->lane);
    set_mail(&subject, dispatch, NULL);
    block = reply_rule_engine_block(&shard->rules, &subject, now_ms);
    if (!block)
        return false;
    *judgement = (struct judgement){.verdict = VERDICT_HELD, .text = slice_of(block->reason)};
    if (block->verb == RULE_HOLD) {
        judgement->held_until_ms = block->until_ms;
        judgement->is_by_rule = true;
        return true;
    }
    judgement->verdict = VERDICT_AGAIN;
    judgement->due_ms = block->until_ms > now_ms ? block->until_ms : block->probed_until_ms;
    for (uint32_t i = 0; i < dispatch->n_entries; i++)
        reply_memory_note(&shard->replies, dispatch->letter->stored->id, dispatch->entries[i]->n,
                          slice_of(block->reason));
    return true;
}
