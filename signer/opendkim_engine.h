/* libopendkim as the signing engine (`dkim { engine = "opendkim" }`): the reference for whoever
 * wants it and for the benchmark.  RSA only: its Ed25519 path leaks.  It decodes the key each time,
 * so it costs three times as much as our own code.
 * Thread: one engine per thread. */
#pragma once

#include "signer/sign.h"

struct opendkim_engine;

MUST_USE int opendkim_engine_new(struct opendkim_engine **out);               /* 0 or -ENOMEM */
struct opendkim_engine *opendkim_engine_free(struct opendkim_engine *engine); /* accepts NULL */

/* As sign_natively(), for an input with one RSA key. */
MUST_USE int sign_by_opendkim(struct opendkim_engine *engine, const struct sign_input *input,
                              struct buffer *out);
