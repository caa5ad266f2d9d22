#include "relay/delivery/prepare.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "relay/base/log.h"
#include "relay/delivery/seven_bit.h"
#include "relay/delivery/signature_memory.h"
#include "relay/spool/queue_id.h"

enum { KEY_WAIT_MS = 2000 };

struct preparation {
    struct letter *letter;
    struct delivery_shard *shard;
    enum render_form form;
    struct preparation_owner owner;
    enum prepare_result result;
    struct judgement judgement;
    struct buffer prefix;
    struct seven_bit *seven_bit; /* the converted message */
    struct sign_request request;
    struct later later;
    bool is_asking;                         /* the signer */
    bool is_ahead;                          /* of the commit: nothing is told yet */
    struct buffer signed_domain, selectors; /* to be told then */
};

static void finish(struct preparation *preparation, enum prepare_result result)
{
    preparation->result = result;
    later_set(&preparation->later);
}

static void refuse(struct preparation *preparation, struct judgement judgement)
{
    preparation->judgement = judgement;
    finish(preparation, PREPARE_REFUSED);
}

static void run_later(struct later *later)
{
    struct preparation *preparation = CONTAINER_OF(later, struct preparation, later);

    preparation->owner.done(preparation->owner.owner, preparation->result);
}

/* ---- signing ---- */

static void tell_signed(const struct preparation *preparation, struct slice domain,
                        struct slice selectors)
{
    char id[QUEUE_ID_SIZE];

    queue_id_format(preparation->letter->stored->id, id);
    EVENT(EVENT_SIGNED, field_text("msg", id), field_slice("domain", domain),
          field_slice("selector", selectors));
}

static bool must_sign(const struct preparation *preparation)
{
    const struct envelope *envelope = &preparation->letter->envelope;
    const struct directory *directory = preparation->shard->directory;
    const struct user *user = directory_user_by_id(directory, envelope->user_id);
    const struct signing_domain *domain = directory_domain(directory, envelope->from_domain);

    if (envelope->flags & MESSAGE_REPORT)
        return false;
    return envelope->flags & MESSAGE_MUST_SIGN || (user && user->must_sign) ||
           (domain && domain->requires_signing);
}

static void go_unsigned(struct preparation *preparation)
{
    const struct envelope *envelope = &preparation->letter->envelope;
    struct stored *stored = preparation->letter->stored;
    char id[QUEUE_ID_SIZE];

    if (must_sign(preparation)) {
        refuse(preparation,
               (struct judgement){.verdict = VERDICT_HELD,
                                  .status = SMTP_STATUS(4, 7, 0),
                                  .text = SLICE_LITERAL("no DKIM key for the domain of From")});
        return;
    }
    if (!(envelope->flags & MESSAGE_REPORT) && !atomic_exchange(&stored->has_told_unsigned, true)) {
        queue_id_format(envelope->id, id);
        EVENT(EVENT_UNSIGNED, field_text("msg", id), field_slice("domain", envelope->from_domain));
    }
    finish(preparation, PREPARED);
}

/* The registry has an active key and the signer does not: it is being made active this moment, or
 * its file is lost.  Neither is a reason to send without. */
static void wait_for_key(struct preparation *preparation)
{
    refuse(preparation,
           (struct judgement){
               .verdict = VERDICT_LATER,
               .status = SMTP_STATUS(4, 7, 0),
               .text = SLICE_LITERAL("the signer has not got the active DKIM key of From"),
               .due_ms = shard_now_ms(preparation->shard) + KEY_WAIT_MS,
           });
}

static bool has_active_key(const struct preparation *preparation)
{
    const struct signing_domain *domain =
        directory_domain(preparation->shard->directory, preparation->letter->envelope.from_domain);

    return domain && signing_domain_has_active_key(domain);
}

/* A prefix that did not fit in memory is an empty one: the message would leave unsigned. */
static void lose_signature(struct preparation *preparation)
{
    if (preparation->is_ahead)
        finish(preparation, PREPARE_REFUSED);
    else
        refuse(preparation, (struct judgement){.verdict = VERDICT_LATER,
                                               .status = SMTP_STATUS(4, 3, 0),
                                               .text = SLICE_LITERAL("no memory")});
}

static void accept_signature(struct preparation *preparation, const struct sign_request *request)
{
    const struct stored *stored = preparation->letter->stored;

    buffer_append(&preparation->prefix, request->header);
    if (buffer_error(&preparation->prefix)) {
        lose_signature(preparation);
        return;
    }
    /* One recipient, one transaction: nobody will ask again soon. */
    if (preparation->letter->envelope.n_recipients > 1)
        signature_keep(&preparation->shard->signatures, stored->id, preparation->form,
                       request->header);
    sample_signed(preparation->shard, stored->id, request, preparation_reader(preparation),
                  preparation_length(preparation));
    if (preparation->is_ahead) {
        buffer_append(&preparation->signed_domain, request->signed_domain);
        buffer_append(&preparation->selectors, request->selectors);
    } else {
        tell_signed(preparation, request->signed_domain, request->selectors);
    }
    finish(preparation, PREPARED);
}

static void on_signed(struct sign_request *request)
{
    struct preparation *preparation = CONTAINER_OF(request, struct preparation, request);

    preparation->is_asking = false;
    if (preparation->is_ahead && request->result != SIGN_OK) {
        finish(preparation, PREPARE_REFUSED); /* found again, and said, by who sends it */
        return;
    }
    switch (request->result) {
    case SIGN_OK:
        accept_signature(preparation, request);
        break;
    case SIGN_NO_KEY:
        if (has_active_key(preparation))
            wait_for_key(preparation);
        else
            go_unsigned(preparation);
        break;
    case SIGN_DAMAGED:
        spool_report_damaged(preparation->letter->stored, "signer");
        refuse(preparation,
               (struct judgement){.verdict = VERDICT_HELD,
                                  .status = SMTP_STATUS(4, 3, 0),
                                  .text = SLICE_LITERAL("the stored message is damaged")});
        break;
    case SIGN_FAILED:
        refuse(preparation,
               (struct judgement){.verdict = VERDICT_LATER,
                                  .status = SMTP_STATUS(4, 7, 0),
                                  .text = SLICE_LITERAL("the message could not be signed")});
        break;
    case SIGN_DOWN:
        finish(preparation, PREPARE_NO_SIGNER);
        break;
    }
}

static void ask_signer(struct preparation *preparation)
{
    const struct spool_view *view = &preparation->letter->view;
    const struct seven_bit *converted = preparation->seven_bit;

    preparation->request = (struct sign_request){
        .done = on_signed,
        .fd = converted ? seven_bit_fd(converted) : view->fd,
        .once = converted || preparation->letter->stored->is_large,
        .offset = converted ? 0 : view->offset,
        .length = preparation_length(preparation),
        .crc = converted ? seven_bit_crc(converted) : view->crc,
        .life_s = preparation->shard->config->settings.signature_life_s,
        .domain = preparation->letter->envelope.from_domain,
    };
    preparation->is_asking = true;
    signer_sign(preparation->shard->signer, &preparation->request);
}

/* Without a signer the directory has to say it, and only a sure no counts. */
static bool is_never_signed(const struct preparation *preparation)
{
    const struct directory *directory = preparation->shard->directory;
    struct slice domain = preparation->letter->envelope.from_domain;

    if (domain.len == 0 || directory->n_domains == 0)
        return true;
    return !signer_client_is_up(preparation->shard->signer) &&
           !directory_may_sign(directory, domain);
}

static void sign(struct preparation *preparation)
{
    if (signature_find(&preparation->shard->signatures, preparation->letter->stored->id,
                       preparation->form, &preparation->prefix))
        finish(preparation, PREPARED);
    else if (is_never_signed(preparation))
        go_unsigned(preparation);
    else
        ask_signer(preparation);
}

/* ---- the 7-bit form ---- */

static void on_converted(void *owner, int result)
{
    struct preparation *preparation = owner;

    if (result == 0)
        sign(preparation);
    else if (result > 0)
        refuse(preparation,
               (struct judgement){.verdict = VERDICT_FAILED,
                                  .status = SMTP_STATUS(5, 6, 3),
                                  .text = SLICE_LITERAL("the receiver takes 7 bits only, and the "
                                                        "message cannot be converted")});
    else
        refuse(preparation,
               (struct judgement){.verdict = result == -EBADMSG ? VERDICT_HELD : VERDICT_LATER,
                                  .status = SMTP_STATUS(4, 3, 0),
                                  .text = SLICE_LITERAL("the message could not be converted")});
}

static void convert(struct preparation *preparation)
{
    preparation->seven_bit = seven_bit_start(preparation->letter, on_converted, preparation);
    if (!preparation->seven_bit)
        on_converted(preparation, -ENOMEM);
}

static struct preparation *new_preparation(struct letter *letter, enum render_form form,
                                           struct preparation_owner owner)
{
    struct preparation *preparation = calloc(1, sizeof(*preparation));

    if (!preparation)
        return NULL;
    preparation->letter = letter_ref(letter);
    preparation->shard = letter->shard;
    preparation->form = form;
    preparation->owner = owner;
    later_init(&preparation->later, letter->shard->loop, run_later);
    return preparation;
}

struct preparation *preparation_start(struct letter *letter, enum render_form form,
                                      struct preparation_owner owner)
{
    struct preparation *preparation = new_preparation(letter, form, owner);

    if (!preparation)
        return NULL;
    if (form == RENDER_SEVEN_BIT)
        convert(preparation);
    else if (form == RENDER_EIGHT_BIT)
        sign(preparation);
    else
        refuse(preparation,
               (struct judgement){.verdict = VERDICT_FAILED,
                                  .status = SMTP_STATUS(5, 6, 7),
                                  .text = SLICE_LITERAL("the receiver does not take UTF-8 "
                                                        "addresses or headers (SMTPUTF8)")});
    return preparation;
}

struct preparation *preparation_start_ahead(struct letter *letter, struct preparation_owner owner)
{
    struct preparation *preparation = new_preparation(letter, RENDER_EIGHT_BIT, owner);

    if (!preparation)
        return NULL;
    preparation->is_ahead = true;
    if (is_never_signed(preparation))
        finish(preparation, PREPARE_REFUSED);
    else
        ask_signer(preparation);
    return preparation;
}

bool preparation_adopt(struct preparation *preparation, struct preparation_owner owner)
{
    if (!preparation->is_asking && preparation->result != PREPARED)
        return false;
    preparation->owner = owner;
    preparation->is_ahead = false;
    if (preparation->is_asking)
        return true; /* on_signed() tells the new owner */
    tell_signed(preparation, buffer_slice(&preparation->signed_domain),
                buffer_slice(&preparation->selectors));
    later_set(&preparation->later);
    return true;
}

void preparation_free(struct preparation *preparation)
{
    if (!preparation)
        return;
    if (preparation->is_asking)
        signer_forget(&preparation->request.base);
    later_cancel(&preparation->later);
    seven_bit_free(preparation->seven_bit);
    buffer_fini(&preparation->prefix);
    buffer_fini(&preparation->signed_domain);
    buffer_fini(&preparation->selectors);
    letter_unref(preparation->letter);
    free(preparation);
}

/* ---- what was prepared ---- */

struct slice preparation_prefix(const struct preparation *preparation)
{
    return buffer_slice(&preparation->prefix);
}

static ssize_t read_stored(void *owner, uint64_t offset, void *out, size_t len)
{
    const struct preparation *preparation = owner;

    return (ssize_t)spool_read(&preparation->letter->view, offset, out, len);
}

static ssize_t read_converted(void *owner, uint64_t offset, void *out, size_t len)
{
    const struct preparation *preparation = owner;
    ssize_t n_read = pread(seven_bit_fd(preparation->seven_bit), out, len, (off_t)offset);

    return n_read < 0 ? -errno : n_read;
}

struct render_reader preparation_reader(struct preparation *preparation)
{
    return (struct render_reader){preparation->seven_bit ? read_converted : read_stored,
                                  preparation};
}

uint64_t preparation_length(const struct preparation *preparation)
{
    return preparation->seven_bit ? seven_bit_length(preparation->seven_bit)
                                  : preparation->letter->view.length;
}

bool preparation_crc(const struct preparation *preparation, uint32_t *crc)
{
    *crc = preparation->letter->view.crc;
    return !preparation->seven_bit;
}

const struct judgement *preparation_judgement(const struct preparation *preparation)
{
    return &preparation->judgement;
}
