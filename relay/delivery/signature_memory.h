/* A message's signatures in each form, for its other transactions: it is signed once a form.
 * Thread: the loop's. */
#pragma once

#include "relay/base/buffer.h"
#include "relay/delivery/memo.h"
#include "relay/message/render.h"

void signature_memory_init(struct memo *signatures);

void signature_keep(struct memo *signatures, uint64_t id, enum render_form form, struct slice text);

/* Appends it to out; false: there is none, or no memory. */
MUST_USE bool signature_find(const struct memo *signatures, uint64_t id, enum render_form form,
                             struct buffer *out);
