#include "relay/control/key_ceremony.h"

#include <stdio.h>
#include <string.h>

#include "relay/base/crc32c.h"
#include "relay/base/event.h"
#include "relay/net/memory_file.h"
#include "signer/dns_record.h"

static void take_step(struct ceremony *ceremony);

static void next(struct ceremony *ceremony)
{
    ceremony->step++;
    take_step(ceremony);
}

/* ---- asking ---- */

static void ask_signer(struct ceremony *ceremony, enum key_verb verb,
                       void (*done)(struct key_request *request))
{
    const struct key_name *name = &ceremony->key->name;

    ceremony->key_request = (struct key_request){
        .done = done,
        .verb = verb,
        .type = ceremony->key->type,
        .domain = slice_of(name->domain),
        .selector = slice_of(name->selector),
        .pem = verb == KEY_IMPORT ? ceremony->order->pem : slice_of(""),
    };
    signer_key(ceremony->client, &ceremony->key_request);
}

/* False: busy, nothing happened. */
static bool ask_registry(struct ceremony *ceremony,
                         bool (*verb)(struct registry *, struct domain_key_request *),
                         void (*done)(struct registry_request *request))
{
    const struct key_made *key = ceremony->key;

    ceremony->row = (struct domain_key_request){
        .request = {.answer_to = loop_mailbox(ceremony->loop),
                    .done = done,
                    .by = ceremony->order->by},
        .domain = slice_of(key->name.domain),
        .selector = slice_of(key->name.selector),
        .type = key->type == DKIM_KEY_RSA ? DOMAIN_KEY_RSA : DOMAIN_KEY_ED25519,
        .public_key = slice_of(key->public_half),
        .only_if_first = true,
    };
    return verb(ceremony->registry, &ceremony->row);
}

/* ---- the end, good or bad ---- */

static void finish(struct ceremony *ceremony)
{
    close_fd_cleanup(&ceremony->message_fd);
    ceremony->message_fd = -1;
    buffer_fini(&ceremony->header);
    ceremony->finished(ceremony);
}

static void on_key_undone(struct key_request *request)
{
    finish(CONTAINER_OF(request, struct ceremony, key_request));
}

static void undo_key(struct ceremony *ceremony)
{
    if (!ceremony->has_key) {
        finish(ceremony);
        return;
    }
    ceremony->has_key = false;
    ask_signer(ceremony, KEY_DELETE, on_key_undone);
}

static void on_row_undone(struct registry_request *request)
{
    undo_key(CONTAINER_OF(request, struct ceremony, row.request));
}

static void undo(struct ceremony *ceremony)
{
    if (!ceremony->has_row || !ask_registry(ceremony, registry_key_delete, on_row_undone))
        undo_key(ceremony);
}

static void fail(struct ceremony *ceremony, const char *code, struct slice sentence)
{
    struct key_order *order = ceremony->order;

    order->went_well = false;
    order->code = code;
    slice_copy_to(sentence, order->sentence, sizeof(order->sentence));
    EVENT(EVENT_KEY_REFUSED, field_text("domain", ceremony->key->name.domain),
          field_text("selector", ceremony->key->name.selector), field_text("code", code),
          field_text("reason", order->sentence));
    undo(ceremony);
}

/* ---- the signer ---- */

static const char *code_of(enum key_result result)
{
    switch (result) {
    case KEY_OK:
        return "ok";
    case KEY_EXISTS:
        return "exists";
    case KEY_UNKNOWN:
        return "not_found";
    case KEY_REFUSED:
        return "key_refused";
    case KEY_FAILED:
        return "key_failed";
    case KEY_SIGNER_DOWN:
        return "signer_down";
    }
    return "key_failed";
}

static void refuse_key(struct ceremony *ceremony, const struct key_request *request)
{
    fail(ceremony, code_of(request->result),
         request->result == KEY_SIGNER_DOWN ? SLICE_LITERAL("The signer does not answer.")
         : request->result == KEY_EXISTS    ? SLICE_LITERAL("A key of that name exists.")
                                            : request->why);
}

/* The public half of a key that was made, or found. */
static void take_public_half(struct ceremony *ceremony, const struct key_request *request)
{
    struct key_made *key = ceremony->key;

    key->type = request->found_type;
    if (slice_copy_to(request->public_half, key->public_half, sizeof(key->public_half)))
        next(ceremony);
    else
        fail(ceremony, "key_refused", SLICE_LITERAL("The public half is too long."));
}

static void on_found(struct key_request *request)
{
    struct ceremony *ceremony = CONTAINER_OF(request, struct ceremony, key_request);

    if (request->result != KEY_OK)
        refuse_key(ceremony, request);
    else if (request->found_type != ceremony->key->type)
        fail(ceremony, "exists", SLICE_LITERAL("A key of that name and another type exists."));
    else
        take_public_half(ceremony, request); /* the registry says whether it is known */
}

static void on_created(struct key_request *request)
{
    struct ceremony *ceremony = CONTAINER_OF(request, struct ceremony, key_request);

    ceremony->has_key = request->result == KEY_OK;
    if (request->result == KEY_EXISTS && !ceremony->order->pem.len)
        ask_signer(ceremony, KEY_SHOW, on_found);
    else if (request->result != KEY_OK)
        refuse_key(ceremony, request);
    else
        take_public_half(ceremony, request);
}

static void on_activated(struct key_request *request)
{
    struct ceremony *ceremony = CONTAINER_OF(request, struct ceremony, key_request);

    if (request->result == KEY_OK)
        next(ceremony);
    else
        refuse_key(ceremony, request);
}

static void step_create(struct ceremony *ceremony)
{
    ask_signer(ceremony, ceremony->order->pem.len ? KEY_IMPORT : KEY_CREATE, on_created);
}

static void step_activate(struct ceremony *ceremony)
{
    if (!ceremony->key->is_active) {
        next(ceremony);
        return;
    }
    ask_signer(ceremony, KEY_ACTIVATE, on_activated);
}

/* ---- the registry ---- */

static void on_row(struct registry_request *request)
{
    struct ceremony *ceremony = CONTAINER_OF(request, struct ceremony, row.request);

    if (request->result != REGISTRY_OK) {
        fail(ceremony, registry_result_name(request->result), slice_of(request->sentence));
        return;
    }
    ceremony->has_row = true;
    if (ceremony->step == CEREMONY_CHOOSE)
        ceremony->key->is_active = ceremony->row.is_active;
    next(ceremony);
}

static void step_registry(struct ceremony *ceremony,
                          bool (*verb)(struct registry *, struct domain_key_request *))
{
    if (!ask_registry(ceremony, verb, on_row))
        fail(ceremony, "busy", SLICE_LITERAL("The service is too busy, try again."));
}

static void step_add_row(struct ceremony *ceremony)
{
    step_registry(ceremony, registry_key_add);
}

static void step_mark(struct ceremony *ceremony)
{
    step_registry(ceremony, registry_key_judged);
}

static void step_choose(struct ceremony *ceremony)
{
    step_registry(ceremony, registry_key_activate);
}

/* ---- the first signature, and its judge ---- */

static const char trial_format[] = "From: <postmaster@%s>\r\n"
                                   "To: <postmaster@%s>\r\n"
                                   "Subject: The first signature of a new key\r\n"
                                   "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
                                   "Message-ID: <first.signature@%s>\r\n"
                                   "MIME-Version: 1.0\r\n"
                                   "Content-Type: text/plain; charset=us-ascii\r\n"
                                   "\r\n"
                                   "A key signs mail only after an independent program has\r\n"
                                   "verified what it signed first.\r\n";

static struct slice trial_message(const struct ceremony *ceremony, char *out, size_t size)
{
    const char *domain = ceremony->key->name.domain;
    int len = snprintf(out, size, trial_format, domain, domain, domain);

    return slice_from(out, (size_t)len);
}

static void on_signed(struct sign_request *request)
{
    struct ceremony *ceremony = CONTAINER_OF(request, struct ceremony, sign_request);

    if (request->result != SIGN_OK) {
        fail(ceremony, request->result == SIGN_DOWN ? "signer_down" : "key_failed",
             SLICE_LITERAL("The signer could not sign with the new key."));
        return;
    }
    buffer_clear(&ceremony->header);
    buffer_append(&ceremony->header, request->header);
    next(ceremony);
}

static void step_sign(struct ceremony *ceremony)
{
    char text[2048];
    struct slice message = trial_message(ceremony, text, sizeof(text));

    if (memory_file_new(&ceremony->message_fd, "first-signature", message) < 0) {
        fail(ceremony, "out_of_memory", SLICE_LITERAL("The service is out of memory."));
        return;
    }
    ceremony->sign_request = (struct sign_request){
        .done = on_signed,
        .fd = ceremony->message_fd,
        .length = message.len,
        .crc = crc32c(0, message),
        .domain = slice_of(ceremony->key->name.domain),
        .selector = slice_of(ceremony->key->name.selector),
    };
    signer_sign(ceremony->client, &ceremony->sign_request);
}

/* On a worker. */
static void judge_signature(struct job *job)
{
    struct ceremony *ceremony = CONTAINER_OF(job, struct ceremony, job);
    const struct key_made *key = ceremony->key;
    const struct dkim_record record = {slice_of(key->name.domain), slice_of(key->name.selector),
                                       key->type, slice_of(key->public_half)};
    CLEANUP(buffer) struct buffer value = BUFFER_INIT;
    char text[2048];
    const struct slice parts[] = {buffer_slice(&ceremony->header),
                                  trial_message(ceremony, text, sizeof(text))};
    struct judge_record published;

    dkim_record_print_value(&value, &record);
    published = (struct judge_record){record.domain, record.selector, buffer_slice(&value)};
    judge_message(ceremony->judge, parts, 2, &published, 1, &ceremony->verdict);
}

static void on_judged(struct job *job)
{
    struct ceremony *ceremony = CONTAINER_OF(job, struct ceremony, job);

    if (job->was_cancelled)
        fail(ceremony, "busy", SLICE_LITERAL("The service is stopping."));
    else if (ceremony->verdict.result != JUDGE_PASS)
        fail(ceremony, "not_judged", slice_of(ceremony->verdict.reason));
    else
        next(ceremony);
}

static void step_judge(struct ceremony *ceremony)
{
    ceremony->job = (struct job){
        .answer_to = loop_mailbox(ceremony->loop), .work = judge_signature, .done = on_judged};
    if (!worker_pool_submit(ceremony->workers, &ceremony->job))
        fail(ceremony, "busy", SLICE_LITERAL("The service is too busy, try again."));
}

static void step_done(struct ceremony *ceremony)
{
    const struct key_made *key = ceremony->key;

    ceremony->order->n_made++;
    EVENT(EVENT_KEY_CREATED, field_text("domain", key->name.domain),
          field_text("selector", key->name.selector),
          field_text("type", dkim_key_type_name(key->type)));
    if (key->is_active)
        EVENT(EVENT_KEY_ACTIVE, field_text("domain", key->name.domain),
              field_text("selector", key->name.selector),
              field_text("type", dkim_key_type_name(key->type)));
    finish(ceremony);
}

static void take_step(struct ceremony *ceremony)
{
    static void (*const steps[])(struct ceremony *) = {
        [CEREMONY_CREATE] = step_create,     [CEREMONY_ADD_ROW] = step_add_row,
        [CEREMONY_SIGN] = step_sign,         [CEREMONY_JUDGE] = step_judge,
        [CEREMONY_MARK] = step_mark,         [CEREMONY_CHOOSE] = step_choose,
        [CEREMONY_ACTIVATE] = step_activate, [CEREMONY_DONE] = step_done,
    };

    steps[ceremony->step](ceremony);
}

void ceremony_begin(struct ceremony *ceremony, struct key_order *order, struct slice selector,
                    enum dkim_key_type type)
{
    char why[KEY_WHY_SIZE];

    ceremony->order = order;
    ceremony->key = &order->made[order->n_made];
    *ceremony->key = (struct key_made){.type = type};
    ceremony->message_fd = -1;
    ceremony->step = CEREMONY_CREATE;
    ceremony->has_key = ceremony->has_row = false;
    if (!key_name_set(&ceremony->key->name, order->domain, selector, why)) {
        fail(ceremony, "invalid_name", slice_of(why));
        return;
    }
    take_step(ceremony);
}
