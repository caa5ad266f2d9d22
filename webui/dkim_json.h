/* DKIM keys and their DNS records as the API shows them.  Thread: the panel's. */
#pragma once

#include "webui/exchange.h"

json_t *domain_json(const struct signing_domain *domain); /* with its keys */
json_t *dkim_key_json(const struct signing_domain *domain, const struct domain_key *key);

/* The HTTP status that fits the code of a key order that failed. */
unsigned key_order_status(const char *code);

/* name in any case, in UTF-8 or A-labels.  Answers 404 when there is none. */
const struct signing_domain *api_find_domain(struct exchange *exchange, struct slice name);
