/* What the registry can be asked about signing domains and the public halves of their keys; how to
 * ask is said in registry_users.h.  The private halves are the signer's alone.
 * Thread: any. */
#pragma once

#include "policy/registry.h"

struct domain_request {
    struct registry_request request;
    struct slice name;
    bool requires_signing; /* add and options */
};
MUST_USE bool registry_domain_add(struct registry *registry, struct domain_request *request);
MUST_USE bool registry_domain_options(struct registry *registry, struct domain_request *request);
MUST_USE bool registry_domain_delete(struct registry *registry, struct domain_request *request);

struct domain_key_request {
    struct registry_request request;
    struct slice domain, selector;
    enum domain_key_type type; /* add */
    struct slice public_key;   /* add: base64 */
    bool only_if_first; /* activate: leave it inactive when an active key of its type exists */
    bool is_active;     /* out */
};
MUST_USE bool registry_key_add(struct registry *registry, struct domain_key_request *request);
MUST_USE bool registry_key_judged(struct registry *registry, struct domain_key_request *request);
/* Makes it the one active key of its domain and type. */
MUST_USE bool registry_key_activate(struct registry *registry, struct domain_key_request *request);
MUST_USE bool registry_key_delete(struct registry *registry, struct domain_key_request *request);
