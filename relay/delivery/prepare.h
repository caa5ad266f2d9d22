/* What leaves for a peer: the form it can take, the signature over that form, and where the bytes
 * are.  One preparation per transaction; signatures are kept for a while, so that a message for
 * many sites is signed once a form.  Thread: the loop's. */
#pragma once

#include "relay/delivery/letter.h"
#include "relay/delivery/outcome.h"
#include "relay/message/render.h"

struct preparation;

enum prepare_result {
    PREPARED,
    PREPARE_REFUSED,   /* judgement says what becomes of the recipients */
    PREPARE_NO_SIGNER, /* wait until one answers: no attempt was made */
};

/* done runs on a later turn, unless preparation_free() came before. */
struct preparation_owner {
    void (*done)(void *owner, enum prepare_result result);
    void *owner;
};

/* The letter is open and stays so.  NULL without memory. */
struct preparation *preparation_start(struct letter *letter, enum render_form form,
                                      struct preparation_owner owner);
void preparation_free(struct preparation *preparation); /* accepts NULL */

/* Before the message is committed (foresight.h), for what any peer can take: nothing is told, and
 * whatever is no signature is PREPARE_REFUSED, to be found again.  Then, when it is sent: the owner
 * changes, and hears of it on a later turn.  False: there is no signature and none will come; the
 * owner stays. */
struct preparation *preparation_start_ahead(struct letter *letter, struct preparation_owner owner);
MUST_USE bool preparation_adopt(struct preparation *preparation, struct preparation_owner owner);

/* After done(PREPARED): what goes in front, and a reader of the rest. */
struct slice preparation_prefix(const struct preparation *preparation);
struct render_reader preparation_reader(struct preparation *preparation);
uint64_t preparation_length(const struct preparation *preparation);

/* CRC-32C that the bytes read must have; false: they were made here and need none. */
bool preparation_crc(const struct preparation *preparation, uint32_t *crc);

/* After done(PREPARE_REFUSED); good as long as the preparation. */
const struct judgement *preparation_judgement(const struct preparation *preparation);
